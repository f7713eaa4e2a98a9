/**
 * The mark of a store's format on every storage adapter (case fr9).
 *
 * @module
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkFormat, type Migration, settleFormat } from '../../src/storage/format.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import type { OpenedStore } from './storage-contract.ts'

export function formatContract(
  name: string,
  open: (now: () => number) => Promise<OpenedStore>,
): void {
  describe(`${name}: the format of the store (fr9)`, () => {
    let opened: OpenedStore
    let storage: Storage
    beforeEach(async () => {
      opened = await open(Date.now)
      storage = opened.storage
    })
    afterEach(async () => {
      await storage.close()
      await opened.remove()
    })
    const mark = () => storage.get('format')

    it('is written into a new store, and into a store from before there was a mark', async () => {
      await storage.set('grant:old', { id: 'old' }, 60)
      await settleFormat(storage)
      expect(await mark()).toBe(1)
      expect(await storage.get('grant:old')).toEqual({ id: 'old' })
      await settleFormat(storage)
      expect(await mark()).toBe(1)
    })

    it.each([2, 3, 1.5, 0, '1', { format: 1 }, null])(
      'refuses a store with the mark %j, and leaves it as it is',
      async (written) => {
        await storage.set('format', written, 'forever')
        await expect(settleFormat(storage)).rejects.toThrow(
          `the store was written by a newer Gatewarden (format ${JSON.stringify(written)}; this one reads up to 1). Start that version again, or restore the backup`,
        )
        expect(await mark()).toEqual(written)
      },
    )

    it('is only checked by a command, which brings nothing over and marks an empty store', async () => {
      const untouched: Migration = () =>
        Promise.reject(new Error('a command brought the store over'))
      await checkFormat(storage, [untouched])
      expect(await mark()).toBe(2)
      await checkFormat(storage, [untouched])
      await expect(checkFormat(storage)).rejects.toThrow('(format 2; this one reads up to 1)')
      await storage.set('format', 1, 'forever')
      await expect(checkFormat(storage, [untouched])).rejects.toThrow(
        'was written by an older Gatewarden (format 1; this one has 2). Start this version of the gateway first',
      )
      await storage.delete('format')
      await storage.set('grant:old', { id: 'old' }, 60)
      await expect(checkFormat(storage, [untouched])).rejects.toThrow(
        'an older Gatewarden (format 1',
      )
      expect(await mark()).toBeUndefined()
      await checkFormat(storage)
    })

    /** Renames the member `a` to `b`, then `b` to `c`; a record in the new form stays. */
    const rename =
      (from: string, to: string): Migration =>
      async (store) => {
        for await (const [key, value] of store.scan('thing:')) {
          const found = (value as Readonly<Record<string, unknown>>)[from]
          if (found !== undefined) await store.replace(key, value, { [to]: found }, 'forever')
        }
      }
    const migrations = [rename('a', 'b'), rename('b', 'c')]

    it('brings an older store up to date, step by step', async () => {
      await storage.set('thing:1', { a: 1 }, 'forever')
      await settleFormat(storage, migrations)
      expect(await storage.get('thing:1')).toEqual({ c: 1 })
      expect(await mark()).toBe(3)
      await expect(settleFormat(storage)).rejects.toThrow('(format 3; this one reads up to 1)')
    })

    it('is settled once by replicas that start together', async () => {
      await storage.set('thing:1', { a: 1 }, 'forever')
      await Promise.all(Array.from(Array(8), () => settleFormat(storage, migrations)))
      expect(await storage.get('thing:1')).toEqual({ c: 1 })
      expect(await mark()).toBe(3)
    })

    it('continues a migration that ended half way', async () => {
      await storage.set('thing:1', { a: 1 }, 'forever')
      const [first = async () => {}] = migrations
      const dying: Migration = () => Promise.reject(new StorageUnavailable(new Error('away')))
      await expect(settleFormat(storage, [first, dying])).rejects.toThrow(StorageUnavailable)
      expect(await mark()).toBe(2)
      await settleFormat(storage, migrations)
      expect(await storage.get('thing:1')).toEqual({ c: 1 })
    })

    it('needs no room in a full store of the first version', async () => {
      const full: Storage = {
        ...storage,
        create: () => Promise.reject(new StorageUnavailable(new Error('OOM'))),
      }
      await settleFormat(full)
      expect(await mark()).toBeUndefined()
      await expect(settleFormat(full, migrations)).rejects.toThrow(StorageUnavailable)
    })
  })
}
