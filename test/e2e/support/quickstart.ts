/**
 * docs/quickstart.md as a person follows it: its files written, its commands run, with this machine's ports in the place
 * of the page's.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../../../scripts/lib/ports.ts'
import { type RunningProcess, startProcess } from '../../../scripts/lib/processes.ts'
import { blockOf, ROOT, readPage } from '../../support/documentation.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { exchange } from './http-exchange.ts'
import { type Place, startInFolder } from './in-folder.ts'
import { type Installed, installPacked } from './installed.ts'
import { runBash, type Shown } from './shell.ts'

const PAGE = readPage('docs/quickstart.md')
const README = readPage('README.md')

export interface Quickstart {
  readonly folder: string
  readonly installed: Installed
  readonly ann: { readonly name: string; readonly password: string }
  readonly certificate: Certificate
  /** The ports of this machine, by those of the page: 80, 443, 3001, 3002, 11000. */
  readonly ports: Readonly<Record<string, number>>
  /** Writes a file of the page, changed once more, at its place below the folder. */
  write(name: string, path: string, change?: (text: string) => string): string
  /** Runs a step that ends. @returns its output */
  run(name: string, folder?: string): Promise<string>
  /** Runs a step that goes on, in the folder of `gatewarden.yaml`; resolves once `url` is answered. */
  start(name: string, url: string): Promise<RunningProcess>
  /** Starts Gatewarden again in that folder, without the check that the page begins with. */
  restart(environment?: Readonly<Record<string, string>>): Promise<RunningProcess>
  /** The text of a step, with the ports of this machine. */
  step(name: string): string
  /** Runs any command of a person in the folder of `gatewarden.yaml`. */
  type(
    script: string,
    environment?: Readonly<Record<string, string>>,
  ): Promise<Shown & { readonly exitCode: number | null }>
  /** The variables of the person's shell. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/**
 * Makes a password as the page says, and starts the two sample servers. The page's own line installs the clone; the packed
 * package is what every other step runs.
 */
export function startQuickstart(): Promise<Quickstart> {
  return startInFolder('quickstart-', prepare)
}

async function prepare({ folder, onStop }: Place): Promise<Omit<Quickstart, 'stop'>> {
  const ports: Record<string, number> = {}
  for (const port of ['80', '443', '3001', '3002', '11000']) ports[port] = await freePort()
  // The README has one server, on another port.
  ports['3000'] = ports['3001'] ?? 0
  const binaries = join(folder, 'bin')
  const environment = {
    HOME: folder,
    PATH: `${binaries}:${join(folder, 'global/bin')}:${process.env.PATH}`,
    PORT: String(ports['11000']),
    npm_config_prefix: join(folder, 'clone'),
    npm_config_cache: join(folder, 'npm-cache'),
    npm_config_offline: 'true',
  }
  mkdirSync(binaries)
  writeFileSync(join(binaries, 'sudo'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 })

  const here = (text: string) =>
    text
      .replaceAll(/\b(3000|3001|3002|11000)\b/g, (port) => String(ports[port]))
      .replaceAll(/https:\/\/(?:auth|mcp)\.example\.com/g, `$&:${ports['443']}`)
      .replaceAll('/etc/', `${folder}/etc/`)
      .replaceAll('/var/lib/', `${folder}/var/lib/`)
  const step = (name: string) =>
    here(blockOf(name.startsWith('README') ? README : PAGE, `step: ${name}`))

  const run = async (name: string, at: string, script = step(name), more = {}) => {
    const shell = { environment: { ...environment, ...more }, folder: at }
    const { output, errors, exitCode } = await runBash(script, shell)
    if (exitCode !== 0) throw new Error(`step ${name} ended with ${exitCode}:\n${output}${errors}`)
    return output
  }
  const start = async (name: string, url: string, script = step(name), more = {}) => {
    const running = await startProcess({
      name: `step ${name}`,
      command: 'bash',
      args: ['-c', script],
      cwd: join(folder, 'gatewarden'),
      env: { ...environment, ...more },
      ready: () =>
        exchange(new URL(url)).then(
          ({ status }) => status !== 404,
          () => false,
        ),
    })
    onStop(() => running.stop(500))
    return running
  }

  // `npm ci` and the build were done before any test.
  const install = step('install')
  const done = ['npm ci\n', 'npm run build\n']
  if (!install.startsWith(done.join(''))) throw new Error('the page installs in another way')
  const clone = `${join(folder, 'clone/bin')}:${environment.PATH}`

  const serving = startProcess({
    name: 'the sample servers',
    command: 'bash',
    args: ['-c', `${step('servers')}\nwait`],
    cwd: ROOT,
    env: {
      ...environment,
      NODE_OPTIONS: `--import ${new URL('../../../scripts/lib/loopback-only.mjs', import.meta.url)}`,
    },
    ready: (output) => output.match(/listening on port/g)?.length === 2,
  })
  const [installed, help] = await Promise.all([
    installPacked(folder),
    run('install', ROOT, install.slice(done.join('').length), { PATH: clone }),
    serving.then((servers) => onStop(() => servers.stop(500))),
  ])
  if (!help.includes('gatewarden demo')) throw new Error(`no help: ${help}`)

  const ann = { name: 'ann', password: 'correct horse battery staple' }
  const hashed = await run('password', folder, `{ ${step('password')} } <<<'${ann.password}'`)
  const [hash] = /\$argon2id\$[\w+/=,$]+/.exec(hashed) ?? []
  if (hash === undefined) throw new Error(`no hash: ${hashed}`)

  return {
    folder,
    installed,
    environment,
    ann,
    ports,
    certificate: await makeCertificate(join(folder, 'tls'), [
      'auth.example.com',
      'mcp.example.com',
    ]),
    write(name, path, change = (text) => text) {
      const target = join(folder, path)
      mkdirSync(dirname(target), { recursive: true })
      const text = here(blockOf(PAGE, `file: ${name}`)).replace('$argon2id$...', () => hash)
      writeFileSync(target, change(text))
      return target
    },
    run: (name, at = join(folder, 'gatewarden')) => run(name, at),
    start: (name, url) => start(name, url),
    restart: (more = {}) =>
      start('restart', `http://localhost:${ports['11000']}/healthz`, 'exec gatewarden', more),
    step,
    type: (script, more = {}) =>
      runBash(script, {
        environment: { ...environment, ...more },
        folder: join(folder, 'gatewarden'),
      }),
  }
}

/** Makes a command of this machine's program that the page's commands find first. */
export function addCommand({ folder }: Quickstart, name: string, script: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
}

/** Links a program of this machine where the page's commands find it. */
export function addProgram({ folder }: Quickstart, name: string, path: string): void {
  symlinkSync(path, join(folder, 'bin', name))
}

/** The path of `curl`. */
export async function realCurl(): Promise<string> {
  const { stdout } = await promisify(execFile)('which', ['curl'])
  return stdout.trim()
}
