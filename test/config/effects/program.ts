/**
 * The effects that only the started program shows: where it listens, where it keeps its data, what it logs.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { createServingEnd } from '../../../src/cli/end-serving.ts'
import { BASE, load, USERS } from '../harness.ts'
import type { Effect } from './start.ts'

const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))

interface Program {
  readonly folder: string
  readonly port: number
  /** Everything on standard output so far. */
  log(): string
  /** Asks it to end. */
  stop(): void
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return address.port
}

/** Runs the program in a new folder until `observe` is done, which starts when `/readyz` answers with `status`. */
export async function whileRunning(
  settings: Record<string, string>,
  observe: (program: Program) => Promise<void>,
  status = 200,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewarden-'))
  writeFileSync(join(folder, 'gatewarden.yaml'), USERS)
  const port = await freePort()
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), main],
    { cwd: folder, env: { ...BASE, HOST: '127.0.0.1', PORT: String(port), ...settings } },
  )
  let log = ''
  child.stdout?.on('data', (chunk) => {
    log += chunk
  })
  const exited = once(child, 'exit')
  try {
    const isReady = async () => {
      if (child.exitCode !== null) throw new Error('the program has ended')
      expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(status)
    }
    await vi.waitFor(isReady, { timeout: 20_000, interval: 100 })
    await observe({ folder, port, log: () => log, stop: () => child.kill('SIGTERM') })
  } finally {
    // A second signal ends it at once.
    child.kill('SIGTERM')
    await exited
    rmSync(folder, { recursive: true })
  }
}

const levels = (log: string): [string, number][] =>
  log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map(({ msg, level }) => [msg, level])

/** The three settings share this run, which shows the effect of each. */
let placed: Promise<void> | undefined
const expectPlaced: Effect = () => {
  placed ??= whileRunning(
    { HOST: '127.0.0.1', DATA_DIR: './elsewhere' },
    async ({ folder, port, log }) => {
      // It already answered on its port, or `observe` would not run.
      expect(log()).toContain(`"127.0.0.1:${port}"`)
      // All of 127.0.0.0/8 is this machine, so 0.0.0.0 would answer here too.
      await expect(fetch(`http://127.0.0.2:${port}/readyz`)).rejects.toThrow()
      expect(readdirSync(folder)).not.toContain('data')
      expect(readdirSync(join(folder, 'elsewhere'))).toContain('secret')
    },
  )
  return placed
}

type Key =
  | 'host'
  | 'port'
  | 'data_dir'
  | 'log_format'
  | 'log_level'
  | 'shutdown_delay'
  | 'shutdown_timeout'

export const program: Record<Key, Effect> = {
  shutdown_delay: () =>
    whileRunning({ SHUTDOWN_DELAY: '60s' }, async ({ port, stop }) => {
      const ask = (path: string) => fetch(`http://127.0.0.1:${port}${path}`)
      stop()
      await vi.waitFor(async () => expect((await ask('/readyz')).status).toBe(503), 10_000)
      const answer = await ask('/.well-known/oauth-authorization-server')
      expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close'])
    }),

  async shutdown_timeout() {
    const closedWithin = async (value: string) => {
      const { timeout } = load({ env: { SHUTDOWN_TIMEOUT: value } }).config.shutdown
      const server = createHttpServer((_request, response) => response.write('a stream'))
      const end = createServingEnd(server)
      await once(server.listen(0, '127.0.0.1'), 'listening')
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      const stream = connect(port, '127.0.0.1')
      stream.on('error', () => undefined).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      await once(stream, 'data')
      const close = async () => void server.close()
      const ending = end.run({ delayMs: 0, timeoutMs: timeout * 1000, close }).then(() => true)
      // More than the turns of the event loop that an end without a stream takes.
      const later = new Promise<false>((resolve) => setTimeout(() => resolve(false), 300))
      const isOver = await Promise.race([ending, later])
      stream.destroy()
      await ending
      return isOver
    }
    expect(await closedWithin('0s')).toBe(true)
    expect(await closedWithin('1h')).toBe(false)
  },

  host: expectPlaced,
  port: expectPlaced,
  data_dir: expectPlaced,

  log_format: () =>
    whileRunning({ LOG_FORMAT: 'text' }, async ({ port, log }) => {
      await vi.waitFor(() =>
        expect(log()).toMatch(
          new RegExp(`^\\d\\d:\\d\\d:\\d\\d info {2}listening {2}.*127\\.0\\.0\\.1:${port}`, 'm'),
        ),
      )
      expect(log()).not.toContain('{')
    }),

  log_level: () =>
    whileRunning({ LOG_LEVEL: 'warn', TRUSTED_PROXIES: '192.0.2.1' }, async ({ port, log }) => {
      // This peer is no trusted proxy, so the gateway refuses it with a warning.
      await fetch(`http://127.0.0.1:${port}/auth`)
      // The log has the line that says where it listens at any level.
      await vi.waitFor(() =>
        expect(levels(log())).toEqual([
          ['listening', 30],
          [expect.any(String), 40],
        ]),
      )
    }),
}
