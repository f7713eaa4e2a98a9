/**
 * Runs the same work once for all callers that ask for it at the same time.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'

/**
 * Shares the whole outcome among concurrent callers of a key, and for a short while after: a person who presses a
 * button twice gets the first answer, not "already used" (decision K9). Failures are not kept.
 * @param keep which finished outcomes are handed out again
 * @param keepMs for how long
 * @param elapsed milliseconds on a clock that is never set back
 */
export function createSingleFlight<T>(deps: {
  keep: (outcome: T) => boolean
  keepMs: number
  elapsed: () => number
}): (key: string, run: () => Promise<T>) => Promise<T> {
  // No limit: each entry is a request that waits. Only finished ones may be forgotten.
  const running = new Map<string, Promise<T>>()
  const finished = new LRUCache<string, { outcome: Promise<T>; until: number }>({ max: 1000 })
  return (key, run) => {
    const waiting = running.get(key)
    if (waiting !== undefined) return waiting
    const known = finished.get(key)
    if (known && deps.elapsed() < known.until) return known.outcome
    const flight = run()
    running.set(key, flight)
    flight.then(
      (outcome) => {
        running.delete(key)
        if (!deps.keep(outcome)) return
        finished.set(key, { outcome: flight, until: deps.elapsed() + deps.keepMs })
      },
      () => running.delete(key),
    )
    return flight
  }
}
