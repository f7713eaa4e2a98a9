/**
 * How long an answer of the provider about a grant counts, and how long a request waits for the answer that another one
 * asks for (decision K30).
 *
 * @module
 */

/** Seconds for which an answer counts: a client may refresh as often as it likes. */
export const GOOD_SECONDS = 60
/** Seconds that a token of the provider has left, at least, or another one is asked for at a refresh. */
export const FRESH_SECONDS = 30
/** Milliseconds between two looks for the answer that another request waits for. */
export const POLL_MS = 250
/** As many as fit into 5 s. */
export const MOST_POLLS = 20

/**
 * Seconds since an answer. A clock that was set back makes none last longer.
 * @param at seconds since the epoch
 * @param now milliseconds since the epoch
 */
export const ageOf = (at: number, now: number): number => Math.abs(now / 1000 - at)
