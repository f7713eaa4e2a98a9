/**
 * Compares this machine's clock with that of Redis, which all replicas share: codes and tokens of a replica whose clock is
 * wrong end early or late at the others.
 *
 * @module
 */
import type { Events } from '../../events.ts'
import type { SendCommand } from './connection.ts'

/** Times in which the comparison is worth repeating. */
const EVERY_MS = 10_000
const WARN_EVERY_MS = 60_000
const TOLERATED_MS = 5000

/**
 * @param deps `now` in milliseconds since the epoch, `elapsed` on a clock that is never set back
 * @returns a function to call at each heartbeat; it asks Redis only now and then, and reports no failure
 */
export function createClockCheck(deps: {
  readonly send: SendCommand
  readonly now: () => number
  readonly elapsed: () => number
  readonly events: Events
}): () => void {
  const { send, now, elapsed, events } = deps
  let askedAt = Number.NEGATIVE_INFINITY
  let warnedAt = Number.NEGATIVE_INFINITY

  const compare = async () => {
    const before = now()
    const answer = await send('time')
    const after = now()
    const [seconds, microseconds] = Array.isArray(answer) ? answer.map(Number) : []
    const there = (seconds ?? Number.NaN) * 1000 + (microseconds ?? Number.NaN) / 1000
    if (!Number.isFinite(there)) return
    // Redis read its clock at some moment between the two.
    const ahead = before > there ? before - there : Math.min(0, after - there)
    if (Math.abs(ahead) <= TOLERATED_MS || elapsed() - warnedAt < WARN_EVERY_MS) return
    warnedAt = elapsed()
    events.emit({
      event: 'store-unfit',
      reason:
        'the clock of this machine differs from the clock of Redis: set both by NTP, or codes and tokens end too early',
      seconds: Math.round(ahead / 1000),
    })
  }

  return () => {
    if (elapsed() - askedAt < EVERY_MS) return
    askedAt = elapsed()
    // Without the permission, or without an answer, nothing is known; heartbeats show an outage.
    compare().catch(() => {})
  }
}
