/**
 * The promises of the storage adapters: `coreContract` for all of them, `durableContract` for those that outlive their
 * process, `sharedContract` for those that several processes use at once.
 *
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { type Call, killWriterAfter, type Peer, perform, startPeer } from '../storage/peer.ts'
import type { Place } from '../storage/place.ts'

const CALLERS = 50
const START = 1_700_000_000_000

/** Starting a Node process takes most of a second; on a busy machine several. */
const WITH_PROCESSES = { timeout: 60_000 }

/** Odd but legal keys: each differs from the others, comes back from a scan as it was, and is found by its prefix. */
const ODD_KEYS = [
  '',
  ' ',
  '\0',
  '\0\0',
  'a\0b',
  'a\0c',
  'line\nbreak "quoted" \\',
  'ÿ',
  'ÿÿÿ',
  '\uffff\uffff',
  'grüße:日本語:🔑',
  '\ud800',
  '\ud801',
  '*?[a-z]',
  'k'.repeat(5000),
  `${'k'.repeat(4999)}j`,
  'ü'.repeat(5000),
]

/** An empty store, and the way to move its clock. */
export interface OpenedStore {
  readonly storage: Storage
  remove(): Promise<void>
  /**
   * For a store that counts expiry by a clock of its own: lets this much time go by. Such a clock runs by itself, so
   * tests use a second where other stores are exact to a millisecond.
   */
  elapse?(milliseconds: number): Promise<void>
}

/** @param open opens an empty store that counts expiry by `now`, or by a clock of its own */
export function coreContract(
  name: string,
  open: (now: () => number) => Promise<OpenedStore>,
): void {
  describe(`${name}: core storage contract`, () => {
    let time = START
    let storage: Storage
    let opened: OpenedStore
    /** The smallest step of the store's clock, in milliseconds. */
    let tick = 1

    beforeEach(async () => {
      time = START
      opened = await open(() => time)
      storage = opened.storage
      tick = opened.elapse ? 1000 : 1
    })
    afterEach(async () => {
      await storage.close()
      await opened.remove()
    })

    const elapse = async (milliseconds: number) => {
      time += milliseconds
      await opened.elapse?.(milliseconds)
    }

    const scanned = (prefix: string) => collect(storage, prefix)
    const peeked = async (key: string) => {
      const value = storage.peek ? storage.peek(key) : await storage.get(key)
      if (storage.peek) expect(storage.unchanged?.(key)()).toBe(value !== undefined)
      return value
    }

    it('returns what was set, and the newest of it', async () => {
      await storage.set('key', { a: 1 }, 60)
      await storage.set('key', { a: 2 }, 60)
      expect(await storage.get('key')).toEqual({ a: 2 })
    })

    it('knows nothing of a key that was never set', async () => {
      expect(await storage.get('absent')).toBeUndefined()
      expect(await peeked('absent')).toBeUndefined()
      expect(await storage.take('absent')).toBeUndefined()
      expect(await storage.replace('absent', null, 1, 60)).toBe(false)
      expect(await scanned('absent')).toEqual(new Map())
    })

    it.each([
      null,
      false,
      0,
      '',
      'text',
      [],
      {},
      [1, [2, { three: 3 }]],
      { '': 'empty', nested: { 'ü\ud800': null } },
      JSON.parse('{"__proto__":{"admin":true},"constructor":1}'),
    ])('returns the JSON value %j as it was', async (value) => {
      await storage.set('key', value, 60)
      expect(JSON.stringify(await storage.get('key'))).toBe(JSON.stringify(value))
      expect(await storage.replace('key', value, 'next', 60)).toBe(true)
    })

    it.each<[string, () => Promise<unknown>]>([
      ['set anew', () => storage.set('key', { a: 2 }, 60)],
      ['replaced', () => storage.replace('key', { a: 1 }, { a: 2 }, 60)],
      ['taken', () => storage.take('key')],
      ['deleted', () => storage.delete('key')],
      ['expired', () => elapse(60_000)],
    ])('tells, where it can, that a record was %s', async (_what, change) => {
      await storage.set('key', { a: 1 }, 60)
      const unchanged = storage.unchanged?.('key')
      expect(unchanged?.() ?? true).toBe(true)
      expect(unchanged?.() ?? true).toBe(true)
      await change()
      expect(unchanged?.() ?? false).toBe(false)
    })

    it('calls nothing unchanged that was not there', async () => {
      const unchanged = storage.unchanged?.('key')
      expect(unchanged?.() ?? false).toBe(false)
      await storage.set('key', { a: 1 }, 60)
      expect(unchanged?.() ?? false).toBe(false)
    })

    it('returns a value of a megabyte', async () => {
      const value = { text: 'x'.repeat(1_000_000) }
      await storage.set('key', value, 60)
      expect(await storage.get('key')).toEqual(value)
      expect(await peeked('key')).toEqual(value)
    })

    it('drops undefined members as JSON does', async () => {
      await storage.set('key', { a: 1, b: undefined }, 60)
      expect(Object.keys((await storage.get<object>('key')) ?? {})).toEqual(['a'])
    })

    it.each([undefined, () => 1, 1n])('refuses %s, which JSON cannot hold', async (value) => {
      await expect(storage.set('key', value, 60)).rejects.toThrow(TypeError)
      await expect(storage.create('key', value, 60)).rejects.toThrow(TypeError)
      expect(await storage.get('key')).toBeUndefined()
    })

    it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])(
      'refuses a lifetime of %s',
      async (lifetime) => {
        await expect(storage.set('key', 1, lifetime)).rejects.toThrow(RangeError)
        await expect(storage.create('key', 1, lifetime)).rejects.toThrow(RangeError)
        expect(await storage.get('key')).toBeUndefined()
      },
    )

    it('copies values in', async () => {
      const value = { list: [1] }
      const writing = storage.set('key', value, 60)
      value.list.push(2)
      await writing
      value.list.push(3)
      expect(await storage.get('key')).toEqual({ list: [1] })
    })

    it('copies values out, by every method', async () => {
      await storage.set('key', { list: [1] }, 60)
      const [scannedValue] = (await scanned('key')).values()
      for (const copy of [await storage.get('key'), await peeked('key'), scannedValue]) {
        expect(copy).toEqual({ list: [1] })
        if (hasList(copy)) copy.list.push(2)
      }
      expect(await storage.get('key')).toEqual({ list: [1] })
    })

    it('creates only what is absent', async () => {
      expect(await storage.create('key', 'first', 60)).toBe(true)
      expect(await storage.create('key', 'second', 60)).toBe(false)
      expect(await storage.get('key')).toBe('first')
    })

    it('creates again after take and after delete', async () => {
      await storage.create('key', 1, 60)
      await storage.take('key')
      expect(await storage.create('key', 2, 60)).toBe(true)
      await storage.delete('key')
      expect(await storage.create('key', 3, 60)).toBe(true)
    })

    it('takes a value once', async () => {
      await storage.set('key', { a: 1 }, 60)
      expect(await storage.take('key')).toEqual({ a: 1 })
      expect(await storage.take('key')).toBeUndefined()
      expect(await storage.get('key')).toBeUndefined()
    })

    it('deletes, and is content when there is nothing to delete', async () => {
      await storage.set('key', 1, 60)
      await storage.set('kept', 2, 60)
      await storage.delete('key')
      await storage.delete('key')
      expect(await storage.get('key')).toBeUndefined()
      expect(await storage.get('kept')).toBe(2)
    })

    describe('replace', () => {
      const stored = { current: 3, parent: 2, at: { s: 1, ms: 5 }, list: [{ a: 1, b: 2 }, null] }

      it.each([
        ['the same value', { ...stored }],
        [
          'another order of members',
          { list: [{ b: 2, a: 1 }, null], at: { ms: 5, s: 1 }, parent: 2, current: 3 },
        ],
        ['an undefined member more', { ...stored, extra: undefined }],
      ])('takes %s as equal', async (_name, expected) => {
        await storage.set('key', stored, 60)
        expect(await storage.replace('key', expected, 'next', 60)).toBe(true)
        expect(await storage.get('key')).toBe('next')
      })

      it.each([
        ['another number', { ...stored, current: 4 }],
        ['a number as text', { ...stored, current: '3' }],
        ['a nested change', { ...stored, at: { s: 1, ms: 6 } }],
        ['a member more', { ...stored, extra: null }],
        ['a member less', { current: 3, parent: 2, at: stored.at }],
        ['another order in a list', { ...stored, list: [null, { a: 1, b: 2 }] }],
        ['a list as an object', { ...stored, list: { 0: { a: 1, b: 2 }, 1: null } }],
        ['null', null],
      ])('takes %s as different', async (_name, expected) => {
        await storage.set('key', stored, 60)
        expect(await storage.replace('key', expected, 'next', 60)).toBe(false)
        expect(await storage.get('key')).toEqual(stored)
      })

      it('gives the new value a new lifetime', async () => {
        await storage.set('key', 1, 10)
        await storage.replace('key', 1, 2, 100)
        await elapse(100_000 - tick)
        expect(await storage.get('key')).toBe(2)
        await elapse(tick)
        expect(await storage.get('key')).toBeUndefined()
      })
    })

    describe('at the millisecond of expiry', () => {
      beforeEach(async () => {
        await storage.set('key', 'old', 60)
        await elapse(60_000 - tick)
      })
      const expire = () => elapse(tick)

      it('get and peek see the value before and nothing from then on', async () => {
        expect([await storage.get('key'), await peeked('key')]).toEqual(['old', 'old'])
        await expire()
        expect([await storage.get('key'), await peeked('key')]).toEqual([undefined, undefined])
      })

      it('create refuses before and succeeds from then on', async () => {
        expect(await storage.create('key', 'new', 60)).toBe(false)
        await expire()
        expect(await storage.create('key', 'new', 60)).toBe(true)
        expect(await storage.create('key', 'newer', 60)).toBe(false)
        expect(await storage.get('key')).toBe('new')
      })

      it('replace succeeds before', async () => {
        expect(await storage.replace('key', 'old', 'new', 60)).toBe(true)
      })

      it('replace fails from then on', async () => {
        await expire()
        expect(await storage.replace('key', 'old', 'new', 60)).toBe(false)
        expect(await storage.get('key')).toBeUndefined()
      })

      it('take succeeds before', async () => {
        expect(await storage.take('key')).toBe('old')
      })

      it('take finds nothing from then on', async () => {
        await expire()
        expect(await storage.take('key')).toBeUndefined()
      })

      it('scan yields the record before and not from then on', async () => {
        expect(await scanned('k')).toEqual(new Map([['key', 'old']]))
        await expire()
        expect(await scanned('k')).toEqual(new Map())
      })
    })

    it('keeps what is set for ever', async () => {
      await storage.set('set', 1, 'forever')
      await storage.create('created', 2, 'forever')
      await storage.set('replaced', 3, 1)
      await storage.replace('replaced', 3, 4, 'forever')
      await elapse(100 * 365 * 86_400_000)
      expect(await scanned('')).toEqual(
        new Map([
          ['created', 2],
          ['replaced', 4],
          ['set', 1],
        ]),
      )
    })

    it('counts a lifetime of a fraction of a second', async () => {
      await storage.set('key', 1, 2.25)
      await elapse(2250 - tick)
      expect(await storage.get('key')).toBe(1)
      await elapse(tick)
      expect(await storage.get('key')).toBeUndefined()
    })

    it.each<[string, Call]>([
      ['create', ['create', 'key', 'mine', 60]],
      ['replace', ['replace', 'present', 'here', 'mine', 60]],
      ['take', ['take', 'present']],
    ])(`lets one of ${CALLERS} concurrent callers win a %s`, async (_name, call) => {
      await storage.set('present', 'here', 60)
      const results = await Promise.all(
        Array.from({ length: CALLERS }, () => perform(storage, call)),
      )
      expect(results.filter(won)).toHaveLength(1)
    })

    it('counts correctly when concurrent callers replace until they win', async () => {
      await storage.set('counter', 0, 60)
      const increment = async (): Promise<void> => {
        const seen = await storage.get<number>('counter')
        if (await storage.replace('counter', seen, (seen ?? 0) + 1, 60)) return
        await increment()
      }
      await Promise.all(Array.from({ length: CALLERS }, increment))
      expect(await storage.get('counter')).toBe(CALLERS)
    })

    it('peeks what get returns, at once after a write', async () => {
      for (let n = 0; n < 10; n += 1) {
        await storage.set('key', { n }, 60)
        expect(await peeked('key')).toEqual({ n })
      }
    })

    it('keeps odd keys apart, and scans them back as they were', async () => {
      for (const [n, key] of ODD_KEYS.entries()) {
        expect(await storage.create(key, n, 60)).toBe(true)
      }
      for (const [n, key] of ODD_KEYS.entries()) {
        expect(await storage.get(key)).toBe(n)
        expect(await peeked(key)).toBe(n)
      }
      expect(await scanned('')).toEqual(new Map(ODD_KEYS.map((key, n) => [key, n])))
      for (const key of ODD_KEYS) expect(await storage.take(key)).toBe(ODD_KEYS.indexOf(key))
      expect(await scanned('')).toEqual(new Map())
    })

    it.each([
      '\0',
      'a\0',
      'ÿ',
      '\uffff',
      '\ud800',
      '*',
      'k',
      'k'.repeat(3000),
      'k'.repeat(4999),
      'k'.repeat(5000),
      'ü'.repeat(4000),
      'nothing begins so',
    ])('scans exactly the keys that begin with an odd prefix', async (prefix) => {
      for (const key of ODD_KEYS) await storage.set(key, 1, 60)
      const expected = ODD_KEYS.filter((key) => key.startsWith(prefix))
      expect([...(await scanned(prefix)).keys()].sort()).toEqual(expected.sort())
    })

    it('scans more records than a batch holds, each once, and none of its neighbours', async () => {
      const keys = Array.from({ length: 1000 }, (_, n) => `grant:${n}`)
      await Promise.all(
        [...keys, 'grant', 'grant9', 'grant;', 'granu:1'].map((key) => storage.set(key, key, 60)),
      )
      const seen: string[] = []
      for await (const [key, value] of storage.scan('grant:')) {
        expect(value).toBe(key)
        seen.push(key)
      }
      expect(seen.sort()).toEqual(keys.sort())
    })

    it('lets a scan be left early, and records be deleted while it runs', async () => {
      await Promise.all(Array.from({ length: 500 }, (_, n) => storage.set(`key:${n}`, n, 60)))
      for await (const [key] of storage.scan('key:')) {
        await storage.delete(key)
        break
      }
      expect((await scanned('key:')).size).toBe(499)
      for await (const [key] of storage.scan('key:')) await storage.delete(key)
      expect((await scanned('key:')).size).toBe(0)
    })

    it('says StorageUnavailable, by every method, once it is closed', async () => {
      await storage.set('key', 1, 60)
      const asked = storage.unchanged?.('key')
      await storage.close()
      await storage.close()
      await expect(storage.get('key')).rejects.toThrow(StorageUnavailable)
      await expect(storage.set('key', 1, 60)).rejects.toThrow(StorageUnavailable)
      await expect(storage.create('key', 1, 60)).rejects.toThrow(StorageUnavailable)
      await expect(storage.replace('key', 1, 2, 60)).rejects.toThrow(StorageUnavailable)
      await expect(storage.take('key')).rejects.toThrow(StorageUnavailable)
      await expect(storage.delete('key')).rejects.toThrow(StorageUnavailable)
      await expect(scanned('key')).rejects.toThrow(StorageUnavailable)
      if (storage.peek) {
        expect(() => storage.peek?.('key')).toThrow(StorageUnavailable)
        expect(() => storage.unchanged?.('key')).toThrow(StorageUnavailable)
        expect(asked).toThrow(StorageUnavailable)
      }
    })
  })
}

/** @param makePlace makes a place for an empty store */
export function durableContract(name: string, makePlace: () => Place | Promise<Place>): void {
  describe(`${name}: durable storage contract`, () => {
    let place: Place
    beforeEach(async () => {
      place = await makePlace()
    })
    afterEach(() => place.remove())

    it('finds values and their expiry again after a restart', async () => {
      const before = await place.open(() => START)
      await before.set('kept', { a: [1] }, 'forever')
      await before.set('short', 'short', 60)
      await before.set(ODD_KEYS.at(-1) ?? '', 'odd', 'forever')
      await before.close()

      const tick = place.elapse ? 1000 : 1
      let time = START + 60_000 - tick
      await place.elapse?.(60_000 - tick)
      const after = await place.open(() => time)
      expect(await after.get('short')).toBe('short')
      time += tick
      await place.elapse?.(tick)
      expect(await after.get('short')).toBeUndefined()
      expect(await after.create('short', 'anew', 60)).toBe(true)
      expect(await after.create('kept', 'anew', 60)).toBe(false)
      expect(await after.get('kept')).toEqual({ a: [1] })
      expect(await after.get(ODD_KEYS.at(-1) ?? '')).toBe('odd')
      await after.close()
    })

    it('completes the writes under way when it is closed', async () => {
      const before = await place.open(Date.now)
      const writes = Array.from({ length: CALLERS }, (_, n) => before.set(`key:${n}`, n, 60))
      await before.close()
      await Promise.all(writes)

      const after = await place.open(Date.now)
      expect((await collect(after, 'key:')).size).toBe(CALLERS)
      await after.close()
    })

    it('loses nothing acknowledged when its process is killed', WITH_PROCESSES, async () => {
      const acknowledged = await killWriterAfter(place, 500)
      expect(acknowledged.length).toBeGreaterThanOrEqual(500)

      const storage = await place.open(Date.now)
      const present = await collect(storage, '')
      for (const line of acknowledged) {
        const [fate, key = ''] = line.split(' ')
        expect([line, present.has(key)]).toEqual([line, fate === 'created'])
      }
      expect(await storage.create('after', 1, 60)).toBe(true)
      await storage.close()
    })
  })
}

/** @param makePlace makes a place for an empty store that two processes can open at once */
export function sharedContract(name: string, makePlace: () => Place | Promise<Place>): void {
  describe(`${name}: shared storage contract`, WITH_PROCESSES, () => {
    let place: Place
    let storage: Storage
    let peer: Peer
    beforeEach(async () => {
      place = await makePlace()
      storage = await place.open(Date.now)
      peer = await startPeer(place)
    }, WITH_PROCESSES.timeout)
    afterEach(async () => {
      await peer.stop()
      await storage.close()
      await place.remove()
    })

    it.each<[string, (key: string) => Call]>([
      ['create', (key) => ['create', `${key}:new`, 'mine', 60]],
      ['replace', (key) => ['replace', key, 'here', 'mine', 60]],
      ['take', (key) => ['take', key]],
    ])('lets one of 50 callers in two processes win a %s', async (_name, call) => {
      const keys = Array.from({ length: 40 }, (_, n) => `key:${n}`)
      await Promise.all(keys.map((key) => storage.set(key, 'here', 60)))
      for (const key of keys) {
        const calls = Array.from({ length: CALLERS / 2 }, () => call(key))
        const [there, here] = await Promise.all([
          peer.run(calls),
          Promise.all(calls.map((each) => perform(storage, each))),
        ])
        expect([...here, ...there].filter(won)).toHaveLength(1)
      }
    })

    it('counts correctly when both processes replace the same record', async () => {
      await storage.set('counter', 0, 60)
      let wins = 0
      for (let n = 0; n < 100; n += 1) {
        const seen = (await storage.get<number>('counter')) ?? 0
        const call: Call = ['replace', 'counter', seen, seen + 1, 60]
        const [there, here] = await Promise.all([peer.run([call]), perform(storage, call)])
        wins += [...there, here].filter(won).length
      }
      expect(wins).toBe(100)
      expect(await storage.get('counter')).toBe(100)
    })

    it('shows a change of the other process to get and to peek', async () => {
      for (let n = 0; n < 50; n += 1) {
        // This read comes before the change, so that a snapshot kept for too long would show.
        const before = await storage.get('key')
        const unchanged = storage.unchanged?.('key')
        expect(await perform(storage, ['peek', 'key'])).toEqual(storage.peek && before)
        await peer.run([['set', 'key', { n }, 60]])
        if (storage.peek) expect(storage.peek('key')).toEqual({ n })
        expect(unchanged?.() ?? false).toBe(false)
        expect(await storage.get('key')).toEqual({ n })
      }
      const unchanged = storage.unchanged?.('key')
      expect(unchanged?.() ?? true).toBe(true)
      await peer.run([['delete', 'key']])
      expect(unchanged?.() ?? false).toBe(false)
      if (storage.peek) expect(storage.peek('key')).toBeUndefined()
      expect(await storage.get('key')).toBeUndefined()
    })

    it('shows a change of ours to get and to peek in the other process', async () => {
      for (let n = 0; n < 50; n += 1) {
        await storage.set('key', { n }, 60)
        const [got, peeked] = await peer.run([
          ['get', 'key'],
          ['peek', 'key'],
        ])
        expect(got).toEqual({ n })
        if (storage.peek) expect(peeked).toEqual({ n })
      }
    })

    it('goes on when another process is killed in the middle of a write', async () => {
      await killWriterAfter(place, 100)
      expect(await storage.create('after', 1, 60)).toBe(true)
      expect(await peer.run([['get', 'after']])).toEqual([1])
    })
  })
}

/** True for the result of a call that won its race: `true`, or the taken value. */
function won(result: unknown): boolean {
  return result === true || result === 'here'
}

function hasList(value: unknown): value is { list: unknown[] } {
  return typeof value === 'object' && value !== null && 'list' in value && Array.isArray(value.list)
}

async function collect(storage: Storage, prefix: string): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  for await (const [key, value] of storage.scan(prefix)) found.set(key, value)
  return found
}
