/**
 * Deletes a record only while it is as expected: `delete` would also delete what another process wrote meanwhile.
 *
 * @module
 */
import type { Storage } from './storage.ts'

/** Seconds: the shortest lifetime. */
const AT_ONCE = 0.001

/** True if the record was as `expected`; it then expires within a millisecond. Rejects with StorageUnavailable. */
export const deleteIf = (storage: Storage, key: string, expected: unknown): Promise<boolean> =>
  storage.replace(key, expected, expected, AT_ONCE)
