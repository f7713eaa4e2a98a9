/**
 * Runs a program in the foreground, as a person does in a terminal: reads its words, and presses Ctrl-C.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { vi } from 'vitest'
import { collectOutput } from './process-output.ts'

export interface Foreground {
  out(): string
  err(): string
  /** Waits until a line of the output matches. */
  said(pattern: RegExp): Promise<RegExpExecArray>
  /** Presses Ctrl-C. @returns the exit code; null if the program ended itself by the signal */
  stop(): Promise<number | null>
  /** Sends a signal, and waits until the program has ended. @returns the exit code */
  endBy(signal: NodeJS.Signals): Promise<number | null>
  /** Ends what still runs, without a chance to clean up. */
  kill(): Promise<void>
}

/** @param options.terminal gives it a terminal as its output, where `err()` is empty */
export function runInForeground(
  [command = '', ...args]: readonly string[],
  options: {
    readonly folder: string
    readonly environment: Readonly<Record<string, string | undefined>>
    readonly terminal?: boolean
  },
): Foreground {
  const { folder, environment, terminal = false } = options
  const [program, rest] = terminal
    ? ['script', ['-qefc', [command, ...args].join(' '), '/dev/null']]
    : [command, args]
  const child = spawn(program, rest, {
    cwd: folder,
    env: { HOME: folder, TERM: 'dumb', NO_COLOR: '1', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const { out, err } = collectOutput(child)
  const exited = once(child, 'exit')
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await exited
    }
    return child.exitCode
  }
  return {
    out,
    err,
    said: (pattern) =>
      vi.waitUntil(
        () => {
          const found = pattern.exec(out()) ?? pattern.exec(err())
          if (!found && child.exitCode !== null)
            throw new Error(`the program ended: ${out()}${err()}`)
          return found
        },
        { timeout: 60_000, interval: 50 },
      ),
    stop: () => end('SIGINT'),
    endBy: end,
    kill: async () => void (await end('SIGKILL')),
  }
}
