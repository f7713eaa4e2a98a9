/**
 * The `serve` command: loads the configuration, then the program.
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
  // Loaded only here: the other subcommands answer without a web server.
  const program = await import('./serve.ts')
  try {
    await program.serve(loaded.config)
    return 0
  } catch (error) {
    // Problems that only starting finds, such as a busy port.
    explain(error, io)
    return 2
  }
}
