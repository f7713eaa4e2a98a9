/**
 * Places of stores under test: each can be opened again, also by another process.
 *
 * @module
 */
import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseRedisUrl } from '../../src/config/values/redis-url.ts'
import { NO_EVENTS } from '../../src/events.ts'
import { WATCHED } from '../../src/records/records.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import { openRedisStorage, type RedisStorage } from '../../src/storage/redis/redis.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'

type Open = (location: string, now: () => number) => Promise<Storage>

/** Every adapter that outlives its process, by the name under which a child process opens it. */
export const adapters = {
  lmdb: (location, now) => openLmdbStorage({ dir: location, now }),
  redis: (location, now) => {
    const [url = '', caFile, keyPrefix] = location.split(' ')
    return openRedis({ url, caFile, keyPrefix, now })
  },
} satisfies Record<string, Open>

export type AdapterName = keyof typeof adapters

/** The place of an empty store. */
export interface Place {
  readonly adapter: AdapterName
  /** The argument of the adapter: a directory, or a URL and the file with its authority. */
  readonly location: string
  open(now: () => number): Promise<Storage>
  /** For a store with a clock of its own: lets this much time go by. */
  elapse?(milliseconds: number): Promise<void>
  remove(): Promise<void>
}

/** Opens the store that the arguments of a child process name: an adapter and a location. */
export async function openFromArguments(): Promise<Storage> {
  const [name, location] = process.argv.slice(2)
  const open = Object.entries(adapters).find(([adapter]) => adapter === name)?.[1]
  if (!open || !location) throw new Error('the arguments are an adapter and a location')
  return open(location, Date.now)
}

/** A fresh directory for an LMDB store. */
export function lmdbPlace(): Place {
  const directory = mkdtempSync(join(tmpdir(), 'gatewarden-store-'))
  const location = join(directory, 'store')
  return {
    adapter: 'lmdb',
    location,
    open: (now) => adapters.lmdb(location, now),
    remove: () => rm(directory, { recursive: true }),
  }
}

/** Opens a Redis store and waits, for some seconds at most, until it answers. */
export async function openRedis(options: {
  url: string
  caFile?: string | undefined
  keyPrefix?: string | undefined
  now?: () => number
  maxStale?: number
}): Promise<RedisStorage> {
  const { url, caFile, keyPrefix, now = Date.now, maxStale = 60 } = options
  const parsed = parseRedisUrl(url)
  const storage = openRedisStorage({
    target: {
      ...parsed,
      ...(caFile && { ca: readFileSync(caFile, 'utf8') }),
      ...(keyPrefix && { keyPrefix }),
    },
    watched: WATCHED,
    maxStale,
    now,
    elapsed: now,
    events: NO_EVENTS,
  })
  for (let attempts = 0; ; attempts += 1) {
    try {
      await storage.contact()
      return storage
    } catch (error) {
      if (!(error instanceof StorageUnavailable) || attempts > 500) throw error
      await delay(20)
    }
  }
}
