/**
 * Begins to write in the store of its argument, and goes on only when its standard input ends. To the others, this is a
 * process that was stopped while it writes.
 *
 * @module
 */
import { readSync, writeSync } from 'node:fs'
import { openDatabase } from '../../src/storage/lmdb/open.ts'

const [dir = ''] = process.argv.slice(2)
const database = openDatabase(dir)
database.transactionSync(() => {
  writeSync(1, 'held\n')
  readSync(0, Buffer.alloc(1))
})
await database.close()
