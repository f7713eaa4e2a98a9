/**
 * `gatewarden config check`: prints `ok`, or every problem.
 *
 * @module
 */
import { loadOrExplain } from './configured.ts'
import type { Command } from './io.ts'

export const configCheck: Command = async (args, io) => {
  if (!loadOrExplain(args, io)) return 2
  io.stdout.write('ok\n')
  return 0
}
