import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { createBrowser } from '../support/browser.ts'
import {
  BOB,
  buildTestApp,
  resource,
  SECRET,
  type TestApp,
  testConfig,
} from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  REDIRECT_URI,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
  token,
  VERIFIER,
} from '../support/oauth-client.ts'
import { storedKeys, storedRecords } from '../support/stored.ts'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
})

async function obtainCode(
  asking: RegisteredClient = client,
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  return codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(asking, changes)))
}

function expectError(response: LightMyRequestResponse, error: string, status = 400): void {
  expect(response.json()).toEqual({
    error,
    error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
  })
  expect(response.statusCode).toBe(status)
  expect(response.headers['content-type']).toBe('application/json')
  expect(response.headers['cache-control']).toBe('no-store')
}

async function expectAlive(access: string): Promise<void> {
  const answer = await check(gateway.app, { authorization: `Bearer ${access}` })
  expect(answer.statusCode).toBe(200)
}

async function expectDead(access: string): Promise<void> {
  const answer = await check(gateway.app, { authorization: `Bearer ${access}` })
  expect(answer.statusCode).toBe(401)
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
}

describe('a code', () => {
  it('becomes an access token and a refresh token, which nobody may cache', async () => {
    const response = await redeem(gateway.app, client, await obtainCode())
    expect(response.statusCode).toBe(200)
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'access-control-allow-origin': '*',
    })
    expect(response.json()).toEqual({
      access_token: expect.stringMatching(/^eyJ[\w-]+\.[\w-]+\.[\w-]+$/),
      token_type: 'Bearer',
      expires_in: 3600,
      scope: 'mcp',
      refresh_token: expect.stringMatching(/^[\w-]{22}\.1\.[\w-]{43}$/),
    })
  })

  it('T18: used again ends the grant and what was issued from it', async () => {
    const code = await obtainCode()
    const first = await redeem(gateway.app, client, code)
    await expectAlive(first.json().access_token)
    expectError(await redeem(gateway.app, client, code), 'invalid_grant')
    await expectDead(first.json().access_token)
    expectError(await refresh(gateway.app, client, first.json().refresh_token), 'invalid_grant')
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
  })

  it('T18: used again ten minutes later is still recognised', async () => {
    const code = await obtainCode()
    const first = await redeem(gateway.app, client, code)
    gateway.clock.advance(599)
    expectError(await redeem(gateway.app, client, code), 'invalid_grant')
    await expectDead(first.json().access_token)
  })

  it('T18: presented 50 times at once is redeemed once, and its tokens are dead afterwards', async () => {
    const code = await obtainCode()
    const responses = await Promise.all(
      Array.from({ length: 50 }, () => redeem(gateway.app, client, code)),
    )
    const won = responses.filter(({ statusCode }) => statusCode === 200)
    expect(won).toHaveLength(1)
    for (const lost of responses) if (lost !== won[0]) expectError(lost, 'invalid_grant')
    await expectDead(won[0]?.json().access_token)
    expectError(await refresh(gateway.app, client, won[0]?.json().refresh_token), 'invalid_grant')
  })

  it('T18: read unspent by two at once ends the grant too, whoever spends it', async () => {
    const code = await obtainCode()
    const { storage } = gateway
    const get = storage.get
    const readers = new Set<() => void>()
    storage.get = async <T>(key: string): Promise<T | undefined> => {
      const value = await get<T>(key)
      if (!key.startsWith('code:')) return value
      await new Promise<void>((proceed) => {
        readers.add(proceed)
        if (readers.size >= 2) for (const reader of readers) reader()
      })
      return value
    }
    const answers = await Promise.all([
      redeem(gateway.app, client, code),
      redeem(gateway.app, client, code),
    ])
    storage.get = get
    const won = answers.find(({ statusCode }) => statusCode === 200)
    const lost = answers.find(({ statusCode }) => statusCode !== 200)
    if (!won || !lost) throw new Error('expected one winner')
    expectError(lost, 'invalid_grant')
    await expectDead(won.json().access_token)
  })

  it('cl12: is worth nothing after five minutes, and ends nothing by that', async () => {
    const code = await obtainCode()
    gateway.clock.advance(301)
    expectError(await redeem(gateway.app, client, code), 'invalid_grant')
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
  })

  it.each([62, 299])('cl12: may wait for %i seconds', async (seconds) => {
    const code = await obtainCode()
    gateway.clock.advance(seconds)
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(200)
  })

  it('survives a restart before it is redeemed', async () => {
    const code = await obtainCode()
    const { app } = await gateway.restart()
    expect((await redeem(app, client, code)).statusCode).toBe(200)
  })

  it('is kept as a hash only', async () => {
    const code = await obtainCode()
    expect(JSON.stringify(await storedRecords(gateway.storage))).not.toContain(code)
  })

  it('of a client that registered without refresh tokens brings none', async () => {
    const short = await register(gateway.app, { grant_types: ['authorization_code'] })
    const response = await redeem(gateway.app, short, await obtainCode(short))
    expect(response.statusCode).toBe(200)
    expect(response.json()).not.toHaveProperty('refresh_token')
    expect(await storedKeys(gateway.storage, 'refresh:')).toEqual([])
  })

  it('is refused when the person has left the configuration meanwhile', async () => {
    const code = await obtainCode()
    const { app } = await gateway.restart({ users: [BOB] })
    expectError(await redeem(app, client, code), 'invalid_grant')
  })

  it.each<[string, Record<string, string | undefined>, string]>([
    ['another verifier', { code_verifier: `${VERIFIER}x` }, 'invalid_grant'],
    ['a verifier too short', { code_verifier: 'short' }, 'invalid_request'],
    ['a verifier too long', { code_verifier: 'a'.repeat(129) }, 'invalid_request'],
    ['T19: no verifier', { code_verifier: undefined }, 'invalid_request'],
    ['another redirect', { redirect_uri: `${REDIRECT_URI}/x` }, 'invalid_grant'],
    ['another loopback port', { redirect_uri: 'http://127.0.0.1:1/callback' }, 'invalid_grant'],
    ['T8: another resource', { resource: 'https://files.example.com' }, 'invalid_target'],
    ['an unknown resource', { resource: 'https://other.example' }, 'invalid_target'],
    ['a resource that is no URL', { resource: 'notes' }, 'invalid_target'],
  ])('T18: with %s is refused, neither consumed nor revoked', async (_what, changes, error) => {
    const files = resource({ id: 'files', url: 'https://files.example.com' })
    gateway = await buildTestApp({ resources: [resource(), files] })
    client = await register(gateway.app)
    const code = await obtainCode()
    const before = await storedRecords(gateway.storage)
    expectError(await redeem(gateway.app, client, code, changes), error)
    expect(await storedRecords(gateway.storage)).toEqual(before)
    const again = await redeem(gateway.app, client, code)
    expect(again.statusCode).toBe(200)

    expectError(await redeem(gateway.app, client, code, changes), error)
    await expectAlive(again.json().access_token)
  })

  it('T18: presented by another client is neither consumed nor revoked', async () => {
    const code = await obtainCode()
    const thief = await register(gateway.app)
    expectError(await redeem(gateway.app, thief, code), 'invalid_grant')
    const first = await redeem(gateway.app, client, code)
    expect(first.statusCode).toBe(200)
    expectError(await redeem(gateway.app, thief, code), 'invalid_grant')
    await expectAlive(first.json().access_token)
  })

  it.each([undefined, '', 'nonsense', 'a'.repeat(5000)])('that is %j is refused', async (code) => {
    const response = await redeem(gateway.app, client, code ?? '', { code })
    expectError(response, code ? 'invalid_grant' : 'invalid_request')
  })

  it('may be redeemed without a redirect_uri, and for any covered URL of its resource', async () => {
    const response = await redeem(gateway.app, client, await obtainCode(), {
      redirect_uri: undefined,
      resource: 'https://MCP.example.com/notes/mcp/',
    })
    expect(response.statusCode).toBe(200)
  })

  it('is given back when the store fails before an answer was sent', async () => {
    const code = await obtainCode()
    const { storage } = gateway
    const create = storage.create
    storage.create = () => Promise.reject(new StorageUnavailable(new Error('disk full')))
    const failed = await redeem(gateway.app, client, code)
    expectError(failed, 'temporarily_unavailable', 503)
    expect(failed.headers['retry-after']).toMatch(/^\d+$/)
    storage.create = create
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(200)
  })

  it('never outlives its grant in the token it brings', async () => {
    gateway = await buildTestApp({
      lifetimes: { ...testConfig().lifetimes, grant: 600, grantIdle: 600 },
    })
    client = await register(gateway.app)
    const code = await obtainCode()
    gateway.clock.advance(50)
    expect((await redeem(gateway.app, client, code)).json().expires_in).toBe(550)
  })

  it('T22: of the same client and person makes a grant of its own', async () => {
    const one = await redeem(gateway.app, client, await obtainCode())
    const code = await obtainCode()
    const two = await redeem(gateway.app, client, code)
    await redeem(gateway.app, client, code)
    await expectAlive(one.json().access_token)
    await expectDead(two.json().access_token)
  })
})

describe('client authentication', () => {
  const basic = (id: string, secret: string) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  })
  const form = (code: string) => ({
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
  })
  const confidential = async (method: string) => {
    const it = await register(gateway.app, { token_endpoint_auth_method: method })
    return { client_id: it.client_id, client_secret: it.client_secret ?? '' }
  }

  it('takes a secret in the body', async () => {
    const it = await confidential('client_secret_post')
    const response = await token(gateway.app, { ...form(await obtainCode(it)), ...it })
    expect(response.statusCode).toBe(200)
  })

  it('takes Basic as the TypeScript SDK sends it, raw', async () => {
    const it = await confidential('client_secret_basic')
    const headers = basic(it.client_id, it.client_secret)
    const response = await token(gateway.app, form(await obtainCode(it)), headers)
    expect(response.statusCode).toBe(200)
  })

  it('takes Basic as the Python SDK sends it, form-encoded and with the id in the body', async () => {
    const it = await confidential('client_secret_basic')
    const encode = (text: string) => text.replaceAll('.', '%2E').replaceAll('-', '%2D')
    const { client_id } = it
    const headers = basic(encode(client_id), encode(it.client_secret))
    const response = await token(gateway.app, { ...form(await obtainCode(it)), client_id }, headers)
    expect(response.statusCode).toBe(200)
  })

  it('takes Basic with an empty password from a public client, as the Go SDK tries first', async () => {
    const headers = basic(client.client_id, '')
    const response = await token(gateway.app, form(await obtainCode()), headers)
    expect(response.statusCode).toBe(200)
  })

  it.each(['basic', 'BASIC'])('takes the scheme spelled %s', async (scheme) => {
    const { authorization } = basic(client.client_id, '')
    const headers = { authorization: authorization.replace('Basic', scheme) }
    const response = await token(gateway.app, form(await obtainCode()), headers)
    expect(response.statusCode).toBe(200)
  })

  it.each<[string, (it: RegisteredClient) => Record<string, string | undefined>]>([
    ['no client at all', () => ({})],
    ['an unknown client', () => ({ client_id: 'nobody' })],
    ['no secret', ({ client_id }) => ({ client_id })],
    ['an empty secret', ({ client_id }) => ({ client_id, client_secret: '' })],
    ['a wrong secret', ({ client_id }) => ({ client_id, client_secret: 'x'.repeat(43) })],
  ])('refuses %s without consuming the code', async (_what, credentials) => {
    const it = await confidential('client_secret_post')
    const code = await obtainCode(it)
    const response = await token(gateway.app, { ...form(code), ...credentials(it) })
    expectError(response, 'invalid_client', 401)
    expect(response.headers).not.toHaveProperty('www-authenticate')
    expect((await token(gateway.app, { ...form(code), ...it })).statusCode).toBe(200)
  })

  it.each<[string, (id: string) => string]>([
    ['a wrong password', (id) => basic(id, 'wrong').authorization],
    ['no password', (id) => basic(id, '').authorization],
    ['no colon', (id) => `Basic ${Buffer.from(id).toString('base64')}`],
    ['what is not base64', () => 'Basic %%%'],
    ['nothing', () => 'Basic'],
    ['broken form-encoding', (id) => basic(`${id}%zz`, '%').authorization],
    [
      'bytes that are no UTF-8',
      () => `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`,
    ],
  ])('refuses Basic with %s and names the scheme', async (_what, authorization) => {
    const it = await confidential('client_secret_basic')
    const code = await obtainCode(it)
    const headers = { authorization: authorization(it.client_id) }
    const response = await token(gateway.app, form(code), headers)
    expectError(response, 'invalid_client', 401)
    expect(response.headers['www-authenticate']).toBe('Basic realm="gatewarden"')
    const again = await token(gateway.app, form(code), basic(it.client_id, it.client_secret))
    expect(again.statusCode).toBe(200)
  })

  it('refuses a public client that sends a secret', async () => {
    const response = await redeem(gateway.app, client, await obtainCode(), { client_secret: 'x' })
    expectError(response, 'invalid_client', 401)
  })

  it('refuses two ways at once', async () => {
    const it = await confidential('client_secret_basic')
    const parameters = { ...form(await obtainCode(it)), ...it }
    const response = await token(gateway.app, parameters, basic(it.client_id, it.client_secret))
    expectError(response, 'invalid_request')
  })

  it('refuses an id in the body that is not the one of Basic', async () => {
    const it = await confidential('client_secret_basic')
    const parameters = { ...form(await obtainCode(it)), client_id: client.client_id }
    const response = await token(gateway.app, parameters, basic(it.client_id, it.client_secret))
    expectError(response, 'invalid_request')
  })

  it("T20: refuses another client's secret", async () => {
    const [mine, other] = [
      await confidential('client_secret_post'),
      await confidential('client_secret_post'),
    ]
    const parameters = { ...form(await obtainCode(mine)), client_id: mine.client_id }
    const response = await token(gateway.app, { ...parameters, client_secret: other.client_secret })
    expectError(response, 'invalid_client', 401)
  })

  it('knows clients and secrets of a previous root secret until it is removed', async () => {
    const it = await confidential('client_secret_post')
    const { clock, storage } = gateway
    const reuse = { clock, storage, secret: 'the next root secret, just as long' }
    const next = await buildTestApp({ secretPrevious: [SECRET] }, reuse)
    const known = await token(next.app, { ...form('x'), ...it })
    expectError(known, 'invalid_grant')
    const later = await buildTestApp({}, reuse)
    expectError(await token(later.app, { ...form('x'), ...it }), 'invalid_client', 401)
  })
})

describe('the token endpoint', () => {
  it.each([
    ['no grant_type', {}, 'invalid_request'],
    ['an empty grant_type', { grant_type: '' }, 'invalid_request'],
    ['an unknown one', { grant_type: 'password' }, 'unsupported_grant_type'],
    ['one of programs', { grant_type: 'client_credentials' }, 'unauthorized_client'],
    ['the name of an object member', { grant_type: 'constructor' }, 'unsupported_grant_type'],
  ])('refuses %s', async (_what, parameters, error) => {
    const response = await token(gateway.app, { client_id: client.client_id, ...parameters })
    expectError(response, error)
  })

  it('answers on a protected host as well', async () => {
    const response = await gateway.app.inject({
      method: 'POST',
      url: '/token',
      headers: {
        host: 'mcp.example.com',
        'content-type': 'application/x-www-form-urlencoded; charset=UTF-8',
      },
      payload: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: client.client_id,
        code: await obtainCode(),
        code_verifier: VERIFIER,
        empty: '',
        unknown: 'x',
      }).toString(),
    })
    expect(response.statusCode).toBe(200)
  })

  it('T32: leaves no code, token, secret or verifier in the log', async () => {
    const it = await register(gateway.app, { token_endpoint_auth_method: 'client_secret_post' })
    const secret = { client_secret: it.client_secret }
    const code = await obtainCode(it)
    const first = await redeem(gateway.app, it, code, secret)
    const tokens = first.json()
    const second = await refresh(gateway.app, it, tokens.refresh_token, secret)
    await redeem(gateway.app, it, code, secret)
    await redeem(gateway.app, it, code, { client_secret: 'guess-of-a-secret' })
    const log = JSON.stringify(gateway.logs)
    expect(log).toContain('token issued')
    for (const secretValue of [
      code,
      VERIFIER,
      it.client_secret ?? '',
      'guess-of-a-secret',
      tokens.access_token,
      tokens.refresh_token,
      second.json().access_token,
      second.json().refresh_token,
    ]) {
      expect(secretValue.length).toBeGreaterThan(10)
      expect(log).not.toContain(secretValue)
    }
  })
})
