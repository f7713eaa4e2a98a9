/**
 * This folder owns the subcommands, a file each. It owns no setting: `config/` does.
 *
 * The table of subcommands. A new command is a file and a row here; `help.ts` makes the help text from these rows.
 *
 * @module
 */
import { configCheck } from './config-check.ts'
import { configPrint } from './config-print.ts'
import { healthcheck } from './healthcheck.ts'
import { version } from './help.ts'
import type { Command } from './io.ts'
import { start } from './start.ts'

export interface CommandRow {
  /** The words that call it: `config check`. */
  readonly words: string
  readonly summary: string
  readonly run: Command
}

/** What only one command needs is loaded for it alone: a health check runs often and has to be light. */
export const COMMANDS: readonly CommandRow[] = [
  { words: 'serve', summary: 'start Gatewarden; the default command', run: start },
  {
    words: 'hash-password',
    summary: 'turn a password into a hash for users in gatewarden.yaml',
    run: async (args, io) => (await import('./hash-password.ts')).hashPassword(args, io),
  },
  {
    words: 'config check',
    summary: 'print every problem of the configuration, or ok',
    run: configCheck,
  },
  { words: 'config print', summary: 'show each value and where it came from', run: configPrint },
  {
    words: 'healthcheck',
    summary: 'ask the running process whether it is alive',
    run: healthcheck,
  },
  {
    words: 'keys list',
    summary: 'show the keys that sign tokens',
    run: async (args, io) => (await import('./keys.ts')).keysList(args, io),
  },
  {
    words: 'keys rotate',
    summary:
      'add a key that signs in ten minutes; --compromised: replace all keys now, which ends all tokens',
    run: async (args, io) => (await import('./keys.ts')).keysRotate(args, io),
  },
  {
    words: 'keys revoke',
    summary: 'remove one key by its id, which ends what it signed',
    run: async (args, io) => (await import('./keys.ts')).keysRevoke(args, io),
  },
  { words: 'version', summary: 'show the version', run: version },
]
