/**
 * `gatewarden config print`: prints each value and where it came from. Secrets stay hidden.
 *
 * @module
 */
import { loadOrExplain } from './configured.ts'
import type { Command } from './io.ts'

export const configPrint: Command = async (args, io) => {
  const loaded = loadOrExplain(args, io)
  if (!loaded) return 2
  const rows = loaded.sources.map(({ setting, value, from }) => ({
    text: value === undefined ? `${setting} is not set` : `${setting} = ${value}`,
    from: value === undefined ? '' : `(${from})`,
  }))
  const width = Math.min(60, Math.max(...rows.map(({ text }) => text.length)))
  for (const { text, from } of rows) {
    io.stdout.write(`${`${text.padEnd(width)}  ${from}`.trimEnd()}\n`)
  }
  return 0
}
