/**
 * Reads the records that a request left in the store.
 *
 * @module
 */
import type { Storage } from '../../src/storage/storage.ts'

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
