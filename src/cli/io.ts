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
  readonly stdout: Writable & { readonly isTTY?: boolean }
  /** Prompts, warnings and problems. */
  readonly stderr: Writable & { readonly isTTY?: boolean }
}

/** Runs one subcommand. Resolves to the exit code: 0, 1 for a failure, 2 for a mistake in flags or configuration. */
export type Command = (args: readonly string[], io: Io) => Promise<number>

/** A row of the table of commands. */
export interface CommandRow {
  /** The words that call it: `config check`. */
  readonly words: string
  /** The arguments after the words, as in a manual. */
  readonly usage?: string
  /** A sentence without its capital and its full stop. */
  readonly summary: string
  /** Paragraphs of its own help. */
  readonly details?: readonly string[]
  /** The settings that it takes as flags: `all` lists them, `same` names the command that does. */
  readonly settings?: 'all' | 'same'
  readonly run: Command
}
