/**
 * Storage in the memory of this process, for tests and throw-away instances. It is the reference that the other
 * adapters are compared with.
 *
 * @module
 */
import { canonicalJson, expiryOf } from './encoding.ts'
import { type Lifetime, type Storage, StorageUnavailable } from './storage.ts'

/** Records that each write inspects. This removes expired ones without a timer, and no write pays for a full pass. */
const SWEEP_STEP = 10

interface MemoryRecord {
  readonly json: string
  readonly expiresAt: number
}

/** @param options.now the clock for expiry, in milliseconds since the epoch */
export function createMemoryStorage({ now }: { readonly now: () => number }): Storage {
  const records = new Map<string, MemoryRecord>()
  let sweeper = records.entries()
  let closed = false

  const assertOpen = () => {
    if (closed) throw new StorageUnavailable(new Error('the storage is closed'))
  }
  const find = (key: string): string | undefined => {
    assertOpen()
    const record = records.get(key)
    return record && now() < record.expiresAt ? record.json : undefined
  }
  const peek = (key: string) => {
    const json = find(key)
    return json === undefined ? undefined : JSON.parse(json)
  }
  const sweepStep = () => {
    for (let looked = 0; looked < SWEEP_STEP; looked += 1) {
      const { done, value } = sweeper.next()
      if (done) {
        sweeper = records.entries()
        return
      }
      const [key, record] = value
      if (now() >= record.expiresAt) records.delete(key)
    }
  }
  const write = (key: string, record: MemoryRecord) => {
    sweepStep()
    records.set(key, record)
  }
  const encode = (value: unknown, ttlSeconds: Lifetime): MemoryRecord => ({
    json: canonicalJson(value),
    expiresAt: expiryOf(now(), ttlSeconds),
  })

  return {
    peek,
    unchanged(key) {
      const before = find(key)
      return () => find(key) === before && before !== undefined
    },
    async get(key) {
      return peek(key)
    },
    async set(key, value, ttlSeconds) {
      const record = encode(value, ttlSeconds)
      assertOpen()
      write(key, record)
    },
    async create(key, value, ttlSeconds) {
      const record = encode(value, ttlSeconds)
      if (find(key) !== undefined) return false
      write(key, record)
      return true
    },
    async replace(key, expected, value, ttlSeconds) {
      const record = encode(value, ttlSeconds)
      const expectedJson = canonicalJson(expected)
      if (find(key) !== expectedJson) return false
      write(key, record)
      return true
    },
    async take(key) {
      const value = peek(key)
      records.delete(key)
      return value
    },
    async delete(key) {
      assertOpen()
      records.delete(key)
    },
    async *scan(prefix) {
      assertOpen()
      for (const key of [...records.keys()].filter((name) => name.startsWith(prefix))) {
        const json = find(key)
        if (json !== undefined) yield [key, JSON.parse(json)]
      }
    },
    async close() {
      closed = true
      records.clear()
    },
  }
}
