/**
 * What clients see while Redis is away or refuses, under a steady load on two replicas: 503 with `Retry-After` where it
 * has to be, no wrong answer, and everything heals by itself. docs/scaling.md names these tests.
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
import { type RedisServer, startRedis, startRedisGroup } from '../../scripts/lib/redis.ts'
import { blockOf, readPage } from '../support/documentation.ts'
import {
  type ClientLoad,
  type Errand,
  type Outcome,
  startClientLoad,
} from './support/client-load.ts'
import { type Replicas, startReplicas } from './support/replicas-on.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const MAX_STALE_MS = 3000
/** Outlasts MAX_STALE, and the deadline of a command that began within it. */
const OUTAGE_MS = MAX_STALE_MS + 2000
/** Commands fail at once, or after a deadline of a second. */
const NOTICED_MS = 1500
const ADMIN = 'an administrator'
const PASSWORD = 'p@ss:w/rd#1'

let folder: string
let load: ClientLoad
let replicas: Replicas
const ends: (() => Promise<unknown>)[] = []

async function begin(redisUrl: string): Promise<void> {
  replicas = await startReplicas({
    folder,
    settings: { REDIS_URL: redisUrl, MAX_STALE: `${MAX_STALE_MS / 1000}s` },
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

/** Waits until every errand succeeds, and has for a second. Resolves to the seconds that it took until then. */
async function healing(since: number, { within = 15_000 } = {}): Promise<string> {
  const isSteady = () => {
    const at = load.recoveredAt(since)
    return at !== undefined && performance.now() - at > 1000 ? at : undefined
  }
  const healedAt = await vi.waitUntil(isSteady, { timeout: within, interval: 50 })
  return `healed after ${((healedAt - since) / 1000).toFixed(1)} s; codes tried too early: ${load.early}, lost: ${load.lost}`
}

/** An outage that begins, lasts, and ends; checks what clients saw of it. Resolves to how it healed. */
async function suffer(outage: {
  start(): unknown
  heal(): unknown
  /** What becomes of known tokens after MAX_STALE. */
  readonly known?: 'right' | 'mostly right' | 'unavailable'
}): Promise<string> {
  await load.prepare()
  const startedAt = performance.now()
  await outage.start()
  // The last heartbeat may have come until now.
  const silentAfter = performance.now() - startedAt
  await delay(OUTAGE_MS)
  const [alive, ready] = await readiness()
  const healedAt = performance.now()
  await outage.heal()
  const healed = await healing(healedAt)

  const during = load.outcomes.filter(({ sentAt }) => sentAt > startedAt)
  const verdicts = (errand: Errand, from: number, to: number) =>
    during
      .filter((each) => each.errand === errand && each.sentAt > startedAt + from)
      .filter(({ answeredAt }) => answeredAt < startedAt + to)
      .map(({ verdict }) => verdict)
  const shareOfRight = (found: readonly Outcome['verdict'][]) =>
    found.filter((verdict) => verdict === 'right').length / found.length
  const soon = shareOfRight(verdicts('known', 0, MAX_STALE_MS - 1000))
  const later = shareOfRight(verdicts('known', silentAfter + MAX_STALE_MS, OUTAGE_MS))
  expect(load.wrong).toEqual([])
  const { known = 'unavailable' } = outage
  if (known === 'mostly right') {
    expect(Math.min(soon, later)).toBeGreaterThan(0.5)
  } else {
    expect([soon, later]).toEqual([1, known === 'right' ? 1 : 0])
  }
  for (const errand of ['refresh', 'code', 'login'] as const) {
    expect([errand, shareOfRight(verdicts(errand, NOTICED_MS, OUTAGE_MS))]).toEqual([errand, 0])
  }
  // Taken out by nobody: warm clients go on (decision K28).
  expect(alive).toBe(200)
  expect(ready).toMatchObject({ status: 200, body: { status: 'ready' } })
  return healed
}

/** Waits until a replica has everything that was written so far. */
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
    ['/healthz', '/readyz'].map((path) => fetch(new URL(path, replicas.issuer))),
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
    await annotate(await suffer({ start: redis.pause, heal: redis.resume }))
  })

  it('is killed and started again with its data', async ({ annotate }) => {
    await annotate(await suffer({ start: redis.kill, heal: redis.start }))
  })

  it('is full', async ({ annotate }) => {
    const limit = (bytes: string) => redis.cli('config', 'set', 'maxmemory', bytes)
    const healed = await suffer({
      start: () => limit('1'),
      heal: () => limit('0'),
      known: 'right',
    })
    await annotate(healed)
  })

  it('takes no writes', async ({ annotate }) => {
    const healed = await suffer({
      start: () => redis.cli('replicaof', '127.0.0.1', '1'),
      heal: () => redis.cli('replicaof', 'no', 'one'),
      known: 'mostly right',
    })
    await annotate(healed)
  })

  it('has another password for a while', async ({ annotate }) => {
    const change = async (password: string) => {
      await redis.cli('acl', 'setuser', 'gatewarden', 'resetpass', `>${password}`)
      await redis.cli('client', 'kill', 'user', 'gatewarden')
    }
    await annotate(await suffer({ start: () => change('another'), heal: () => change(PASSWORD) }))
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
    // A token with an unknown key id makes every process read the keys again, within seconds.
    const stored = () => redis.cli('--scan', '--pattern', 'gw:signing-key:*')
    await vi.waitUntil(stored, { timeout: 10_000, interval: 100 })
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
    await begin(`redis+sentinel://${sentinels.join(',')}/${group.name}`)

    const failOver = async (begin: () => Promise<unknown>) => {
      await load.prepare()
      // From then on Redis itself may lose what it has acknowledged; what is older, it has copied.
      load.expectLoss(true)
      await untilCopied(await group.master())
      const startedAt = performance.now()
      await begin()
      const healed = await healing(startedAt, { within: 30_000 })
      load.expectLoss(false)
      expect(load.wrong).toEqual([])
      return healed
    }
    await annotate(`planned: ${await failOver(group.failover)}`)
    const master = await group.master()
    await annotate(`killed: ${await failOver(master.kill)}`)
  })
})
