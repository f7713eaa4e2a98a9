/**
 * What clients see while two processes share one LMDB store, and one of them dies or the disk fills. docs/scaling.md
 * names these tests.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openLmdbStorage } from '../../src/storage/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { type ClientLoad, type Errand, startClientLoad } from './support/client-load.ts'
import { readTokens, type Tokens } from './support/hand-client.ts'
import { createReplicaClient } from './support/replica-client.ts'
import { type Replicas, startReplicas } from './support/replicas-on.ts'
import { makeSmallDisk } from './support/small-disk.ts'

let folder: string
let data: string
const ends: (() => Promise<unknown>)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-lmdb-'))
  data = join(folder, 'disk', 'data')
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await rm(folder, { recursive: true, force: true })
})

async function start(): Promise<Replicas> {
  const replicas = await startReplicas({ folder, settings: { DATA_DIR: data } })
  ends.push(replicas.stop)
  return replicas
}
async function startLoad(options: Parameters<typeof startClientLoad>[0]): Promise<ClientLoad> {
  const load = await startClientLoad(options)
  ends.push(load.stop)
  return load
}

it('a process that is killed in the middle of writes loses nothing, and the other goes on', async () => {
  const replicas = await start()
  const [first = '', second = ''] = replicas.processes
  const load = await startLoad({ ...replicas, processes: [first] })
  const asked = [second]
  const client = await createReplicaClient({ ...replicas, processes: asked })
  ends.push(async () => client.close())

  // Each chain remembers the last tokens that were acknowledged to it.
  const chains: Tokens[] = []
  while (chains.length < 6) chains.push(readTokens(await client.redeem(await client.obtainCode())))
  let answers = 0
  const writing = chains.map(async (_, index) => {
    for (;;) {
      const answer = await client.refresh(chains[index]?.refresh_token ?? '').catch(() => undefined)
      if (!answer) return
      chains[index] = readTokens(answer)
      answers += 1
    }
  })
  await vi.waitUntil(() => answers > 100, { timeout: 20_000 })
  const killedAt = performance.now()
  process.kill(replicas.running[1].pid, 'SIGKILL')
  await Promise.all(writing)
  asked[0] = first

  for (const { access_token, refresh_token } of chains) {
    expect((await client.check(access_token)).status).toBe(200)
    expect((await client.refresh(refresh_token)).status).toBe(200)
  }
  await vi.waitUntil(() => load.recoveredAt(killedAt), { timeout: 5000 })
  expect(load.wrong).toEqual([])
  expect(load.outcomes.filter(({ verdict }) => verdict === 'unavailable')).toEqual([])
})

it('a disk that is full: known tokens go on, what has to be written waits, and nothing is damaged', async ({
  annotate,
}) => {
  let running: Replicas['running'] | undefined
  let filler: Storage | undefined
  let count = 0
  const disk = await makeSmallDisk(join(folder, 'disk'), {
    store: async (bytes) => filler?.set(`filler:${count++}`, 'x'.repeat(bytes), 'forever'),
    pids: () => running?.map(({ pid }) => pid) ?? [],
  })
  ends.push(disk.remove)
  const replicas = await start()
  running = replicas.running
  const dir = join(data, 'store')
  filler = await openLmdbStorage({ dir, now: Date.now })
  ends.push(() => filler?.close() ?? Promise.resolve())
  const load = await startLoad(replicas)
  const client = await createReplicaClient(replicas)
  ends.push(async () => client.close())
  const unseen = readTokens(await client.redeem(await client.obtainCode())).access_token
  await load.prepare()

  await disk.fill()
  const fullAt = performance.now()
  const verdicts = (errand: Errand) => {
    const full = load.outcomes.filter(({ sentAt }) => sentAt > fullAt)
    return new Set(full.filter((each) => each.errand === errand).map(({ verdict }) => verdict))
  }
  await vi.waitUntil(() => verdicts('login').has('unavailable'), { timeout: 15_000 })
  await delay(1500)
  expect((await client.check(unseen)).status).toBe(200)
  expect((await fetch(new URL('/readyz', replicas.issuer))).status).toBe(200)
  expect(verdicts('known')).toEqual(new Set(['right']))
  expect(verdicts('dead')).toEqual(new Set(['right']))
  const healedAt = performance.now()
  await disk.empty()
  const recoveredAt = await vi.waitUntil(() => load.recoveredAt(healedAt), { timeout: 15_000 })
  await annotate(`healed after ${((recoveredAt - healedAt) / 1000).toFixed(1)} s`)

  expect(load.wrong).toEqual([])
  await load.stop()
  await replicas.stop()
  expect(await Promise.all(running.map(({ exited }) => exited))).toEqual([0, 0])
  const found: string[] = []
  for await (const [key] of filler.scan('grant:')) found.push(key)
  expect(found.length).toBeGreaterThan(5)
})
