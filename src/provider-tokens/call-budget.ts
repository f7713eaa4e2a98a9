/**
 * How much of a provider strangers may use up: calls at once, and calls a second.
 *
 * @module
 */
import { ProviderFailure } from '../providers/provider.ts'

export interface CallBudget {
  /** Runs it, or rejects at once with ProviderFailure `unavailable` when too much was asked already. */
  spend<T>(call: () => Promise<T>): Promise<T>
}

/**
 * A token bucket with a cap on what runs at once.
 * @param limits `burst`: how many calls a full bucket holds; `now` in milliseconds since the epoch
 */
export function createCallBudget(limits: {
  atOnce: number
  perSecond: number
  burst: number
  now: () => number
}): CallBudget {
  const { atOnce, perSecond, burst, now } = limits
  let running = 0
  let left = burst
  let filledAt = now()
  return {
    async spend(call) {
      const at = now()
      left = Math.min(burst, left + ((at - filledAt) / 1000) * perSecond)
      filledAt = at
      if (running >= atOnce || left < 1) {
        throw new ProviderFailure('unavailable', 'too many unknown tokens are waiting to be judged')
      }
      left -= 1
      running += 1
      try {
        return await call()
      } finally {
        running -= 1
      }
    },
  }
}
