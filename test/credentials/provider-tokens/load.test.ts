import { randomUUID } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createCallBudget } from '../../../src/credentials/provider-tokens/call-budget.ts'
import { createProviderTokens } from '../../../src/credentials/provider-tokens/provider-tokens.ts'
import { createKeyring, sha256 } from '../../../src/crypto.ts'
import { NO_EVENTS } from '../../../src/events.ts'
import { createRateCounter } from '../../../src/http/rate-counter.ts'
import { createReach } from '../../../src/outbound/reach.ts'
import { createOidcProvider } from '../../../src/providers/oidc.ts'
import { ProviderFailure } from '../../../src/providers/provider.ts'
import { createProviderFetch } from '../../../src/providers/provider-fetch.ts'
import { createResourceTable } from '../../../src/resources/resource-table.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { type Clock, createClock, SECRET } from '../../support/build-app.ts'
import { startHostileProvider } from '../../support/hostile-provider.ts'
import { register } from '../../support/oauth-client.ts'
import { obtainTokensThere } from '../../support/provider-journey.ts'
import { ACCEPTING, type Accepting, startAccepting } from '../../support/provider-tokens.ts'
import { createRemoteStorage } from '../../support/remote-storage.ts'

const statuses = async (answers: readonly Promise<{ statusCode: number }>[]) =>
  (await Promise.all(answers)).map(({ statusCode }) => statusCode)
const many = <T>(count: number, make: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => make(index))

/** Every answer of the provider waits until the test releases it. */
function hang(test: Accepting, path = '/'): { release(): void; waiting(): number } {
  const held: (() => void)[] = []
  test.provider.lies.answer = (request, response) => {
    if (!request.url?.startsWith(path)) return false
    held.push(() => response.destroy())
    return true
  }
  return {
    waiting: () => held.length,
    release() {
      test.provider.lies = {}
      for (const end of held) end()
    },
  }
}

describe('the provider is asked once', () => {
  it('for everybody who brings one opaque token at the same time', async () => {
    const test = await startAccepting()
    const token = test.opaque()
    expect(await statuses(many(50, () => test.bring(token)))).toEqual(many(50, () => 200))
    expect(test.provider.asked('/introspect')).toBe(1)
    expect(test.provider.asked('/.well-known/openid-configuration')).toBe(1)
  })

  it('for its keys, however many signed tokens come first', async () => {
    const test = await startAccepting()
    const tokens = await Promise.all(many(50, () => test.token()))
    expect(await statuses(tokens.map((token) => test.bring(token)))).toEqual(many(50, () => 200))
    expect(test.provider.asked('/jwks')).toBe(1)
    expect(test.provider.asked('/.well-known/openid-configuration')).toBe(1)
  })

  it('T34: for the keys of a flood of tokens with made-up ones, and logins do not notice', async () => {
    const test = await startAccepting()
    expect((await test.bring(await test.token())).statusCode).toBe(200)
    const flood = async () => {
      const tokens = await Promise.all(
        many(50, () => test.provider.signToken(test.claims(), { kid: randomUUID() })),
      )
      return statuses(tokens.map((token) => test.bring(token)))
    }
    expect(await flood()).toEqual(many(50, () => 401))
    for (let i = 0; i < 3; i++) await flood()
    expect(test.provider.asked('/jwks')).toBe(2)
    const client = await register(test.app)
    await test.provider.rotateKeys()
    expect(await obtainTokensThere({ ...test, client, untrusted: client })).toHaveProperty(
      'access_token',
    )
    test.clock.advance(5)
    expect((await test.bring(await test.token())).statusCode).toBe(200)
  })

  it('about a refused token, for a few seconds', async () => {
    const test = await startAccepting()
    for (let i = 0; i < 20; i++) expect((await test.bring('made-up')).statusCode).toBe(401)
    expect(test.provider.asked('/introspect')).toBe(1)
    test.clock.advance(5)
    await test.bring('made-up')
    expect(test.provider.asked('/introspect')).toBe(2)
  })
})

describe('a flood of different made-up tokens', () => {
  it('reaches the provider only so often, and is told to wait', async () => {
    const test = await startAccepting()
    const codes: number[] = []
    for (let i = 0; i < 300; i++) codes.push((await test.bring(`made-up-${i}`)).statusCode)
    expect(codes.filter((code) => code === 401)).toHaveLength(103)
    expect(codes.filter((code) => code === 503)).toHaveLength(197)
    expect(test.provider.asked('/introspect')).toBe(103)
    test.clock.advance(1)
    expect((await test.bring('made-up-later')).statusCode).toBe(401)
  })

  it('never asks more than a few things at once', async () => {
    const test = await startAccepting()
    for (let i = 0; i < 3; i++) await test.bring(`made-up-early-${i}`)
    const stuck = hang(test, '/introspect')
    const answers = many(40, (index) => test.bring(`made-up-${index}`))
    while (stuck.waiting() < 16) await turn()
    const early = await Promise.all(answers.slice(16))
    expect(early.map(({ statusCode }) => statusCode)).toEqual(many(24, () => 503))
    expect(early[0]?.headers['retry-after']).toBe('2')
    expect(stuck.waiting()).toBe(16)
    stuck.release()
    expect(await statuses(answers.slice(0, 16))).toEqual(many(16, () => 503))
  })

  it('spends nothing for a question that is not asked', async () => {
    const test = await startAccepting()
    await test.bring('made-up')
    const stuck = hang(test, '/introspect')
    const answers = many(200, (index) => test.bring(`made-up-${index}`))
    while (stuck.waiting() < 16) await turn()
    await Promise.all(answers.slice(16))
    stuck.release()
    await Promise.all(answers)
    test.provider.lies = {}
    // The first three tokens of the address were asked about on its reserve (at21), sixteen more on the common budget.
    for (let i = 0; i < 84; i++) {
      expect((await test.bring(`made-up-later-${i}`)).statusCode).toBe(401)
    }
    expect((await test.bring('made-up-last')).statusCode).toBe(503)
  })

  it('does not end the tokens that were good before', async () => {
    const test = await startAccepting()
    const good = test.opaque()
    expect((await test.bring(good)).statusCode).toBe(200)
    test.clock.advance(60)
    for (let i = 0; i < 120; i++) await test.bring(`made-up-${i}`)
    expect((await test.bring('made-up-again')).statusCode).toBe(503)
    expect((await test.bring(good)).statusCode).toBe(200)
  })
})

describe('at21: a flood of made-up tokens from many addresses', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address })

  it('at21: leaves room for the first tokens of an address that sent none', async () => {
    const test = await startAccepting()
    for (let i = 0; i < 480; i++) {
      if (i % 16 === 0) test.clock.advance(0.25)
      await test.bring(`made-up-${i}`, from(`198.51.100.${i % 40}`))
    }
    expect((await test.bring('one-more', from('198.51.100.1'))).statusCode).toBe(503)
    expect((await test.bring(test.opaque(), from('192.0.2.1'))).statusCode).toBe(200)
  })

  it('counts a whole /48 as little more than one address', async () => {
    const test = await startAccepting()
    for (let i = 0; i < 400; i++) {
      if (i % 16 === 0) test.clock.advance(0.1)
      await test.bring(`made-up-${i}`, from(`2001:db8:1:${i.toString(16)}::1`))
    }
    expect((await test.bring(test.opaque(), from('192.0.2.1'))).statusCode).toBe(200)
  })

  it('reaches the provider as rarely as the budgets say', async () => {
    const test = await startAccepting()
    for (let i = 0; i < 400; i++) await test.bring(`made-up-${i}`, from(`198.51.${i % 200}.1`))
    expect(test.provider.asked('/introspect')).toBeLessThanOrEqual(150)
  })
})

describe('a provider that hangs', () => {
  it('keeps nobody else waiting', async () => {
    const test = await startAccepting({
      staticTokens: [{ name: 'ci', tokenHash: sha256('a-static-token') }],
    })
    const client = await register(test.app)
    const ours = await obtainTokensThere({ ...test, client, untrusted: client })
    const seen = await test.token()
    const opaque = test.opaque()
    for (const token of [seen, opaque]) expect((await test.bring(token)).statusCode).toBe(200)
    // The keys are older than they may be, and the next token asks for newer ones.
    test.clock.advance(5 * 60)
    const stuck = hang(test)
    const waiting = test.bring(test.opaque())
    while (stuck.waiting() < 1) await turn()
    const fresh = await test.token()
    const good = ['a-static-token', ours.access_token, seen, fresh]
    expect(await statuses(good.map((token) => test.bring(token)))).toEqual([200, 200, 200, 200])
    stuck.release()
    expect((await waiting).statusCode).toBe(503)
  })

  it('is waited for 5 s, and never lets anybody in', { timeout: 20_000 }, async () => {
    const test = await startAccepting()
    hang(test)
    const started = performance.now()
    const answer = await test.bring(await test.token())
    expect(performance.now() - started).toBeGreaterThan(4_000)
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('2')
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(answer.headers['x-forwarded-user']).toBeUndefined()
  })
})

describe('a provider that is down', () => {
  it.each([
    ['before its first token', 0],
    ['for longer than its keys may be old', 1],
  ])('is an outage %s, and no statement about the token', async (_when, seen) => {
    const test = await startAccepting()
    const token = await test.token()
    if (seen > 0) expect((await test.bring(token)).statusCode).toBe(200)
    await test.provider.stop()
    test.clock.advance(20 * 60)
    const down = await test.bring(token)
    expect(down.statusCode).toBe(503)
    expect(down.headers['retry-after']).toBe('2')
    expect(
      test.logs.filter(({ msg }) => msg === 'tokens of the provider cannot be judged'),
    ).toEqual([expect.objectContaining({ reason: expect.stringMatching(/cannot be reached/) })])
    await test.provider.start()
    test.clock.advance(4)
    expect((await test.bring(token)).statusCode).toBe(200)
  })

  it('is not needed for signed tokens while its keys are known', async () => {
    const test = await startAccepting()
    for (const minutes of [0, 50]) {
      test.clock.advance(minutes * 60)
      expect((await test.bring(await test.token())).statusCode).toBe(200)
    }
    await test.provider.stop()
    // The discovery document is more than an hour old by then.
    test.clock.advance(14 * 60)
    expect((await test.bring(await test.token())).statusCode).toBe(200)
  })
})

it('answers for a token it has seen at once, with the very credential of before', async () => {
  const provider = await startHostileProvider()
  const now = createClock()
  const resources = createResourceTable([ACCEPTING])
  const [notes] = resources.all
  if (!notes) throw new Error('no resource')
  const oidc = createOidcProvider({
    ...provider.config,
    name: 'A provider',
    outbound: createProviderFetch(createReach()),
    redirectUri: 'https://auth.example.com/callback',
    keyring: createKeyring(SECRET, { issuer: 'https://auth.example.com' }),
    now,
    elapsed: now.elapsed,
  })
  if (!oidc.tokens) throw new Error('no tokens')
  const source = createProviderTokens({
    authority: oidc.tokens,
    resources,
    publicUrl: 'https://auth.example.com',
    clientId: 'gatewarden',
    tokenClients: [],
    groupsClaim: 'groups',
    revokedBefore: () => 0,
    storage: {},
    clientAddress: () => '192.0.2.1',
    events: NO_EVENTS,
    providerId: 'oidc',
    now,
    elapsed: now.elapsed,
  })
  const at = Math.floor(now() / 1000)
  const token = await provider.signToken({
    iss: provider.issuer,
    azp: 'gatewarden',
    typ: 'Bearer',
    iat: at,
    exp: at + 3600,
    ...provider.person,
  })
  const cold = source.verify(token, notes)
  expect(cold).toBeInstanceOf(Promise)
  const credential = await cold
  expect(credential?.kind).toBe('verified')
  expect(source.verify(token, notes)).toBe(credential)
  // Another token with the same end is another token.
  expect(await source.verify(`x${token}`, notes)).toMatchObject({ kind: 'refused' })
})

describe('a budget of calls', () => {
  const call = async () => 'answer'
  const alone = (now: Clock) => createRateCounter({ group: 'g', max: 1e9, storage: {}, now })
  const named = { name: 'strangers' }
  it('fills again with time, and never above its size', async () => {
    const now = createClock()
    const budget = createCallBudget({
      ...named,
      atOnce: 10,
      perSecond: 2,
      burst: 3,
      counter: alone(now),
      elapsed: now.elapsed,
    })
    const spend = async (count: number) => {
      const results = await Promise.allSettled(many(count, () => budget.spend(call)))
      return results.filter(({ status }) => status === 'fulfilled').length
    }
    expect(await spend(5)).toBe(3)
    now.advance(1)
    expect(await spend(5)).toBe(2)
    now.advance(3600)
    expect(await spend(5)).toBe(3)
    await expect(budget.spend(call)).rejects.toBeInstanceOf(ProviderFailure)
  })

  it('gives a place back when a call fails', async () => {
    const now = createClock()
    const budget = createCallBudget({
      ...named,
      atOnce: 1,
      perSecond: 1,
      burst: 10,
      counter: alone(now),
      elapsed: now.elapsed,
    })
    for (let i = 0; i < 3; i++) {
      await expect(budget.spend(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
    }
    expect(await budget.spend(call)).toBe('answer')
  })

  it('is one for all replicas, by the minute', async () => {
    const now = createClock()
    const remote = createRemoteStorage(now)
    const replica = (store: Pick<Storage, 'count'>) =>
      createCallBudget({
        ...named,
        atOnce: 10,
        perSecond: 1,
        burst: 100,
        counter: createRateCounter({ group: 'provider', max: 1e9, storage: store, now }),
        elapsed: now.elapsed,
      })
    const [one, other] = [replica(remote), replica(remote)]
    for (let i = 0; i < 30; i++) {
      await one.spend(call)
      await other.spend(call)
    }
    await expect(one.spend(call)).rejects.toBeInstanceOf(ProviderFailure)
    await expect(other.spend(call)).rejects.toBeInstanceOf(ProviderFailure)
    remote.isDown = true
    expect(await one.spend(call)).toBe('answer')
  })
})
