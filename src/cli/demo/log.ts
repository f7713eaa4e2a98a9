/**
 * The log of the demo: whole in a file, and short on the screen.
 *
 * @module
 */
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { eventLine } from './output.ts'

/**
 * @param screen where the short lines go
 * @returns takes each line of Gatewarden's log
 */
export function createDemoLog(
  folder: string,
  screen: { write(text: string): unknown; readonly isTTY?: boolean },
): (line: string) => void {
  const file = createWriteStream(join(folder, 'gatewarden.log'), { flags: 'a', mode: 0o600 })
  return (line) => {
    file.write(`${line}\n`)
    const short = eventLine(line, inColour(screen))
    if (short !== undefined) screen.write(`${short}\n`)
  }
}

/** https://no-color.org */
export const inColour = (stream: { readonly isTTY?: boolean }): boolean =>
  stream.isTTY === true && !process.env.NO_COLOR
