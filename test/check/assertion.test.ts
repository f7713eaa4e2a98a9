/** The signed statement about the caller for the server behind (features A6). */
import { generateKeyPairSync } from 'node:crypto'
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWK, jwtVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import type { Config } from '../../src/config/config.ts'
import { sha256 } from '../../src/crypto.ts'
import { ANYONE, buildTestApp, createClock, resource, type TestApp } from '../support/build-app.ts'
import { readPage } from '../support/documentation.ts'
import { check, introspect, obtainTokens, register, revoke } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'
import { asTraefikAsks } from './asked.ts'

const NAME = 'Cf-Access-Jwt-Assertion'
const ISSUER = 'https://auth.example.com'
const NOTES = 'https://mcp.example.com/notes/mcp'
const ON: Partial<Config> = {
  identityHeaders: { ...IDENTITY_HEADERS, [NAME]: 'assertion' },
  resources: [resource({ allow: ANYONE })],
}

const first = await buildTestApp(ON)
const { tokens, client } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`

const rsaKey = () => ({
  algorithm: 'RS256' as const,
  privateKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
})

/** The assertion that a check with these headers answers. */
async function assertionOf(test: TestApp, headers: Record<string, string> = { authorization }) {
  const answer = await check(test.app, headers)
  return { status: answer.statusCode, assertion: String(answer.headers[NAME.toLowerCase()] ?? '') }
}

async function keysOf({ app }: TestApp) {
  const { keys } = (await app.inject('/jwks')).json<{ keys: JWK[] }>()
  return createLocalJWKSet({ keys })
}

describe('with the header of ASSERTION_HEADER the server gets a JWT', () => {
  it('that our public keys verify, and that says who calls', async () => {
    const test = await first.restart()
    const { assertion } = await assertionOf(test)
    const { payload, protectedHeader } = await jwtVerify(assertion, await keysOf(test), {
      issuer: ISSUER,
      audience: NOTES,
      typ: 'assertion+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(test.clock()),
    })
    expect(protectedHeader).toEqual({
      alg: 'ES256',
      typ: 'assertion+jwt',
      kid: expect.stringMatching(/^[\w-]{43}$/),
    })
    expect(payload).toEqual({
      iss: ISSUER,
      aud: NOTES,
      sub: (await check(test.app, { authorization })).headers['x-user-id'],
      email: 'ann@example.com',
      name: 'Ann Adams',
      groups: ['staff'],
      scope: 'mcp',
      iat: Math.floor(test.clock() / 1000),
      exp: Math.floor(test.clock() / 1000) + 300,
    })
  })

  it('without members that nobody knows', async () => {
    const token = 'a-fixed-token-of-a-program-0123456789'
    const test = await first.restart({
      staticTokens: [{ name: 'backup', tokenHash: sha256(token) }],
    })
    const { assertion } = await assertionOf(test, { authorization: `Bearer ${token}` })
    const claims = decodeJwt(assertion)
    expect(Object.keys(claims).toSorted()).toEqual(
      ['iss', 'aud', 'sub', 'groups', 'scope', 'iat', 'exp'].toSorted(),
    )
    expect(claims.sub).toMatch(/^s_/)
    expect(claims.exp).toBe(Number(claims.iat) + 300)
  })

  it('behind the reverse proxy too, in place of the client’s own', async () => {
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const { app } = await first.restart({
      resources: [resource({ allow: ANYONE, upstream: `${upstream.origin}/mcp` })],
    })
    const answer = await exchange(await listen(app), [
      'GET /notes/mcp HTTP/1.1',
      'Host: mcp.example.com',
      `Authorization: ${authorization}`,
      `${NAME}: forged`,
      'cf_access_jwt_assertion: forged',
    ])
    expect(answer.status).toBe(200)
    const [request] = upstream.requests
    if (!request) throw new Error('nothing arrived')
    expect(linesOf(request, NAME)).toEqual([expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]{86}$/)])
    expect(request.rawHeaders).not.toContain('forged')
  })

  it('that is empty for a caller whom nobody knows', async () => {
    const test = await first.restart({
      resources: [resource({ allow: ANYONE, openPaths: ['/notes/mcp/open'] })],
    })
    const head = asTraefikAsks().map((line) => line.replace('/notes/mcp', '/notes/mcp/open'))
    const answer = await exchange(await listen(test.app), head)
    expect([answer.status, answer.values(NAME)]).toEqual([200, ['']])
  })
})

it('is off unless asked for', async () => {
  const test = await first.restart({ identityHeaders: IDENTITY_HEADERS })
  expect(await assertionOf(test)).toEqual({ status: 200, assertion: '' })
})

describe('an assertion', () => {
  it('is made once for a credential, and again after half of its life', async () => {
    const test = await first.restart()
    const { assertion } = await assertionOf(test)
    expect((await assertionOf(test)).assertion).toBe(assertion)
    test.clock.advance(149)
    expect((await assertionOf(test)).assertion).toBe(assertion)
    test.clock.advance(1)
    const { assertion: next } = await assertionOf(test)
    expect(decodeJwt(next).exp).toBe(Number(decodeJwt(assertion).exp) + 150)
  })

  it('is kept for each server of a session, however a browser goes between them', async () => {
    const resources = ['notes', 'wiki'].map((id) =>
      resource({ id, url: `https://${id}.example.com`, allow: ANYONE }),
    )
    const token = 'a-fixed-token-of-a-program-0123456789'
    const test = await first.restart({
      resources,
      staticTokens: [{ name: 'backup', tokenHash: sha256(token) }],
    })
    const at = (id: string) =>
      assertionOf(test, {
        authorization: `Bearer ${token}`,
        'x-forwarded-host': `${id}.example.com`,
        'x-forwarded-uri': '/',
      })
    const before = [await at('notes'), await at('wiki')].map(({ assertion }) => assertion)
    // Each signature of ECDSA is another one.
    expect([await at('notes'), await at('wiki')].map(({ assertion }) => assertion)).toEqual(before)
    expect(before.map((assertion) => decodeJwt(assertion).aud)).toEqual([
      'https://notes.example.com',
      'https://wiki.example.com',
    ])
  })

  it('ends no later than the credential', async () => {
    const test = await buildTestApp({
      ...ON,
      lifetimes: { ...first.config.lifetimes, accessToken: 60 },
    })
    const { tokens: short } = await obtainTokens(test.app)
    const bearer = `Bearer ${short.access_token}`
    const { assertion } = await assertionOf(test, { authorization: bearer })
    expect(decodeJwt(assertion).exp).toBe(decodeJwt(short.access_token).exp)
  })

  it('names the person as they are now', async () => {
    const [ann] = first.config.users
    if (!ann) throw new Error('ann is missing')
    const test = await first.restart({ users: [{ ...ann, groups: ['admins'] }] })
    expect(decodeJwt((await assertionOf(test)).assertion).groups).toEqual(['admins'])
  })

  it('is signed by the RSA key of an operator who brings one', async () => {
    const test = await buildTestApp({ ...ON, signingKey: rsaKey() })
    const { tokens: own } = await obtainTokens(test.app)
    const { assertion } = await assertionOf(test, { authorization: `Bearer ${own.access_token}` })
    expect(decodeProtectedHeader(assertion).alg).toBe('RS256')
    const { payload } = await jwtVerify(assertion, await keysOf(test), {
      currentDate: new Date(test.clock()),
    })
    expect(payload.email).toBe('ann@example.com')
  })
})

it('is verified by the example of docs/assertion.md', async () => {
  const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readPage('docs/assertion.md')) ?? []
  const body = code.replace(/^import .*$/m, '').replace('export async', 'return async')
  const test = await buildTestApp(ON, { clock: createClock(Date.now()) })
  const keys = await keysOf(test)
  const make = new Function('createRemoteJWKSet', 'jwtVerify', body)
  const callerOf: (request: object) => Promise<object> = make(() => keys, jwtVerify)
  const { tokens: own } = await obtainTokens(test.app)
  const { headers } = await check(test.app, { authorization: `Bearer ${own.access_token}` })
  expect(await callerOf({ headers })).toMatchObject({ email: 'ann@example.com' })
  const stolen = { 'cf-access-jwt-assertion': own.access_token }
  await expect(callerOf({ headers: stolen })).rejects.toThrow('typ')
})

describe('T42: an assertion opens nothing here', () => {
  it('as a bearer token', async () => {
    const test = await first.restart()
    const { assertion } = await assertionOf(test)
    const answer = await check(test.app, { authorization: `Bearer ${assertion}` })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it.each(['__Host-gw_session', 'CF_Authorization'])('as the cookie %s', async (cookie) => {
    const test = await first.restart()
    const { assertion } = await assertionOf(test)
    expect((await check(test.app, { cookie: `${cookie}=${assertion}` })).statusCode).toBe(401)
  })

  it('as an API key, or in its own header', async () => {
    const test = await first.restart()
    const { assertion } = await assertionOf(test)
    for (const name of ['x-api-key', NAME]) {
      expect((await check(test.app, { [name]: assertion })).statusCode).toBe(401)
    }
  })

  it('and is no token for /introspect and /revoke', async () => {
    const test = await first.restart()
    const { assertion } = await assertionOf(test)
    const confidential = await register(test.app, {
      token_endpoint_auth_method: 'client_secret_post',
    })
    const said = await introspect(test.app, confidential, assertion)
    expect([said.statusCode, said.json()]).toEqual([200, { active: false }])
    await revoke(test.app, client, assertion)
    expect((await check(test.app, { authorization })).statusCode).toBe(200)
  })

  it('nor does an access token pass for one', async () => {
    const test = await first.restart()
    const verified = jwtVerify(tokens.access_token, await keysOf(test), {
      typ: 'assertion+jwt',
      currentDate: new Date(test.clock()),
    })
    await expect(verified).rejects.toThrow('typ')
  })
})
