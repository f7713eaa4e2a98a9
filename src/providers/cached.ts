/**
 * A remote document that is loaded once for everybody who needs it.
 *
 * @module
 */

export interface Cached<T> {
  /** What was loaded last, loaded anew when it is too old. Rejects with what loading it threw. */
  get(): Promise<T>
  /**
   * As {@link get}, but what is too old serves for `graceMs` more while it is loaded anew: whoever can do with it does
   * not wait for a remote that hangs.
   */
  getSteady(graceMs: number): Promise<T>
  /** Something newer than `seen`: what somebody else loaded meanwhile, else loaded anew. */
  newerThan(seen: T): Promise<T>
}

/**
 * Single-flight, and negative-cached: a provider that is down is not asked by everyone who would like to log in.
 * @param deps `maxAgeMs`: how long a document is good for; `retryAfterMs`: how long a failure stands; `now` in
 *   milliseconds since the epoch
 */
export function createCached<T>(deps: {
  load: () => Promise<T>
  maxAgeMs: number
  retryAfterMs: number
  now: () => number
}): Cached<T> {
  const { load, maxAgeMs, retryAfterMs, now } = deps
  let held: { value: T; until: number } | undefined
  let failed: { error: unknown; until: number } | undefined
  let loading: Promise<T> | undefined

  async function reload(): Promise<T> {
    try {
      const value = await load()
      held = { value, until: now() + maxAgeMs }
      return value
    } catch (error) {
      failed = { error, until: now() + retryAfterMs }
      throw error
    } finally {
      loading = undefined
    }
  }

  function loadOnce(): Promise<T> {
    if (!loading && failed && now() < failed.until) return Promise.reject(failed.error)
    loading ??= reload()
    return loading
  }

  return {
    get: () => (held && now() < held.until ? Promise.resolve(held.value) : loadOnce()),
    getSteady(graceMs) {
      if (!held || now() >= held.until + graceMs) return loadOnce()
      // Who needs a newer one hears of the failure; this caller has one.
      if (now() >= held.until) loadOnce().catch(() => undefined)
      return Promise.resolve(held.value)
    },
    newerThan: (seen) => (held && held.value !== seen ? Promise.resolve(held.value) : loadOnce()),
  }
}
