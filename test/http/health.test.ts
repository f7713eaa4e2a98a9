import { describe, expect, it } from 'vitest'
import { buildTestApp, createClock } from '../support/build-app.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'

describe('/healthz', () => {
  it('says that the process answers, on whatever host', async () => {
    const { app } = await buildTestApp()
    for (const host of ['auth.example.com', '10.0.0.7:8080', 'x']) {
      const answer = await app.inject({ url: '/healthz', headers: { host } })
      expect(answer.statusCode).toBe(200)
      expect(answer.json()).toEqual({ status: 'ok' })
    }
  })

  it('sa6: answers at /health too, which the health checks of mcpauth ask', async () => {
    const { app } = await buildTestApp()
    expect((await app.inject('/health')).json()).toEqual({ status: 'ok' })
  })

  it('says so without a store', async () => {
    const { app, storage } = await buildTestApp()
    await storage.close()
    expect((await app.inject('/healthz')).statusCode).toBe(200)
  })

  it('GHSA-5hvv-m4w4-gf6v: says nothing about a request', async () => {
    const { app } = await buildTestApp()
    for (const url of ['/healthz', '/readyz']) {
      const answer = await app.inject({
        url,
        headers: { 'user-agent': 'GoogleHC/1.0', 'x-forwarded-user': 'root' },
      })
      const names = Object.keys(answer.headers).filter((name) => /^x-/.test(name))
      // Its number is a count of ours.
      expect(names).toEqual(['x-request-id'])
    }
  })
})

describe('/readyz', () => {
  it('says that the store is up', async () => {
    const { app } = await buildTestApp()
    const answer = await app.inject('/readyz')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ status: 'ready', store: 'up' })
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('stays 200 and says so when the store is lost later, so that not every replica is taken out', async () => {
    const { app, storage } = await buildTestApp()
    await storage.close()
    const answer = await app.inject('/readyz')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ status: 'ready', store: 'down' })
  })

  it('answers within the second that probes wait for, whatever the store takes', async () => {
    const clock = createClock()
    const storage = createRemoteStorage(clock)
    const { app } = await buildTestApp({}, { clock, storage })
    storage.hold = new Promise(() => {})
    const startedAt = performance.now()
    const answer = await app.inject('/readyz')
    expect(performance.now() - startedAt).toBeLessThan(900)
    expect(answer.json()).toEqual({ status: 'ready', store: 'down' })
  })
})

it.each(['/metrics', '/admin', '/admin/', '/debug/pprof', '/status', '/api', '/'])(
  'T29: there is nothing at %s of the public listener',
  async (url) => {
    const { app } = await buildTestApp()
    expect((await app.inject({ url, headers: { host: 'auth.example.com' } })).statusCode).toBe(404)
  },
)
