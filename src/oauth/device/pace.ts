/**
 * How often a device may poll (RFC 8628 section 3.5): not before its interval is over, and each poll that comes too early
 * makes the interval longer. Pure.
 *
 * @module
 */

/** Seconds between two polls, unless the client was told to slow down. */
export const POLL_INTERVAL = 5
const LONGER_BY = 5
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
 * @param now milliseconds since the epoch
 */
export function nextPace(
  before: Pace | undefined,
  now: number,
): { readonly isTooEarly: boolean; readonly pace: Pace } {
  const { interval = POLL_INTERVAL, polledAt } = before ?? {}
  const waited = polledAt === undefined ? Number.POSITIVE_INFINITY : now - polledAt
  // A clock that was set back says nothing about the client.
  const isTooEarly = waited >= 0 && waited < interval * 1000 - TOLERANCE_MS
  return {
    isTooEarly,
    pace: { polledAt: now, interval: isTooEarly ? interval + LONGER_BY : interval },
  }
}
