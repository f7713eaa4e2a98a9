/**
 * The registry of storage adapters: which one a configuration means.
 *
 * @module
 */
import { join } from 'node:path'
import { openLmdbStorage } from './lmdb.ts'
import type { Storage } from './storage.ts'

/**
 * Opens the store: LMDB in `<dataDir>/store`.
 * @param options.now the clock that expiry is counted by, in milliseconds since the epoch
 * @throws {Error} with a sentence for the operator, if the store cannot be opened
 */
export async function openStorage({
  dataDir,
  now,
}: {
  readonly dataDir: string
  readonly now: () => number
}): Promise<Storage> {
  return openLmdbStorage({ dir: join(dataDir, 'store'), now })
}
