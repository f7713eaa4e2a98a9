/**
 * The answers that clients get while Redis is away or refuses, under a steady load on two replicas: 503 with
 * `Retry-After` where necessary, no wrong answer, and recovery by itself. docs/scaling.md names these tests.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import {
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisGroup,
} from '../../scripts/lib/redis.ts'
import { blockOf, readPage } from '../support/documentation.ts'
import { type ClientLoad, type Outcome, startClientLoad, type Task } from './support/client-load.ts'
import { type Replicas, startReplicas } from './support/replicas-on.ts'
import { isSkipped, toolPath } from './support/tools.ts'

/** Longer than the 2 s that a connection without heartbeats is kept. */
const MAX_STALE_MS = 4000
/** The greatest age of the last heartbeat when an outage begins, and the longest time of a check that fails at once. */
const LAST_HEARTBEAT_MS = 500
/** Longer than MAX_STALE and the deadline of a command that began within it. */
const OUTAGE_MS = MAX_STALE_MS + 1500
/** Longer than a failover by Sentinel. */
const FAILOVER_MS = 30_000
/** Commands fail at once, or after a deadline of a second. */
const NOTICED_MS = 1500
/** The time limit of a probe in Kubernetes. */
const PROBE_MS = 1000
const ADMIN = 'an administrator'
const PASSWORD = 'p@ss:w/rd#1'

let folder: string
let load: ClientLoad
let replicas: Replicas
const ends: (() => Promise<unknown>)[] = []

async function begin(redisUrl: string, maxStale = MAX_STALE_MS): Promise<void> {
  replicas = await startReplicas({
    folder,
    settings: { REDIS_URL: redisUrl, MAX_STALE: `${maxStale / 1000}s` },
  })
  ends.push(replicas.stop)
  load = await startClientLoad(replicas)
  ends.push(load.stop)
}
async function end(): Promise<void> {
  for (const each of ends.splice(0).reverse()) await each()
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-outage-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Waits until every task has succeeded for a second. Resolves to a sentence with the time until the first success. */
async function healing(since: number): Promise<string> {
  const isSteady = () => {
    const at = load.recoveredAt(since)
    return at !== undefined && performance.now() - at > 1000 ? at : undefined
  }
  const healedAt = await vi.waitUntil(isSteady, { timeout: 15_000, interval: 50 })
  return `healed after ${((healedAt - since) / 1000).toFixed(1)} s; codes tried too early: ${load.early}, lost: ${load.lost}`
}

/** The share of these tasks with a right answer, from 0 to 1. */
function shareOfRight(task: Task, isMeant: (outcome: Outcome) => boolean): number {
  const found = load.outcomes.filter((each) => each.task === task && isMeant(each))
  return found.filter(({ verdict }) => verdict === 'right').length / found.length
}
const within =
  (from: number, to: number) =>
  ({ sentAt, answeredAt }: Outcome) =>
    sentAt > from && answeredAt < to

/**
 * Runs an outage from start to end, and checks the answers that clients got. Resolves to a sentence on the recovery.
 */
async function runOutage(outage: {
  start(): unknown
  heal(): unknown
  /** The least and the greatest share of known tokens accepted after MAX_STALE; none, if absent. */
  readonly afterwards?: readonly [least: number, most: number]
  /** Milliseconds until every write fails. */
  readonly noticed?: number
}): Promise<string> {
  const { afterwards: [least, most] = [0, 0], noticed = NOTICED_MS } = outage
  await load.prepare()
  const startedAt = performance.now()
  await outage.start()
  // The last heartbeat came before this moment.
  const silentAt = performance.now()
  const endsAt = startedAt + OUTAGE_MS
  await delay(OUTAGE_MS)
  const [alive, ready] = await readiness()
  const healedAt = performance.now()
  await outage.heal()
  const healed = await healing(healedAt)

  expect(load.wrong).toEqual([])
  const staleAt = startedAt + MAX_STALE_MS - LAST_HEARTBEAT_MS
  expect(shareOfRight('known', within(startedAt, staleAt))).toBe(1)
  const afterwards = shareOfRight('known', within(silentAt + MAX_STALE_MS, endsAt))
  expect(afterwards).toBeGreaterThanOrEqual(least)
  expect(afterwards).toBeLessThanOrEqual(most)
  for (const task of ['refresh', 'code', 'login'] as const) {
    const isMeant = ({ answeredAt }: Outcome) =>
      answeredAt > startedAt + noticed && answeredAt < endsAt
    expect([task, shareOfRight(task, isMeant)]).toEqual([task, 0])
  }
  // The process stays ready: clients with known tokens continue (decision K28).
  expect(alive).toBe(200)
  expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } })
  return `${healed}; known tokens right after MAX_STALE: ${afterwards.toFixed(2)}`
}

/** Waits until a replica has every write so far. */
async function untilCopied(master: RedisServer): Promise<void> {
  const offset = async (pattern: RegExp) =>
    Number(pattern.exec(await master.cli('info', 'replication'))?.[1] ?? -1)
  const written = await offset(/master_repl_offset:(\d+)/)
  await vi.waitUntil(async () => (await offset(/state=online,offset=(\d+)/)) >= written, {
    timeout: 30_000,
    interval: 50,
  })
}

async function readiness() {
  const [alive, ready] = await Promise.all(
    ['/healthz', '/readyz'].map((path) =>
      fetch(new URL(path, replicas.issuer), { signal: AbortSignal.timeout(PROBE_MS) }),
    ),
  )
  const body: unknown = await ready?.json()
  return [alive?.status, { status: ready?.status, body }] as const
}

describe.skipIf(isSkipped('redis-server'))('Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    const [, , ...rules] = blockOf(readPage('docs/scaling.md'), 'acl').trim().split(' ')
    const user = ['gatewarden', ...rules.map((rule) => rule.replace(/^>.*/, `>${PASSWORD}`))]
    redis = await startRedis({
      binary: toolPath('redis-server'),
      folder: join(folder, 'redis'),
      password: ADMIN,
      settings: ['--appendonly', 'yes', '--user', ...user],
    })
    ends.push(redis.stop)
    await begin(`redis://gatewarden:${encodeURIComponent(PASSWORD)}@127.0.0.1:${redis.port}`)
  })
  afterAll(end)

  it('is paused', async ({ annotate }) => {
    await annotate(await runOutage({ start: redis.pause, heal: redis.resume }))
  })

  it('is killed and started again with its data', async ({ annotate }) => {
    await annotate(await runOutage({ start: redis.kill, heal: redis.start }))
  })

  it('is full', async ({ annotate }) => {
    const limit = (bytes: string) => redis.cli('config', 'set', 'maxmemory', bytes)
    const healed = await runOutage({
      start: () => limit('1'),
      heal: () => limit('0'),
      afterwards: [1, 1],
    })
    await annotate(healed)
  })

  it('takes no writes', async ({ annotate }) => {
    const healed = await runOutage({
      start: () => redis.cli('replicaof', '127.0.0.1', '1'),
      heal: () => redis.cli('replicaof', 'no', 'one'),
      // Each second the adapter reconnects, since the server's name may lead to another one now.
      afterwards: [0.5, 1],
    })
    await annotate(healed)
  })

  it('holds writes back', async ({ annotate }) => {
    const healed = await runOutage({
      start: () => redis.cli('client', 'pause', '60000', 'write'),
      heal: () => redis.cli('client', 'unpause'),
      // A read after the next heartbeat waits behind it.
      afterwards: [0, 1],
    })
    await annotate(healed)
  })

  it('has another password for a while', async ({ annotate }) => {
    const change = async (password: string) => {
      await redis.cli('acl', 'setuser', 'gatewarden', 'resetpass', `>${password}`)
      await redis.cli('client', 'kill', 'user', 'gatewarden')
    }
    await annotate(
      await runOutage({ start: () => change('another'), heal: () => change(PASSWORD) }),
    )
    expect(replicas.running[0].log()).not.toContain(PASSWORD)
  })

  it('is away, and the process counts as healthy', async () => {
    await redis.kill()
    const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
    const [host = '', port = ''] = replicas.processes[1]?.split(':') ?? []
    await promisify(execFile)(process.execPath, [program, 'healthcheck'], {
      cwd: join(folder, 'second'),
      env: { HOST: host, PORT: port, SECRET: 's'.repeat(40), REDIS_URL: 'redis://127.0.0.1:1' },
    })
    await redis.start()
    await healing(performance.now())
    expect(load.wrong).toEqual([])
  })

  it('is started again empty: everybody signs in again, and the signing keys stay', async ({
    annotate,
  }) => {
    const keyIds = async () => {
      const sets = replicas.processes.map(async (address) =>
        (await fetch(`http://${address}/jwks`)).json(),
      )
      return JSON.stringify(await Promise.all(sets))
    }
    const before = await keyIds()
    load.forget()
    await redis.kill()
    await rm(join(folder, 'redis', 'appendonlydir'), { recursive: true })
    await redis.start()
    const startedAt = performance.now()
    await vi.waitFor(() => load.begin(), { timeout: 10_000, interval: 100 })
    await annotate(await healing(startedAt))
    // Every process reads the keys once a minute, and gives them back to a store that has none.
    const stored = () => redis.cli('--scan', '--pattern', 'gw:signing-key:*')
    await vi.waitUntil(stored, { timeout: 70_000, interval: 100 })
    await delay(1000)
    expect(await keyIds()).toBe(before)
    expect(load.wrong).toEqual([])
  })
})

describe.skipIf(isSkipped('redis-server'))('a group with sentinels', () => {
  afterAll(end)

  it('fails over, planned and by a death', async ({ annotate }) => {
    const group = await startRedisGroup({
      binary: toolPath('redis-server'),
      folder: join(folder, 'group'),
      settings: ['--appendonly', 'yes'],
    })
    ends.push(group.stop)
    const sentinels = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
    await begin(`redis+sentinel://${sentinels.join(',')}/${group.name}`, FAILOVER_MS)

    const failOver = async (begin: () => Promise<unknown>) => {
      await load.prepare()
      // From now on Redis may lose acknowledged writes; it has copied the older ones.
      load.expectLoss(true)
      await untilCopied(await group.master())
      const startedAt = performance.now()
      await begin()
      const healed = await healing(startedAt)
      load.expectLoss(false)
      expect(load.wrong).toEqual([])
      expect(shareOfRight('known', within(startedAt, performance.now()))).toBe(1)
      return healed
    }
    await annotate(`planned: ${await failOver(group.failover)}`)
    const master = await group.master()
    await annotate(`killed: ${await failOver(master.kill)}`)
  })
})

describe.skipIf(isSkipped('redis-server'))('a cluster', () => {
  afterAll(end)

  it('loses a node', async ({ annotate }) => {
    const cluster = await startRedisCluster({
      binary: toolPath('redis-server'),
      folder: join(folder, 'cluster'),
      settings: ['--appendonly', 'yes'],
    })
    ends.push(cluster.stop)
    const [first, second] = cluster.nodes
    await begin(`redis+cluster://127.0.0.1:${first?.port}`)
    const healed = await runOutage({
      start: () => second?.kill(),
      heal: () => second?.start(),
      // The other nodes serve their own keys until they agree that it is gone, and then refuse everything.
      afterwards: [0, 1],
      noticed: MAX_STALE_MS,
    })
    await annotate(healed)
  })
})
