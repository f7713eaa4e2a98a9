/**
 * Documents at addresses that clients name, kept as HTTP allows. A document that was good once goes on serving while its
 * host does not give it; a failure is never kept as an answer, it only spaces the tries.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { OAuthError } from '../../errors.ts'
import { DocumentUnavailable, type FetchDocument } from '../../outbound/document-fetch.ts'
import type { ClientDocumentRecord as DocumentCopy } from '../../records/records.ts'
import type { FetchBudget } from './fetch-budget.ts'
import { type FreshnessBounds, freshnessOf } from './freshness.ts'

export interface RemoteDocuments<T> {
  /**
   * The document, fetched if the copy is too old; several callers at once share one fetch.
   * @param from the address of the client or person that asks
   * @throws DocumentUnavailable if there is no copy, and the document cannot be fetched, or must not be now; the error
   *   of `parse` if it was fetched and is no good
   */
  get(url: string, from: string): Promise<T>
  /**
   * A document newer than `seen`, which itself comes back if it was fetched just now.
   * @throws DocumentUnavailable also where a copy exists: nobody knows whether it is the newest
   */
  newerThan(seen: T, url: string, from: string): Promise<T>
  /** The copy that {@link get} would return now without a fetch, or as the last good one. */
  copyOf(url: string): DocumentCopy | undefined
}

interface Entry<T> {
  readonly value: T
  readonly copy: DocumentCopy
}

interface Failures {
  readonly count: number
  /** As `elapsed` counts. */
  readonly retryAt: number
}

const MAX_COPIES = 1000
const MAX_FAILURES = 10_000
const FIRST_PAUSE_MS = 5000
const LONGEST_PAUSE_MS = 5 * 60_000
/** A document that was just fetched is not fetched again for a caller who hopes for a newer one. */
const MIN_AGE_MS = 30_000

/** A fetch that failed. */
export interface FetchFailure {
  readonly url: URL
  /** For the operator alone. */
  readonly reason: string
  /** The address of the client or person that asked. */
  readonly from: string
}

export interface RemoteDocumentsDeps<T> {
  readonly fetch: FetchDocument
  readonly maxBytes: number
  /** @throws OAuthError if the text is no good */
  readonly parse: (text: string, url: string) => T
  readonly bounds: FreshnessBounds
  /** Seconds for which a copy serves while the document cannot be fetched. */
  readonly lastGood: number
  readonly budget: FetchBudget
  /** True for a host that the operator names. */
  readonly isNamed?: (url: URL) => boolean
  /** A copy that another process, or this one in an earlier life, kept. */
  readonly findStored?: (url: string) => Promise<DocumentCopy | undefined>
  readonly onFailure?: (failure: FetchFailure) => void
  /** Milliseconds since the epoch, for the age of copies. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, for pauses. */
  readonly elapsed: () => number
}

export function createRemoteDocuments<T extends object>(
  deps: RemoteDocumentsDeps<T>,
): RemoteDocuments<T> {
  const { now, elapsed } = deps
  const entries = new LRUCache<string, Entry<T>>({ max: MAX_COPIES })
  const failures = new LRUCache<string, Failures>({ max: MAX_FAILURES })
  const flights = new Map<string, Promise<T>>()

  const seconds = () => Math.floor(now() / 1000)
  // A clock that was set back makes a copy old, never young for ever.
  const isFresh = ({ fetchedAt, freshUntil }: DocumentCopy) =>
    seconds() < freshUntil && seconds() >= fetchedAt - 60
  const isGood = ({ fetchedAt }: DocumentCopy) => seconds() < fetchedAt + deps.lastGood
  const keep = (url: string, entry: Entry<T>) => {
    entries.set(url, entry)
    return entry
  }

  /** All callers of the same address share a run. */
  function share(url: string, run: () => Promise<T>): Promise<T> {
    const running = flights.get(url)
    if (running !== undefined) return running
    const flight = run().finally(() => flights.delete(url))
    flights.set(url, flight)
    return flight
  }

  async function storedEntry(url: string): Promise<Entry<T> | undefined> {
    const copy = await deps.findStored?.(url)
    if (!copy) return undefined
    try {
      return keep(url, { copy, value: deps.parse(copy.text, url) })
    } catch (error) {
      // Rules changed since it was stored.
      if (error instanceof OAuthError) return undefined
      throw error
    }
  }

  async function fetchAnew(url: string, from: string, known: boolean): Promise<Entry<T>> {
    const failed = failures.get(url)
    const wait = failed ? failed.retryAt - elapsed() : 0
    if (wait > 0) {
      throw new DocumentUnavailable('the last try failed a moment ago', {
        retryAfterSeconds: Math.ceil(wait / 1000),
      })
    }
    const address = new URL(url)
    const isVouchedFor = known || deps.isNamed?.(address) === true
    const end = deps.budget.begin({ host: address.host, from, known: isVouchedFor })
    if (!end) {
      throw new DocumentUnavailable('too many documents are asked for', { retryAfterSeconds: 10 })
    }
    try {
      const { text, headers } = await deps.fetch(address, deps)
      const value = deps.parse(text, url)
      failures.delete(url)
      const fetchedAt = seconds()
      const freshUntil = fetchedAt + Math.floor(freshnessOf(headers, deps.bounds))
      return keep(url, { value, copy: { text, fetchedAt, freshUntil } })
    } catch (error) {
      const count = (failed?.count ?? 0) + 1
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (count - 1))
      failures.set(url, { count, retryAt: elapsed() + pause })
      const reason = error instanceof Error ? error.message : 'unknown'
      const serving = known ? `${reason}; the last good copy serves` : reason
      deps.onFailure?.({ url: address, reason: serving, from })
      throw error
    } finally {
      end()
    }
  }

  /** A newly fetched document, or the last good copy. */
  async function renew(url: string, from: string, held: Entry<T> | undefined): Promise<T> {
    const known = held && isGood(held.copy) ? held : undefined
    try {
      return (await fetchAnew(url, from, known !== undefined)).value
    } catch (error) {
      const isExpected = error instanceof DocumentUnavailable || error instanceof OAuthError
      if (known && isExpected) return known.value
      throw error
    }
  }

  return {
    get(url, from) {
      const held = entries.get(url)
      if (held && isFresh(held.copy)) return Promise.resolve(held.value)
      return share(url, async () => {
        const known = held ?? (await storedEntry(url))
        return known && isFresh(known.copy) ? known.value : renew(url, from, known)
      })
    },
    newerThan(seen, url, from) {
      return share(url, async () => {
        const held = entries.get(url)
        const age = held ? now() - held.copy.fetchedAt * 1000 : Number.POSITIVE_INFINITY
        if (held && (held.value !== seen || (age >= 0 && age < MIN_AGE_MS))) return held.value
        return (await fetchAnew(url, from, held !== undefined)).value
      })
    },
    copyOf: (url) => entries.get(url)?.copy,
  }
}
