import { describe, expect, it } from 'vitest'
import { replaceSigningKeys, SigningKeyUnreadable } from '../../src/oauth/tokens/signing-keys.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { buildTestApp, createClock, SECRET, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens, refresh } from '../support/oauth-client.ts'
import { keyDeps, testKeyring } from '../support/signing.ts'
import { storedRecords } from '../support/stored.ts'

const NEXT_SECRET = 'the next root secret, just as long'

const jwksOf = async ({ app }: TestApp) => (await app.inject('/jwks')).json()

it('survives a restart: the same keys, and tokens that still count', async () => {
  const before = await buildTestApp()
  const { tokens } = await obtainTokens(before.app)
  const after = await before.restart()
  expect(await jwksOf(after)).toEqual(await jwksOf(before))
  const answer = await check(after.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(answer.statusCode).toBe(200)
})

it('is the same for processes that start together on an empty store', async () => {
  const clock = createClock()
  const storage = createMemoryStorage({ now: clock })
  const apps = await Promise.all([1, 2, 3].map(() => buildTestApp({}, { clock, storage })))
  const [first, ...others] = await Promise.all(apps.map(jwksOf))
  expect(first.keys.map(({ alg }: { alg: string }) => alg)).toEqual(['ES256', 'RS256'])
  for (const other of others) expect(other).toEqual(first)
})

it('is nowhere in the store in the clear', async () => {
  const clock = createClock()
  const storage = createMemoryStorage({ now: clock })
  const gateway = await buildTestApp({}, { clock, storage })
  const { keys } = await jwksOf(gateway)
  const stored = JSON.stringify(await storedRecords(storage))
  expect(stored).toContain('signing-key:')
  expect(stored).not.toContain('PRIVATE KEY')
  for (const { n, x } of keys) expect(stored).not.toContain(n ?? x)
})

it('stops the start when no secret opens it, and leaves it as it is', async () => {
  const { storage, clock } = await buildTestApp()
  const before = await storedRecords(storage)
  const start = buildTestApp({}, { storage, clock, secret: NEXT_SECRET })
  await expect(start).rejects.toThrow(SigningKeyUnreadable)
  expect(await storedRecords(storage)).toEqual(before)
})

it('moves to the new secret at a start with both; tokens of the old one count until it is forgotten', async () => {
  const before = await buildTestApp()
  const { tokens } = await obtainTokens(before.app)
  const reuse = { storage: before.storage, clock: before.clock, secret: NEXT_SECRET }
  const authorization = `Bearer ${tokens.access_token}`
  const between = await buildTestApp({ secretPrevious: [SECRET] }, reuse)
  expect((await check(between.app, { authorization })).statusCode).toBe(200)
  const after = await buildTestApp({}, reuse)
  expect(await jwksOf(after)).toEqual(await jwksOf(before))
  // The MAC in its header is of the old secret (decision K34).
  expect((await check(after.app, { authorization })).statusCode).toBe(401)
})

it('changes replica by replica, in two rounds, without a refusal in between', async () => {
  const { storage, clock } = await buildTestApp()
  const replica = (secret: string, other: string) =>
    buildTestApp({ secretPrevious: [other] }, { storage, clock, secret })
  const rounds = [
    [await buildTestApp({}, { storage, clock }), await replica(SECRET, NEXT_SECRET)],
    [await replica(SECRET, NEXT_SECRET), await replica(NEXT_SECRET, SECRET)],
    [await replica(NEXT_SECRET, SECRET), await replica(NEXT_SECRET, SECRET)],
  ]
  for (const [one, other] of rounds) {
    if (!one || !other) throw new Error('a round is of two')
    // A client registers, signs in and redeems at one, then uses and refreshes its token at the other.
    for (const [from, to] of [
      [one, other],
      [other, one],
    ] as const) {
      const { client, tokens } = await obtainTokens(from.app)
      const authorization = `Bearer ${tokens.access_token}`
      expect((await check(to.app, { authorization })).statusCode).toBe(200)
      expect((await refresh(to.app, client, tokens.refresh_token)).statusCode).toBe(200)
    }
  }
})

it('is unknown, not an error, to a replica that was not told of its secret', async () => {
  const old = await buildTestApp()
  const reuse = { storage: old.storage, clock: old.clock, secret: NEXT_SECRET }
  await buildTestApp({ secretPrevious: [SECRET] }, reuse)
  const { tokens } = await obtainTokens(old.app)
  const renamed = { alg: 'ES256', typ: 'at+jwt', kid: 'n'.repeat(43) }
  const [, payload] = tokens.access_token.split('.')
  const gw = testKeyring().mac('token-mac/at+jwt', `${JSON.stringify(renamed)}.${payload}`, 16)
  const header = Buffer.from(JSON.stringify({ ...renamed, gw })).toString('base64url')
  const forged = tokens.access_token.replace(/^[^.]+/, header)
  const answer = await check(old.app, { authorization: `Bearer ${forged}` })
  expect(answer.statusCode).toBe(401)
})

describe('a token that another process signed with its new key', () => {
  /** A gateway that does not know the key of `authorization` yet. */
  async function unaware() {
    const clock = createClock()
    const storage = createMemoryStorage({ now: clock })
    const state = { isAway: false, reads: 0 }
    const scan: Storage['scan'] = async function* (prefix) {
      state.reads += 1
      if (state.isAway) throw new StorageUnavailable(new Error('away'))
      yield* storage.scan(prefix)
    }
    const { app } = await buildTestApp({}, { clock, storage: { ...storage, scan } })
    clock.advance(60)
    await replaceSigningKeys(keyDeps({ storage, now: clock }))
    const other = await buildTestApp({}, { clock, storage })
    const { tokens } = await obtainTokens(other.app)
    const ask = () => check(app, { authorization: `Bearer ${tokens.access_token}` })
    state.reads = 0
    return { ask, clock, state }
  }

  it('is good for each of many checks at once', async () => {
    const { ask, state } = await unaware()
    const answers = await Promise.all(Array.from(Array(8), ask))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200))
    // Read once for all checks, and once more to be sure that the earlier key is gone.
    expect(state.reads).toBe(2)
  })

  it('is not called bad while the store is away, however often it is asked', async () => {
    const { ask, clock, state } = await unaware()
    state.isAway = true
    const answers = [await ask(), await ask(), ...(await Promise.all([ask(), ask()]))]
    for (const { statusCode, headers } of answers) {
      expect(statusCode).toBe(503)
      expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    }
    expect(state.reads).toBe(1)
    state.isAway = false
    clock.advance(1)
    expect((await ask()).statusCode).toBe(200)
  })
})
