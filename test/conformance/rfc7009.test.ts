/** RFC 7009: OAuth 2.0 Token Revocation. */
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  check,
  obtainTokens,
  postForm,
  type RegisteredClient,
  refresh,
  register,
  revoke,
  type Tokens,
  token,
} from '../support/oauth-client.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { serverMetadata } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
let tokens: Tokens
beforeEach(async () => {
  gateway = await buildTestApp()
  ;({ client, tokens } = await obtainTokens(gateway.app))
})

const statusOf = async (accessToken: string, { app } = gateway) =>
  (await check(app, { authorization: `Bearer ${accessToken}` })).statusCode
/** A registered client with a secret. */
async function confidentialClient(method: string) {
  const registered = await register(gateway.app, { token_endpoint_auth_method: method })
  const { client_id, client_secret = '' } = registered
  return { client_id, client_secret }
}

describe('section 2: the revocation endpoint', () => {
  it('is in the metadata, with the methods by which clients authenticate there', async () => {
    expect(await serverMetadata(gateway.app)).toMatchObject({
      revocation_endpoint: 'https://auth.example.com/revoke',
      revocation_endpoint_auth_methods_supported: [
        'none',
        'client_secret_post',
        'client_secret_basic',
        'private_key_jwt',
      ],
    })
  })
})

describe('section 2.1: a revocation request', () => {
  it.each([
    ['an access token', (held: Tokens) => held.access_token],
    ['a refresh token', (held: Tokens) => held.refresh_token],
  ])('by a public client with %s ends every token of the same grant', async (_what, pick) => {
    expect(await statusOf(tokens.access_token)).toBe(200)
    const answer = await revoke(gateway.app, client, pick(tokens))
    expect([answer.statusCode, answer.body]).toEqual([200, ''])
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(await statusOf(tokens.access_token)).toBe(401)
    const again = await refresh(gateway.app, client, tokens.refresh_token)
    expect(again.json().error).toBe('invalid_grant')
  })

  it('takes a refresh token that was replaced already', async () => {
    const next = (await refresh(gateway.app, client, tokens.refresh_token)).json()
    expect((await revoke(gateway.app, client, tokens.refresh_token)).statusCode).toBe(200)
    expect(await statusOf(next.access_token)).toBe(401)
  })

  it.each(['access_token', 'refresh_token', 'unheard_of'])(
    'finds the token whatever its hint says: %s',
    async (hint) => {
      await revoke(gateway.app, client, tokens.refresh_token, { token_type_hint: hint })
      expect(await statusOf(tokens.access_token)).toBe(401)
    },
  )

  it('leaves the tokens of another sign-in of the same client alone', async () => {
    const second = await obtainTokens(gateway.app, { client })
    await revoke(gateway.app, client, tokens.access_token)
    expect(await statusOf(second.tokens.access_token)).toBe(200)
  })

  it.each(['client_secret_post', 'client_secret_basic'])(
    'of a confidential client is refused without its secret (%s)',
    async (method) => {
      const known = await confidentialClient(method)
      for (const client_secret of [undefined, `${known.client_secret}x`]) {
        const answer = await revoke(gateway.app, known, 'any', { client_secret })
        expect([answer.statusCode, answer.json().error]).toEqual([401, 'invalid_client'])
      }
      expect((await revoke(gateway.app, known, 'any')).statusCode).toBe(200)
    },
  )

  it('authenticates by Basic as well', async () => {
    const { client_id, client_secret } = await confidentialClient('client_secret_basic')
    const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64')
    const ask = (authorization: string) =>
      postForm(gateway.app, '/revoke', { token: 'any' }, { authorization })
    expect((await ask(`Basic ${basic}`)).statusCode).toBe(200)
    const refused = await ask(`Basic ${Buffer.from(`${client_id}:x`).toString('base64')}`)
    expect(refused.statusCode).toBe(401)
    expect(refused.headers['www-authenticate']).toMatch(/^Basic /)
  })

  it.each([
    ['no token', { token: undefined }, 400, 'invalid_request'],
    ['no client', { client_id: undefined }, 401, 'invalid_client'],
    ['a client that nobody knows', { client_id: 'x' }, 401, 'invalid_client'],
  ])('is refused with %s', async (_what, changes, status, error) => {
    const answer = await revoke(gateway.app, client, tokens.access_token, changes)
    expect([answer.statusCode, answer.json().error]).toEqual([status, error])
    expect(await statusOf(tokens.access_token)).toBe(200)
  })

  it.each([
    ['access', (held: Tokens) => held.access_token],
    ['refresh', (held: Tokens) => held.refresh_token],
  ])('T21: of another client ends nothing (%s token)', async (_kind, pick) => {
    const { client_id } = await register(gateway.app)
    for (const stranger of [{ client_id }, await confidentialClient('client_secret_post')]) {
      const answer = await revoke(gateway.app, stranger, pick(tokens))
      expect([answer.statusCode, answer.json().error]).toEqual([400, 'unauthorized_client'])
    }
    expect(await statusOf(tokens.access_token)).toBe(200)
    expect((await refresh(gateway.app, client, tokens.refresh_token)).statusCode).toBe(200)
  })
})

describe('section 2.2: the answer is 200 to', () => {
  it.each([
    ['a token that nobody issued', () => 'unheard-of'],
    ['an altered access token', () => `${tokens.access_token.slice(0, -4)}AAAA`],
    ['an altered refresh token', () => `${tokens.refresh_token.slice(0, -4)}AAAA`],
  ])('%s', async (_what, make) => {
    expect((await revoke(gateway.app, client, make())).statusCode).toBe(200)
    expect(await statusOf(tokens.access_token)).toBe(200)
  })

  it('a token that was revoked before, or has expired', async () => {
    const second = await obtainTokens(gateway.app, { client })
    await revoke(gateway.app, client, tokens.access_token)
    expect((await revoke(gateway.app, client, tokens.access_token)).statusCode).toBe(200)
    gateway.clock.advance(3600)
    expect((await revoke(gateway.app, client, second.tokens.access_token)).statusCode).toBe(200)
  })
})

it('section 2.2.1: while the store does not answer it is 503 with Retry-After, since the token lives', async () => {
  const clock = gateway.clock
  const storage = createRemoteStorage(clock)
  const { app } = await buildTestApp({}, { clock, storage })
  const held = await obtainTokens(app)
  storage.isDown = true
  const answer = await revoke(app, held.client, held.tokens.access_token)
  expect(answer.statusCode).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  storage.isDown = false
  expect(
    (await check(app, { authorization: `Bearer ${held.tokens.access_token}` })).statusCode,
  ).toBe(200)
})

it('section 2.3: a browser of any origin may call it, also to read a refusal', async () => {
  const origin = 'https://app.example'
  const preflight = await gateway.app.inject({
    method: 'OPTIONS',
    url: '/revoke',
    headers: { origin, 'access-control-request-method': 'POST' },
  })
  expect(preflight.statusCode).toBe(204)
  const answer = await postForm(gateway.app, '/revoke', {}, { origin })
  expect(answer.headers['access-control-allow-origin']).toBe('*')
})

it('takes no token out of the query', async () => {
  const query = new URLSearchParams({ client_id: client.client_id, token: tokens.access_token })
  const answer = await postForm(gateway.app, `/revoke?${query}`, {})
  expect(answer.statusCode).toBe(401)
  expect(await statusOf(tokens.access_token)).toBe(200)
})

it('section 5: guesses are limited by address', async () => {
  const { app } = await buildTestApp({ rateLimit: 5 })
  const ask = async () => (await postForm(app, '/revoke', { token: 'x' })).statusCode
  for (let i = 0; i < 5; i += 1) expect(await ask()).toBe(401)
  expect(await ask()).toBe(429)
})

it('T32: logs no token', async () => {
  await revoke(gateway.app, client, tokens.access_token)
  await revoke(gateway.app, await register(gateway.app), tokens.refresh_token)
  const logged = JSON.stringify(gateway.logs)
  expect(logged).toContain('grant-revoked')
  expect(logged).not.toContain(tokens.access_token.slice(-40))
  expect(logged).not.toContain(tokens.refresh_token.slice(-40))
})

describe.each(STORES)('on two replicas with the store %s', (store) => {
  it('a token that was revoked at one is refused by the other at once, warm or not', async () => {
    const [one, other] = await startReplicas(store)
    const held = await obtainTokens(one.app)
    const bearer = held.tokens.access_token
    expect(await statusOf(bearer, one)).toBe(200)
    expect(await statusOf(bearer, other)).toBe(200)
    expect((await revoke(other.app, held.client, held.tokens.refresh_token)).statusCode).toBe(200)
    expect(await statusOf(bearer, one)).toBe(401)
    expect(await statusOf(bearer, other)).toBe(401)
  })

  it('50 revocations and refreshes at once leave no token alive', async () => {
    const [one, other] = await startReplicas(store)
    const held = await obtainTokens(one.app)
    const answers = await Promise.all(
      Array.from(Array(50), (_, i) => {
        const { app } = i % 2 === 0 ? one : other
        return i % 5 === 0
          ? revoke(app, held.client, held.tokens.refresh_token)
          : refresh(app, held.client, held.tokens.refresh_token)
      }),
    )
    const issued = answers.filter(({ statusCode, body }) => statusCode === 200 && body !== '')
    for (const answer of issued) {
      expect(await statusOf(answer.json().access_token, other)).toBe(401)
      const next = await token(one.app, {
        grant_type: 'refresh_token',
        client_id: held.client.client_id,
        refresh_token: answer.json().refresh_token,
      })
      expect(next.json().error).toBe('invalid_grant')
    }
  })
})
