/**
 * Limits the codes that strangers make us redeem at the provider (threat T51): by sign-in and by address. Only codes
 * that identified nobody count, so many people behind one address do not wait for each other.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { createTurns } from '../turns.ts'
import { bucketsOf } from '../url/address-buckets.ts'

/** A person may go back and try again a few times; then the sign-in starts again. */
const PER_SIGN_IN = 5
const PER_ADDRESS = 30
const WINDOW_SECONDS = 60
const MAX_SIGN_INS = 10_000

/** Redeem the code, then say whether it identified a person; or do not, because of the sign-in or of the address. */
export type Exchange =
  | { readonly kind: 'open'; readonly identified: () => void }
  | { readonly kind: 'start-again' }
  | { readonly kind: 'wait'; readonly seconds: number }

export interface ExchangeBudget {
  /** Counts an exchange before it is made, so that parallel ones cannot outrun the count. */
  begin(signIn: { readonly id: string; readonly address: string }): Exchange
}

/** @param elapsed milliseconds on a clock that is never set back */
export function createExchangeBudget({
  elapsed,
}: {
  readonly elapsed: () => number
}): ExchangeBudget {
  const signIns = new LRUCache<string, number>({ max: MAX_SIGN_INS })
  const turns = createTurns({ windowMs: WINDOW_SECONDS * 1000, elapsed })
  return {
    begin({ id, address }) {
      const tried = signIns.get(id) ?? 0
      if (tried >= PER_SIGN_IN) return { kind: 'start-again' }
      const buckets = bucketsOf(address)
      if (turns.used(buckets) >= PER_ADDRESS) return { kind: 'wait', seconds: WINDOW_SECONDS }
      signIns.set(id, tried + 1)
      turns.count(buckets)
      return { kind: 'open', identified: () => turns.giveBack(buckets) }
    },
  }
}
