/**
 * The provider's tokens behind a grant whose client gets them, sealed, and the lock of whoever renews them (decision
 * 0062). It does not own what is in a sealed value: `src/oauth/relay/` does.
 *
 * @module
 */
import type { Storage } from '../storage/storage.ts'
import type { AuthenticStorage } from './authentic.ts'
import { createProviderLock, type ProviderLock } from './provider-lock.ts'

export interface RelayedTokenRecords {
  /** Writes the tokens of a new grant. */
  put(grantId: string, sealed: string, ttlSeconds: number): Promise<void>
  find(grantId: string): Promise<string | undefined>
  /** Writes `sealed` in the place of `expected`. False if another process was faster, or the grant ended. */
  replace(grantId: string, expected: string, sealed: string, ttlSeconds: number): Promise<boolean>
  /** Reads and deletes them. Only one caller gets them. */
  take(grantId: string): Promise<string | undefined>
  /** Its holder may renew them. */
  readonly lock: ProviderLock
}

/** @param stores `raw`: for the lock */
export function createRelayedTokenRecords(stores: {
  readonly raw: Storage
  readonly believed: AuthenticStorage
}): RelayedTokenRecords {
  const { raw, believed } = stores
  const keyOf = (grantId: string) => `relayed-tokens:${grantId}`
  return {
    put: (grantId, sealed, ttl) => believed.set(keyOf(grantId), sealed, ttl),
    find: (grantId) => believed.get<string>(keyOf(grantId)),
    replace: (grantId, expected, sealed, ttl) =>
      believed.replace(keyOf(grantId), expected, sealed, ttl),
    take: (grantId) => believed.take<string>(keyOf(grantId)),
    lock: createProviderLock(raw, 'relay-lock'),
  }
}
