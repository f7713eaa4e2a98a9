/** A store of a later version ends every command that would read it, with a message (case fr9). */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { keysList } from '../../src/cli/keys.ts'
import { start } from '../../src/cli/start.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { BASE, USERS } from '../config/harness.ts'
import { run } from './harness.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-format-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const setup = () => ({ env: { ...BASE, DATA_DIR: folder, LOG_LEVEL: 'silent' }, yaml: USERS })

async function inStore<T>(action: (storage: Storage) => Promise<T>): Promise<T> {
  const storage = await openLmdbStorage({ dir: join(folder, 'store'), now: Date.now })
  try {
    return await action(storage)
  } finally {
    await storage.close()
  }
}

it.each([
  ['serve', start],
  ['keys list', keysList],
])(
  'fr9: %s refuses a store that a newer version wrote, and writes nothing',
  async (_name, command) => {
    await inStore((storage) => storage.set('format', 3, 'forever'))
    const { code, stderr } = await run(command, setup())
    expect(code).toBe(2)
    expect(stderr).toBe(
      'DATA_DIR: the store was written by a newer Gatewarden (format 3; this one reads up to 1). Start that version again, or restore the backup from before the upgrade; docs/upgrading.md says how.\n',
    )
    const keys = await inStore(async (storage) => {
      const found: string[] = []
      for await (const [key] of storage.scan('')) found.push(key)
      return found
    })
    expect(keys).toEqual(['format'])
  },
)

it('fr9: a command marks a new store', async () => {
  expect((await run(keysList, setup())).code).toBe(0)
  expect(await inStore((storage) => storage.get('format'))).toBe(1)
})
