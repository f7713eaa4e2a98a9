/**
 * Tells whether a reading from a store behind a network still holds, without asking the store again (decision K27):
 * changes are announced, and heartbeats prove that announcements arrive. Pure bookkeeping; `redis/announcements.ts`
 * listens.
 *
 * @module
 */

/** A reading holds while its watch is unchanged. Begin the watch before reading, so that no change is missed. */
export interface Watch {
  /** True for ever once a change was announced, or may have been announced unheard. */
  readonly changed: boolean
}

/** The substitute for `peek` at a store behind a network. */
export interface Liveness {
  /**
   * A watch over all records of a grant. Two calls may return the same watch.
   * @param id the grant's id
   */
  watch(id: string): Watch
  /**
   * True while the last heartbeat is at most a second old: a reading under an unchanged watch then holds. Compares
   * times and needs no timer, so a frozen process gets false when it wakes up.
   */
  isFresh(): boolean
  /** True until `MAX_STALE` after the last heartbeat: until then earlier readings may bridge an outage. 0 is never. */
  isBridgeable(): boolean
}

/** Liveness with the side that is told of announcements and heartbeats. */
export interface LivenessTracker extends Liveness {
  /**
   * Announcements arrive from now on, and earlier ones may have been missed: nothing is fresh until the next heartbeat,
   * which ends all watches. They do not end sooner: until a heartbeat proves that commands and announcements reach the
   * same server, there is an outage, and only earlier readings can bridge it.
   */
  begin(): void
  /** Announcements may be missed from now on. */
  end(): void
  /**
   * A heartbeat has come back whole, by the connection that listens now: from then on, announcements that are made
   * where our commands go arrive.
   * @param sentAt in the time of `elapsed`
   */
  heartbeat(sentAt: number): void
  /** A record of the grant was changed or deleted. */
  changed(id: string): void
}

/** A heartbeat older than this proves nothing. */
const FRESH_MS = 1000
/** The most watches to keep, some 200 bytes each. Beyond it the oldest ends, which costs its grant a read. */
const MAX_WATCHES = 50_000

/**
 * @param options.elapsed milliseconds on a clock that is never set back
 * @param options.maxStale seconds
 */
export function createLiveness({
  elapsed,
  maxStale,
}: {
  readonly elapsed: () => number
  readonly maxStale: number
}): LivenessTracker {
  const watches = new Map<string, { changed: boolean }>()
  let isListening = false
  let hasMissed = false
  let heardAt = Number.NEGATIVE_INFINITY

  const isWithin = (span: number) => elapsed() - heardAt <= span
  const endWatch = (id: string) => {
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
        if (oldest !== undefined) endWatch(oldest)
      }
      return watch
    },
    isFresh: () => isListening && !hasMissed && isWithin(FRESH_MS),
    isBridgeable: () => maxStale > 0 && isWithin(maxStale * 1000),
    begin() {
      isListening = true
      hasMissed = true
    },
    end() {
      isListening = false
    },
    heartbeat(sentAt) {
      // Watches begun since `begin` end too: their readings may come from another server than the announcements.
      if (hasMissed) for (const id of watches.keys()) endWatch(id)
      hasMissed = false
      heardAt = sentAt
    },
    changed: endWatch,
  }
}
