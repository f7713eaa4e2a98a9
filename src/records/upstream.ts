/**
 * The record with which a refresh asks the provider about a person again, and the lock under which it asks (decision K30).
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `upstream:<grant id>` | {@link UpstreamRecord} | as the grant |
 * | `upstream-lock:<grant id>` | {@link ProviderLock} of the request that asks | 30 s, or 5 s after a failure |
 *
 * @module
 */
import type { Storage } from '../storage/storage.ts'
import type { AuthenticStorage } from './authentic.ts'
import { createProviderLock, type ProviderLock } from './provider-lock.ts'

export interface UpstreamRecord {
  /** The provider's token for the person, sealed. Absent where the provider needs none. */
  readonly held?: string
  /** The person's access token there, sealed. Only where the server behind gets it. */
  readonly token?: string
  /** When the provider vouched for the person last. Seconds since the epoch. */
  readonly checkedAt: number
}

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
  readonly lock: ProviderLock
}

/** @param stores `raw`: for the lock */
export function createUpstreamRecords(stores: {
  readonly raw: Storage
  readonly believed: AuthenticStorage
}): UpstreamRecords {
  const { raw, believed } = stores
  const keyOf = (grantId: string) => `upstream:${grantId}`
  return {
    find: (grantId) => believed.get<UpstreamRecord>(keyOf(grantId)),
    put: (grantId, expected, next, ttl) =>
      expected
        ? believed.replace(keyOf(grantId), expected, next, ttl)
        : believed.create(keyOf(grantId), next, ttl),
    forget: (grantId) => believed.delete(keyOf(grantId)),
    lock: createProviderLock(raw, 'upstream-lock'),
  }
}
