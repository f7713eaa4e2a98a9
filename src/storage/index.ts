/**
 * The registry of storage adapters: which one a configuration means.
 *
 * @module
 */
import { join } from 'node:path'
import { openLmdbStorage } from './lmdb/lmdb.ts'
import type { RedisTarget } from './redis/topology.ts'
import type { Storage, StorageLog } from './storage.ts'

export interface StorageOptions {
  readonly dataDir: string
  /** Milliseconds since the epoch. LMDB counts expiry by it; Redis has its own clock. */
  readonly now: () => number
  readonly redis?:
    | {
        readonly target: RedisTarget
        /** Prefixes of keys whose changes are announced. */
        readonly watched: readonly string[]
        /** Seconds that what was read before counts while Redis does not answer. */
        readonly maxStale: number
        readonly log: StorageLog
      }
    | undefined
}

/**
 * Opens the store: Redis where there is one, which need not answer yet (see `contact`), else LMDB in `<dataDir>/store`.
 * @throws {Error} with a sentence for the operator, if LMDB cannot be opened
 */
export async function openStorage({ dataDir, now, redis }: StorageOptions): Promise<Storage> {
  if (!redis) return openLmdbStorage({ dir: join(dataDir, 'store'), now })
  // Only here: most have no Redis, and its driver takes time to load.
  const { openRedisStorage } = await import('./redis/redis.ts')
  return openRedisStorage({ ...redis, now })
}
