/**
 * `npm run bench`: measures everything in bench/README.md, and prints its tables. The server has one core and the load
 * the other; rounds of all cases take turns, and the median counts.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { benchChecks } from './checks.ts'
import { benchLatency } from './latency.ts'
import { benchPaced } from './paced.ts'
import { benchPassThrough } from './pass-through.ts'
import { benchProcess } from './process.ts'
import { benchStores } from './stores.ts'
import { benchStreams } from './streams.ts'
import { pinLoad } from './under-test.ts'

const only = process.argv[2]
const folder = await mkdtemp(join(tmpdir(), 'gatewarden-bench-'))
pinLoad()
try {
  if (!only || only === 'checks') await benchChecks(folder)
  if (!only || only === 'pass-through') await benchPassThrough()
  if (!only || only === 'streams') await benchStreams(folder)
  if (!only || only === 'stores') await benchStores(folder)
  if (!only || only === 'latency') await benchLatency(folder)
  if (!only || only === 'paced') await benchPaced(folder)
  if (!only || only === 'process') await benchProcess(folder)
} finally {
  await rm(folder, { recursive: true, force: true })
}
