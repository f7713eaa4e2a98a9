/**
 * Starts servers, waits until they are ready, and makes sure that none outlives the process that started it.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const POLL_MS = 50
const KEPT_OUTPUT = 200_000

export interface ProcessOptions {
  /** The name in error messages. */
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment besides PATH and HOME; the program gets no other variable of ours. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** True once the program serves; called every 50 ms with its output so far. */
  ready(output: string): boolean | Promise<boolean>
  /** The time limit for becoming ready, in milliseconds. */
  readonly timeoutMs?: number
  /** Called with each line that the program prints, on either stream. */
  onLine?(line: string): void
}

export interface RunningProcess {
  readonly pid: number
  /** The output of both streams so far; the last 200,000 characters. */
  output(): string
  /** Resolves to the exit code when the process has ended; to null if a signal ended it. */
  readonly exited: Promise<number | null>
  /** Sends SIGTERM, and SIGKILL after `graceMs`; resolves when the process has ended. */
  stop(graceMs?: number): Promise<void>
}

let guardian: Socket | undefined

/** Writes to the guardian of this process. Neither the guardian nor the pipe keeps the event loop alive. */
function guard(line: string): void {
  if (!guardian) {
    const script = fileURLToPath(new URL('guardian.mjs', import.meta.url))
    const child = spawn(process.execPath, [script], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child.unref()
    // A child's standard input is a socket; the types say only "stream".
    guardian = child.stdin as Socket
    guardian.unref()
    guardian.on('error', () => {})
  }
  guardian.write(`${line}\n`)
}

/**
 * Starts a program and resolves once it is ready.
 * @throws Error with the end of its output, if the program exits first or is not ready in time
 */
export async function startProcess(options: ProcessOptions): Promise<RunningProcess> {
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    // The program gets a process group of its own: Ctrl-C reaches only us, and stop() also reaches its children.
    detached: true,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const collect = (line: string) => {
    output = `${output}${line}\n`.slice(-KEPT_OUTPUT)
    options.onLine?.(line)
  }
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', collect)
  }
  await once(child, 'spawn').catch((error: unknown) => {
    throw new Error(`${options.name} cannot be started`, { cause: error })
  })
  const pid = child.pid ?? 0
  guard(`+${pid}`)
  const exited = once(child, 'exit').then(() => {
    guard(`-${pid}`)
    return child.exitCode
  })

  const running: RunningProcess = {
    pid,
    output: () => output,
    exited,
    stop: (graceMs = 10_000) => stopGroup(child, exited, graceMs),
  }
  const deadline = Date.now() + (options.timeoutMs ?? 30_000)
  for (;;) {
    const problem = hasExited(child)
      ? `${options.name} ended before it was ready`
      : Date.now() > deadline
        ? `${options.name} was not ready in time`
        : undefined
    if (problem) {
      await running.stop(1_000)
      throw new Error(`${problem}:\n${output.slice(-4_000)}`)
    }
    if (await options.ready(output)) return running
    await delay(POLL_MS)
  }
}

function hasExited(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

async function stopGroup(child: ChildProcess, exited: Promise<unknown>, graceMs: number) {
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-(child.pid ?? 0), name)
    } catch {
      // The group has no process left.
    }
  }
  if (!hasExited(child)) {
    signal('SIGTERM')
    const timer = setTimeout(signal, graceMs, 'SIGKILL')
    await exited
    clearTimeout(timer)
  }
  signal('SIGKILL')
}
