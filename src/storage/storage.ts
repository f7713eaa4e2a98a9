/**
 * The storage interface every adapter implements, and nothing else: no record shapes (see `records.ts`), no driver.
 *
 * @module
 */

/** Seconds a record lives, counted by the adapter's own clock, or `'forever'`. */
export type Lifetime = number | 'forever'

/**
 * Expiring key-value storage. Every method is atomic on its own; values are JSON-like, copied in and out,
 * never shared. A method that cannot reach the store rejects with {@link StorageUnavailable}.
 */
export interface Storage {
  get<T>(key: string): Promise<T | undefined>
  set(key: string, value: unknown, ttlSeconds: Lifetime): Promise<void>
  /** Sets only if absent (an expired record is absent). True for exactly one of any number of concurrent callers, in any process. */
  create(key: string, value: unknown, ttlSeconds: Lifetime): Promise<boolean>
  /** Replaces only while the stored value equals `expected` (deeply); false if it is absent, expired or changed. */
  replace(key: string, expected: unknown, value: unknown, ttlSeconds: Lifetime): Promise<boolean>
  /** Reads and deletes. At most one caller receives the value. */
  take<T>(key: string): Promise<T | undefined>
  delete(key: string): Promise<void>
  /** Keys and values under a prefix, expired ones left out; for the admin page, backup and purge, never on the hot path. */
  scan(prefix: string): AsyncIterable<readonly [key: string, value: unknown]>
  /**
   * The value as this event-loop turn sees it, without a promise and without network I/O; throws {@link StorageUnavailable}.
   * Absent on adapters that can only answer over a network.
   */
  peek?<T>(key: string): T | undefined
  /** True if {@link peek} would find a value, for less. On every adapter that peeks. */
  peekExists?(key: string): boolean
  close(): Promise<void>
}

/** The store did not answer: an outage, never a statement about the record (decision K20: 503, never a refusal). */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
  constructor(cause: unknown) {
    super('the store did not answer', { cause })
  }
}
