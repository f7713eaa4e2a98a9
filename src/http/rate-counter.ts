/**
 * Counts the requests of each block of addresses in windows that begin with its first request: in this process, and in the store
 * if several machines share it.
 *
 * @module
 */
import { type Storage, StorageUnavailable, type Tally } from '../storage/storage.ts'
import { bucketsOf } from '../url/address-buckets.ts'

const WINDOW_SECONDS = 60
/** Addresses remembered at once; a flood from more of them pushes out the least recent. */
const MAX_ADDRESSES = 20_000

export interface RateCounter {
  /**
   * Counts one request under this key. If the store is away, this process's own count stands.
   * @param share how many times the limit this key may use; above it the store is not asked
   */
  add(key: string, share?: number): Promise<Tally>
  /** Counts it in this process alone, at once. */
  addHere(key: string): Tally
}

/**
 * @param options.group the endpoints that are counted together; part of the key in the store
 * @param options.max requests per window; above this number the store is not asked, so that a flood ends here
 * @param options.now milliseconds since the epoch
 */
export function createRateCounter(options: {
  readonly group: string
  readonly max: number
  readonly storage: Pick<Storage, 'count'>
  readonly now: () => number
}): RateCounter {
  const { group, max, storage, now } = options
  const windows = new Map<string, { count: number; readonly startedAt: number }>()

  const countLocally = (address: string): Tally => {
    const time = now()
    const known = windows.get(address)
    const age = known ? time - known.startedAt : Number.POSITIVE_INFINITY
    // A clock that was set back begins a new window.
    const isOpen = age >= 0 && age < WINDOW_SECONDS * 1000
    const window = known && isOpen ? known : { count: 0, startedAt: time }
    window.count += 1
    windows.delete(address)
    windows.set(address, window)
    if (windows.size > MAX_ADDRESSES) {
      const [oldest] = windows.keys()
      if (oldest !== undefined) windows.delete(oldest)
    }
    return { count: window.count, remainingMs: window.startedAt + WINDOW_SECONDS * 1000 - time }
  }

  return {
    addHere: countLocally,
    async add(address, share = 1) {
      // Count here even if the store counts too, so that the count is known here when the store is away.
      const here = countLocally(address)
      if (here.count > max * share || !storage.count) return here
      try {
        const everywhere = await storage.count(`rate:${group}:${address}`, WINDOW_SECONDS)
        return everywhere.count > here.count ? everywhere : here
      } catch (error) {
        if (!(error instanceof StorageUnavailable)) throw error
        return here
      }
    },
  }
}

/**
 * Counts a request of an address in each of its blocks, in this process alone and at once: for the check, which awaits
 * nothing.
 * @returns the tally of the block that is nearest to its limit, in requests of a single address
 */
export function countAddressHere(counter: RateCounter, max: number, address: string): Tally {
  let worst: Tally | undefined
  for (const { key, share } of bucketsOf(address)) {
    const { count, remainingMs } = counter.addHere(key)
    const tally = { count: count / share, remainingMs }
    if (!worst || tally.count > worst.count) worst = tally
    if (tally.count > max) break
  }
  return worst ?? { count: 0, remainingMs: 0 }
}
