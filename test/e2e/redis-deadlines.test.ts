/**
 * Redis stops in the very moment that a record is consumed, and continues later. If it consumed the record but its
 * answer was lost, Gatewarden gives the record back, or refuses it without harm (decisions K14, K15, K24).
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { LightMyRequestResponse } from 'fastify'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type RedisServer, startRedis } from '../../scripts/lib/redis.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { openRedis } from '../storage/place.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type Clock, createClock, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { createVisitor, webApp } from '../support/visitor.ts'
import { isSkipped, toolPath } from './support/tools.ts'

/** Redis continues while the connections still wait for it, or long after they were closed. */
const PAUSES = [
  { length: 'a moment', more: 0 },
  { length: 'some seconds', more: 3000 },
]

describe.skipIf(isSkipped('redis-server')).each(PAUSES)('Redis is away for $length', ({ more }) => {
  let folder: string
  let redis: RedisServer
  let clock: Clock
  let stores: readonly Storage[]
  let here: TestApp
  let elsewhere: TestApp
  let client: RegisteredClient
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatewarden-redis-'))
    redis = await startRedis({ binary: toolPath('redis-server'), folder })
  })
  afterAll(async () => {
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    clock = createClock()
    const url = `redis://127.0.0.1:${redis.port}`
    stores = await Promise.all([openRedis({ url }), openRedis({ url })])
    const [one, other] = stores
    if (!one || !other) throw new Error('there are two')
    const resources = [webApp('mcp.example.com'), webApp('far.example.org')]
    const changes = { resources, rateLimit: 0 }
    here = await buildTestApp(changes, { clock, storage: one })
    elsewhere = await buildTestApp(changes, { clock, storage: other })
    client = await register(here.app)
  })
  afterEach(() => Promise.all(stores.map((store) => store.close())))

  /** Stops Redis as soon as this process calls the method. */
  function stopAt(method: 'replace' | 'take'): void {
    const { storage } = here
    const step = storage[method]
    Object.assign(storage, {
      [method]: (...args: never) => {
        Object.assign(storage, { [method]: step })
        redis.pause()
        return Reflect.apply(step, storage, args)
      },
    })
  }

  /** Takes a step in which Redis stops; Redis continues once the answer, an outage, is there. */
  async function failing(step: () => Promise<LightMyRequestResponse>): Promise<void> {
    const answer = await step()
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    await delay(more)
    redis.resume()
  }

  /** Repeats in quick succession until there is an answer other than an outage. */
  async function retried(
    step: () => Promise<LightMyRequestResponse>,
  ): Promise<LightMyRequestResponse> {
    for (;;) {
      const answer = await step()
      if (answer.statusCode !== 503) return answer
      await delay(5)
    }
  }

  const obtainCode = async () =>
    codeOf(await signIn(createBrowser(here.app), authorizeUrl(client, { resource: RESOURCE })))
  const exchangeCode = (at: TestApp, code: string) =>
    redeem(at.app, client, code, { resource: RESOURCE })

  async function expectWorking(answer: LightMyRequestResponse): Promise<void> {
    expect([answer.statusCode, answer.json().error]).toEqual([200, undefined])
    const headers = { authorization: `Bearer ${answer.json().access_token}` }
    const checked = await retried(() => check(here.app, { ...headers, ...AT_RESOURCE }))
    expect(checked.statusCode).toBe(200)
  }

  it.each(['the same', 'the other'])(
    'K14: a code gets its tokens from %s replica',
    async (which) => {
      const code = await obtainCode()
      stopAt('replace')
      await failing(() => exchangeCode(here, code))
      const again = which === 'the same' ? here : elsewhere
      await expectWorking(await retried(() => exchangeCode(again, code)))
      // The code works only once.
      expect((await retried(() => exchangeCode(here, code))).statusCode).toBe(400)
    },
  )

  it.each(['the same', 'the other'])('K15: a refresh succeeds at %s replica', async (which) => {
    const first = (await exchangeCode(here, await obtainCode())).json()
    stopAt('replace')
    await failing(() => refresh(here.app, client, first.refresh_token))
    const again = which === 'the same' ? here : elsewhere
    const second = await retried(() => refresh(again.app, client, first.refresh_token))
    await expectWorking(second)
    await expectWorking(await refresh(here.app, client, second.json().refresh_token))
  })

  it('K24: a sign-in on its way to another host ends there, or is begun again', async () => {
    const visitor = createVisitor(here)
    const login = await visitor.open('https://far.example.org/page')
    stopAt('take')
    const arrived = await visitor.signIn(login)
    const [callback] = arrived.way.filter((address) => address.includes('/.gatewarden/callback'))
    expect(arrived.answer.statusCode).toBe(400)
    expect(arrived.answer.body).toContain('Sign in again')
    await delay(more)
    redis.resume()
    // Redis took the code and its answer was lost: the code works for no one.
    const again = await retried(() => visitor.step(callback ?? ''))
    expect(again.statusCode).toBe(302)
    expect(again.headers.location).toBe(arrived.url.href)
    expect(again.headers['set-cookie']).toBeUndefined()
  })
})

const RESOURCE = 'https://mcp.example.com'
const AT_RESOURCE = { 'x-forwarded-host': 'mcp.example.com', 'x-forwarded-uri': '/' }
