/**
 * Limits the fetches that strangers make us do (threat T9): of an address, to a host, at once, and in all.
 *
 * @module
 */
import { createTurns } from '../../turns.ts'
import { bucketsOf } from '../../url/address-buckets.ts'

/** A minute for each address that asks, and for each host that is asked. */
const WINDOW_MS = 60_000
const PER_ADDRESS = 20
const PER_HOST = 30
const PER_SECOND = 4
const BURST = 60
const AT_ONCE = 16
/** Strangers leave these to documents that we had before and to hosts that the operator names. */
const RESERVED = 6
const AT_ONCE_FOR_ONE = 4

export interface FetchBudget {
  /**
   * Counts a fetch.
   * @returns undefined if it must not be made now; else the function to call at its end
   */
  begin(fetch: {
    readonly host: string
    /** The address of the client or person that asks. */
    readonly from: string
    /** True if somebody vouched for the document: it was good before, or the operator names its host. */
    readonly known: boolean
  }): (() => void) | undefined
}

/** @param elapsed milliseconds on a clock that is never set back */
export function createFetchBudget({ elapsed }: { readonly elapsed: () => number }): FetchBudget {
  const byAddress = createTurns({ windowMs: WINDOW_MS, elapsed })
  const byHost = createTurns({ windowMs: WINDOW_MS, elapsed })
  const running = new Map<string, number>()
  let runningInAll = 0
  let left = BURST
  let filledAt = elapsed()

  function refill(): void {
    const at = elapsed()
    left = Math.min(BURST, left + ((at - filledAt) / 1000) * PER_SECOND)
    filledAt = at
  }
  const add = (key: string, change: 1 | -1) => {
    const count = (running.get(key) ?? 0) + change
    if (count > 0) running.set(key, count)
    else running.delete(key)
  }

  return {
    begin({ host, from, known }) {
      refill()
      const hosts = [{ key: host, share: 1 }]
      const addresses = bucketsOf(from)
      const keys = [`host ${host}`, `from ${from}`]
      const reserved = known ? 0 : RESERVED
      const isPossible =
        runningInAll < AT_ONCE - reserved &&
        left >= 1 + reserved &&
        keys.every((key) => (running.get(key) ?? 0) < AT_ONCE_FOR_ONE) &&
        byHost.used(hosts) < PER_HOST &&
        byAddress.used(addresses) < PER_ADDRESS
      // A fetch that is not made counts for nothing.
      if (!isPossible) return undefined
      left -= 1
      runningInAll += 1
      byHost.count(hosts)
      byAddress.count(addresses)
      for (const key of keys) add(key, 1)
      return () => {
        runningInAll -= 1
        for (const key of keys) add(key, -1)
      }
    },
  }
}
