/**
 * How much of a provider may be used up: calls at once and a second by this process, and a minute by all replicas.
 *
 * @module
 */
import type { RateCounter } from '../../http/rate-counter.ts'
import { ProviderFailure } from '../../providers/provider.ts'

export interface CallBudget {
  /** Runs it, or rejects at once with ProviderFailure `unavailable` when too much was asked already. */
  spend<T>(call: () => Promise<T>): Promise<T>
}

/**
 * A token bucket with a cap on what runs at once.
 * @param limits `burst`: how many calls a full bucket holds; `name`: what the counter that replicas share calls them;
 *   `now` in milliseconds since the epoch
 */
export function createCallBudget(limits: {
  name: string
  atOnce: number
  perSecond: number
  burst: number
  counter: RateCounter
  now: () => number
}): CallBudget {
  const { name, atOnce, perSecond, burst, counter, now } = limits
  const perMinute = perSecond * 60
  let running = 0
  let left = burst
  let filledAt = now()
  return {
    async spend(call) {
      const at = now()
      left = Math.min(burst, left + ((at - filledAt) / 1000) * perSecond)
      filledAt = at
      if (left < 1) throw exhausted()
      left -= 1
      const { count } = await counter.add(name)
      if (running >= atOnce || count > perMinute) throw exhausted()
      running += 1
      try {
        return await call()
      } finally {
        running -= 1
      }
    },
  }
}

const exhausted = () =>
  new ProviderFailure('unavailable', 'too many unknown tokens are waiting to be judged')
