/**
 * The parts of the process that a subcommand may use.
 *
 * @module
 */
import type { Readable, Writable } from 'node:stream'
import type { LoadOptions } from '../config/load.ts'

export interface Io extends Omit<LoadOptions, 'argv'> {
  /** On a terminal, people type passwords without echo. */
  readonly stdin: Readable & { readonly isTTY?: boolean }
  /** The result of the command, and nothing else. */
  readonly stdout: Writable
  /** Prompts, warnings and problems. */
  readonly stderr: Writable
}

/** Runs one subcommand. Resolves to the exit code: 0, 1 for a failure, 2 for a mistake in flags or configuration. */
export type Command = (args: readonly string[], io: Io) => Promise<number>
