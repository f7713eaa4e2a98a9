/**
 * `src/storage/` owns the storage contract and its adapters. It does not own any kind of record: `src/records/` does.
 *
 * This file is the contract that every adapter implements.
 *
 * @module
 */

import type { Liveness } from './liveness.ts'

/** Seconds a record lives, counted by the adapter's own clock, or `'forever'`. */
export type Lifetime = number | 'forever'

/**
 * Expiring key-value storage. Every method is atomic on its own; values are JSON-like, copied in and out,
 * never shared. A method that cannot reach the store rejects with {@link StorageUnavailable}.
 */
export interface Storage {
  get<T>(key: string): Promise<T | undefined>
  set(key: string, value: unknown, ttlSeconds: Lifetime): Promise<void>
  /**
   * Sets only if absent (an expired record is absent). True for exactly one of any number of concurrent callers, in any
   * process.
   */
  create(key: string, value: unknown, ttlSeconds: Lifetime): Promise<boolean>
  /** Replaces only while the stored value equals `expected` (deeply); false if it is absent, expired or changed. */
  replace(key: string, expected: unknown, value: unknown, ttlSeconds: Lifetime): Promise<boolean>
  /** Reads and deletes. At most one caller receives the value. */
  take<T>(key: string): Promise<T | undefined>
  delete(key: string): Promise<void>
  /** Keys and values under a prefix, without expired ones; never used on the hot path. */
  scan(prefix: string): AsyncIterable<readonly [key: string, value: unknown]>
  /**
   * The value as this event-loop turn sees it, without a promise and without network I/O; throws
   * {@link StorageUnavailable}. Absent on adapters that can only answer over a network.
   */
  peek?<T>(key: string): T | undefined
  /**
   * Returns a function that tells, faster than {@link peek}, whether the record under the key is still the one that was
   * there at this call; false if there was none. The function throws {@link StorageUnavailable}. On every adapter that
   * peeks.
   */
  unchanged?(key: string): () => boolean
  /** Tells whether earlier readings still hold, on adapters that cannot peek. */
  readonly liveness?: Liveness
  /**
   * Counts this call under the key, in a window that begins with the first call; after it the count begins anew. On
   * adapters that several machines share.
   */
  count?(key: string, windowSeconds: number): Promise<Tally>
  /**
   * On adapters whose store may be away when we start: resolves to warnings for the operator once the store has
   * answered. Rejects with {@link StorageUnavailable} while it does not answer, and with {@link StorageUnfit} if it
   * must not hold our records as it is set up.
   */
  contact?(): Promise<readonly string[]>
  close(): Promise<void>
}

/** The result of {@link Storage.count}. */
export interface Tally {
  /** Calls in this window, the latest included. */
  readonly count: number
  /** Milliseconds until the window ends. */
  readonly remainingMs: number
}

/** The store answered, but cannot keep the promises of this contract. */
export class StorageUnfit extends Error {
  override readonly name = 'StorageUnfit'
  /** Each says what is wrong, then what to change. */
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join(' '))
    this.problems = problems
  }
}

/** The store did not answer: an outage, never a statement about the record (decision K20: 503, never a refusal). */
export class StorageUnavailable extends Error {
  override readonly name = 'StorageUnavailable'
  constructor(cause: unknown) {
    super('the store did not answer', { cause })
  }
}
