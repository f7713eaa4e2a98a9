/**
 * The log on standard output, which must never stop the program: a full disk, a reader that is gone and a reader that
 * stands still cost lines, and nothing else.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import { EVENTS } from '../events.ts'

/** Bytes that wait for a reader that stands still. */
const MAX_WAITING = 4 * 1024 * 1024

export interface LogDestination {
  write(line: string): void
}

/**
 * @param options `now` in milliseconds since the epoch, for the line that says how many were lost; `format`: makes the
 *   text of a line from its JSON
 */
export function createLogDestination(options: {
  readonly stream: Writable
  readonly now: () => number
  readonly maxWaiting?: number
  readonly format?: (line: string) => string
}): LogDestination {
  const { stream, now, maxWaiting = MAX_WAITING, format = (line) => line } = options
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
        const notice = {
          level: 40,
          time,
          event: 'lines-lost',
          count: lost,
          msg: EVENTS['lines-lost'].says,
        }
        const before = lost
        lost = 0
        stream.write(format(`${JSON.stringify(notice)}\n`), (error) => {
          if (error) lost += before
        })
      }
      stream.write(format(line), count)
    },
  }
}
