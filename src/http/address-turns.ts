/**
 * How often each address used something scarce lately, in this process. Bounded: a flood from more addresses pushes out
 * the least recent.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { bucketsOf } from '../url/address-buckets.ts'

const MAX_REMEMBERED = 20_000

export interface AddressTurns {
  /** Turns of the address in the window, or of a block around it in turns of a single address: whichever is more. */
  used(address: string): number
  count(address: string): void
  /** The turn was not used, or was used well. */
  giveBack(address: string): void
}

/** @param options `windowMs` begins with the first turn; `now` in milliseconds since the epoch */
export function createAddressTurns(options: {
  readonly windowMs: number
  readonly now: () => number
}): AddressTurns {
  const { windowMs, now } = options
  const windows = new LRUCache<string, { count: number; readonly since: number }>({
    max: MAX_REMEMBERED,
  })
  function windowOf(key: string): { count: number; readonly since: number } | undefined {
    const known = windows.get(key)
    const age = known ? now() - known.since : -1
    // A clock that was set back begins a new window.
    return known && age >= 0 && age < windowMs ? known : undefined
  }
  return {
    used: (address) =>
      Math.max(...bucketsOf(address).map(({ key, share }) => (windowOf(key)?.count ?? 0) / share)),
    count(address) {
      for (const { key } of bucketsOf(address)) {
        const window = windowOf(key) ?? { count: 0, since: now() }
        window.count += 1
        windows.set(key, window)
      }
    },
    giveBack(address) {
      for (const { key } of bucketsOf(address)) {
        const window = windowOf(key)
        if (window && window.count > 0) window.count -= 1
      }
    },
  }
}
