/**
 * The other process of `peer.ts`: opens a store, then answers each message of calls with their results.
 *
 * @module
 */

import { type Call, perform } from './peer.ts'
import { openFromArguments } from './place.ts'

const storage = await openFromArguments()
process.on('message', async (calls: readonly Call[]) => {
  process.send?.(await Promise.all(calls.map((call) => perform(storage, call))))
})
process.on('disconnect', () => storage.close())
process.send?.('ready')
