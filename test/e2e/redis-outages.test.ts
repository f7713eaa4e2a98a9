/**
 * The Redis adapter's answers while Redis is away or refuses, and its recovery by itself.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import {
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisGroup,
} from '../../scripts/lib/redis.ts'
import type { RedisStorage } from '../../src/storage/redis/redis.ts'
import { StorageUnavailable, StorageUnfit } from '../../src/storage/storage.ts'
import { openRedis } from '../storage/place.ts'
import { blockOf, readPage } from '../support/documentation.ts'
import { makeCertificate } from './support/certificate.ts'
import { runBash } from './support/shell.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const ends: (() => Promise<unknown>)[] = []
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatewarden-redis-'))
})
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
  await rm(folder, { recursive: true, force: true })
})

/** The rights that an ACL user needs, from the page. */
const RULES = `${blockOf(readPage('docs/scaling.md'), 'acl').trim().split(' ').slice(4).join(' ')}.`

const options = () => ({ binary: toolPath('redis-server'), folder })

async function start(settings: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ ...options(), settings })
  ends.push(server.stop)
  return server
}

async function open(url: string, more: { caFile?: string } = {}): Promise<RedisStorage> {
  const storage = await openRedis({ url, ...more })
  ends.push(() => storage.close())
  return storage
}

const urlOf = ({ port }: RedisServer) => `redis://127.0.0.1:${port}`
const soon = (check: () => unknown, timeout = 5000) => vi.waitFor(check, { timeout, interval: 20 })
const fresh = (storage: RedisStorage) =>
  soon(() => expect(storage.liveness.isFresh()).toBe(true), 15_000)
const silent = (storage: RedisStorage) =>
  soon(() => expect(storage.liveness.isFresh()).toBe(false), 3000)

/** Checks that every method that reads or writes rejects as an outage, within one and a half deadlines. */
async function expectOutage(storage: RedisStorage): Promise<void> {
  const startedAt = performance.now()
  const results = await Promise.allSettled([
    storage.get('key'),
    storage.set('key', 2, 60),
    storage.create('key', 2, 60),
    storage.replace('key', 1, 2, 60),
    storage.take('key'),
    storage.delete('key'),
    storage.scan('key')[Symbol.asyncIterator]().next(),
  ])
  expect(performance.now() - startedAt).toBeLessThan(1500)
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: expect.any(StorageUnavailable) })
  }
}

describe.skipIf(isSkipped('redis-server'))('one Redis', () => {
  it('that is paused: an outage within the deadline, and nothing is mixed up afterwards', async () => {
    const server = await start()
    const storage = await open(urlOf(server))
    const keys = Array.from({ length: 50 }, (_, n) => `key:${n}`)
    await Promise.all(keys.map((key) => storage.set(key, key, 60)))
    await fresh(storage)

    server.pause()
    const reads = await Promise.allSettled(keys.map((key) => storage.get(key)))
    expect(new Set(reads.map(({ status }) => status))).toEqual(new Set(['rejected']))
    await expectOutage(storage)
    await silent(storage)
    expect(storage.liveness.isBridgeable()).toBe(true)

    server.resume()
    await soon(() => storage.get('key'))
    await fresh(storage)
    for (const key of keys) expect(await storage.get(key)).toBe(key)
  })

  it('that is paused: a step that missed its deadline can be undone, and is never taken again', async () => {
    const server = await start()
    const storage = await open(urlOf(server))
    await storage.set('code', { spent: false }, 60)
    server.pause()
    const spending = storage.replace('code', { spent: false }, { spent: true }, 60)
    await expect(spending).rejects.toThrow(StorageUnavailable)
    server.resume()
    await soon(() => storage.replace('code', { spent: true }, { spent: false }, 60))
    expect(await storage.get('code')).toEqual({ spent: false })
    await fresh(storage)
    expect(await storage.get('code')).toEqual({ spent: false })
  })

  it('that is killed: an outage at once; started again it has all that was acknowledged', async () => {
    const server = await start(['--appendonly', 'yes', '--appendfsync', 'always'])
    const storage = await open(urlOf(server))
    await storage.set('key', 1, 60)
    await fresh(storage)
    await server.kill()
    await soon(() => expectOutage(storage))
    const startedAt = performance.now()
    await expectOutage(storage)
    expect(performance.now() - startedAt).toBeLessThan(100)
    await silent(storage)
    await server.start()
    await soon(async () => expect(await storage.get('key')).toBe(1))
    await fresh(storage)
  })

  it('that has become a replica: no write succeeds, and no read passes for fresh', async () => {
    const server = await start()
    const storage = await open(urlOf(server))
    await fresh(storage)
    await server.cli('replicaof', '127.0.0.1', '1')
    await expect(storage.set('key', 1, 60)).rejects.toThrow(StorageUnavailable)
    await expect(storage.create('key', 1, 60)).rejects.toThrow(StorageUnavailable)
    await silent(storage)
    await server.cli('replicaof', 'no', 'one')
    await soon(() => storage.set('key', 1, 60))
    await fresh(storage)
  })

  it('that is full: what writes is an outage, what reads and deletes is not', async () => {
    const server = await start()
    const storage = await open(urlOf(server))
    await storage.set('grant:1', 1, 60)
    await server.cli('config', 'set', 'maxmemory', '1')
    await expect(storage.set('key', 1, 60)).rejects.toThrow(StorageUnavailable)
    await expect(storage.create('key', 1, 60)).rejects.toThrow(StorageUnavailable)
    await expect(storage.replace('grant:1', 1, 2, 60)).rejects.toThrow(StorageUnavailable)
    expect(await storage.get('grant:1')).toBe(1)
    await storage.delete('grant:1')
    expect(await storage.get('grant:1')).toBeUndefined()
    await fresh(storage)
    await server.cli('config', 'set', 'maxmemory', '0')
    expect(await storage.create('key', 1, 60)).toBe(true)
  })

  it('whose password changes: an outage that never shows the password, until it is right again', async () => {
    const server = await start(['--user', 'gatewarden', 'on', '>first-secret', '~*', '&*', '+@all'])
    const storage = await open(`redis://gatewarden:first-secret@127.0.0.1:${server.port}`)
    await storage.set('key', 1, 60)
    await fresh(storage)
    const change = async (password: string) => {
      await server.cli('acl', 'setuser', 'gatewarden', 'resetpass', `>${password}`)
      await server.cli('client', 'kill', 'user', 'gatewarden')
    }
    await change('second')
    await soon(() => expectOutage(storage))
    await silent(storage)
    let error: unknown
    await soon(async () => {
      error = await storage.contact().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StorageUnfit)
    })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('first-secret')
    // The log has this cause: the driver's own says only that there is no connection.
    const cause = { message: expect.stringContaining('WRONGPASS') }
    await soon(() => expect(storage.get('key')).rejects.toMatchObject({ cause }))
    await change('first-secret')
    await soon(async () => expect(await storage.get('key')).toBe(1))
    await fresh(storage)
  })

  it('answers what is not ours: an outage, not a value', async () => {
    const server = await start()
    const storage = await open(urlOf(server))
    await server.cli('set', 'gw:text', 'not json')
    await server.cli('rpush', 'gw:list', '1')
    await expect(storage.get('text')).rejects.toThrow(StorageUnavailable)
    await expect(storage.get('list')).rejects.toThrow(StorageUnavailable)
  })
})

describe.skipIf(isSkipped('redis-server'))('what one process changes', () => {
  it('is heard by the others: grants and identities, set, replaced or deleted, and nothing else', async () => {
    const server = await start()
    const [here, there] = [await open(urlOf(server)), await open(urlOf(server))]
    await fresh(here)
    const changes: ((id: string) => Promise<unknown>)[] = [
      (id) => there.set(`grant:${id}`, 1, 60),
      (id) => there.replace(`identity:${id}`, 1, 2, 60),
      (id) => there.set(`identity:${id}`, 1, 60),
      (id) => there.take(`grant:${id}`),
      (id) => there.delete(`grant:${id}`),
      (id) => there.delete(`identity:${id}`),
    ]
    for (const [n, change] of changes.entries()) {
      const id = `id ${n}`
      await there.set(`identity:${id}`, 1, 60)
      await soon(() => expect(here.liveness.watch(id).changed).toBe(false))
      // Earlier announcements may still be under way; a second announcement comes after them.
      const marker = here.liveness.watch('marker')
      await there.delete('grant:marker')
      await soon(() => expect(marker.changed).toBe(true))
      const [watch, other] = [here.liveness.watch(id), here.liveness.watch('other')]
      await change(id)
      await soon(() => expect(watch.changed).toBe(true), 1000)
      expect(other.changed).toBe(false)
    }
    const unheard = here.liveness.watch('quiet')
    await there.replace('identity:quiet', 'absent', 1, 60)
    await there.set('refresh:quiet', 1, 60)
    await there.delete('refresh:quiet')
    const marker = here.liveness.watch('marker')
    await there.delete('grant:marker')
    await soon(() => expect(marker.changed).toBe(true))
    expect(unheard.changed).toBe(false)
    expect(here.liveness.isFresh()).toBe(true)
  })

  it('ends every watch where it may not have been heard, before anything is fresh again', async () => {
    const server = await start()
    const storage = await open(urlOf(server))
    await fresh(storage)
    const watch = storage.liveness.watch('id')
    await server.cli('client', 'kill', 'type', 'pubsub')
    await soon(() => expect(storage.liveness.isFresh() && !watch.changed).toBe(false))
    await soon(() => {
      expect(watch.changed || !storage.liveness.isFresh()).toBe(true)
      expect(storage.liveness.isFresh()).toBe(true)
    })
    expect(watch.changed).toBe(true)
  })
})

describe.skipIf(isSkipped('redis-server'))('the first contact', () => {
  const contact = async (url: string, more: { caFile?: string } = {}) => {
    try {
      return await (await open(url, more)).contact()
    } catch (error) {
      return error instanceof StorageUnfit ? error.message : error
    }
  }

  it.each([
    [['--maxmemory-policy', 'allkeys-lru'], 'maxmemory-policy allkeys-lru'],
    [['--replicaof', '127.0.0.1 1'], 'Redis is a replica'],
    [['--cluster-enabled', 'yes'], 'redis+cluster://'],
    [['--requirepass', 'other'], 'refuses the user name or the password'],
    [
      [
        '--user',
        'default',
        'on',
        'nopass',
        '~gw:*',
        '&gw:*',
        '+@read',
        '+info',
        '+client',
        '+hello',
      ],
      RULES,
    ],
    [['--user', 'default', 'on', 'nopass', '~gw:*', 'resetchannels', '+@all'], RULES],
  ])('refuses a server started with %j', async (settings, sentence) => {
    const port = await startUnreachable(settings)
    expect(await contact(`redis://:password@127.0.0.1:${port}`)).toContain(sentence)
  })

  it('refuses a server that is no cluster, and one whose certificate nobody we trust signed', async () => {
    const server = await start()
    expect(await contact(`redis+cluster://127.0.0.1:${server.port}`)).toContain('is not a cluster')
    const certificate = await makeCertificate(join(folder, 'tls'))
    const secure = await startRedis({ ...options(), folder: join(folder, 'tls'), certificate })
    ends.push(secure.stop)
    const url = `rediss://localhost:${secure.port}`
    expect(await contact(url)).toContain('REDIS_CA')
    expect(await contact(url, { caFile: certificate.certFile })).toEqual([
      expect.stringContaining('appendonly'),
    ])
  })

  it('refuses a database that there is not, rather than to go on in another', async () => {
    const server = await start(['--databases', '4'])
    const url = (database: number) => `${urlOf(server)}/${database}`
    expect(await contact(url(99))).toContain('no database of this number')
    const storage = await open(url(3))
    await storage.set('key', 1, 60)
    expect(await server.cli('-n', '3', 'exists', 'gw:key')).toBe('1')
  })

  it('that lost its database does not go on in another one', async () => {
    const server = await start(['--databases', '4'])
    const storage = await open(`${urlOf(server)}/3`)
    await server.cli('acl', 'setuser', 'default', '-select')
    await server.cli('client', 'kill', 'type', 'normal')
    // This is longer than the pauses between attempts to connect.
    for (let times = 0; times < 100; times += 1) {
      await expectOutage(storage)
      await delay(15)
    }
    expect(await server.cli('--scan')).toBe('')
    await server.cli('acl', 'setuser', 'default', '+select')
    await soon(() => storage.set('key', 1, 60))
    expect(await server.cli('-n', '3', 'exists', 'gw:key')).toBe('1')
  })

  it('refuses sentinels that watch no such master, and what is no sentinel', async () => {
    const group = await startRedisGroup(options())
    ends.push(group.stop)
    const [sentinel] = group.sentinels
    const [server] = group.servers
    expect(await contact(`redis+sentinel://127.0.0.1:${sentinel?.port}/another`)).toContain(
      'no master of this name',
    )
    expect(await contact(`redis+sentinel://127.0.0.1:${server?.port}/${group.name}`)).toContain(
      'the server that answers is not a sentinel',
    )
    expect(await contact(`redis://127.0.0.1:${sentinel?.port}`)).toContain('redis+sentinel://')
  })

  it('succeeds while Redis is full, with a warning, and says what may not be done all the same', async () => {
    const server = await start(['--appendonly', 'yes', '--maxmemory', '1'])
    expect(await contact(urlOf(server))).toEqual([expect.stringContaining('Redis is full')])
    await server.cli('acl', 'setuser', 'default', '-set')
    expect(await contact(urlOf(server))).toContain(RULES)
  })

  it('warns of nothing with an append-only file', async () => {
    const server = await start(['--appendonly', 'yes'])
    expect(await contact(urlOf(server))).toEqual([])
  })

  it('a dump that is put back as docs/runbooks.md says is read, although the append-only file is on', async () => {
    const server = await start(['--appendonly', 'yes'])
    const storage = await open(urlOf(server))
    await fresh(storage)
    await storage.set('grant:before', { value: 1 }, 600)
    await server.cli('save')
    await storage.set('grant:after', { value: 2 }, 600)
    await server.kill()
    const script = blockOf(readPage('docs/runbooks.md'), 'script: dump into the append-only file')
    const { exitCode, errors } = await runBash(script, { environment: {}, folder })
    expect({ exitCode, errors }).toEqual({ exitCode: 0, errors: '' })
    await server.start()
    await fresh(storage)
    expect(await storage.get('grant:before')).toEqual({ value: 1 })
    expect(await storage.get('grant:after')).toBeUndefined()
    await storage.set('grant:later', { value: 3 }, 600)
    await server.kill()
    await server.start()
    await fresh(storage)
    expect(await storage.get('grant:later')).toEqual({ value: 3 })
  })

  /** A server that may not answer our own `PING`. */
  async function startUnreachable(settings: readonly string[]): Promise<number> {
    const server = await startRedis({
      ...options(),
      settings: [...settings, '--user', 'probe', 'on', '>probe', '~*', '&*', '+@all'],
      login: { user: 'probe', password: 'probe' },
    })
    ends.push(server.stop)
    return server.port
  }
})

describe.skipIf(isSkipped('redis-server'))('sentinels', () => {
  it('name another master: commands and announcements follow it', async () => {
    const group = await startRedisGroup(options())
    ends.push(group.stop)
    const hosts = group.sentinels.map(({ port }) => `127.0.0.1:${port}`).join(',')
    const url = `redis+sentinel://${hosts}/${group.name}`
    const [here, there] = [await open(url), await open(url)]
    await here.set('key', 1, 60)
    await fresh(here)

    await group.failover()
    await soon(() => here.set('key', 2, 60), 20_000)
    await fresh(here)
    await soon(() => there.set('key', 3, 60), 20_000)
    const watch = here.liveness.watch('id')
    await there.delete('grant:id')
    await soon(() => expect(watch.changed).toBe(true), 1000)

    const master = await group.master()
    await master.kill()
    await soon(() => here.set('key', 4, 60), 30_000)
    await fresh(here)
    await soon(async () => expect(await there.get('key')).toBe(4), 10_000)
    expect((await group.master()).port).not.toBe(master.port)
  })
})

describe.skipIf(isSkipped('redis-server'))('a cluster', () => {
  it('that loses a node is an outage for its keys, no half list, and heals', async () => {
    const cluster = await startRedisCluster({
      ...options(),
      settings: ['--appendonly', 'yes', '--appendfsync', 'always'],
    })
    ends.push(cluster.stop)
    const storage = await open(`redis+cluster://127.0.0.1:${cluster.nodes[0]?.port}`)
    const keys = Array.from({ length: 60 }, (_, n) => `key:${n}`)
    await Promise.all(keys.map((key) => storage.set(key, key, 60)))
    await fresh(storage)
    const list = async () => {
      const found: string[] = []
      for await (const [key] of storage.scan('key:')) found.push(key)
      return found.length
    }
    expect(await list()).toBe(60)

    await cluster.nodes[1]?.kill()
    await silent(storage)
    const results = await Promise.allSettled(keys.map((key) => storage.get(key)))
    for (const [index, result] of results.entries()) {
      if (result.status === 'fulfilled') expect(result.value).toBe(keys[index])
      else expect(result.reason).toBeInstanceOf(StorageUnavailable)
    }
    expect(results.some(({ status }) => status === 'rejected')).toBe(true)
    await expect(list()).rejects.toThrow(StorageUnavailable)

    await cluster.nodes[1]?.start()
    await soon(async () => expect(await list()).toBe(60), 20_000)
    await fresh(storage)
    for (const key of keys) expect(await storage.get(key)).toBe(key)
  })

  it('whose replica takes over goes on, and announcements reach every node', async () => {
    const cluster = await startRedisCluster({ ...options(), replicas: true })
    ends.push(cluster.stop)
    const url = `redis+cluster://127.0.0.1:${cluster.nodes[2]?.port}`
    const [here, there] = [await open(url), await open(url)]
    await here.set('key', 1, 60)
    await fresh(here)
    await cluster.nodes[0]?.kill()
    const keys = Array.from({ length: 30 }, (_, n) => `grant:${n}`)
    await soon(() => Promise.all(keys.map((key) => there.set(key, 1, 60))), 30_000)
    await soon(() => Promise.all(keys.map((key) => here.get(key))), 30_000)
    await fresh(here)
    for (const key of keys) {
      const watch = here.liveness.watch(key.slice('grant:'.length))
      await there.delete(key)
      await soon(() => expect(watch.changed).toBe(true), 1000)
    }
    expect(here.liveness.isFresh()).toBe(true)
  })
})
