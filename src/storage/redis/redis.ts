/**
 * `src/storage/redis/` owns the adapter of Redis or Valkey, for more than one machine: one server, a group watched by
 * sentinels, or a cluster. It does not own the contract (`src/storage/storage.ts`) or any kind of record.
 *
 * Values are canonical JSON under the names of `key.ts`; the server counts lifetimes. A step that rejects may have been
 * executed, or may be executed until the server has worked through earlier commands. A caller that must know reads
 * again; a caller that must undo sends a later command, which the server executes later.
 *
 * @module
 */
import { randomBytes } from 'node:crypto'
import type { Events } from '../../events.ts'
import { canonicalJson, lifetimeMs } from '../encoding.ts'
import { createLiveness, type Liveness } from '../liveness.ts'
import { type Lifetime, type Storage, StorageUnavailable, type Tally } from '../storage.ts'
import { listenForAnnouncements } from './announcements.ts'
import { createClockCheck } from './clock.ts'
import { openRedisConnection, type SendCommand } from './connection.ts'
import { contactRedis } from './contact.ts'
import { createNames } from './key.ts'
import { COUNT_SCRIPT, DELETE_SCRIPT, REPLACE_SCRIPT, SET_SCRIPT } from './scripts.ts'
import type { RedisTarget } from './topology.ts'

/** Keys that one `SCAN` inspects: a fraction of a millisecond of the server's time. */
const SCAN_COUNT = 1000

/** A {@link Storage} that cannot peek; its `liveness` tells whether a reading still holds. */
export interface RedisStorage extends Storage {
  readonly liveness: Liveness
  count(key: string, windowSeconds: number): Promise<Tally>
  contact(): Promise<readonly string[]>
}

/**
 * Begins to connect and returns at once; until there is a connection, every method rejects with StorageUnavailable.
 * @param options.watched prefixes of keys whose changes are announced; the rest of the key is the id to announce
 * @param options.maxStale seconds for which {@link Liveness.isBridgeable} is true after the last heartbeat
 * @param options.now milliseconds since the epoch, to compare with the server's clock, which counts lifetimes
 * @param options.elapsed milliseconds on a clock that is never set back
 */
export function openRedisStorage(options: {
  readonly target: RedisTarget
  readonly watched: readonly string[]
  readonly maxStale: number
  readonly now: () => number
  readonly elapsed: () => number
  readonly events: Events
}): RedisStorage {
  const { target, watched, maxStale, now, elapsed, events } = options
  const connection = openRedisConnection(target)
  const names = createNames(target.keyPrefix)
  const { encode } = names
  const { send } = connection
  const liveness = createLiveness({ elapsed, maxStale })
  const listener = listenForAnnouncements({
    connection,
    names,
    tracker: liveness,
    id: randomBytes(16).toString('base64url'),
    isCluster: target.kind === 'cluster',
    elapsed,
    events,
    onBeat: createClockCheck({ send, now, elapsed, events }),
  })

  /** The id that a change of this key announces; empty for a key that is not watched. */
  const announcedId = (key: string) => {
    const prefix = watched.find((each) => key.startsWith(each))
    return prefix === undefined ? '' : key.slice(prefix.length)
  }
  const run = (script: string, key: string, ...args: readonly (string | number)[]) =>
    send('eval', script, 1, encode(key), names.changes, announcedId(key), ...args)
  const lifetime = (ttlSeconds: Lifetime) => {
    const ms = lifetimeMs(ttlSeconds)
    return ms === undefined ? [] : ['PX', ms]
  }

  const storage: RedisStorage = {
    liveness,
    async get(key) {
      return parse(await send('get', encode(key)))
    },
    async set(key, value, ttlSeconds) {
      const json = canonicalJson(value)
      const expiry = lifetime(ttlSeconds)
      if (announcedId(key) === '') await send('set', encode(key), json, ...expiry)
      else await run(SET_SCRIPT, key, json, expiry[1] ?? '')
    },
    async create(key, value, ttlSeconds) {
      const json = canonicalJson(value)
      // An absent record has no watch that its creation would have to end.
      return (await send('set', encode(key), json, ...lifetime(ttlSeconds), 'NX')) === 'OK'
    },
    async replace(key, expected, value, ttlSeconds) {
      const json = canonicalJson(value)
      const [, ms = ''] = lifetime(ttlSeconds)
      return (await run(REPLACE_SCRIPT, key, json, ms, canonicalJson(expected))) === 1
    },
    async take(key) {
      if (announcedId(key) === '') return parse(await send('getdel', encode(key)))
      return parse(await run(DELETE_SCRIPT, key))
    },
    async delete(key) {
      if (announcedId(key) === '') await send('del', encode(key))
      else await run(DELETE_SCRIPT, key)
    },
    async *scan(prefix) {
      const topology = connection.topology()
      const pattern = names.pattern(prefix)
      // A server may name a key twice.
      const seen = new Set<string>()
      for (const master of connection.masters()) {
        for await (const batch of keysOf(master, pattern)) {
          const keys = batch
            .map(names.decode)
            .filter((key) => key.startsWith(prefix) && !seen.has(key))
          const values = await Promise.all(keys.map((key) => storage.get(key)))
          for (const [index, key] of keys.entries()) {
            if (seen.has(key) || values[index] === undefined) continue
            seen.add(key)
            yield [key, values[index]]
          }
        }
      }
      // An incomplete list must not pass for a complete one.
      if (connection.topology() !== topology) {
        throw new StorageUnavailable(new Error('keys moved to another server during the scan'))
      }
    },
    async count(key, windowSeconds) {
      const answer = await send('eval', COUNT_SCRIPT, 1, encode(key), windowSeconds * 1000)
      const [count, remainingMs] = Array.isArray(answer) ? answer : []
      if (typeof count !== 'number' || typeof remainingMs !== 'number') throw unexpected()
      return { count, remainingMs }
    },
    contact: () => contactRedis(connection, target.kind, names),
    async close() {
      listener.stop()
      await connection.close()
    },
  }
  return storage
}

async function* keysOf(master: SendCommand, pattern: string): AsyncIterable<readonly string[]> {
  let cursor = '0'
  do {
    const answer = await master('scan', cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT)
    const [next, keys] = Array.isArray(answer) ? answer : []
    if (typeof next !== 'string' || !Array.isArray(keys)) throw unexpected()
    yield keys.map(String)
    cursor = next
  } while (cursor !== '0')
}

/** The value of a stored text. */
function parse(text: unknown) {
  if (text === null) return undefined
  if (typeof text !== 'string') throw unexpected()
  try {
    return JSON.parse(text)
  } catch {
    throw new StorageUnavailable(
      new Error('the stored value is not JSON: another program wrote it'),
    )
  }
}

const unexpected = () =>
  new StorageUnavailable(new Error('Redis sent an answer of an unexpected form'))
