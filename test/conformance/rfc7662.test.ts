/** RFC 7662: OAuth 2.0 Token Introspection. */
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { createBrowser } from '../support/browser.ts'
import { ANN, BOB, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  introspect,
  obtainTokens,
  postForm,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  revoke,
  signIn,
  type Tokens,
} from '../support/oauth-client.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { serverMetadata } from './wire.ts'

const SECRET = 'the secret of the server, which is long enough'
/** A protected server that looks up the tokens it receives. */
const SERVER: ClientConfig = {
  id: 'notes-server',
  name: 'Notes server',
  secret: SECRET,
  redirectUris: ['https://notes.example/cb'],
  grantTypes: ['authorization_code'],
  authMethod: 'client_secret_basic',
  introspects: ['notes'],
}
const server = { client_id: SERVER.id, client_secret: SECRET }
const wiki = resource({ id: 'wiki', url: 'https://wiki.example.com' })

let gateway: TestApp
/** A confidential client with tokens. */
let client: RegisteredClient
let tokens: Tokens
beforeEach(async () => {
  gateway = await buildTestApp({ clients: [SERVER], resources: [resource(), wiki] })
  ;({ client, tokens } = await confidential(gateway))
})

/** A registered client with a secret, and the tokens that ann let it have. */
async function confidential(
  { app }: TestApp,
  audience?: string,
): Promise<{ client: RegisteredClient; tokens: Tokens }> {
  const registered = await register(app, { token_endpoint_auth_method: 'client_secret_post' })
  const { client_id, client_secret = '' } = registered
  const changes = audience === undefined ? {} : { resource: audience }
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(registered, changes)))
  const answer = await redeem(app, registered, code, { client_secret })
  return { client: { client_id, client_secret }, tokens: answer.json() }
}

const renew = (refreshToken: string) =>
  refresh(gateway.app, client, refreshToken, { client_secret: client.client_secret })
const INACTIVE = { active: false }
const said = async (by: RegisteredClient, about: string, { app } = gateway) =>
  (await introspect(app, by, about)).json()

describe('section 2: the introspection endpoint', () => {
  it('is in the metadata, and takes no public client', async () => {
    expect(await serverMetadata(gateway.app)).toMatchObject({
      introspection_endpoint: 'https://auth.example.com/introspect',
      introspection_endpoint_auth_methods_supported: [
        'client_secret_post',
        'client_secret_basic',
        'private_key_jwt',
      ],
    })
  })
})

describe('section 2.1: a request', () => {
  it('of a public client is refused, also about its own token', async () => {
    const held = await obtainTokens(gateway.app)
    const named = { client_id: held.client.client_id }
    const answer = await introspect(gateway.app, named, held.tokens.access_token)
    expect([answer.statusCode, answer.json().error]).toEqual([401, 'invalid_client'])
  })

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client'],
    ['no secret', { client_secret: undefined }, 401, 'invalid_client'],
    ['no client', { client_id: undefined, client_secret: undefined }, 401, 'invalid_client'],
    ['no token', { token: undefined }, 400, 'invalid_request'],
  ])('with %s is refused', async (_what, changes, status, error) => {
    const answer = await introspect(gateway.app, client, tokens.access_token, changes)
    expect([answer.statusCode, answer.json().error]).toEqual([status, error])
  })

  it('may authenticate by Basic, and finds the token whatever its hint says', async () => {
    const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
    for (const token_type_hint of [undefined, 'refresh_token', 'unheard_of']) {
      const answer = await postForm(
        gateway.app,
        '/introspect',
        { token: tokens.access_token, token_type_hint },
        { authorization: `Basic ${basic}` },
      )
      expect(answer.json().active).toBe(true)
    }
  })
})

describe('section 2.2: the answer', () => {
  it('about an access token says what the token says', async () => {
    const answer = await introspect(gateway.app, client, tokens.access_token)
    expect(answer.headers['content-type']).toMatch(/^application\/json(;|$)/)
    expect(answer.headers['cache-control']).toBe('no-store')
    const { iss, sub, aud, exp, iat } = decodeJwt(tokens.access_token)
    expect(answer.json()).toEqual({
      active: true,
      token_type: 'Bearer',
      scope: 'mcp',
      client_id: client.client_id,
      iss,
      sub,
      aud,
      exp,
      iat,
    })
  })

  it('about a refresh token names its grant, and no token_type', async () => {
    const answer = await said(client, tokens.refresh_token)
    const { sub, aud, iat } = decodeJwt(tokens.access_token)
    expect(answer).toMatchObject({ active: true, client_id: client.client_id, sub, aud, iat })
    expect(answer).not.toHaveProperty('token_type')
  })

  it.each([
    ['nobody issued', () => 'unheard-of'],
    ['was altered', () => `${tokens.access_token.slice(0, -4)}AAAA`],
    ['is a refresh token with another MAC', () => `${tokens.refresh_token.slice(0, -4)}AAAA`],
  ])('about a token that %s is inactive and says nothing else', async (_what, make) => {
    expect(await said(client, make())).toEqual(INACTIVE)
  })

  it('turns inactive when the token expires, and the refresh token with its grant', async () => {
    gateway.clock.advance(3599)
    expect((await said(client, tokens.access_token)).active).toBe(true)
    gateway.clock.advance(1)
    expect(await said(client, tokens.access_token)).toEqual(INACTIVE)
    expect((await said(client, tokens.refresh_token)).active).toBe(true)
    gateway.clock.advance(30 * 86_400)
    expect(await said(client, tokens.refresh_token)).toEqual(INACTIVE)
  })

  it('about a refresh token is active as long as the token endpoint would redeem it', async () => {
    const redeemed = await renew(tokens.refresh_token)
    const next = redeemed.json().refresh_token
    expect((await said(client, next)).active).toBe(true)
    expect((await said(client, tokens.refresh_token)).active).toBe(true)
    await renew(next)
    expect(await said(client, tokens.refresh_token)).toEqual(INACTIVE)
    // Introspection revokes nothing, whatever is asked about.
    expect((await said(client, next)).active).toBe(true)
  })

  it('turns inactive when the person is gone', async () => {
    const { app } = await gateway.restart({ users: [BOB] })
    expect((await introspect(app, client, tokens.access_token)).json()).toEqual(INACTIVE)
    const back = await gateway.restart({ users: [ANN, BOB] })
    expect((await introspect(back.app, client, tokens.access_token)).json().active).toBe(true)
  })
})

describe('section 4: T21: about the token of another client', () => {
  it('a client learns nothing', async () => {
    const { client: other } = await confidential(gateway)
    for (const asked of [tokens.access_token, tokens.refresh_token]) {
      expect(await said(other, asked)).toEqual(INACTIVE)
    }
    expect((await said(client, tokens.access_token)).active).toBe(true)
  })

  it('a protected server learns what its access tokens say, and nothing of refresh tokens', async () => {
    expect(await said(server, tokens.access_token)).toMatchObject({
      active: true,
      client_id: client.client_id,
      sub: decodeJwt(tokens.access_token).sub,
    })
    expect(await said(server, tokens.refresh_token)).toEqual(INACTIVE)
    const wrong = { ...server, client_secret: 'x' }
    expect((await introspect(gateway.app, wrong, tokens.access_token)).statusCode).toBe(401)
  })

  it('a protected server learns nothing of the tokens for another one', async () => {
    const elsewhere = await confidential(gateway, 'https://wiki.example.com/')
    expect((await said(elsewhere.client, elsewhere.tokens.access_token)).active).toBe(true)
    expect(await said(server, elsewhere.tokens.access_token)).toEqual(INACTIVE)
  })
})

it('an outage is 503 with Retry-After, never inactive', async () => {
  const storage = createRemoteStorage(gateway.clock)
  const other = await buildTestApp({}, { clock: gateway.clock, storage })
  const held = await confidential(other)
  storage.isDown = true
  const answer = await introspect(other.app, held.client, held.tokens.access_token)
  expect(answer.statusCode).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
})

it('section 4: guesses are limited by address', async () => {
  const { app } = await buildTestApp({ rateLimit: 5 })
  const ask = async () => (await postForm(app, '/introspect', { token: 'x' })).statusCode
  for (let i = 0; i < 5; i += 1) expect(await ask()).toBe(401)
  expect(await ask()).toBe(429)
})

describe.each(STORES)('on two replicas with the store %s', (store) => {
  it('a token that was revoked at one is inactive at the other at once', async () => {
    const [one, other] = await startReplicas(store)
    const held = await confidential(one)
    expect((await said(held.client, held.tokens.access_token, other)).active).toBe(true)
    await revoke(one.app, held.client, held.tokens.access_token)
    expect(await said(held.client, held.tokens.access_token, other)).toEqual(INACTIVE)
    expect(await said(held.client, held.tokens.refresh_token, other)).toEqual(INACTIVE)
  })
})
