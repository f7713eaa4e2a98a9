/**
 * The answers that clients get while two processes share an LMDB store, and one of them dies or the disk fills.
 * docs/scaling.md names these tests.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { type ClientLoad, startClientLoad, type Task } from './support/client-load.ts'
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

  // Each chain keeps the last tokens that it got in an answer.
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

it('a process that is stopped while it writes: the other says so within seconds, and heals', async ({
  annotate,
}) => {
  const replicas = await start()
  const [first = '', second = ''] = replicas.processes
  const { pid } = replicas.running[1]
  const probe = await openLmdbStorage({
    dir: join(data, 'store'),
    now: Date.now,
    startTimer(expire) {
      const timer = setTimeout(expire, 1000)
      return () => clearTimeout(timer)
    },
  })
  const load = await startLoad({ ...replicas, processes: [first] })
  const client = await createReplicaClient({ ...replicas, processes: [first] })
  const writer = await createReplicaClient({ ...replicas, processes: [second] })
  ends.push(async () => {
    client.close()
    writer.close()
  })
  const unseen = readTokens(await client.redeem(await client.obtainCode())).access_token
  await load.prepare()

  let isOver = false
  let answers = 0
  const refused: string[] = []
  const chains: Tokens[] = []
  while (chains.length < 6) chains.push(readTokens(await writer.redeem(await writer.obtainCode())))
  const writing = chains.map(async ({ refresh_token }) => {
    let last = refresh_token
    while (!isOver) {
      const answer = await writer.refresh(last)
      if (answer.status === 200) last = readTokens(answer).refresh_token
      else if (answer.status !== 503) refused.push(`${answer.status} ${answer.body}`)
      answers += 1
    }
  })
  ends.push(async () => {
    process.kill(pid, 'SIGCONT')
    isOver = true
    await Promise.allSettled(writing)
  })
  await vi.waitUntil(() => answers > 50, { timeout: 20_000 })
  const code = await client.obtainCode()

  // Repeats until the process is stopped in the middle of a write: no other process can write then.
  const heldAt = await vi.waitUntil(
    async () => {
      const stoppedAt = performance.now()
      process.kill(pid, 'SIGSTOP')
      const isHeld = await probe.set('probe', 1, 60).then(
        () => false,
        () => true,
      )
      if (isHeld) return stoppedAt
      process.kill(pid, 'SIGCONT')
      return undefined
    },
    { timeout: 60_000, interval: 7 },
  )
  const held = () => load.outcomes.filter(({ sentAt }) => sentAt > heldAt)
  const verdicts = (task: Task) =>
    new Set(held().flatMap((each) => (each.task === task ? [each.verdict] : [])))
  await vi.waitUntil(() => verdicts('login').size > 0 && verdicts('refresh').size > 0, {
    timeout: 15_000,
  })
  const answer = await client.redeem(code)
  expect([answer.status, Number(answer.headers['retry-after']) > 0]).toEqual([503, true])
  await delay(1500)
  expect(verdicts('login')).toEqual(new Set(['unavailable']))
  expect(verdicts('refresh')).toEqual(new Set(['unavailable']))
  expect((await client.check(unseen)).status).toBe(200)
  expect((await fetch(new URL('/readyz', replicas.issuer))).status).toBe(200)
  expect(verdicts('known')).toEqual(new Set(['right']))
  expect(verdicts('dead')).toEqual(new Set(['right']))
  const slowest = Math.max(...held().map(({ sentAt, answeredAt }) => answeredAt - sentAt))
  expect(slowest).toBeLessThan(3000)

  const healedAt = performance.now()
  const before = answers
  process.kill(pid, 'SIGCONT')
  const recoveredAt = await vi.waitUntil(() => load.recoveredAt(healedAt), { timeout: 15_000 })
  await vi.waitUntil(() => answers > before + 50, { timeout: 15_000 })
  isOver = true
  await Promise.all(writing)
  expect((await client.redeem(code)).status).toBe(200)
  await annotate(
    `said so after ${(slowest / 1000).toFixed(1)} s at most, healed after ${((recoveredAt - healedAt) / 1000).toFixed(1)} s`,
  )
  expect(load.wrong).toEqual([])
  expect(refused).toEqual([])
  await load.stop()
  await probe.close()
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
  const verdicts = (task: Task) => {
    const full = load.outcomes.filter(({ sentAt }) => sentAt > fullAt)
    return new Set(full.filter((each) => each.task === task).map(({ verdict }) => verdict))
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
