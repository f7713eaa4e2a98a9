/**
 * A warning that each request may repeat: the log gets the line at most once in an interval.
 *
 * @module
 */
import type { Logger } from 'pino'

const INTERVAL_MS = 60_000

/** @param deps `message`: the line; `now` in milliseconds on a clock that is never set back */
export function createThrottledWarning(deps: {
  readonly log: Logger
  readonly message: string
  readonly now: () => number
}): (details: Readonly<Record<string, unknown>>) => void {
  const { log, message, now } = deps
  let warnedAt = Number.NEGATIVE_INFINITY
  return (details) => {
    if (now() - warnedAt < INTERVAL_MS) return
    warnedAt = now()
    log.warn(details, message)
  }
}
