import { beforeEach, describe, expect, it } from 'vitest'
import { loadSigningKeys } from '../../src/oauth/tokens/signing-keys.ts'
import { createRecords } from '../../src/records/records.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { buildTestApp, type Clock, createClock, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { createRemoteStorage, type RemoteStorage } from '../support/remote-storage.ts'
import { keyDeps, testKeyring } from '../support/signing.ts'

/** The signing keys of all tests: making them takes longer than most tests. */
const signingKeys = createMemoryStorage({ now: createClock() })
for (const algorithm of ['ES256', 'RS256'] as const) {
  await loadSigningKeys(keyDeps({ storage: signingKeys, now: createClock() }, { algorithm }))
}

async function buildOn(remote: RemoteStorage): Promise<TestApp['app']> {
  for await (const [key, value] of signingKeys.scan('')) await remote.set(key, value, 'forever')
  return (await buildTestApp({}, { clock, storage: remote })).app
}

let clock: Clock
let storage: RemoteStorage
let app: TestApp['app']
let authorization: string

beforeEach(async () => {
  clock = createClock()
  storage = createRemoteStorage(clock)
  app = await buildOn(storage)
  authorization = await signIn()
  expect(await status()).toBe(200)
  storage.asked = 0
})

const signIn = async () => `Bearer ${(await obtainTokens(app)).tokens.access_token}`
const answer = () => check(app, { authorization })
const status = async () => (await answer()).statusCode
const revoke = async () => {
  const { grants } = createRecords(storage, { keyring: testKeyring() })
  for await (const grant of grants.all()) await grants.revoke(grant.id)
  storage.asked = 0
}
/** Advances the clock, with a heartbeat at the end. */
const live = (seconds: number) => {
  clock.advance(seconds)
  storage.beat()
}

describe('a token seen before, on a store that cannot peek', () => {
  it('passes without asking the store while heartbeats arrive', async () => {
    for (let second = 0; second < 100; second += 1) {
      live(1)
      expect(await status()).toBe(200)
    }
    expect(storage.asked).toBe(0)
  })

  it('still passes so a second after the last heartbeat, and asks the store from then on', async () => {
    clock.advance(1)
    expect(await status()).toBe(200)
    expect(storage.asked).toBe(0)
    clock.advance(0.001)
    for (let n = 1; n <= 3; n += 1) {
      expect(await status()).toBe(200)
      expect(storage.asked).toBeGreaterThanOrEqual(n)
    }
  })

  it.each([-3600, -0.5, 60])(
    'ed6: is as fresh as before when the clock is set by %d s',
    async (seconds) => {
      clock.advance(0.9)
      clock.set(seconds)
      expect(await status()).toBe(200)
      expect(storage.asked).toBe(0)
      clock.advance(0.101)
      expect(await status()).toBe(200)
      expect(storage.asked).toBeGreaterThan(0)
    },
  )

  it.each([-3600, 3000])(
    'ed6: an outage is bridged for as long as before when the clock is set by %d s',
    async (seconds) => {
      storage.isDown = true
      clock.set(seconds)
      clock.advance(60)
      expect(await status()).toBe(200)
      clock.advance(0.001)
      expect(await status()).toBe(503)
    },
  )

  it('is refused at the next check after its revocation was announced', async () => {
    await revoke()
    expect((await answer()).json()).toMatchObject({ error: 'invalid_token' })
  })

  it('is refused within a second of a revocation that was never heard of', async () => {
    storage.isDeaf = true
    await revoke()
    clock.advance(1.001)
    expect(await status()).toBe(401)
    storage.isDown = true
    expect(await status()).toBe(503)
  })

  it('is read anew when what is known of the person was changed', async () => {
    for await (const [key, value] of storage.scan('identity:')) await storage.set(key, value, 60)
    storage.asked = 0
    expect(await status()).toBe(200)
    expect(storage.asked).toBeGreaterThan(0)
  })

  it('is not kept when its grant was revoked while it was read', async () => {
    live(0)
    authorization = await signIn()
    let release = () => {}
    storage.hold = new Promise((resolve) => {
      release = resolve
    })
    const first = answer()
    await new Promise(setImmediate)
    while (storage.asked === 0) await new Promise(setImmediate)
    await revoke()
    release()
    await first
    expect(await status()).toBe(401)
  })

  it('is read anew after announcements may have been missed, before anything else', async () => {
    storage.isDeaf = true
    await revoke()
    storage.isDeaf = false
    storage.liveness.end()
    storage.liveness.begin()
    live(0)
    expect(await status()).toBe(401)
  })
})

describe('while the store does not answer', () => {
  beforeEach(() => {
    storage.isDown = true
    storage.isDeaf = true
  })

  it('a token seen before passes until MAX_STALE after the last heartbeat, then it is 503', async () => {
    clock.advance(60)
    expect(await status()).toBe(200)
    clock.advance(0.001)
    const late = await answer()
    expect([late.statusCode, late.headers['retry-after']]).toEqual([503, expect.any(String)])
    expect(late.headers['www-authenticate']).toBeUndefined()
    storage.isDown = false
    expect(await status()).toBe(200)
  })

  it('a token that was never seen is 503, not refused', async () => {
    storage.isDown = false
    authorization = await signIn()
    clock.advance(1.001)
    storage.isDown = true
    expect(await status()).toBe(503)
  })

  it('a token that was first seen in the silence is 503', async () => {
    storage.isDown = false
    clock.advance(1.001)
    authorization = await signIn()
    expect(await status()).toBe(200)
    storage.isDown = true
    expect(await status()).toBe(503)
  })

  it('a token that was refused in the silence stays so', async () => {
    storage.isDown = false
    await revoke()
    clock.advance(1.001)
    expect(await status()).toBe(401)
    storage.isDown = true
    expect(await status()).toBe(503)
  })

  it('a token whose revocation was heard is 503', async () => {
    storage.isDeaf = false
    storage.isDown = false
    await revoke()
    storage.isDown = true
    clock.advance(1.001)
    expect(await status()).toBe(503)
  })

  it('a token expires all the same', async () => {
    storage.isDown = false
    storage.isDeaf = false
    live(3599)
    expect(await status()).toBe(200)
    storage.isDown = true
    clock.advance(1)
    expect(await status()).toBe(401)
  })

  it('a token seen before passes although connections come and go, until one proves itself by a heartbeat', async () => {
    for (let second = 0; second < 60; second += 2) {
      clock.advance(2)
      storage.liveness.end()
      storage.liveness.begin()
      expect(await status()).toBe(200)
    }
    storage.isDeaf = false
    live(0)
    expect(await status()).toBe(503)
  })
})

describe('when announcements come from another server than reads', () => {
  it('a reading is not kept, and the store is asked again once both are the same server', async () => {
    live(0)
    authorization = await signIn()
    storage.liveness.end()
    storage.liveness.begin()
    expect(await status()).toBe(200)
    // The revocation was announced where nobody listened.
    storage.isDeaf = true
    await revoke()
    storage.isDeaf = false
    live(0)
    expect(await status()).toBe(401)
  })

  it('a reading that had already begun is not kept either', async () => {
    live(0)
    authorization = await signIn()
    storage.liveness.end()
    storage.liveness.begin()
    let release = () => {}
    storage.hold = new Promise((resolve) => {
      release = resolve
    })
    storage.asked = 0
    const first = answer()
    while (storage.asked === 0) await new Promise(setImmediate)
    storage.isDeaf = true
    await revoke()
    storage.isDeaf = false
    live(0)
    storage.hold = undefined
    release()
    await first
    expect(await status()).toBe(401)
  })
})

it('MAX_STALE=0 bridges nothing', async () => {
  storage = createRemoteStorage(clock, 0)
  app = await buildOn(storage)
  authorization = await signIn()
  expect(await status()).toBe(200)
  storage.isDown = true
  clock.advance(1.001)
  expect(await status()).toBe(503)
})

describe('ed36: a replica that is cut off from the store', () => {
  async function cutOff(maxStale: number) {
    const own = createRemoteStorage(clock, maxStale)
    for await (const [key, value] of signingKeys.scan('')) await own.set(key, value, 'forever')
    const test = await buildTestApp({ maxStale }, { clock, storage: own })
    const bearer = { authorization: `Bearer ${(await obtainTokens(test.app)).tokens.access_token}` }
    const ask = async () => (await check(test.app, bearer)).statusCode
    expect(await ask()).toBe(200)
    own.isDeaf = true
    own.isDown = true
    const warnings = () =>
      test.logs.filter(({ msg }) => String(msg).includes('stay accepted for MAX_STALE')).length
    return { own, ask, warnings }
  }

  it('says once that it accepts known tokens, and once more in the next outage', async () => {
    const { own, ask, warnings } = await cutOff(60)
    expect(await ask()).toBe(200)
    expect(warnings()).toBe(0)
    for (let second = 0; second < 60; second += 5) {
      clock.advance(5)
      expect(await ask()).toBe(200)
      expect(warnings()).toBe(1)
    }
    clock.advance(1)
    expect(await ask()).toBe(503)
    own.isDown = false
    own.isDeaf = false
    own.beat()
    expect(await ask()).toBe(200)
    own.isDown = true
    clock.advance(2)
    expect(await ask()).toBe(200)
    expect(warnings()).toBe(2)
  })

  it('accepts nothing with MAX_STALE=0, at no moment, and says nothing', async () => {
    const { own, ask, warnings } = await cutOff(0)
    for (const seconds of [1.001, 0.001, 60]) {
      clock.advance(seconds)
      expect(await ask()).toBe(503)
    }
    expect(own.liveness.isBridgeable()).toBe(false)
    own.liveness.heartbeat(clock.elapsed())
    expect(own.liveness.isBridgeable()).toBe(false)
    expect(warnings()).toBe(0)
  })
})
