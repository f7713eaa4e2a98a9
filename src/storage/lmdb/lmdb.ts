/**
 * `src/storage/lmdb/` owns the LMDB adapter, the default: an embedded file that any number of processes on one machine
 * share. It does not own the contract (`src/storage/storage.ts`) or any kind of record.
 *
 * @module
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { canonicalJson, expiryOf } from '../encoding.ts'
import { type Lifetime, type Storage, StorageUnavailable } from '../storage.ts'
import { createWriteDeadline, type StartTimer, startDeadline } from './deadline.ts'
import { openDatabase } from './open.ts'
import {
  decodeKey,
  decodeRecord,
  encodeKey,
  encodePrefix,
  encodeRecord,
  type LmdbRecord,
} from './record.ts'

/** Records to read, or to delete, in one turn of the event loop: a fraction of a millisecond. */
const BATCH = 200
const SWEEP_SECONDS = 60
const SWEEP_LOCK = 'sweep-lock'

/** A {@link Storage} that can always peek, and that can sweep. */
export interface LmdbStorage extends Storage {
  peek<T>(key: string): T | undefined
  unchanged(key: string): () => boolean
  /**
   * Deletes expired records, in batches, unless another process has swept in this minute; a timer calls it.
   * Resolves to the number of deleted records.
   */
  sweep(): Promise<number>
}

/**
 * @param options.dir the store's own directory, on a local disk
 * @param options.now the clock for expiry, in milliseconds since the epoch
 * @param options.startTimer starts the deadline of a write; two seconds by default
 * @throws {Error} naming the directory and what to do, if the store cannot be opened
 */
export async function openLmdbStorage({
  dir,
  now,
  startTimer = startDeadline,
}: {
  readonly dir: string
  readonly now: () => number
  readonly startTimer?: StartTimer
}): Promise<LmdbStorage> {
  const database = openDatabase(dir)
  const deadline = createWriteDeadline(startTimer)
  let closing: Promise<void> | undefined

  const assertOpen = () => {
    // The driver may read freed memory once closing has begun.
    if (closing !== undefined) throw new Error('the storage is closed')
  }
  /**
   * The driver keeps one snapshot for about a millisecond, over several turns of the event loop. We keep it for one
   * turn at most, so a revocation by another process binds from the next turn on, and one by this process at once.
   * Renewing it for each read would cost more than the read: the driver arms a timer each time.
   */
  let isFresh = false
  const outdate = () => {
    isFresh = false
  }
  const renewSnapshot = () => {
    if (isFresh) return
    database.resetReadTxn()
    isFresh = true
    setImmediate(outdate)
  }
  const attempt = async <T>(action: () => T | Promise<T>): Promise<T> => {
    try {
      assertOpen()
      return await action()
    } catch (error) {
      throw unavailable(error)
    } finally {
      // The next read must see this write, in this turn too.
      outdate()
    }
  }
  /** Takes a step under the write lock, unless its caller was already told that it is late. */
  const transact = <T>(step: () => T): Promise<T> =>
    write((assertAwaited) =>
      database.transaction(() => {
        assertAwaited()
        return step()
      }),
    )
  const write = <T>(action: (assertAwaited: () => void) => Promise<T>): Promise<T> =>
    attempt(() =>
      deadline.run(async (assertAwaited) => {
        try {
          return await action(assertAwaited)
        } catch (error) {
          // Converted here, so that the failure of a write that nobody awaits any more is handled too.
          throw unavailable(error)
        }
      }),
    )
  const isLive = (record: LmdbRecord) => now() < record.expiresAt
  const find = (encodedKey: Buffer): string | undefined => {
    const text = database.get(encodedKey)
    if (text === undefined) return undefined
    const record = decodeRecord(text)
    return isLive(record) ? record.json : undefined
  }
  const findLatest = (key: string) => {
    renewSnapshot()
    const json = find(encodeKey(key))
    return json === undefined ? undefined : JSON.parse(json)
  }
  const peeking = <T>(read: () => T): T => {
    try {
      assertOpen()
      return read()
    } catch (error) {
      throw unavailable(error)
    }
  }
  const encode = (key: string, value: unknown, ttlSeconds: Lifetime) =>
    encodeRecord(key, { json: canonicalJson(value), expiresAt: expiryOf(now(), ttlSeconds) })

  const readBatch = (start: Buffer) => {
    database.resetReadTxn()
    return [...database.getRange({ start, limit: BATCH })]
  }
  /** All entries under `prefix`, expired ones too; the event loop gets a turn after each batch. */
  async function* batches(prefix: Buffer) {
    let start = prefix
    while (true) {
      const from = start
      const entries = await attempt(() => readBatch(from))
      const ours = entries.filter(({ key }) => prefix.equals(key.subarray(0, prefix.length)))
      yield ours
      const last = entries.at(-1)
      if (!last || entries.length < BATCH || ours.length < entries.length) return
      start = Buffer.concat([last.key, Buffer.alloc(1)])
      await nextTurn()
    }
  }
  const deleteExpired = (keys: readonly Buffer[]) =>
    transact(() => {
      // Checked again under the write lock: a record may have been rewritten since it was read.
      const expired = keys.filter((key) => {
        const text = database.get(key)
        return text !== undefined && !isLive(decodeRecord(text))
      })
      for (const key of expired) database.removeSync(key)
      return expired.length
    })

  /** A lock that lies further ahead than its longest life was taken under a clock that ran ahead, and counts as over. */
  const takeSweepLock = () => {
    const text = encode(SWEEP_LOCK, {}, SWEEP_SECONDS)
    const encodedKey = encodeKey(SWEEP_LOCK)
    return transact(() => {
      const held = database.get(encodedKey)
      const left = held === undefined ? 0 : decodeRecord(held).expiresAt - now()
      if (left > 0 && left <= SWEEP_SECONDS * 1000) return false
      database.putSync(encodedKey, text)
      return true
    })
  }

  const storage: LmdbStorage = {
    peek: (key) => peeking(() => findLatest(key)),
    unchanged(key) {
      const encodedKey = ownBytes(encodeKey(key))
      const read = () => {
        renewSnapshot()
        return database.get(encodedKey)
      }
      const [before, expiresAt] = peeking(() => {
        const text = read()
        return [text, text === undefined ? 0 : decodeRecord(text).expiresAt] as const
      })
      return () => now() < expiresAt && peeking(read) === before
    },
    get(key) {
      return attempt(() => findLatest(key))
    },
    async set(key, value, ttlSeconds) {
      const text = encode(key, value, ttlSeconds)
      await write(() => database.put(encodeKey(key), text))
    },
    async create(key, value, ttlSeconds) {
      const text = encode(key, value, ttlSeconds)
      const encodedKey = encodeKey(key)
      return transact(() => {
        if (find(encodedKey) !== undefined) return false
        database.putSync(encodedKey, text)
        return true
      })
    },
    async replace(key, expected, value, ttlSeconds) {
      const text = encode(key, value, ttlSeconds)
      const expectedJson = canonicalJson(expected)
      const encodedKey = encodeKey(key)
      return transact(() => {
        if (find(encodedKey) !== expectedJson) return false
        database.putSync(encodedKey, text)
        return true
      })
    },
    async take(key) {
      const encodedKey = encodeKey(key)
      return transact(() => {
        const json = find(encodedKey)
        if (json === undefined) return undefined
        database.removeSync(encodedKey)
        return JSON.parse(json)
      })
    },
    async delete(key) {
      await write(() => database.remove(encodeKey(key)))
    },
    async *scan(prefix) {
      for await (const entries of batches(encodePrefix(prefix))) {
        for (const { key: encodedKey, value: text } of entries) {
          const record = decodeRecord(text)
          const key = decodeKey(encodedKey, text)
          if (isLive(record) && key.startsWith(prefix)) yield [key, JSON.parse(record.json)]
        }
      }
    },
    async sweep() {
      if (!(await takeSweepLock())) return 0
      let deleted = 0
      for await (const entries of batches(encodePrefix(''))) {
        const expired = entries.filter(({ value: text }) => !isLive(decodeRecord(text)))
        if (expired.length > 0) deleted += await deleteExpired(expired.map(({ key }) => key))
      }
      // A killed process leaves its reader slot behind, which keeps every page that the process could still read.
      await attempt(() => database.readerCheck())
      return deleted
    },
    close() {
      clearInterval(sweepTimer)
      // The driver waits for writes under way, and ends without those that it has not begun.
      closing ??= deadline.wait(database.close())
      return closing
    },
  }
  const sweepTimer = setInterval(() => {
    // If the store fails here, it fails for the next request too, which reports it.
    storage.sweep().catch(() => {})
  }, SWEEP_SECONDS * 1000).unref()
  return storage
}

/** A copy outside the pool of Node, of which a small buffer that is kept would keep eight kilobytes. */
function ownBytes(bytes: Buffer): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(own)
  return own
}

/** The driver's error as an outage. */
function unavailable(error: unknown): StorageUnavailable {
  if (error instanceof StorageUnavailable) return error
  // A failed commit carries a second promise with the same failure: unhandled, it would end the process.
  if (error instanceof Error && 'commitError' in error && error.commitError instanceof Promise) {
    error.commitError.catch(() => {})
  }
  return new StorageUnavailable(error)
}
