/**
 * Starts a server under test on a core of its own and reads its cost.
 *
 * @module
 */
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { Tokens } from './fixtures.ts'

const Ready = z.object({ port: z.number(), tokens: z.custom<Tokens>().optional() })
const Usage = z.object({
  cpu: z.object({ user: z.number(), system: z.number() }),
  rss: z.number(),
})

/** For servers that read no token: a text as long as a real one. */
const NO_TOKENS: Tokens = {
  warm: 'x'.repeat(800),
  expired: '',
  badMac: '',
  badSignature: '',
  garbage: '',
  session: '',
  provider: '',
  cold: [],
  refresh: [],
  codes: [],
  documentedCodes: [],
  clientId: '',
  apiKey: '',
}

export interface ServerUnderTest {
  readonly port: number
  readonly tokens: Tokens
  /** Microseconds of processor time so far, and resident bytes. */
  usage(): Promise<{ cpu: number; rss: number }>
  stop(): void
}

/** Puts this process, which makes the load, on the second core. */
export function pinLoad(): void {
  pin(process.pid, 1)
}

/** @param options see `server.ts` */
export async function startServer(options: Record<string, unknown>): Promise<ServerUnderTest> {
  const child = fork(fileURLToPath(new URL('server.js', import.meta.url)), [
    JSON.stringify(options),
  ])
  if (child.pid !== undefined) pin(child.pid, 0)
  const { port, tokens } = Ready.parse(await message(child))
  return {
    port,
    tokens: tokens ?? NO_TOKENS,
    async usage() {
      const answer = message(child)
      child.send('usage')
      const { cpu, rss } = Usage.parse(await answer)
      return { cpu: cpu.user + cpu.system, rss }
    },
    stop: () => child.send('stop'),
  }
}

const message = (child: ChildProcess) =>
  new Promise<unknown>((resolve, reject) => {
    const onExit = (code: number | null) => reject(new Error(`the server ended with ${code}`))
    child.once('exit', onExit)
    child.once('message', (answer) => {
      child.off('exit', onExit)
      resolve(answer)
    })
  })

/** Pins a process to a core; later threads inherit that. Without taskset the scheduler decides. */
function pin(pid: number, core: number): void {
  try {
    execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(pid)])
  } catch {
    console.error('taskset is missing: server and load may share a core')
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** Prints a table as Markdown. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  console.log(
    [line(head), line(head.map(() => '---')), ...rows.map((row) => line(row)), ''].join('\n'),
  )
}
