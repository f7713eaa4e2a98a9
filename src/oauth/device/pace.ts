/**
 * How often a device may poll (RFC 8628 section 3.5): not before its interval is over, and each poll that comes too early
 * makes the interval longer. Pure.
 *
 * @module
 */

/** Seconds between two polls, unless the client was told to slow down. */
export const POLL_INTERVAL = 5
const LONGER_BY = 5
/** The longest interval: a device that never slows down must not make us write at each of its polls. */
const LONGEST_INTERVAL = 60
/** Milliseconds by which a poll may come early: the network does not keep time as clients do. */
const TOLERANCE_MS = 1000

export interface Pace {
  /** Milliseconds since the epoch. */
  readonly polledAt: number
  /** Seconds. */
  readonly interval: number
}

/**
 * @param before of the poll before; undefined for the first one
 * @returns the pace to remember; undefined to keep the one before
 * @param now milliseconds since the epoch
 */
export function nextPace(
  before: Pace | undefined,
  now: number,
): { readonly isTooEarly: boolean; readonly pace: Pace | undefined } {
  const { interval = POLL_INTERVAL, polledAt } = before ?? {}
  const waited = polledAt === undefined ? Number.POSITIVE_INFINITY : now - polledAt
  // A clock that was set back says nothing about the client.
  const isTooEarly = waited >= 0 && waited < interval * 1000 - TOLERANCE_MS
  if (!isTooEarly) return { isTooEarly, pace: { polledAt: now, interval } }
  const isLongest = interval >= LONGEST_INTERVAL
  return {
    isTooEarly,
    pace: isLongest ? undefined : { polledAt: now, interval: interval + LONGER_BY },
  }
}
