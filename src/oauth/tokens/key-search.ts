/**
 * Decides when to ask the store for a signing key that this process does not know. Another process may have made it, so a
 * token that names it is never called bad before the store was asked (a 401 sends people through the login again). Only
 * tokens with a MAC of ours get here (decision K34); still, a flood of them cannot make this process ask without end.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StorageUnavailable } from '../../storage/storage.ts'

/** The store is asked for unknown keys once in this time; all who ask meanwhile wait. */
const LOOK_AGAIN_MS = 1000
/** Each caller gets an answer or an outage within this time, however slowly the store reads. */
const LONGEST_LOOK_MS = 2000
/** Checks that may wait for a read at once; any further check is answered as an outage. */
const MOST_WAITING = 100
/** After a failed read the store is not asked for this long. */
const PAUSE_MS = 1000
/** Key ids that are remembered as unknown to the store. */
const MOST_ABSENT = 1000
/** Each key id of ours is a SHA-256 thumbprint (RFC 7638). */
const OURS = /^[\w-]{43}$/

export interface KeySearch {
  /**
   * Reads the keys anew and settles as `read` does; several callers at once share one read. Key ids that were unknown may
   * have come back since, as after an outage, so they are looked for again.
   */
  refresh(): Promise<void>
  /** True for a key id that the store does not have: no read is needed. */
  isAbsent(kid: string): boolean
  /**
   * Resolves once a read has begun after this call, within about a second, and ended.
   * @throws StorageUnavailable if the store did not answer within two seconds, or too many wait; any other error of `read`
   */
  look(kid: string): Promise<void>
}

/** Resolves after the given number of milliseconds. */
export type Pause = (milliseconds: number) => Promise<void>

/** A timer that does not keep the process alive. */
const realPause: Pause = (milliseconds) => delay(milliseconds, undefined, { ref: false })

/**
 * @param deps `read` makes the keys of the store known here; `elapsed` in milliseconds on a clock that is never set back
 */
export function createKeySearch(deps: {
  readonly isKnown: (kid: string) => boolean
  readonly read: () => Promise<void>
  readonly elapsed: () => number
  readonly pause?: Pause | undefined
}): KeySearch {
  const { isKnown, elapsed, pause = realPause } = deps
  const absent = new Set<string>()
  let reading: Promise<void> | undefined
  let waiting: Promise<void> | undefined
  let waitingCount = 0
  let rested = Promise.resolve()
  let failure: { readonly error: unknown; readonly at: number } | undefined

  async function readAnew(): Promise<void> {
    try {
      await deps.read()
      failure = undefined
    } catch (error) {
      failure = { error, at: elapsed() }
      throw error
    } finally {
      reading = undefined
    }
  }
  const read = () => {
    reading ??= readAnew()
    return reading
  }
  function readForStrangers(): Promise<void> {
    if (failure && elapsed() - failure.at < PAUSE_MS) return Promise.reject(failure.error)
    if (waitingCount >= MOST_WAITING) {
      return Promise.reject(new StorageUnavailable(new Error('too many unknown keys at once')))
    }
    waitingCount += 1
    waiting ??= rested.then(() => {
      waiting = undefined
      waitingCount = 0
      const looked = read()
      // The rest does not grow with the read: a moment in which the store was slow must not make later callers wait.
      rested = looked.then(
        () => pause(LOOK_AGAIN_MS),
        () => undefined,
      )
      return looked
    })
    return waiting
  }

  return {
    refresh() {
      absent.clear()
      return read()
    },
    isAbsent: (kid) => !OURS.test(kid) || absent.has(kid),
    look: (kid) => inTime(look(kid)),
  }

  async function look(kid: string): Promise<void> {
    // A read that is already under way may have passed this key before it was stored. Wait for it, then read again.
    if (reading !== undefined) await reading.catch(() => {})
    if (!isKnown(kid)) await readForStrangers()
    if (isKnown(kid)) return
    if (absent.size >= MOST_ABSENT) absent.clear()
    absent.add(kid)
  }
}

/** The search goes on for later callers; this one is told of an outage. */
async function inTime(looked: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const fail = () => reject(new StorageUnavailable(new Error('the keys were not read in time')))
    timer = setTimeout(fail, LONGEST_LOOK_MS).unref()
  })
  try {
    await Promise.race([looked, late])
  } finally {
    clearTimeout(timer)
  }
}
