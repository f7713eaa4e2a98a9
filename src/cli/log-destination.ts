/**
 * The log on standard output, which must never stop the program: a full disk, a reader that is gone and a reader that
 * stands still cost lines, and nothing else.
 *
 * @module
 */
import type { Writable } from 'node:stream'

/** Bytes that wait for a reader that stands still. */
const MAX_WAITING = 4 * 1024 * 1024

export interface LogDestination {
  write(line: string): void
}

/** @param options `now` in milliseconds since the epoch, for the line that says how many were lost */
export function createLogDestination(options: {
  readonly stream: Writable
  readonly now: () => number
  readonly maxWaiting?: number
}): LogDestination {
  const { stream, now, maxWaiting = MAX_WAITING } = options
  let lost = 0
  const count = (error?: Error | null) => {
    if (error) lost += 1
  }
  // Without a listener the first failed write would end the process.
  stream.on('error', () => undefined)
  return {
    write(line) {
      if (stream.writableLength > maxWaiting) {
        lost += 1
        return
      }
      if (lost > 0) {
        const time = new Date(now()).toISOString()
        const msg = 'lines of the log were lost: standard output did not take them'
        const notice = `${JSON.stringify({ level: 40, time, lost, msg })}\n`
        const before = lost
        lost = 0
        stream.write(notice, (error) => {
          if (error) lost += before
        })
      }
      stream.write(line, count)
    },
  }
}
