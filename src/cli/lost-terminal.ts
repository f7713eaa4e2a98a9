/**
 * Lets the process end when its terminal was closed before it.
 *
 * @module
 */
import { closeSync } from 'node:fs'
import { isatty } from 'node:tty'

const STANDARD_STREAMS = [0, 1, 2] as const

/**
 * Closes the standard streams whose terminal is gone, as the last act of the process. Node gives each terminal its mode
 * back at the end of a process (`node::ResetStdio`), and ends with a fault if the terminal does not take it.
 */
export function leaveLostTerminal(): void {
  const terminals = STANDARD_STREAMS.filter((fd) => isatty(fd))
  process.once('exit', () => {
    for (const fd of terminals) {
      if (isatty(fd)) continue
      try {
        closeSync(fd)
      } catch {
        // It was closed before, which is as good.
      }
    }
  })
}
