/**
 * The queue of the built-in login: one password at a time (decision K29), in an order that leaves room for people while
 * strangers keep it busy (threat T38). A browser that signed in as the name before goes first. Among the rest, those
 * whose addresses had the fewest turns lately go first, so an address without a turn waits for others like it only.
 *
 * @module
 */
import { createTurns } from '../turns.ts'
import { type Applicant, ProviderBusy } from './provider.ts'

/** Places in the queue that an applicant's bucket may have, times its share. */
const PLACES = 2
/** Turns are remembered for this long after the first. */
const TURNS_MS = 10 * 60_000
const RETRY_SECONDS = 5

interface Waiting {
  readonly applicant: Applicant
  readonly start: () => Promise<unknown>
  readonly refuse: (error: ProviderBusy) => void
}

/**
 * @param options `length`: how many may wait; `elapsed`: milliseconds on a clock that is never set back
 * @returns runs a task when its turn comes. The promise rejects with {@link ProviderBusy} if there is no place, or if
 *   somebody with a better claim took it
 */
export function createLanes(options: {
  readonly length: number
  readonly elapsed: () => number
}): <T>(applicant: Applicant, task: () => Promise<T>) => Promise<T> {
  const { length, elapsed } = options
  const turns = createTurns({ windowMs: TURNS_MS, elapsed })
  const waiting: Waiting[] = []
  let isBusy = false

  const used = ({ buckets }: Applicant) => turns.used(buckets)
  /** Positive if `a` has a worse claim than `b`. */
  const compare = (a: Applicant, b: Applicant) =>
    Number(b.isKnown) - Number(a.isKnown) || used(a) - used(b)
  const hasPlace = ({ buckets }: Applicant) =>
    buckets.every(({ key, share }) => {
      const same = waiting.filter(({ applicant }) =>
        applicant.buckets.some((bucket) => bucket.key === key),
      )
      return same.length < PLACES * share
    })

  /** Runs whoever has the best claim; among equals the one who came first. */
  function next(): void {
    if (isBusy) return
    const first = waiting.toSorted((a, b) => compare(a.applicant, b.applicant))[0]
    if (!first) return
    waiting.splice(waiting.indexOf(first), 1)
    turns.count(first.applicant.buckets)
    isBusy = true
    void first.start().finally(() => {
      isBusy = false
      next()
    })
  }

  return (applicant, task) =>
    new Promise((resolve, reject) => {
      if (isBusy && !hasPlace(applicant)) {
        reject(new ProviderBusy(RETRY_SECONDS))
        return
      }
      if (waiting.length >= length) {
        const worst = waiting.toSorted((a, b) => compare(a.applicant, b.applicant)).at(-1)
        if (!worst || compare(applicant, worst.applicant) >= 0) {
          reject(new ProviderBusy(RETRY_SECONDS))
          return
        }
        waiting.splice(waiting.indexOf(worst), 1)
        worst.refuse(new ProviderBusy(RETRY_SECONDS))
      }
      waiting.push({ applicant, start: () => task().then(resolve, reject), refuse: reject })
      next()
    })
}
