/**
 * `gatewarden config check`: prints `ok` and what to do next, or every problem.
 *
 * @module
 */
import { loadOrExplain } from './configured.ts'
import type { Command } from './io.ts'
import { nextSteps } from './next-steps.ts'

export const configCheck: Command = async (args, io) => {
  const loaded = loadOrExplain(args, io)
  if (!loaded) return 2
  io.stdout.write(`ok\n${nextSteps(loaded.config)}`)
  return 0
}
