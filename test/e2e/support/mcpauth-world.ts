/**
 * An operator with an environment file and the labels of mcpauth, who changes the image and follows the program's
 * messages and the migration page.
 *
 * @module
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseEnv } from 'node:util'
import { vi } from 'vitest'
import { stringify } from 'yaml'
import { startSampleServer } from '../../../scripts/lib/everything.ts'
import { freePort } from '../../../scripts/lib/ports.ts'
import { type RunningProcess, startProcess } from '../../../scripts/lib/processes.ts'
import { writeTraefikFiles } from '../../../scripts/lib/traefik.ts'
import { labelsOf } from '../../migrate/migration-page.ts'
import type { Credentials } from './browser.ts'
import { exchange } from './http-exchange.ts'
import { nameLoopback } from './loopback-names.ts'
import { runBash } from './shell.ts'
import { toolPath } from './tools.ts'
import { configurationOf } from './traefik-labels.ts'

const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
/** A domain below a top level for which clients accept http; only this process can resolve it. */
const DOMAIN = 'gw.localhost'
const FLAGS = ['-useInternalAuth', '-adminUsername=root']
export const STATIC_TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq'

export interface McpauthWorld {
  readonly issuer: string
  readonly mcpUrl: string
  readonly ann: Credentials
  /** The standard error of each start, up to the first that succeeded. */
  readonly starts: readonly { readonly exitCode: number | null; readonly errors: string }[]
  /** The output of the last start and of everything after it. */
  log(): string
  /** The log line of the first refusal; undefined on a machine that has no address but loopback. */
  readonly refusal: string | undefined
  stop(): Promise<void>
}

/** @throws Error with the program's messages, if following them does not lead to a start */
export async function startMcpauthWorld(): Promise<McpauthWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'mcpauth-'))
  const started: (() => unknown)[] = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end()
  }
  try {
    started.push(nameLoopback(DOMAIN))
    return { ...(await move(folder, started)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function move(
  folder: string,
  started: (() => unknown)[],
): Promise<Omit<McpauthWorld, 'stop'>> {
  const [port, own] = [await freePort(), await freePort()]
  const settings = join(folder, 'mcpauth.env')
  const ann = { name: 'ann', password: 'correct horse battery staple' }
  await writeFile(settings, environmentOf(port, own))

  const starts: { exitCode: number | null; errors: string }[] = []
  const tryToStart = async () => {
    const environment = await readSettings(settings)
    const run = await runBash(`exec "${process.execPath}" "${PROGRAM}" ${FLAGS.join(' ')}`, {
      environment,
      folder,
    })
    starts.push(run)
    return run.errors
  }
  const said = await tryToStart()
  await writeFile(join(folder, 'gatewarden.yaml'), await usersAsTold(said, ann, folder))
  for (const name of ['RESOURCES', 'ALLOWED_EMAILS']) {
    const line = new RegExp(`${name}=[^\\s;]+`).exec(said)?.[0] ?? `the problem of ${name}: ${said}`
    await writeFile(settings, `${line}\n`, { flag: 'a' })
  }

  const address = ownAddress()
  let gatewarden = await startAgain(folder, settings, own)
  started.push(() => gatewarden.stop())
  const sample = await startSampleServer()
  started.push(() => sample.process.stop())
  const traefik = await startTraefik({
    folder,
    port,
    gatewarden: `${address}:${own}`,
    sample: sample.address,
  })
  started.push(() => traefik.stop(500))

  const mcpUrl = `http://mcp.${DOMAIN}:${port}/mcp`
  let refusal: string | undefined
  if (address !== '127.0.0.1') {
    await exchange(new URL(mcpUrl))
    const told = await vi.waitFor(() => refusalIn(gatewarden.output()))
    refusal = told.line
    await writeFile(settings, `TRUSTED_PROXIES=${told.peer}\n`, { flag: 'a' })
    await gatewarden.stop()
    gatewarden = await startAgain(folder, settings, own)
  }
  const issuer = `http://oauth.${DOMAIN}:${port}`
  return { issuer, mcpUrl, ann, starts, refusal, log: () => gatewarden.output() }
}

/** @throws Error if no line names a peer and the setting */
function refusalIn(log: string): { line: string; peer: string } {
  for (const line of log.split('\n').filter((text) => text.includes('TRUSTED_PROXIES'))) {
    const peer = /"peer":"([^"]+)"/.exec(line)?.[1]
    if (peer !== undefined) return { line, peer }
  }
  throw new Error('no line of the log names a peer that was refused')
}

/** A usual environment file for internal auth and edge auth, on a network that needs no TLS. */
const environmentOf = (port: number, own: number) => `OAUTH_DOMAIN=oauth.${DOMAIN}:${port}
DEV_MODE=True
PORT=${own}
COOKIE_DOMAIN=.${DOMAIN}
ALLOWED_EMAILS=
ALLOWED_SCOPES=openid,email,profile
REQUIRED_SCOPES=openid
PROTECTED_PATH=/sse
LOG_LEVEL=0
ENABLE_EDGE_AUTH=true
AUTHORIZATION_BEARER_TOKEN=${STATIC_TOKEN}
MCPAUTH_BOOTSTRAP_CLIENTS='[{"client_id":"edge-auth-client","client_secret":"edge-secret-1","redirect_uris":["http://oauth.${DOMAIN}:${port}/auth/connect/callback"],"scopes":["openid","email"]},{"client_id":"half","client_secret":"half-secret-2"}]'
`

async function readSettings(path: string): Promise<Record<string, string>> {
  const parsed = parseEnv(await readFile(path, 'utf8'))
  return Object.fromEntries(
    Object.entries(parsed).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** The snippet of the problem about `users`, with a hash from the command that it names. */
async function usersAsTold(said: string, person: Credentials, folder: string): Promise<string> {
  const snippet = /gatewarden\.yaml: (users: .*\} \})\.$/m.exec(said)?.[1]
  if (snippet === undefined || !said.includes('gatewarden hash-password')) throw new Error(said)
  const { output } = await runBash(
    `printf %s "$PASSWORD" | "${process.execPath}" "${PROGRAM}" hash-password`,
    { environment: { PASSWORD: person.password }, folder },
  )
  return `${snippet.replace('"..."', () => JSON.stringify(output.trim()))}\n`
}

/** An address other than loopback, so that the gateway sees Traefik like another container. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((entries) => entries ?? [])
  const other = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  return other?.address ?? '127.0.0.1'
}

async function startAgain(folder: string, settings: string, own: number): Promise<RunningProcess> {
  return startProcess({
    name: 'Gatewarden',
    command: process.execPath,
    args: [PROGRAM, ...FLAGS],
    cwd: folder,
    env: await readSettings(settings),
    ready: () =>
      exchange(new URL(`http://127.0.0.1:${own}/readyz`)).then(
        ({ status }) => status === 200,
        () => false,
      ),
  })
}

/** The page's labels after its change, for these hosts and ports. */
async function startTraefik(options: {
  folder: string
  port: number
  gatewarden: string
  sample: string
}): Promise<RunningProcess> {
  const { folder, port, gatewarden, sample } = options
  const labels = labelsOf('after').map((label) =>
    label
      .replaceAll('example.com', DOMAIN)
      .replaceAll('http://mcpauth:11000', `http://${gatewarden}`),
  )
  const dynamic = configurationOf(
    labels,
    (service) => `http://${service === 'mcpauth' ? gatewarden : sample}`,
  )
  const traefikFolder = join(folder, 'traefik')
  await mkdir(traefikFolder)
  const staticFile = writeTraefikFiles({
    binary: toolPath('traefik'),
    folder: traefikFolder,
    port,
    addresses: ['127.0.0.1'],
    gatewayHost: `oauth.${DOMAIN}`,
    resourceHost: `mcp.${DOMAIN}`,
    gatewarden,
    upstream: sample,
  })
  await writeFile(join(traefikFolder, 'dynamic.yml'), stringify(dynamic))
  return startProcess({
    name: 'Traefik',
    command: toolPath('traefik'),
    args: [`--configFile=${staticFile}`],
    // Traefik answers 404 until it has loaded its routes.
    ready: () =>
      exchange(new URL(`http://mcp.${DOMAIN}:${port}/token`)).then(
        ({ status }) => status !== 404,
        () => false,
      ),
  })
}
