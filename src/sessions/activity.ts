/**
 * Renews a browser session while it is used, so that it does not end for idleness.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import type { Events } from '../events.ts'
import type { HeldGrant, Records } from '../records/records.ts'

/** Sessions whose last renewal is remembered. */
const MAX_REMEMBERED = 10_000
/** The store learns of a session in use at most this often per idle time, however many requests come. */
const RENEWALS_PER_IDLE = 16

export interface SessionActivity {
  /** Notes that a session is in use. Returns at once: no request waits for the store, whose failure ends nothing. */
  renew(grant: HeldGrant): void
  /** True while a renewal by this process keeps the session alive; else only the store knows. */
  isKnown(grant: HeldGrant): boolean
}

/** @param deps `idle` in seconds, `now` in milliseconds since the epoch, `elapsed` on a clock that is never set back */
export function createSessionActivity(deps: {
  sessions: Records['sessions']
  idle: number
  events: Events
  now: () => number
  elapsed: () => number
}): SessionActivity {
  const { sessions, idle, events, now, elapsed } = deps
  const idleMs = idle * 1000
  const renewedAt = new LRUCache<string, number>({ max: MAX_REMEMBERED })
  const age = (id: string) => elapsed() - (renewedAt.get(id) ?? Number.NEGATIVE_INFINITY)

  return {
    renew({ id, expiresAt }) {
      if (age(id) < idleMs / RENEWALS_PER_IDLE) return
      renewedAt.set(id, elapsed())
      const lifetime = Math.min(idle, expiresAt - Math.floor(now() / 1000))
      sessions.touch(id, lifetime).catch((error: unknown) => {
        events.emit({ event: 'session-use-unnoted', err: error })
      })
    },
    isKnown: ({ id }) => age(id) < idleMs,
  }
}
