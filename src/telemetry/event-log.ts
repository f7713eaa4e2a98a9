/**
 * `src/telemetry/` owns what becomes of events: a subscriber a file. It does not own the events (`src/events.ts`).
 *
 * The log: one line an event, with the fields of docs/logs.md in their fixed order.
 *
 * @module
 */
import type { Logger } from 'pino'
import { FIELD_ORDER } from '../event-fields.ts'
import { EVENTS, type EventDefinition, type GatewayEvent, type Subscriber } from '../events.ts'
import { createFloodGuard } from './flood-guard.ts'

export interface EventLog extends Subscriber {
  /** Writes the summaries of lines that were left out; to be called now and then, so that none waits for long. */
  writeSummaries(): void
  /** The same at the end of the process, for a minute that has not ended too. */
  writeAllSummaries(): void
}

/** @param deps `elapsed`: milliseconds on a clock that is never set back */
export function createEventLog(deps: {
  readonly log: Logger
  readonly elapsed: () => number
}): EventLog {
  const { log } = deps
  const guard = createFloodGuard(deps)
  const unmissable = log.child({}, { level: 'info' })

  function write(event: GatewayEvent): void {
    const { level, says, unmissable: always }: EventDefinition = EVENTS[event.event]
    const logger = always && log.level !== 'silent' ? unmissable : log
    logger[level](lineOf(event), says)
  }

  return {
    wants(name) {
      const { level, unmissable: always }: EventDefinition = EVENTS[name]
      return always === true || log.isLevelEnabled(level)
    },
    take(event) {
      for (const summary of guard.summaries()) write(summary)
      if (guard.admits(event)) write(event)
    },
    writeSummaries: () => guard.summaries().forEach(write),
    writeAllSummaries: () => guard.allSummaries().forEach(write),
  }
}

/** Programs that ban addresses read the first fields, so the order is part of the format (docs/logs.md). */
function lineOf(event: GatewayEvent): Readonly<Record<string, unknown>> {
  const values: Readonly<Record<string, unknown>> = event
  const line: Record<string, unknown> = { event: event.event }
  for (const field of FIELD_ORDER) {
    if (values[field] !== undefined) line[field] = values[field]
  }
  return line
}
