/**
 * Limits the calls to a provider: at once and per second for this process, per minute for all replicas.
 *
 * @module
 */
import type { RateCounter } from '../../http/rate-counter.ts'
import { ProviderFailure } from '../../providers/provider.ts'

export interface CallBudget {
  /** Runs the call, or rejects at once with ProviderFailure `unavailable` when the budget is spent. */
  spend<T>(call: () => Promise<T>): Promise<T>
}

/**
 * A token bucket with a cap on concurrent calls.
 * @param limits `burst`: how many calls a full bucket holds; `name`: the name of the calls in the counter that replicas
 *   share; `elapsed` in milliseconds on a clock that is never set back
 */
export function createCallBudget(limits: {
  name: string
  atOnce: number
  perSecond: number
  burst: number
  counter: RateCounter
  elapsed: () => number
}): CallBudget {
  const { name, atOnce, perSecond, burst, counter, elapsed } = limits
  const perMinute = perSecond * 60
  let running = 0
  let left = burst
  let filledAt = elapsed()
  return {
    async spend(call) {
      const at = elapsed()
      left = Math.min(burst, left + ((at - filledAt) / 1000) * perSecond)
      filledAt = at
      // A call that is not made spends nothing.
      if (left < 1 || running >= atOnce) throw exhausted()
      left -= 1
      running += 1
      try {
        const { count } = await counter.add(name)
        if (count > perMinute) throw exhausted()
        return await call()
      } finally {
        running -= 1
      }
    },
  }
}

const exhausted = () =>
  new ProviderFailure('unavailable', 'too many tokens are waiting to be judged')
