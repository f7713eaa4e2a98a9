/**
 * Slows down people who try codes of devices that they do not see (RFC 8628 section 5.1): by person or else by address,
 * and in all. Codes that are right do not count.
 *
 * Strangers cannot lock a shared address for the people there who are signed in: each of those has a count of their own.
 * Too many wrong codes in all shut nobody out (threat T38): a browser that knows its person goes on, and so does an
 * address that typed no wrong code lately.
 *
 * @module
 */
import { createTurns } from '../turns.ts'
import { bucketsOf } from '../url/address-buckets.ts'

/** Wrong codes of a person who is signed in, or of an address. */
const PER_GUESSER = 20
const IN_ALL = 2000
const WINDOW_SECONDS = 600
const ALL = [{ key: 'all', share: 1 }]

/** Look the code up, and say if it was right; or wait. */
export type Guess =
  | { readonly kind: 'open'; readonly right: () => void }
  | { readonly kind: 'wait'; readonly seconds: number }

export interface UserCodeGuesses {
  /**
   * Counts a code before it is looked up, so that parallel ones cannot outrun the count.
   * @param guesser `person`: our name for the person who is signed in in this browser, whose own count then stands in
   *   place of that of the address
   */
  begin(guesser: { readonly address: string; readonly person?: string | undefined }): Guess
}

/** @param elapsed milliseconds on a clock that is never set back */
export function createUserCodeGuesses({
  elapsed,
}: {
  readonly elapsed: () => number
}): UserCodeGuesses {
  const turns = createTurns({ windowMs: WINDOW_SECONDS * 1000, elapsed })
  return {
    begin({ address, person }) {
      const buckets =
        person !== undefined ? [{ key: `person|${person}`, share: 1 }] : bucketsOf(address)
      const here = turns.used(buckets)
      const isCrowded = person === undefined && here > 0 && turns.used(ALL) >= IN_ALL
      if (here >= PER_GUESSER || isCrowded) return { kind: 'wait', seconds: WINDOW_SECONDS }
      turns.count(buckets)
      turns.count(ALL)
      return {
        kind: 'open',
        right: () => {
          turns.giveBack(buckets)
          turns.giveBack(ALL)
        },
      }
    },
  }
}
