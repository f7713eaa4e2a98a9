/** RFC 6749 section 4.4: the client credentials grant, for programs that the configuration names. */
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { ASSERTION_TYPE, makeSigningKey, type SigningKey } from '../support/document-host.ts'
import { check, introspect, RESOURCE, register, revoke, token } from '../support/oauth-client.ts'
import { listen } from '../support/raw-http.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { storedKeys } from '../support/stored.ts'
import { serverMetadata } from './wire.ts'

const SECRET = 'the secret of the nightly report, long enough'
const NIGHTLY: ClientConfig = {
  id: 'nightly',
  name: 'Nightly report',
  secret: SECRET,
  redirectUris: [],
  scopes: ['notes:read'],
  resources: ['notes'],
  grantTypes: ['client_credentials'],
  authMethod: 'client_secret_basic',
}
const nightly = { client_id: NIGHTLY.id, client_secret: SECRET }
const scopes = { 'notes:read': 'Read', 'notes:write': 'Write' }
const RESOURCES = [
  resource({ scopes, defaultScopes: ['notes:read'] }),
  resource({ id: 'wiki', url: 'https://wiki.example.com', scopes, defaultScopes: ['notes:read'] }),
]
const start = (changes: Partial<ClientConfig> = {}) => ({
  clients: [{ ...NIGHTLY, ...changes }],
  resources: RESOURCES,
})

let gateway: TestApp
beforeEach(async () => {
  gateway = await buildTestApp(start())
})

const ask = (changes: Record<string, string | undefined> = {}, { app } = gateway) =>
  token(app, { grant_type: 'client_credentials', ...nightly, resource: RESOURCE, ...changes })
const accessToken = async (by = gateway): Promise<string> => (await ask({}, by)).json().access_token
const checked = (bearer: string, { app } = gateway) =>
  check(app, { authorization: `Bearer ${bearer}` })
const statusOf = async (bearer: string, by = gateway) => (await checked(bearer, by)).statusCode

describe('section 4.4.2: the request', () => {
  it('needs a confidential client', async () => {
    const answer = await ask({ client_secret: 'wrong' })
    expect([answer.statusCode, answer.json().error]).toEqual([401, 'invalid_client'])
    expect((await ask({ client_secret: undefined })).json().error).toBe('invalid_client')
  })

  it.each(['none', 'client_secret_post'])(
    'is refused to a client that registered itself, with the method %s',
    async (token_endpoint_auth_method) => {
      const grant_types = ['authorization_code', 'client_credentials']
      const metadata = { token_endpoint_auth_method, grant_types }
      const registered = await register(gateway.app, metadata)
      expect(registered).toMatchObject({ grant_types: ['authorization_code'] })
      const { client_id, client_secret } = registered
      const answer = await ask({ client_id, client_secret })
      expect([answer.statusCode, answer.json().error]).toEqual([400, 'unauthorized_client'])
    },
  )

  it('is refused to a client of the configuration that people use', async () => {
    const other = await buildTestApp(
      start({ grantTypes: ['authorization_code'], redirectUris: ['https://ci.example/cb'] }),
    )
    expect((await ask({}, other)).json().error).toBe('unauthorized_client')
  })

  it.each([
    ['a server that the configuration keeps from it', { resource: 'https://wiki.example.com' }],
    ['a server that is not here', { resource: 'https://other.example' }],
  ])('for %s is invalid_target', async (_what, changes) => {
    const answer = await ask(changes)
    expect([answer.statusCode, answer.json().error]).toEqual([400, 'invalid_target'])
  })

  it('may ask for less scope than it may have, and gets no more', async () => {
    const both = await buildTestApp(start({ scopes: ['notes:read', 'notes:write'] }))
    expect((await ask({}, both)).json().scope).toBe('notes:read notes:write')
    expect((await ask({ scope: 'notes:write' }, both)).json().scope).toBe('notes:write')
    expect((await ask({ scope: 'notes:write' })).json().error).toBe('invalid_scope')
    expect((await ask({ scope: 'notes:read notes:write' })).json().scope).toBe('notes:read')
  })

  it('without a limit in the configuration gets the default scopes, and all scopes if it asks', async () => {
    const { scopes: _, resources: __, ...rest } = NIGHTLY
    const free = await buildTestApp({ clients: [rest], resources: RESOURCES })
    expect((await ask({}, free)).json().scope).toBe('notes:read')
    const asked = { scope: 'notes:write offline_access', resource: 'https://wiki.example.com' }
    const answer = (await ask(asked, free)).json()
    expect(answer.scope).toBe('notes:write')
    expect(decodeJwt(answer.access_token).aud).toBe('https://wiki.example.com')
  })
})

describe('section 4.4.3: the answer', () => {
  it('is an access token without a refresh token, for one server', async () => {
    const answer = await ask({ scope: 'offline_access' })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'notes:read',
    })
    expect(decodeJwt(answer.json().access_token)).toMatchObject({
      aud: RESOURCE,
      client_id: 'nightly',
      sub: `c_${sha256('nightly')}`,
    })
  })

  it('K21: names the program to the server, and nobody else', async () => {
    const bearer = await accessToken()
    for (const _ of ['cold', 'warm']) {
      const answer = await checked(bearer)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).toMatchObject({
        'x-forwarded-user': `c_${sha256('nightly')}`,
        'x-user-id': `c_${sha256('nightly')}`,
        'x-user-name': 'Nightly report',
        'x-forwarded-email': '',
        'x-forwarded-groups': '',
        'x-forwarded-scopes': 'notes:read',
        'x-forwarded-client': sha256('nightly').slice(0, 16),
      })
    }
  })

  it('lets in a program that no list of people names', async () => {
    const nobody = { anyone: false, emails: [], domains: [], groups: [] }
    const closed = await buildTestApp({
      ...start(),
      resources: [resource({ scopes, allow: nobody })],
    })
    expect(await statusOf(await accessToken(closed), closed)).toBe(200)
  })
})

it('is announced if and only if a client of the configuration has it', async () => {
  expect((await serverMetadata(gateway.app)).grant_types_supported).toContain('client_credentials')
  const without = await buildTestApp()
  const { grant_types_supported } = await serverMetadata(without.app)
  expect(grant_types_supported).toContain('authorization_code')
  expect(grant_types_supported).not.toContain('client_credentials')
})

describe('its tokens', () => {
  it('end with the hour, and with a revocation, after which new ones work', async () => {
    const first = await accessToken()
    expect(await statusOf(first)).toBe(200)
    expect((await revoke(gateway.app, nightly, first)).statusCode).toBe(200)
    expect(await statusOf(first)).toBe(401)
    const second = await accessToken()
    expect(await statusOf(second)).toBe(200)
    expect(await statusOf(first)).toBe(401)
    gateway.clock.advance(3600)
    expect(await statusOf(second)).toBe(401)
  })

  it('are looked up by the program itself', async () => {
    const answer = await introspect(gateway.app, nightly, await accessToken())
    expect(answer.json()).toMatchObject({ active: true, sub: `c_${sha256('nightly')}` })
  })

  it.each([
    ['another secret', { secret: 'another secret, which is long enough' }],
    ['fewer scopes', { scopes: ['notes:write'] }],
    ['other servers', { resources: ['wiki'] }],
    ['no such grant type', { grantTypes: [], introspects: ['notes'] }],
  ] as const)('T46: end with %s, for good', async (_what, changes) => {
    const bearer = await accessToken()
    expect(await statusOf(bearer)).toBe(200)
    const changed = await gateway.restart(start(changes))
    expect(await statusOf(bearer, changed)).toBe(401)
    await listen(changed.app)
    await expect.poll(() => storedKeys(gateway.storage, 'grant:')).toEqual([])
    const back = await gateway.restart(start())
    expect(await statusOf(bearer, back)).toBe(401)
    expect(await statusOf(await accessToken(back), back)).toBe(200)
  })

  it('are given to a program with keys, and T46: end with other keys', async () => {
    const [mine, another] = [await makeSigningKey(), await makeSigningKey()]
    const { secret: _, ...terms } = NIGHTLY
    const withKeys = (key: SigningKey) => {
      const program: ClientConfig = {
        ...terms,
        authMethod: 'private_key_jwt',
        keys: { kind: 'jwks', jwks: { keys: [key.publicJwk] } },
      }
      return { clients: [program], resources: RESOURCES }
    }
    const ofProgram = await gateway.restart(withKeys(mine))
    const answer = await ask(
      {
        client_secret: undefined,
        client_assertion_type: ASSERTION_TYPE,
        client_assertion: await mine.assertion(NIGHTLY.id, Math.floor(gateway.clock() / 1000)),
      },
      ofProgram,
    )
    expect(answer.statusCode).toBe(200)
    const bearer = answer.json().access_token
    expect(await statusOf(bearer, ofProgram)).toBe(200)
    expect(await statusOf(bearer, await gateway.restart(withKeys(another)))).toBe(401)
  })

  it('outlive a restart, and REVOKE_BEFORE ends them', async () => {
    const bearer = await accessToken()
    expect(await statusOf(bearer, await gateway.restart())).toBe(200)
    gateway.clock.advance(10)
    const revokeBefore = Math.floor(gateway.clock() / 1000)
    expect(await statusOf(bearer, await gateway.restart({ revokeBefore }))).toBe(401)
  })

  it('T14: come from one grant a server and day, however many are asked for', async () => {
    const tokens = await Promise.all(Array.from(Array(50), () => accessToken()))
    expect(new Set(tokens).size).toBe(50)
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
    gateway.clock.advance(86_000)
    for (const _ of Array(5)) expect(await statusOf(await accessToken())).toBe(200)
    gateway.clock.advance(86_400)
    expect(await statusOf(await accessToken())).toBe(200)
    expect((await storedKeys(gateway.storage, 'grant:')).length).toBeLessThanOrEqual(2)
  })
})

it('an outage is 503 with Retry-After', async () => {
  const storage = createRemoteStorage(gateway.clock)
  const other = await buildTestApp(start(), { clock: gateway.clock, storage })
  storage.isDown = true
  const answer = await ask({}, other)
  expect(answer.statusCode).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
})

describe.each(STORES)('on two replicas with the store %s', (store) => {
  it('50 requests at once share one grant, and a revocation at one ends all at the other', async () => {
    const [one, other] = await startReplicas(store, start())
    const tokens = await Promise.all(
      Array.from(Array(50), (_, i) => accessToken(i % 2 === 0 ? one : other)),
    )
    expect(await storedKeys(one.storage, 'grant:')).toHaveLength(1)
    for (const bearer of tokens.slice(0, 4)) expect(await statusOf(bearer, other)).toBe(200)
    await revoke(one.app, nightly, tokens[0])
    for (const bearer of tokens) expect(await statusOf(bearer, other)).toBe(401)
  })
})
