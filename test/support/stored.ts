/**
 * The records in the store, as they are and as the program believes them.
 *
 * @module
 */
import { type AuthenticStorage, createAuthenticStorage } from '../../src/records/authentic.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { testKeyring } from './signing.ts'

/** The store as the program sees it where it believes records: what is written here carries a MAC. */
export const believed = (storage: Storage): AuthenticStorage =>
  createAuthenticStorage(storage, testKeyring(), () => {})

/** Every record, by key. */
export async function storedRecords(storage: Storage): Promise<Record<string, unknown>> {
  const records: Record<string, unknown> = {}
  for await (const [key, value] of storage.scan('')) records[key] = value
  return records
}

/** The keys of the records under a prefix. */
export async function storedKeys(storage: Storage, prefix: string): Promise<string[]> {
  return Object.keys(await storedRecords(storage)).filter((key) => key.startsWith(prefix))
}
