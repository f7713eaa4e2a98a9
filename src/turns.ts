/**
 * How often each group of addresses used something scarce lately, in this process. Bounded: a flood from more groups
 * pushes out the least recent.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'

const MAX_REMEMBERED = 20_000

/** A group whose members share turns, and how many times the part of a single address it may use. */
export interface Sharer {
  readonly key: string
  readonly share: number
}

export interface Turns {
  /** Turns in the window of the group that used most, each counted in turns of a single address. */
  used(sharers: readonly Sharer[]): number
  count(sharers: readonly Sharer[]): void
  /** The turn was not used, or was used well. */
  giveBack(sharers: readonly Sharer[]): void
}

/** @param options `windowMs` begins with the first turn; `elapsed`: milliseconds on a clock that is never set back */
export function createTurns(options: {
  readonly windowMs: number
  readonly elapsed: () => number
}): Turns {
  const { windowMs, elapsed } = options
  const windows = new LRUCache<string, { count: number; readonly since: number }>({
    max: MAX_REMEMBERED,
  })
  function windowOf({ key }: Sharer): { count: number; readonly since: number } | undefined {
    const known = windows.get(key)
    return known && elapsed() - known.since < windowMs ? known : undefined
  }
  return {
    used: (sharers) =>
      Math.max(0, ...sharers.map((each) => (windowOf(each)?.count ?? 0) / each.share)),
    count(sharers) {
      for (const sharer of sharers) {
        const window = windowOf(sharer) ?? { count: 0, since: elapsed() }
        window.count += 1
        windows.set(sharer.key, window)
      }
    },
    giveBack(sharers) {
      for (const sharer of sharers) {
        const window = windowOf(sharer)
        if (window && window.count > 0) window.count -= 1
      }
    },
  }
}
