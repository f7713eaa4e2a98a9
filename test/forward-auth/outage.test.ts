import { describe, expect, it } from 'vitest'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { buildTestApp, createClock } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'

describe.each([
  ['seen before', true],
  ['not seen before', false],
])('with the store gone, a token %s', (_which, warm) => {
  it('is neither allowed nor called invalid: 503 with Retry-After', async () => {
    const { app, storage, logs } = await buildTestApp()
    const { tokens } = await obtainTokens(app)
    const authorization = `Bearer ${tokens.access_token}`
    if (warm) expect((await check(app, { authorization })).statusCode).toBe(200)
    await storage.close()
    for (let i = 0; i < 2; i += 1) {
      const answer = await check(app, { authorization })
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/)
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.headers).not.toHaveProperty('www-authenticate')
      expect(answer.headers).not.toHaveProperty('x-forwarded-user')
      expect(answer.json()).toMatchObject({ error: 'temporarily_unavailable' })
    }
    expect(logs.at(-1)).toMatchObject({ status: 503, reason: 'the store does not answer' })
  })
})

it('answers as before what it knows without the store', async () => {
  const { app, storage } = await buildTestApp()
  await storage.close()
  expect((await check(app)).statusCode).toBe(401)
  expect((await check(app, { authorization: 'Bearer x' })).statusCode).toBe(401)
  expect((await check(app, { authorization: 'Bearer ,' })).statusCode).toBe(400)
  expect((await check(app, { 'x-forwarded-host': 'elsewhere.test' })).statusCode).toBe(403)
})

it('fails closed and says nothing when something breaks that nobody foresaw', async () => {
  const { app, storage, logs } = await buildTestApp()
  const { tokens } = await obtainTokens(app)
  const authorization = `Bearer ${tokens.access_token}`
  storage.get = () => Promise.reject(new Error('a bug with details'))
  const answer = await check(app, { authorization })
  expect(answer.statusCode).toBe(500)
  expect(answer.body).not.toContain('details')
  expect(answer.headers).not.toHaveProperty('x-forwarded-user')
  expect(logs.filter(({ level }) => level === 50)).toHaveLength(1)
})

it('goes on by itself when the store is back', async () => {
  const clock = createClock()
  const memory = createMemoryStorage({ now: clock })
  let down = false
  const unlessDown = <Result>(ask: () => Result): Result => {
    if (down) throw new StorageUnavailable(new Error('no route to the store'))
    return ask()
  }
  const storage: Storage = {
    ...memory,
    get: async (key) => unlessDown(() => memory.get(key)),
    peek: (key) => unlessDown(() => memory.peek?.(key)),
    unchanged(key) {
      const ask = unlessDown(() => memory.unchanged?.(key))
      return () => unlessDown(() => ask?.() ?? false)
    },
  }
  const { app } = await buildTestApp({}, { clock, storage })
  const { tokens } = await obtainTokens(app)
  const authorization = `Bearer ${tokens.access_token}`
  for (const status of [200, 503, 200, 503, 503, 200]) {
    down = status === 503
    expect((await check(app, { authorization })).statusCode).toBe(status)
  }
})
