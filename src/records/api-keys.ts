/**
 * API keys as records: what a key may do. The key itself is shown once and never stored.
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `api-key:<id>` | {@link ApiKey}, written once | until the key expires or is revoked |
 *
 * @module
 */
import type { Storage } from '../storage/storage.ts'
import type { AuthenticStorage } from './authentic.ts'

/** The prefix of the records. Checks keep them in memory, so a store that cannot peek announces changes. */
export const API_KEY_PREFIX = 'api-key:'

export interface ApiKey {
  readonly id: string
  /** Chosen by the operator; no two keys share one. */
  readonly name: string
  /** SHA-256 of the key, base64url. */
  readonly hash: string
  readonly scopes: readonly string[]
  /** Ids of the resources that the key opens; absent: all. */
  readonly resources?: readonly string[]
  /** Seconds since the epoch. */
  readonly createdAt: number
  /** Absent: never. */
  readonly expiresAt?: number
}

export interface ApiKeys {
  create(key: ApiKey): Promise<void>
  find(id: string): Promise<ApiKey | undefined>
  /** Every stored key, also those from before `REVOKE_BEFORE`. */
  all(): AsyncIterable<ApiKey>
  /** Ends the key at every replica. */
  revoke(id: string): Promise<void>
  /** Tells, if the store can, whether {@link find} would return the same as now; see {@link Storage.unchanged}. */
  readonly unchanged: ((id: string) => () => boolean) | undefined
}

/**
 * @param storage the store itself, and as the program believes it
 * @param options `revokedBefore`: keys made before this time count as revoked, as grants do; seconds since the epoch
 */
export function createApiKeys(
  storage: { readonly raw: Storage; readonly believed: AuthenticStorage },
  { revokedBefore }: { readonly revokedBefore: () => number },
): ApiKeys {
  const { raw, believed } = storage
  const { unchanged } = raw
  const at = (id: string) => API_KEY_PREFIX + id
  return {
    async create(key) {
      const ttl = key.expiresAt === undefined ? 'forever' : key.expiresAt - key.createdAt
      await believed.set(at(key.id), key, ttl)
    },
    async find(id) {
      const key = await believed.get<ApiKey>(at(id))
      return key && key.createdAt >= revokedBefore() ? key : undefined
    },
    async *all() {
      // Only `create` above writes under this prefix.
      for await (const [, stored] of believed.scan(API_KEY_PREFIX)) yield stored as ApiKey
    },
    revoke: (id) => raw.delete(at(id)),
    unchanged: unchanged && ((id) => unchanged.call(raw, at(id))),
  }
}
