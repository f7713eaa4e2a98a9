/**
 * The registry of storage adapters: opens the adapter that is configured.
 *
 * @module
 */
import { join } from 'node:path'
import type { Events } from '../events.ts'
import { openLmdbStorage } from './lmdb/lmdb.ts'
import type { RedisTarget } from './redis/topology.ts'
import type { Storage } from './storage.ts'

export interface StorageOptions {
  readonly dataDir: string
  /** Milliseconds since the epoch. LMDB counts expiry by this clock; Redis has its own. */
  readonly now: () => number
  readonly redis?:
    | {
        readonly target: RedisTarget
        /** Prefixes of keys whose changes are announced. */
        readonly watched: readonly string[]
        /** Seconds for which earlier readings count while Redis does not answer. */
        readonly maxStale: number
        /** Milliseconds on a clock that is never set back. */
        readonly elapsed: () => number
        readonly events: Events
      }
    | undefined
}

/**
 * Opens the store: Redis if it is configured (it need not answer yet, see `contact`), else LMDB in `<dataDir>/store`.
 * @throws {Error} with a sentence for the operator, if LMDB cannot be opened
 */
export async function openStorage({ dataDir, now, redis }: StorageOptions): Promise<Storage> {
  if (!redis) return openLmdbStorage({ dir: join(dataDir, 'store'), now })
  // Imported here only: most operators have no Redis, and its driver takes time to load.
  const { openRedisStorage } = await import('./redis/redis.ts')
  return openRedisStorage({ ...redis, now })
}
