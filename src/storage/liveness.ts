/**
 * Whether what was read of a store behind a network still holds, without asking it again (decision K27): changes are
 * announced, and heartbeats prove that announcements arrive. Pure bookkeeping; who announces is in `redis-news.ts`.
 *
 * @module
 */

/** What was read stays as good as this: to be taken before the read, so that a change meanwhile is not missed. */
export interface Watch {
  /** True for ever once a change was announced, or may have been without our hearing it. */
  readonly changed: boolean
}

/** What a store that cannot peek offers instead. */
export interface Liveness {
  /**
   * The watch over everything that is stored of a grant. Two calls may return the same one.
   * @param id the grant's
   */
  watch(id: string): Watch
  /**
   * True while a heartbeat of the last second has arrived: what was read under an unchanged watch holds. Compares
   * clocks; no timer has to run, so a process that was frozen wakes up to false.
   */
  isFresh(): boolean
  /** True until `MAX_STALE` after the last heartbeat: until then an outage may be bridged with what was read before. */
  isBridgeable(): boolean
}

/** The side that hears of changes. */
export interface Hearing extends Liveness {
  /**
   * Announcements arrive from now on, and some that were made before may have been missed: nothing is fresh until the
   * next heartbeat, and all watches end with it. Not before: until commands and announcements are proven to meet, there
   * is an outage, which only what was read before it can bridge.
   */
  begin(): void
  /** Announcements may be missed from now on. */
  end(): void
  /**
   * A heartbeat has come back, all of it by the connection that is heard now: what is announced where our commands go
   * arrives from then on.
   * @param sentAt milliseconds since the epoch
   */
  heartbeat(sentAt: number): void
  /** A record of the grant was changed or deleted. */
  changed(id: string): void
}

/** A heartbeat older than this proves nothing. */
const FRESH_MS = 1000
/** Watches kept, some 200 bytes each. Beyond that the oldest ends, which costs its grant a read. */
const MAX_WATCHES = 50_000

/**
 * @param options.now milliseconds since the epoch
 * @param options.maxStale seconds
 */
export function createLiveness({
  now,
  maxStale,
}: {
  readonly now: () => number
  readonly maxStale: number
}): Hearing {
  const watches = new Map<string, { changed: boolean }>()
  let hearing = false
  let hasMissed = false
  let heardAt = Number.NEGATIVE_INFINITY

  /** A clock that was set back makes a heartbeat of the future, which proves nothing either. */
  const isWithin = (span: number) => {
    const silence = now() - heardAt
    return silence >= 0 && silence <= span
  }
  const finish = (id: string) => {
    const watch = watches.get(id)
    if (!watch) return
    watch.changed = true
    watches.delete(id)
  }

  return {
    watch(id) {
      const known = watches.get(id)
      if (known) return known
      const watch = { changed: false }
      watches.set(id, watch)
      if (watches.size > MAX_WATCHES) {
        const [oldest] = watches.keys()
        if (oldest !== undefined) finish(oldest)
      }
      return watch
    },
    isFresh: () => hearing && !hasMissed && isWithin(FRESH_MS),
    isBridgeable: () => isWithin(maxStale * 1000),
    begin() {
      hearing = true
      hasMissed = true
    },
    end() {
      hearing = false
    },
    heartbeat(sentAt) {
      // Those begun since `begin` too: what was read meanwhile may be of another server than the one that is heard.
      if (hasMissed) for (const id of watches.keys()) finish(id)
      hasMissed = false
      heardAt = sentAt
    },
    changed: finish,
  }
}
