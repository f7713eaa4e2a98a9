/**
 * What a subcommand may touch of the process it runs in.
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import type { LoadOptions } from '../config/load.ts'

export interface Io extends Omit<LoadOptions, 'argv'> {
  /** Passwords are typed without echo when it is a terminal. */
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** What the command was asked for, and nothing else. */
  readonly stdout: Writable
  /** Prompts, warnings and problems. */
  readonly stderr: Writable
}

/** Runs one subcommand. Resolves to the exit code: 0, 1 for a failure, 2 for a mistake in flags or configuration. */
export type Command = (args: readonly string[], io: Io) => Promise<number>
