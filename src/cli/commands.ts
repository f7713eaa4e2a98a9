/**
 * The table of subcommands. A command is its file and a row here; the help text is made from these rows. It owns no setting.
 *
 * @module
 */
import { configCheck } from './config-check.ts'
import { configPrint } from './config-print.ts'
import { hashPassword } from './hash-password.ts'
import { healthcheck } from './healthcheck.ts'
import { version } from './help.ts'
import type { Command } from './io.ts'
import { keysList, keysRotate } from './keys.ts'
import { start } from './start.ts'

export interface CommandRow {
  /** The words that call it: `config check`. */
  readonly words: string
  readonly summary: string
  readonly run: Command
}

export const COMMANDS: readonly CommandRow[] = [
  { words: 'serve', summary: 'start it; also without a word', run: start },
  {
    words: 'hash-password',
    summary: 'turn a password into a hash for users in gatewarden.yaml',
    run: hashPassword,
  },
  {
    words: 'config check',
    summary: 'say what is wrong with the configuration, or ok',
    run: configCheck,
  },
  { words: 'config print', summary: 'show each value and where it came from', run: configPrint },
  {
    words: 'healthcheck',
    summary: 'ask the running process whether it is alive',
    run: healthcheck,
  },
  { words: 'keys list', summary: 'show the keys that sign tokens', run: keysList },
  {
    words: 'keys rotate',
    summary: 'add a new one that signs in ten minutes; --compromised: now, ending all tokens',
    run: keysRotate,
  },
  { words: 'version', summary: 'show the version', run: version },
]
