import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import { believedContract } from '../contract/believed-contract.ts'
import { formatContract } from '../contract/format-contract.ts'
import { coreContract, durableContract, sharedContract } from '../contract/storage-contract.ts'
import { lmdbPlace } from './place.ts'

const openLmdb = async (now: () => number) => {
  const place = lmdbPlace()
  return { storage: await place.open(now), remove: place.remove }
}
coreContract('lmdb', openLmdb)
believedContract('lmdb', openLmdb)
formatContract('lmdb', openLmdb)
durableContract('lmdb', lmdbPlace)
sharedContract('lmdb', lmdbPlace)

describe('lmdb storage', () => {
  let directory: string
  let dir: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'gatewarden-lmdb-'))
    dir = join(directory, 'data', 'store')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)

  it('keeps its directory and files to its own user', async () => {
    const storage = await openLmdbStorage({ dir, now: Date.now })
    await storage.set('key', 1, 60)
    await storage.close()
    expect(mode(dir)).toBe('700')
    expect(mode(join(dir, 'data.mdb'))).toBe('600')
    expect(mode(join(dir, 'lock.mdb'))).toBe('600')
  })

  it.each<[string, () => void]>([
    ['a file in its place', () => writeFileSync(dir, 'not a store')],
    [
      'a directory in place of its file',
      () => mkdirSync(join(dir, 'data.mdb'), { recursive: true }),
    ],
    [
      'a file that is no store',
      () => {
        mkdirSync(dir)
        writeFileSync(join(dir, 'data.mdb'), 'not a store'.repeat(1000))
      },
    ],
  ])('says what to do about %s', async (_name, obstruct) => {
    mkdirSync(join(directory, 'data'))
    obstruct()
    const opening = openLmdbStorage({ dir, now: Date.now })
    await expect(opening).rejects.toThrow(`Cannot open the store in ${dir}: `)
    await expect(opening).rejects.toThrow('DATA_DIR')
  })

  it('ed34: a sweep under a clock that ran ahead does not keep later ones from their work', async () => {
    let time = 1_700_000_000_000
    const storage = await openLmdbStorage({ dir, now: () => time })
    time += 86_400_000
    await storage.sweep()
    time -= 86_400_000
    await storage.set('old', 1, 1)
    time += 2000
    expect(await storage.sweep()).toBe(1)
    expect(await storage.sweep()).toBe(0)
    await storage.set('old', 1, 1)
    time += 60_000
    expect(await storage.sweep()).toBe(1)
    await storage.close()
  })

  it.skipIf(process.getuid?.() === 0)('says what to do about a missing permission', async () => {
    mkdirSync(join(directory, 'data'), { mode: 0o500 })
    await expect(openLmdbStorage({ dir, now: Date.now })).rejects.toThrow('permission denied')
  })

  describe('sweep', () => {
    it('deletes expired records, however many, and nothing else', async () => {
      let time = 0
      const storage = await openLmdbStorage({ dir, now: () => time })
      const set = (kind: string, count: number, ttl: number | 'forever') =>
        Promise.all(Array.from({ length: count }, (_, n) => storage.set(`${kind}:${n}`, n, ttl)))
      await set('short', 700, 10)
      await set('long', 300, 100)
      await set('kept', 300, 'forever')
      time = 10_000
      expect(await storage.sweep()).toBe(700)

      // After the clock is set back, an expired record that is still stored would be seen again.
      time = 0
      const left = { short: 0, long: 0, kept: 0 }
      for (const kind of ['short', 'long', 'kept'] as const) {
        for await (const _record of storage.scan(`${kind}:`)) left[kind] += 1
      }
      expect(left).toEqual({ short: 0, long: 300, kept: 300 })
      await storage.close()
    })

    it('is done by one caller a minute', async () => {
      let time = 0
      const storage = await openLmdbStorage({ dir, now: () => time })
      await storage.set('first', 1, 1)
      time = 1000
      const swept = await Promise.all([storage.sweep(), storage.sweep(), storage.sweep()])
      expect(swept.sort()).toEqual([0, 0, 1])

      await storage.set('second', 1, 1)
      time = 60_999
      expect(await storage.sweep()).toBe(0)
      time = 61_000
      // The second sweep rewrites the lock of the first, so the lock is not among the deleted records.
      expect(await storage.sweep()).toBe(1)
      await storage.close()
    })

    it('spares a record that was written anew after it had expired', async () => {
      let time = 0
      const storage = await openLmdbStorage({ dir, now: () => time })
      await storage.set('key', 'old', 1)
      time = 1000
      await Promise.all([storage.sweep(), storage.set('key', 'new', 60)])
      expect(await storage.get('key')).toBe('new')
      await storage.close()
    })
  })

  it('does not keep its process alive', { timeout: 30_000 }, async () => {
    const script = `
      import { openLmdbStorage } from './src/storage/lmdb/lmdb.ts'
      const storage = await openLmdbStorage({ dir: process.argv[1], now: Date.now })
      await storage.set('key', 1, 60)
    `
    const root = join(import.meta.dirname, '../..')
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', script, dir],
      { cwd: root, stdio: 'inherit' },
    )
    expect(await once(child, 'exit')).toEqual([0, null])
  })
})
