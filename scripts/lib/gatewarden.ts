/**
 * Runs the built program (`dist/main.js`) as an operator does: with a folder, a configuration file and the environment.
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
  /** The working directory, with `gatewarden.yaml` and `data/`; created if absent. */
  readonly folder: string
  /** The content of `gatewarden.yaml`. */
  readonly file?: Readonly<Record<string, unknown>>
  /** Settings by their names in the environment. */
  readonly settings?: Readonly<Record<string, string>>
  /** The address to listen on; a free loopback port if absent. */
  readonly listen?: { readonly host: string; readonly port: number }
  /** The program counts as started once this path answers 200; `/healthz` does so before the store is there. */
  readonly until?: '/readyz' | '/healthz'
  /** Called with each line of the log. */
  onLine?(line: string): void
}

export interface RunningGatewarden {
  /** The `host:port` where it listens. */
  readonly address: string
  readonly pid: number
  /** The log so far. */
  log(): string
  /** Resolves to the exit code when the process has ended; to null if a signal ended it. */
  readonly exited: Promise<number | null>
  stop(): Promise<void>
}

/** Starts Gatewarden and resolves once it answers. A second start in the same folder uses the same data. */
export async function startGatewarden(options: GatewardenOptions): Promise<RunningGatewarden> {
  if (!existsSync(PROGRAM)) throw new Error('dist/main.js is missing: run `npm run build` first')
  const listen = options.listen ?? { host: '127.0.0.1', port: await freePort() }
  const address = `${listen.host}:${listen.port}`
  const prefix = options.settings?.PATH_PREFIX ?? ''
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
    ready: () => isReady(`http://${address}${prefix}${options.until ?? '/readyz'}`),
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
