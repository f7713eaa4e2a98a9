/**
 * The `serve` command: loads the configuration, then the server.
 *
 * @module
 */
import { keepTickShape } from '../http/tick-shape.ts'
import { explain, loadOrExplain } from './configured.ts'
import type { Command } from './io.ts'

export const start: Command = async (args, io) => {
  const loaded = loadOrExplain(args, io)
  if (!loaded) return 2
  keepTickShape()
  // Import the server only here: the other subcommands need no web server.
  const program = await import('./serve.ts')
  try {
    await program.serve(loaded.config, { ...(io.stderr.isTTY && { terminal: io.stderr }) })
    return 0
  } catch (error) {
    // These are problems that only starting finds, such as a busy port.
    explain(error, io)
    return 2
  }
}
