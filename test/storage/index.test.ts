import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openStorage } from '../../src/storage/index.ts'

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'gatewarden-data-'))
})
afterEach(() => rmSync(dataDir, { recursive: true }))

it('opens an LMDB store below the data directory', async () => {
  const storage = await openStorage({ dataDir, now: Date.now })
  await storage.set('key', 1, 60)
  expect(storage.peek?.('key')).toBe(1)
  await storage.close()
  expect(existsSync(join(dataDir, 'store', 'data.mdb'))).toBe(true)
})
