import { describe, expect, it } from 'vitest'
import { EVENTS } from '../../src/events.ts'
import type { Records } from '../../src/records/records.ts'
import { createSessionActivity } from '../../src/sessions/activity.ts'
import { buildTestApp, createClock, testConfig } from '../support/build-app.ts'
import { check } from '../support/oauth-client.ts'
import { recordEvents } from '../support/recorded-events.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { makeSession } from '../support/session.ts'

const HOUR = 3600
const { lifetimes } = testConfig()

/** Sessions of a day that end after an hour without use. */
async function signedIn() {
  const test = await buildTestApp({
    lifetimes: { ...lifetimes, session: 24 * HOUR, sessionIdle: HOUR },
  })
  const session = await makeSession(test)
  const status = async () => (await check(test.app, { cookie: session.cookie })).statusCode
  const reason = () => test.logs.findLast(({ msg }) => msg === 'decision')?.reason
  return { ...session, test, status, reason }
}

describe('a session that is not used', () => {
  it('ends after the idle time, to the second', async () => {
    const { test, status, reason } = await signedIn()
    test.clock.advance(HOUR - 1)
    expect(await status()).toBe(200)
    test.clock.advance(HOUR)
    expect(await status()).toBe(401)
    expect(reason()).toBe('the session was idle for too long')
    expect(await status()).toBe(401)
  })

  it('ends though it was never checked, and a restart does not wake it up', async () => {
    const { test, status, reason, cookie } = await signedIn()
    test.clock.advance(HOUR)
    expect(await status()).toBe(401)
    expect(reason()).toBe('the session was idle for too long')
    const { app } = await test.restart()
    expect((await check(app, { cookie })).statusCode).toBe(401)
  })

  it('that was never in use, since nobody made it here, is refused', async () => {
    const { test, status, grant } = await signedIn()
    await test.storage.delete(`session:${grant.id}`)
    expect(await status()).toBe(401)
  })
})

describe('a session in use', () => {
  it('lives on, and ends with its own time all the same', async () => {
    const { test, status, reason } = await signedIn()
    for (let minutes = 0; minutes < 24 * 60 - 30; minutes += 30) {
      expect(await status()).toBe(200)
      test.clock.advance(HOUR / 2)
    }
    test.clock.advance(HOUR / 2 - 1)
    expect(await status()).toBe(200)
    test.clock.advance(1)
    expect(await status()).toBe(401)
    expect(reason()).toBe('the session has expired')
  })

  it('is refused while nobody asks and the clock runs on beyond its time', async () => {
    const { test, status, grant, records } = await signedIn()
    expect(await status()).toBe(200)
    await records.sessions.touch(grant.id, 48 * HOUR)
    test.clock.advance(24 * HOUR)
    expect(await status()).toBe(401)
  })

  it('is renewed in the store once in a sixteenth of the idle time, however many requests come', async () => {
    const { test, status } = await signedIn()
    const set = test.storage.set.bind(test.storage)
    let writes = 0
    test.storage.set = (...record) => {
      if (record[0].startsWith('session:')) writes += 1
      return set(...record)
    }
    for (let i = 0; i < 20; i++) expect(await status()).toBe(200)
    expect(writes).toBe(1)
    test.clock.advance(HOUR / 16 - 1)
    expect(await status()).toBe(200)
    expect(writes).toBe(1)
    test.clock.advance(1)
    for (let i = 0; i < 20; i++) expect(await status()).toBe(200)
    expect(writes).toBe(2)
  })

  it('is not disturbed by a store that cannot renew it, which is only logged at debug', async () => {
    const clock = createClock()
    const events = recordEvents()
    const touched: number[] = []
    const sessions: Records['sessions'] = {
      async touch(_id, lifetime) {
        touched.push(lifetime)
        throw new Error('the disk is full')
      },
      isActive: async () => true,
    }
    const activity = createSessionActivity({
      sessions,
      idle: 1600,
      events,
      now: clock,
      elapsed: clock.elapsed,
    })
    const grant = {
      ...(await signedIn()).grant,
      expiresAt: Math.floor(clock() / 1000) + 400,
    }
    activity.renew(grant)
    await new Promise((resolve) => setImmediate(resolve))
    // The session never outlives the grant.
    expect(touched).toEqual([400])
    expect(events.emitted.map(({ event }) => EVENTS[event].level)).toEqual(['debug'])
  })
})

it('K29: a session seen before is answered without reading the store over a promise', async () => {
  const { test, status } = await signedIn()
  expect(await status()).toBe(200)
  const unused = async () => {
    throw new Error('a warm check does no I/O')
  }
  Object.assign(test.storage, { get: unused, set: unused, create: unused, replace: unused })
  expect(await status()).toBe(200)
})

describe('on a store that cannot peek', () => {
  async function remote() {
    const clock = createClock()
    const storage = createRemoteStorage(clock)
    const own = await buildTestApp({}, { clock })
    for await (const [key, value] of own.storage.scan('')) await storage.set(key, value, 'forever')
    const changes = { lifetimes: { ...lifetimes, session: 24 * HOUR, sessionIdle: HOUR } }
    const test = await buildTestApp(changes, { clock, storage })
    const session = await makeSession(test)
    const status = async () => (await check(test.app, { cookie: session.cookie })).statusCode
    const live = (seconds: number) => {
      clock.advance(seconds)
      storage.beat()
    }
    return { ...session, test, storage, status, live }
  }

  it('a session seen before asks for nothing while heartbeats arrive, but ends at once', async () => {
    const { status, live, storage, records, grant } = await remote()
    expect(await status()).toBe(200)
    storage.asked = 0
    for (let i = 0; i < 10; i++) {
      live(1)
      expect(await status()).toBe(200)
    }
    expect(storage.asked).toBe(0)
    await records.grants.revoke(grant.id)
    expect(await status()).toBe(401)
  })

  it('a session that another process saw in use lives on here, and a session that none saw ends', async () => {
    const { status, live, records, grant } = await remote()
    expect(await status()).toBe(200)
    live(HOUR / 2)
    await records.sessions.touch(grant.id, HOUR)
    live(HOUR / 2)
    expect(await status()).toBe(200)
    live(HOUR)
    expect(await status()).toBe(401)
  })

  it('an outage is bridged for one that is in use', async () => {
    const { status, test, storage } = await remote()
    expect(await status()).toBe(200)
    storage.isDown = true
    test.clock.advance(30)
    expect(await status()).toBe(200)
    test.clock.advance(60)
    expect(await status()).toBe(503)
  })
})

it('a store that does not answer is an outage, never a refusal', async () => {
  const { StorageUnavailable } = await import('../../src/storage/storage.ts')
  const { test, cookie } = await signedIn()
  const { app } = await test.restart()
  test.storage.get = async () => {
    throw new StorageUnavailable('down')
  }
  const answer = await check(app, { cookie })
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('2')
})
