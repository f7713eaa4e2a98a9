/**
 * Runs the built program (`dist/main.js`) as an operator would: a folder, a configuration file, the environment.
 *
 * @module
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { freePort } from './ports.ts'
import { startProcess } from './processes.ts'

const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface GatewardenOptions {
  /** Holds `gatewarden.yaml` and `data/`; made when absent. The working directory of the program. */
  readonly folder: string
  /** What `gatewarden.yaml` says. */
  readonly file?: Readonly<Record<string, unknown>>
  /** Settings by their names in the environment. */
  readonly settings?: Readonly<Record<string, string>>
  /** Where it listens; a free loopback port if absent. */
  readonly listen?: { readonly host: string; readonly port: number }
  /** What has to answer with 200 before it counts as started; `/healthz` does before its store is there. */
  readonly until?: '/readyz' | '/healthz'
  /** Told each line of the log. */
  onLine?(line: string): void
}

export interface RunningGatewarden {
  /** `host:port` it listens on. */
  readonly address: string
  readonly pid: number
  /** What it logged so far. */
  log(): string
  /** Resolves when it has ended, to its exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>
  stop(): Promise<void>
}

/** Starts Gatewarden and resolves once it answers. A second start in the same folder finds its data again. */
export async function startGatewarden(options: GatewardenOptions): Promise<RunningGatewarden> {
  if (!existsSync(PROGRAM)) throw new Error('dist/main.js is missing: run `npm run build` first')
  const listen = options.listen ?? { host: '127.0.0.1', port: await freePort() }
  const address = `${listen.host}:${listen.port}`
  const file = join(options.folder, 'gatewarden.yaml')
  mkdirSync(options.folder, { recursive: true })
  writeFileSync(file, stringify(options.file ?? {}), { mode: 0o600 })
  const running = await startProcess({
    name: 'Gatewarden',
    command: process.execPath,
    args: ['--enable-source-maps', PROGRAM, 'serve', '--config', file],
    cwd: options.folder,
    env: {
      HOST: listen.host,
      PORT: String(listen.port),
      DATA_DIR: join(options.folder, 'data'),
      ...options.settings,
    },
    ready: () => isReady(`http://${address}${options.until ?? '/readyz'}`),
    ...(options.onLine && { onLine: options.onLine }),
  })
  return {
    address,
    pid: running.pid,
    log: running.output,
    exited: running.exited,
    stop: () => running.stop(),
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}
