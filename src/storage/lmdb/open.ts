/**
 * Opens an LMDB environment in a private directory, or says why it cannot.
 *
 * @module
 */
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { makeFolder } from '../make-folder.ts'

/** Words 6 and 7 of a data file: the mark of LMDB files, and the version of their format. */
const MAGIC = 0xbeefc0de
const FORMAT = 2

/**
 * @param dir made with mode 0700 if absent; the files in it are made with mode 0600
 * @throws {Error} naming the directory and what to do, if the store cannot be opened, read and written
 */
export function openDatabase(dir: string): RootDatabase<string, Buffer> {
  try {
    makeFolder(dir)
    prepareFile(join(dir, 'lock.mdb'))
    assertStore(prepareFile(join(dir, 'data.mdb')))
    const database = open<string, Buffer>({
      path: dir,
      noSubdir: false,
      encoding: 'string',
      keyEncoding: 'binary',
      // A commit is acknowledged only after fdatasync: an acknowledged write survives SIGKILL and
      // power loss. The driver's default (visible first, flushed later) lets others act on a state
      // that a power loss takes back, and is no faster for callers that wait for the flush: on a
      // virtual disk 0.45 ms a commit either way, 0.23 ms without any flush. Concurrent writes
      // share commits: 1,000 take some 20 ms.
      overlappingSync: false,
      // With it, a commit that fails (a full disk) also rejects a promise that nobody can reach,
      // which ends the process.
      eventTurnBatching: false,
    })
    // The first read takes a slot in the lock file: if that fails, it would fail for every request.
    database.get(Buffer.alloc(1))
    return database
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `Cannot open the store in ${dir}: ${reason}. Make it a directory on a local disk that this user can write to ` +
        '(its files data.mdb and lock.mdb too), move away a file that is not a store, or set DATA_DIR to another directory.',
      { cause: error },
    )
  }
}

/** Creates the file if absent, since the driver would give it mode 0664. The driver takes an empty file as new. */
function prepareFile(path: string): string {
  closeSync(openSync(path, 'a', 0o600))
  return path
}

/** Refuses a foreign file before the driver opens it: version 3.5.6 ends with a segmentation fault if opening fails. */
function assertStore(path: string): void {
  const header = new Uint32Array(8)
  const file = openSync(path, 'r')
  const length = readSync(file, header, 0, header.byteLength, 0)
  closeSync(file)
  if (length > 0 && (header[6] !== MAGIC || header[7] !== FORMAT)) {
    throw new Error('data.mdb is not a store of this version')
  }
}
