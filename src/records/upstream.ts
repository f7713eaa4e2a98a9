/**
 * What a refresh needs to ask the provider about a person again, and the lock under which it asks (decision K30).
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `upstream:<grant id>` | {@link UpstreamRecord} | as the grant |
 * | `upstream-lock:<grant id>` | the id of the request that asks, or {@link FAILED} | 15 s, or 5 s after a failure |
 *
 * @module
 */
import { deleteIf } from '../storage/delete-if.ts'
import type { Storage } from '../storage/storage.ts'
import type { AuthenticStorage } from './authentic.ts'

export interface UpstreamRecord {
  /** The provider's token for the person, sealed. Absent where the provider needs none. */
  readonly held?: string
  /** When the provider vouched for the person last. Seconds since the epoch. */
  readonly checkedAt: number
}

/** Seconds after which another request may ask, whatever became of the one that holds the lock. */
export const LOCK_SECONDS = 15
/** Seconds in which nobody asks a provider again that just failed. */
export const FAILURE_SECONDS = 5

const FAILED = 'failed'

export interface UpstreamRecords {
  find(grantId: string): Promise<UpstreamRecord | undefined>
  /** Writes `next` in the place of `expected`, which may be none. False if it changed or ended meanwhile. */
  put(
    grantId: string,
    expected: UpstreamRecord | undefined,
    next: UpstreamRecord,
    ttlSeconds: number,
  ): Promise<boolean>
  forget(grantId: string): Promise<void>
  readonly lock: {
    /** True for exactly one owner at a time. */
    take(grantId: string, owner: string): Promise<boolean>
    state(grantId: string): Promise<'free' | 'taken' | 'failed'>
    release(grantId: string, owner: string): Promise<void>
    /** Keeps everybody from asking again at once. */
    fail(grantId: string, owner: string): Promise<void>
  }
}

/** @param stores `raw`: for the lock, which only bars something and says nothing about anybody */
export function createUpstreamRecords(stores: {
  readonly raw: Storage
  readonly believed: AuthenticStorage
}): UpstreamRecords {
  const { raw, believed } = stores
  const keyOf = (grantId: string) => `upstream:${grantId}`
  const lockOf = (grantId: string) => `upstream-lock:${grantId}`
  return {
    find: (grantId) => believed.get<UpstreamRecord>(keyOf(grantId)),
    put: (grantId, expected, next, ttl) =>
      expected
        ? believed.replace(keyOf(grantId), expected, next, ttl)
        : believed.create(keyOf(grantId), next, ttl),
    forget: (grantId) => believed.delete(keyOf(grantId)),
    lock: {
      take: (grantId, owner) => raw.create(lockOf(grantId), owner, LOCK_SECONDS),
      async state(grantId) {
        const owner = await raw.get(lockOf(grantId))
        if (owner === undefined) return 'free'
        return owner === FAILED ? 'failed' : 'taken'
      },
      async release(grantId, owner) {
        await deleteIf(raw, lockOf(grantId), owner)
      },
      async fail(grantId, owner) {
        await raw.replace(lockOf(grantId), owner, FAILED, FAILURE_SECONDS)
      },
    },
  }
}
