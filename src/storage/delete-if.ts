/**
 * Deletes what is as expected, where `delete` would take what another process put there since.
 *
 * @module
 */
import type { Storage } from './storage.ts'

/** Seconds: the shortest life there is. */
const AT_ONCE = 0.001

/** True if the record was as `expected`; it has expired a millisecond later. Rejects with StorageUnavailable. */
export const deleteIf = (storage: Storage, key: string, expected: unknown): Promise<boolean> =>
  storage.replace(key, expected, expected, AT_ONCE)
