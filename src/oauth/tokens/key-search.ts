/**
 * When the store is asked for a signing key that is not known here. It may be another process's new one, so a token that
 * names it is never called bad before the store was asked (a 401 sends people through the login again); and strangers,
 * who can name any key, cannot make us ask again and again.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { StorageUnavailable } from '../../storage/storage.ts'

/** The store is asked for keys that strangers may have made up once in this time; who asks meanwhile waits. */
const LOOK_AGAIN_MS = 1000
/** Reading takes the longer the more there is, and shall take no more than a tenth of the store's time. */
const REST_SHARE = 10
/** Checks that wait for a look at once; what comes beyond is answered as an outage. */
const MOST_WAITING = 100
/** After it failed to answer it is left alone for this long. */
const PAUSE_MS = 1000
/** Keys that are remembered as nobody's. */
const MOST_ABSENT = 1000
/** Every one of ours is a SHA-256 thumbprint (RFC 7638). */
const OURS = /^[\w-]{43}$/

export interface KeySearch {
  /**
   * Reads the keys anew and settles as `read` does; of several that ask at once one reads. What was nobody's may have
   * come back since, as after an outage, and is looked for again.
   */
  refresh(): Promise<void>
  /** True for a key that nobody has: it need not be looked for. */
  isAbsent(kid: string): boolean
  /**
   * Resolves once the keys were read at a time when whoever named this one knew it already, after a second or so.
   * @throws StorageUnavailable if the store did not answer, or too many ask; whatever else `read` rejects with
   */
  look(kid: string): Promise<void>
}

/** Resolves after so many milliseconds. */
export type Pause = (milliseconds: number) => Promise<void>

/** Keeps no process alive. */
const realPause: Pause = (milliseconds) => delay(milliseconds, undefined, { ref: false })

/**
 * @param deps `read` makes known what is in the store; `now` in milliseconds since the epoch
 */
export function createKeySearch(deps: {
  readonly isKnown: (kid: string) => boolean
  readonly read: () => Promise<void>
  readonly now: () => number
  readonly pause?: Pause | undefined
}): KeySearch {
  const { isKnown, now, pause = realPause } = deps
  const absent = new Set<string>()
  let reading: Promise<void> | undefined
  let waiting: Promise<void> | undefined
  let waitingCount = 0
  let rested = Promise.resolve()
  let failure: { readonly error: unknown; readonly at: number } | undefined

  // A clock that was set back must not make us wait for its old time.
  const isWithin = (milliseconds: number, since: number) => Math.abs(now() - since) < milliseconds

  async function readAnew(): Promise<void> {
    try {
      await deps.read()
      failure = undefined
    } catch (error) {
      failure = { error, at: now() }
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
    if (failure && isWithin(PAUSE_MS, failure.at)) return Promise.reject(failure.error)
    if (waitingCount >= MOST_WAITING) {
      return Promise.reject(new StorageUnavailable(new Error('too many unknown keys at once')))
    }
    waitingCount += 1
    waiting ??= rested.then(() => {
      waiting = undefined
      waitingCount = 0
      const started = performance.now()
      const looked = read()
      rested = looked.then(
        () => pause(Math.max(LOOK_AGAIN_MS, REST_SHARE * (performance.now() - started))),
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
    async look(kid) {
      // One that is under way may have passed the place where the key was stored since.
      if (reading !== undefined) await reading.catch(() => {})
      if (!isKnown(kid)) await readForStrangers()
      if (isKnown(kid)) return
      if (absent.size >= MOST_ABSENT) absent.clear()
      absent.add(kid)
    },
  }
}
