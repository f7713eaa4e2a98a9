/**
 * A remote document that is loaded once for everybody who needs it.
 *
 * @module
 */

export interface Cached<T> {
  /** The last document, loaded again when it is too old. Rejects with the error of `load`. */
  get(): Promise<T>
  /**
   * As {@link get}, but a document that is too old serves for `graceMs` more while a new one is loaded, so that its
   * callers do not wait for a remote that hangs.
   */
  getOrStale(graceMs: number): Promise<T>
  /** A document newer than `seen`: one that another caller loaded meanwhile, else a new one. */
  newerThan(seen: T): Promise<T>
}

/**
 * Single-flight, and negative-cached: not everyone who would like to log in asks a provider that is down.
 * @param deps `maxAgeMs`: how long a document is good for; `retryAfterMs`: how long a failure stands; `elapsed` in
 *   milliseconds on a clock that is never set back
 */
export function createCached<T>(deps: {
  load: () => Promise<T>
  maxAgeMs: number
  retryAfterMs: number
  elapsed: () => number
}): Cached<T> {
  const { load, maxAgeMs, retryAfterMs, elapsed } = deps
  let held: { value: T; until: number } | undefined
  let failed: { error: unknown; until: number } | undefined
  let loading: Promise<T> | undefined

  async function reload(): Promise<T> {
    try {
      const value = await load()
      held = { value, until: elapsed() + maxAgeMs }
      return value
    } catch (error) {
      failed = { error, until: elapsed() + retryAfterMs }
      throw error
    } finally {
      loading = undefined
    }
  }

  function loadOnce(): Promise<T> {
    if (!loading && failed && elapsed() < failed.until) return Promise.reject(failed.error)
    loading ??= reload()
    return loading
  }

  return {
    get: () => (held && elapsed() < held.until ? Promise.resolve(held.value) : loadOnce()),
    getOrStale(graceMs) {
      if (!held || elapsed() >= held.until + graceMs) return loadOnce()
      // A caller that needs a newer document gets the failure; this one has a document.
      if (elapsed() >= held.until) loadOnce().catch(() => undefined)
      return Promise.resolve(held.value)
    },
    newerThan: (seen) => (held && held.value !== seen ? Promise.resolve(held.value) : loadOnce()),
  }
}
