/**
 * The version of the form in which a store holds its records, so that no Gatewarden misreads records of a later one.
 *
 * | key | lives |
 * |---|---|
 * | `format` | for ever |
 *
 * @module
 */
import { type Storage, StorageUnavailable, StorageUnfit } from './storage.ts'

/**
 * Brings every record to the next version. A process that died half way, or that starts at the same moment, repeats it,
 * so it leaves records that have the new form already as they are.
 */
export type Migration = (storage: Storage) => Promise<void>

/** The first leads from version 1, the form of stores without a mark, to version 2, and so on. */
const MIGRATIONS: readonly Migration[] = []

const KEY = 'format'
const UNMARKED = 1

/**
 * Marks a store that has no mark, and brings an older one to the version of this program. Replicas may start together:
 * the mark is created once, and it only rises.
 * @param migrations the steps that this program knows; tests have their own
 * @throws StorageUnfit if a later program wrote the store; StorageUnavailable. A store that is full of records of
 *   version 1 stays without a mark.
 */
export async function settleFormat(storage: Storage, migrations = MIGRATIONS): Promise<void> {
  const newest = UNMARKED + migrations.length
  for (;;) {
    const { mark, version } = await readMark(storage, newest)
    if (version === newest && mark !== undefined) return
    await migrations[version - UNMARKED]?.(storage)
    const next = Math.min(version + 1, newest)
    try {
      if (mark === undefined) await storage.create(KEY, next, 'forever')
      else await storage.replace(KEY, mark, next, 'forever')
    } catch (error) {
      // A mark of version 1 says what its absence says: a full store still serves the tokens that it has.
      if (!(error instanceof StorageUnavailable) || next !== UNMARKED) throw error
      return
    }
  }
}

/**
 * Checks the mark and brings nothing over, for commands that work beside a running gateway, perhaps an older one. It
 * marks a store that is empty.
 * @throws StorageUnfit unless the store has the form of this program; StorageUnavailable
 */
export async function checkFormat(storage: Storage, migrations = MIGRATIONS): Promise<void> {
  const newest = UNMARKED + migrations.length
  const { mark, version } = await readMark(storage, newest)
  if (mark === undefined && (await isEmpty(storage))) {
    await storage.create(KEY, newest, 'forever')
    return
  }
  if (version === newest) return
  throw new StorageUnfit([
    `the store was written by an older Gatewarden (format ${version}; this one has ${newest}). Start this version of the gateway first, which brings it over.`,
  ])
}

/** @throws StorageUnfit if a later program wrote the store; StorageUnavailable */
async function readMark(
  storage: Storage,
  newest: number,
): Promise<{ readonly mark: unknown; readonly version: number }> {
  const mark = await storage.get<unknown>(KEY)
  const version = mark === undefined ? UNMARKED : mark
  if (!isKnown(version, newest)) throw new StorageUnfit([problemOf(version, newest)])
  return { mark, version }
}

async function isEmpty(storage: Storage): Promise<boolean> {
  for await (const _record of storage.scan('')) return false
  return true
}

const isKnown = (version: unknown, newest: number): version is number =>
  typeof version === 'number' &&
  Number.isInteger(version) &&
  version >= UNMARKED &&
  version <= newest

/** The caller names the store by the setting that says where it is. */
const problemOf = (version: unknown, newest: number) =>
  `the store was written by a newer Gatewarden (format ${JSON.stringify(version)}; this one reads up to ${newest}). Start that version again, or restore the backup from before the upgrade; docs/upgrading.md says how.`
