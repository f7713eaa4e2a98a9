/** `CLIENT_TOKENS=provider` (B17): clients get the provider's own tokens (decision 0062). */
import { describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { createBrowser, formAction, hiddenField, refreshTarget } from '../support/browser.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { beginDevice, poll, registerDevice, typeCode } from '../support/device.ts'
import {
  check,
  codeOf,
  introspect,
  redeem,
  refresh,
  register,
  revoke,
  type Tokens,
} from '../support/oauth-client.ts'
import { asking, cameBack, isFailedSignIn, signInThere } from '../support/provider-journey.ts'
import { ACCEPTING } from '../support/provider-tokens.ts'
import { type RelayJourney, startRelay } from '../support/relay.ts'
import { decide } from '../support/steps.ts'
import { storedKeys, storedRecords } from '../support/stored.ts'

async function tokensOf(journey: RelayJourney): Promise<Tokens> {
  const answer = await redeem(journey.app, journey.client, codeOf(await signInThere(journey)))
  expect(answer.statusCode, answer.body).toBe(200)
  return answer.json()
}

/** A provider whose access tokens only introspection can read. */
async function startOpaque(): Promise<RelayJourney> {
  const journey = await startRelay()
  const { provider, clock } = journey
  let count = 0
  provider.issues = async () => {
    count += 1
    const now = Math.floor(clock() / 1000)
    provider.introspected.set(`opaque-${count}`, {
      aud: 'gatewarden',
      scope: 'openid',
      iat: now,
      exp: now + 300,
      ...provider.person,
    })
    return `opaque-${count}`
  }
  return journey
}

const renewed = (journey: RelayJourney, { refresh_token }: Tokens, client = journey.client) =>
  refresh(journey.app, client, refresh_token)

const statusOf = async ({ app }: RelayJourney, token: string) =>
  (await check(app, { authorization: `Bearer ${token}` })).statusCode

describe("a client that gets the provider's own token", () => {
  it('uses it at the server, and gets nothing else of the provider', async () => {
    const journey = await startRelay()
    const answer = await redeem(journey.app, journey.client, codeOf(await signInThere(journey)))
    expect(answer.json()).toEqual({
      access_token: journey.issued[0],
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'openid email profile',
      refresh_token: expect.stringMatching(/^[\w-]+\.1\.[\w-]{43}$/),
    })
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.body).not.toContain([...journey.provider.refreshTokens][0])
    const { headers } = await check(journey.app, {
      authorization: `Bearer ${answer.json().access_token}`,
    })
    expect(headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-groups': 'staff',
    })
  })

  it('tells the person on the consent page that it gets their own token of the provider', async () => {
    const { app, client, provider } = await startRelay()
    const page = await createBrowser(app).get(asking({ client } as RelayJourney))
    expect(page.body).toContain('Your own token of')
    expect(page.body).toContain(new URL(provider.issuer).host)
    expect(page.body).toContain('at everything else that accepts tokens of')
    expect(page.body).not.toContain('Use this server')
  })

  it('asks the person at the provider each time: a browser that is known here has no tokens', async () => {
    const journey = await startRelay()
    const browser = createBrowser(journey.app)
    codeOf(await signInThere(journey, { browser }))
    const consent = await browser.get(asking(journey))
    expect(consent.body).not.toContain('Signed in as')
    const approved = await browser.post(formAction(consent.body), {
      interaction: hiddenField(consent.body, 'interaction'),
      decision: 'approve',
    })
    expect(refreshTarget(approved.body)).toContain(`${journey.provider.issuer}/authorize`)
  })

  it('keeps PKCE, the redirect and the single use of its code', async () => {
    const journey = await startRelay()
    const code = codeOf(await signInThere(journey))
    const tryIt = async (changes: Record<string, string>) =>
      (await redeem(journey.app, journey.client, code, changes)).json()
    const wrong = 'another-code-verifier-of-at-least-forty-three-characters'
    expect(await tryIt({ code_verifier: wrong })).toMatchObject({ error: 'invalid_grant' })
    expect(await tryIt({ redirect_uri: 'http://127.0.0.1:1/' })).toMatchObject({
      error: 'invalid_grant',
    })
    expect(await tryIt({ resource: 'https://mcp.example.com/other' })).toMatchObject({
      error: 'invalid_target',
    })
    const tokens = await tryIt({})
    expect(tokens.access_token).toBe(journey.issued[0])
    expect(await tryIt({})).toMatchObject({ error: 'invalid_grant' })
    expect((await renewed(journey, tokens)).json()).toMatchObject({ error: 'invalid_grant' })
    await expect.poll(() => journey.provider.refreshTokens.size).toBe(0)
  })

  it('gets a token with time left, however late it redeems its code', async () => {
    const journey = await startRelay()
    const code = codeOf(await signInThere(journey))
    journey.clock.advance(290)
    const answer = await redeem(journey.app, journey.client, code)
    expect(answer.json()).toMatchObject({ access_token: journey.issued[1], expires_in: 300 })
  })

  it('gets no refresh token where the provider gives none', async () => {
    const journey = await startRelay()
    journey.provider.lies.tokens = (answer) => {
      delete answer.refresh_token
    }
    expect(await tokensOf(journey)).not.toHaveProperty('refresh_token')
  })

  it('may be a device', async () => {
    const journey = await startRelay()
    const device = await registerDevice(journey.app)
    const codes = await beginDevice(journey.app, device)
    const browser = createBrowser(journey.app)
    const consent = await typeCode(browser, codes.user_code)
    expect(consent.body).toContain('Your own token of')
    const approved = await decide(browser, consent)
    await browser.get(await journey.provider.signIn(refreshTarget(approved.body)))
    const answer = await poll(journey.app, device, codes)
    expect(answer.json()).toMatchObject({ access_token: journey.issued[0] })
  })

  it('may act for itself with a token of ours, as before', async () => {
    const machine = {
      id: 'robot',
      name: 'Robot',
      secret: 'a-secret-of-the-robot-that-is-long-enough',
      redirectUris: [],
      grantTypes: ['client_credentials'],
      authMethod: 'client_secret_post',
    } satisfies ClientConfig
    const journey = await startRelay({ clients: [machine] })
    const answer = await journey.app.inject({
      method: 'POST',
      url: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        grant_type: 'client_credentials',
        client_id: machine.id,
        client_secret: machine.secret,
      }).toString(),
    })
    expect(answer.statusCode, answer.body).toBe(200)
    expect(journey.issued).toEqual([])
  })
})

describe('an opaque token of the provider', () => {
  it('is judged by introspection, and reaches the client', async () => {
    const journey = await startOpaque()
    const tokens = await tokensOf(journey)
    expect(tokens).toMatchObject({ access_token: 'opaque-1', expires_in: 300 })
    expect(await statusOf(journey, tokens.access_token)).toBe(200)
    expect((await renewed(journey, tokens)).json()).toMatchObject({ access_token: 'opaque-2' })
  })

  it('that nobody can judge now ends the attempt, and the code at the provider is not redeemed again', async () => {
    const journey = await startOpaque()
    journey.provider.lies.answer = (request, response) => {
      if (request.url !== '/introspect') return false
      response.writeHead(503).end()
      return true
    }
    const browser = createBrowser(journey.app)
    const back = await cameBack(journey, browser, { trusted: false })
    expect((await browser.get(back)).statusCode).toBe(503)
    expect((await browser.get(back)).statusCode).toBe(503)
    expect(journey.provider.replayed).toBe(0)
    expect(await storedKeys(journey.storage, 'grant:')).toEqual([])
  })

  it('reaches its client although made-up tokens use up the calls of strangers', async () => {
    const journey = await startOpaque()
    const flood = Array.from({ length: 200 }, (_, index) =>
      check(journey.app, {
        authorization: `Bearer made-up-${index}`,
        'x-forwarded-for': `203.0.113.${index}`,
      }),
    )
    const statuses = new Set((await Promise.all(flood)).map(({ statusCode }) => statusCode))
    expect(statuses).toContain(503)
    expect((await tokensOf(journey)).access_token).toBe('opaque-1')
  })
})

describe('T8: a token of the provider that the check would refuse', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['is for another client', { azp: 'another-client' }, /another server/],
    ['is for another server alone', { aud: 'https://mcp.example.com/wiki/mcp' }, /another server/],
    ['is an ID token', { typ: 'ID' }, /not an access token/],
    ['is bound to a key', { cnf: { jkt: 'x' } }, /bound to a key/],
    ['says too little of the person', { email: undefined }, /not on the list/],
    ['is of another person', { sub: 'somebody-else' }, /another person/],
    ['is of another issuer', { iss: 'https://evil.example' }, /another issuer/],
    ['has expired', { exp: 1 }, /expired/],
  ])('that %s reaches no client, and the log says why', async (_what, claims, reason) => {
    const wiki = resource({
      id: 'wiki',
      url: 'https://mcp.example.com/wiki/mcp',
      acceptProviderTokens: true,
    })
    const journey = await startRelay({ resources: [ACCEPTING, wiki] })
    journey.claims = claims
    const answer = await signInThere(journey)
    const back = new URL(String(answer.headers.location)).searchParams
    expect(back.get('code')).toBeNull()
    expect(back.get('error')).toBe('server_error')
    expect(journey.logs.filter(isFailedSignIn)).toMatchObject([
      { event: 'provider-failed', reason: expect.stringMatching(reason) },
    ])
    expect(await storedKeys(journey.storage, 'grant:')).toEqual([])
  })

  it('for lack of a scope names the scope in the log', async () => {
    const notes = { ...ACCEPTING, requiredScopes: ['mcp'] }
    const journey = await startRelay({ resources: [notes] })
    await signInThere(journey)
    expect(journey.logs.find(isFailedSignIn)?.reason).toContain('lacks a required scope: mcp')
    journey.claims = { scope: 'openid mcp' }
    expect((await tokensOf(journey)).scope).toBe('openid mcp')
  })

  it('after a refresh reaches no client either, and the old refresh token goes on', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    journey.claims = { azp: 'another-client' }
    const refused = await renewed(journey, tokens)
    expect(refused.json()).toMatchObject({ error: 'invalid_grant' })
    expect(journey.logs).toContainEqual(
      expect.objectContaining({
        event: 'relay-refused',
        reason: expect.stringContaining('another'),
      }),
    )
    journey.claims = {}
    journey.clock.advance(5)
    expect((await renewed(journey, tokens)).statusCode).toBe(200)
  })

  it('and is renewed in a loop asks the provider once in 5 s', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    journey.claims = { azp: 'another-client' }
    for (let tries = 0; tries < 3; tries += 1) {
      expect((await renewed(journey, tokens)).json()).toMatchObject({ error: 'invalid_grant' })
    }
    expect(journey.issued).toHaveLength(2)
  })

  it('does not help a person whom the policy refuses', async () => {
    const journey = await startRelay()
    journey.provider.person = { ...journey.provider.person, email: 'eve@elsewhere.test' }
    const answer = await signInThere(journey)
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('You may not use')
  })

  it('does not help a person whom the policy refuses since the sign-in', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    const allow = { anyone: false, emails: ['bob@example.com'], domains: [], groups: [] }
    const again = await journey.restart({ resources: [{ ...ACCEPTING, allow }] })
    const answer = await refresh(again.app, journey.client, tokens.refresh_token)
    expect(answer.json()).toMatchObject({ error: 'invalid_grant' })
  })
})

describe('the refresh token of such a client', () => {
  it("brings a new token of the provider, and rotates with the provider's", async () => {
    const journey = await startRelay()
    const first = await tokensOf(journey)
    const second = await renewed(journey, first)
    expect(second.json()).toMatchObject({
      access_token: journey.issued[1],
      refresh_token: expect.stringMatching(/\.2\./),
    })
    journey.clock.advance(60)
    const third = await renewed(journey, second.json())
    expect(third.json()).toMatchObject({ access_token: journey.issued[2] })
    expect(journey.provider.refreshTokens.size).toBe(1)
  })

  it('used in a loop asks the provider once a minute, and rotates each time', async () => {
    const journey = await startRelay()
    let tokens = await tokensOf(journey)
    for (const [uses, provided] of [1, 1, 1, 2, 2, 2, 3].entries()) {
      const answer = await renewed(journey, tokens)
      tokens = answer.json()
      expect(tokens).toMatchObject({
        access_token: journey.issued[provided],
        refresh_token: expect.stringContaining(`.${uses + 2}.`),
      })
      expect(journey.issued).toHaveLength(provided + 1)
      journey.clock.advance(20)
    }
  })

  it('used in a loop hands no token out again that the check refuses since', async () => {
    const journey = await startRelay()
    const tokens = (await renewed(journey, await tokensOf(journey))).json()
    const allow = { anyone: false, emails: ['bob@example.com'], domains: [], groups: [] }
    const again = await journey.restart({ resources: [{ ...ACCEPTING, allow }] })
    const answer = await refresh(again.app, journey.client, tokens.refresh_token)
    expect(answer.json()).toMatchObject({ error: 'invalid_grant' })
    expect(journey.issued).toHaveLength(2)
  })

  it('brings another token within the minute where the last one is about to end', async () => {
    const journey = await startRelay()
    const exp = () => Math.floor(journey.clock() / 1000) + 50
    const first = await tokensOf(journey)
    journey.claims = { exp: exp() }
    const second = (await renewed(journey, first)).json()
    journey.clock.advance(25)
    journey.claims = { exp: exp() }
    const third = (await renewed(journey, second)).json()
    expect(third).toMatchObject({ access_token: journey.issued[2], expires_in: 50 })
    expect(journey.issued).toHaveLength(3)
  })

  it('brings a token once where the provider makes none that lasts', async () => {
    const journey = await startRelay()
    const first = await tokensOf(journey)
    journey.claims = { exp: Math.floor(journey.clock() / 1000) + 20 }
    const second = (await renewed(journey, first)).json()
    expect(second).toMatchObject({ access_token: journey.issued[1], expires_in: 20 })
    expect(journey.issued).toHaveLength(2)
  })

  it('is good for no other client, nor for another resource', async () => {
    const wiki = resource({
      id: 'wiki',
      url: 'https://mcp.example.com/wiki/mcp',
      acceptProviderTokens: true,
    })
    const journey = await startRelay({ resources: [ACCEPTING, wiki] })
    const tokens = await tokensOf(journey)
    const thief = await register(journey.app)
    const stolen = await renewed(journey, tokens, thief)
    expect(stolen.json()).toMatchObject({ error: 'invalid_grant' })
    const elsewhere = await refresh(journey.app, journey.client, tokens.refresh_token, {
      resource: wiki.url,
    })
    expect(elsewhere.json()).toMatchObject({ error: 'invalid_target' })
    expect(journey.issued).toHaveLength(1)
    // The honest client goes on.
    expect((await renewed(journey, tokens)).statusCode).toBe(200)
  })

  it('of the provider itself, or an altered one, is none of ours', async () => {
    const journey = await startRelay()
    const { refresh_token } = await tokensOf(journey)
    const [ofProvider = ''] = journey.provider.refreshTokens
    for (const token of [ofProvider, refresh_token.replace('.1.', '.2.'), `${refresh_token}A`]) {
      const answer = await refresh(journey.app, journey.client, token)
      expect(answer.json()).toMatchObject({ error: 'invalid_grant' })
    }
    expect(journey.issued).toHaveLength(1)
  })

  it('gives the same answer again when the first one was lost', async () => {
    const journey = await startRelay()
    const first = await tokensOf(journey)
    const lost = (await renewed(journey, first)).json()
    const again = (await renewed(journey, first)).json()
    expect(again).toEqual(lost)
    expect(journey.issued).toHaveLength(2)
  })

  it('brought twice by a thief ends everything, at the provider as well', async () => {
    const journey = await startRelay()
    const first = await tokensOf(journey)
    const second = (await renewed(journey, first)).json()
    const third = (await renewed(journey, second)).json()
    const reused = await renewed(journey, first)
    expect(reused.json()).toMatchObject({ error: 'invalid_grant' })
    expect((await renewed(journey, third)).json()).toMatchObject({ error: 'invalid_grant' })
    await expect.poll(() => journey.provider.refreshTokens.size).toBe(0)
    expect(journey.events.some(({ event }) => event === 'refresh-reused')).toBe(true)
  })

  it('asked for by ten requests at once asks a rotating provider once', async () => {
    const journey = await startRelay()
    const first = await tokensOf(journey)
    const answers = await Promise.all(Array.from({ length: 10 }, () => renewed(journey, first)))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(10).fill(200))
    expect(new Set(answers.map((answer) => answer.json().refresh_token)).size).toBe(1)
    expect(journey.issued).toHaveLength(2)
  })

  it('asked for at two replicas at once asks a rotating provider once', async () => {
    const journey = await startRelay()
    const first = await tokensOf(journey)
    const { config, clock, storage } = journey
    const other = await buildTestApp(config, { clock, storage })
    const answers = await Promise.all(
      [journey.app, other.app].map((app) => refresh(app, journey.client, first.refresh_token)),
    )
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200])
    expect(journey.issued).toHaveLength(2)
    expect(journey.provider.refreshTokens.size).toBe(1)
  })

  it('ends with the sign-in at the provider, and the client is told to sign in again', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    journey.provider.refreshTokens.clear()
    const answer = await renewed(journey, tokens)
    expect(answer.json()).toMatchObject({
      error: 'invalid_grant',
      error_description: expect.stringContaining('sign in again'),
    })
    expect(journey.events).toContainEqual(
      expect.objectContaining({ event: 'grant-revoked', by: 'provider' }),
    )
    expect(await storedKeys(journey.storage, 'relayed-tokens:')).toEqual([])
  })

  it('is introspected by its client alone, which learns nothing of the token of the provider', async () => {
    const journey = await startRelay()
    const client = await register(journey.app, { token_endpoint_auth_method: 'client_secret_post' })
    const code = codeOf(await signInThere({ ...journey, client }))
    const { client_secret } = client
    const tokens = (await redeem(journey.app, client, code, { client_secret })).json()
    const about = async (token: string) => (await introspect(journey.app, client, token)).json()
    expect(await about(tokens.refresh_token)).toMatchObject({ active: true, scope: 'mcp' })
    // The provider knows its own tokens, and says so to whom it likes.
    expect(await about(tokens.access_token)).toEqual({ active: false })
  })
})

describe('an outage', () => {
  it('of the provider ends nothing: the client is told to wait, and goes on with the same token', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    await journey.provider.stop()
    const waiting = await renewed(journey, tokens)
    expect(waiting.statusCode).toBe(503)
    expect(waiting.headers['retry-after']).toBe('5')
    expect(waiting.json()).toMatchObject({ error: 'temporarily_unavailable' })
    await journey.provider.start()
    journey.clock.advance(5)
    expect((await renewed(journey, tokens)).statusCode).toBe(200)
  })

  it('of the provider is not met again within 5 s, however often a client tries, at any replica', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    journey.provider.lies.answer = (request, response) => {
      if (request.url !== '/token') return false
      response.writeHead(503).end()
      return true
    }
    const other = await buildTestApp(journey.config, journey)
    const before = journey.provider.asked('/token')
    await renewed(journey, tokens)
    const once = journey.provider.asked('/token')
    expect(once).toBeGreaterThan(before)
    for (const app of [journey.app, other.app, journey.app]) {
      const answer = await refresh(app, journey.client, tokens.refresh_token)
      expect(answer.statusCode).toBe(503)
      expect(answer.headers['retry-after']).toBe('5')
    }
    expect(journey.provider.asked('/token')).toBe(once)
    journey.clock.advance(5)
    await renewed(journey, tokens)
    expect(journey.provider.asked('/token')).toBeGreaterThan(once)
    journey.provider.lies = {}
    journey.clock.advance(5)
    expect((await renewed(journey, tokens)).statusCode).toBe(200)
  })

  it('of our own refusal there (invalid_client) ends nothing either', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    journey.provider.lies.answer = (request, response) => {
      if (request.url !== '/token') return false
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end('{"error":"invalid_client"}')
      return true
    }
    expect((await renewed(journey, tokens)).statusCode).toBe(503)
    journey.provider.lies = {}
    journey.clock.advance(5)
    expect((await renewed(journey, tokens)).statusCode).toBe(200)
  })

  it('of the store, after a rotating provider answered, loses no token of the provider', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    const { storage } = journey
    const { replace } = storage
    let isDown = true
    storage.replace = async (key, ...rest) => {
      if (isDown && key.startsWith('relayed-tokens:'))
        throw new StorageUnavailable(new Error('away'))
      return replace.call(storage, key, ...rest)
    }
    expect((await renewed(journey, tokens)).statusCode).toBe(503)
    expect(journey.issued).toHaveLength(2)
    isDown = false
    const answer = await renewed(journey, tokens)
    expect(answer.json()).toMatchObject({ access_token: journey.issued[1] })
    expect(journey.issued).toHaveLength(2)
  })

  it('of the store at the sign-in lets the person try the same address again', async () => {
    const journey = await startRelay()
    const browser = createBrowser(journey.app)
    const back = await cameBack(journey, browser)
    const { storage } = journey
    const { set } = storage
    storage.set = async (key, ...rest) => {
      if (key.startsWith('code:')) throw new StorageUnavailable(new Error('away'))
      return set.call(storage, key, ...rest)
    }
    expect((await browser.get(back)).statusCode).toBe(503)
    storage.set = set
    journey.clock.advance(1)
    const code = codeOf(await browser.get(back))
    const answer = await redeem(journey.app, journey.client, code)
    expect(answer.json()).toMatchObject({ access_token: journey.issued[0] })
    expect((await renewed(journey, answer.json())).statusCode).toBe(200)
  })
})

describe('the end of such a permission', () => {
  it('by the client (RFC 7009) ends the tokens at the provider', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    const answer = await revoke(journey.app, journey.client, tokens.refresh_token)
    expect(answer.statusCode).toBe(200)
    await expect.poll(() => journey.provider.refreshTokens.size).toBe(0)
    expect((await renewed(journey, tokens)).json()).toMatchObject({ error: 'invalid_grant' })
    expect(await storedKeys(journey.storage, 'relayed-tokens:')).toEqual([])
  })

  it('by REVOKE_BEFORE ends them there, and at the check', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    const revokeBefore = Math.floor(journey.clock() / 1000) + 1
    journey.clock.advance(60)
    const again = await journey.restart({ revokeBefore })
    await again.app.listen({ port: 0, host: '127.0.0.1' })
    await expect.poll(() => journey.provider.refreshTokens.size).toBe(0)
    const refused = await refresh(again.app, journey.client, tokens.refresh_token)
    expect(refused.json()).toMatchObject({ error: 'invalid_grant' })
    expect(await statusOf({ ...journey, app: again.app }, tokens.access_token)).toBe(401)
  })

  it('is final here also if the provider cannot be told, and the log says that', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    await journey.provider.stop()
    expect((await revoke(journey.app, journey.client, tokens.refresh_token)).statusCode).toBe(200)
    await expect
      .poll(() => journey.logs)
      .toContainEqual(
        expect.objectContaining({
          event: 'provider-failed',
          reason: expect.stringContaining('lives on there'),
        }),
      )
    await journey.provider.start()
    expect((await renewed(journey, tokens)).json()).toMatchObject({ error: 'invalid_grant' })
  })

  it('comes when the operator goes back to tokens of ours: a refresh then brings one of those', async () => {
    const journey = await startRelay()
    const tokens = await tokensOf(journey)
    const { clientTokens: _, ...config } = journey.config
    const again = await buildTestApp(config, journey)
    const answer = await refresh(again.app, journey.client, tokens.refresh_token)
    expect(answer.statusCode).toBe(200)
    expect(journey.issued).not.toContain(answer.json().access_token)
  })
})

it('keeps tokens of the provider out of the log, and sealed in the store', async () => {
  const journey = await startRelay()
  const tokens = await tokensOf(journey)
  await renewed(journey, tokens)
  const stored = JSON.stringify(await storedRecords(journey.storage))
  const logged = JSON.stringify([journey.logs, journey.events])
  for (const secret of [
    ...journey.issued,
    ...journey.provider.refreshTokens,
    tokens.refresh_token,
  ]) {
    expect(stored).not.toContain(secret)
    expect(logged).not.toContain(secret)
  }
  expect(journey.provider.redeemed.length).toBe(2)
})
