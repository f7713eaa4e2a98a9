/**
 * Opens the log on standard output, and the sink of events whose first subscriber it is.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import { type Logger, pino } from 'pino'
import type { Config } from '../config/config.ts'
import { createEvents, type Events } from '../events.ts'
import { createEventLog } from '../telemetry/event-log.ts'
import { textLine } from '../telemetry/text-lines.ts'
import { createLogDestination } from './log-destination.ts'

/** The lines that were left out are counted in the log this often. */
const SUMMARIES_MS = 60_000

export interface OpenedLog {
  readonly events: Events
  /** For lines of libraries. */
  readonly log: Logger
  /** Counts what was left out until now; to be called before the process ends. */
  end(): void
}

/** @param options clocks in milliseconds: `now` since the epoch, `elapsed` never set back */
export function openLog(
  { logLevel, logFormat }: Pick<Config, 'logLevel' | 'logFormat'>,
  options: {
    readonly stream: Writable & { readonly isTTY?: boolean }
    readonly now: () => number
    readonly elapsed: () => number
  },
): OpenedLog {
  const { stream, now, elapsed } = options
  const isTerminal = stream.isTTY === true
  const format = logFormat ?? (isTerminal ? 'text' : 'json')
  // https://no-color.org
  const colour = isTerminal && !process.env.NO_COLOR
  const log = pino(
    { level: logLevel, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    createLogDestination({
      stream,
      now,
      ...(format === 'text' && { format: (line: string) => textLine(line, { colour }) }),
    }),
  )
  const eventLog = createEventLog({ log, elapsed })
  const timer = setInterval(eventLog.writeSummaries, SUMMARIES_MS).unref()
  return {
    log,
    events: createEvents([eventLog]),
    end() {
      clearInterval(timer)
      eventLog.writeAllSummaries()
    },
  }
}
