/**
 * Gatewarden and Redis start in any order; a Redis that cannot hold the store ends the start with a message.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type RunningGatewarden, startGatewarden } from '../../scripts/lib/gatewarden.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { type RedisServer, startRedis } from '../../scripts/lib/redis.ts'
import { HASH } from '../config/harness.ts'
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

async function start(settings: readonly string[] = []): Promise<RedisServer> {
  const server = await startRedis({ binary: toolPath('redis-server'), folder, settings })
  ends.push(server.stop)
  return server
}

async function startOn(
  server: RedisServer,
  until: '/readyz' | '/healthz',
  database = 0,
): Promise<RunningGatewarden> {
  const port = await freePort()
  const running = await startGatewarden({
    until,
    folder: join(folder, 'gatewarden'),
    listen: { host: '127.0.0.1', port },
    file: { users: { ann: { email: 'ann@example.com', password_hash: HASH } } },
    settings: {
      PUBLIC_URL: `http://127.0.0.1:${port}`,
      RESOURCES: `http://127.0.0.1:${port}/mcp`,
      ALLOWED_EMAILS: '*',
      REDIS_URL: `redis://127.0.0.1:${server.port}/${database}`,
      SECRET: 'a root secret for tests, long enough to be one',
    },
  })
  ends.push(running.stop)
  return running
}

describe.skipIf(isSkipped('redis-server'))('a start', () => {
  it('before Redis is there waits: alive, not ready, 503 for the rest; then it serves', async () => {
    const server = await start()
    await server.kill()
    const running = await startOn(server, '/healthz')
    const ask = async (path: string) => {
      const answer = await fetch(`http://${running.address}${path}`)
      return [answer.status, await answer.json()]
    }
    expect(await ask('/readyz')).toEqual([503, { status: 'starting', store: 'down' }])
    const check = await fetch(`http://${running.address}/auth`)
    expect([check.status, check.headers.get('retry-after')]).toEqual([503, '1'])

    await server.start()
    const ready = [200, { status: 'ready', store: 'up' }]
    const isReady = async () => expect(await ask('/readyz')).toEqual(ready)
    await vi.waitFor(isReady, { timeout: 10_000, interval: 50 })
    expect(await ask('/jwks')).toEqual([
      200,
      {
        keys: [expect.objectContaining({ kty: 'EC' }), expect.objectContaining({ kty: 'RSA' })],
      },
    ])
    expect(running.log()).toContain('appendonly')

    await server.kill()
    expect(await ask('/readyz')).toEqual([200, { status: 'ready', store: 'down' }])
    await running.stop()
    expect(await running.exited).toBe(0)
  })

  it('ends at a signal while it waits', async () => {
    const server = await start()
    await server.kill()
    const running = await startOn(server, '/healthz')
    await running.stop()
    expect(await running.exited).toBe(0)
  })

  it('ends with a sentence where Redis may forget what it holds', async () => {
    const server = await start(['--maxmemory-policy', 'allkeys-lru'])
    await expect(startOn(server, '/readyz')).rejects.toThrow(
      'REDIS_URL: Redis has maxmemory-policy allkeys-lru',
    )
  })

  it('ends with a sentence where there is no such database', async () => {
    const server = await start()
    await expect(startOn(server, '/readyz', 99)).rejects.toThrow(
      'REDIS_URL: Redis has no database of this number',
    )
  })

  it('while Redis is full succeeds, with the keys that are there, and says that it is full', async () => {
    const server = await start()
    const first = await startOn(server, '/readyz')
    const keys = async ({ address }: RunningGatewarden) =>
      (await fetch(`http://${address}/jwks`)).json()
    const before = await keys(first)
    await first.stop()
    await server.cli('config', 'set', 'maxmemory', '1')
    const second = await startOn(server, '/readyz')
    expect(await keys(second)).toEqual(before)
    expect(second.log()).toContain('Redis is full')
  })
})
