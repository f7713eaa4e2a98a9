import { createHmac, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  calculateJwkThumbprint,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  importJWK,
  type JWTHeaderParameters,
  jwtVerify,
} from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { signJws } from '../../src/oauth/tokens/signature.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  check,
  obtainTokens,
  type RegisteredClient,
  register,
  type Tokens,
} from '../support/oauth-client.ts'
import { accessKeys, testKeyring } from '../support/signing.ts'

const AUDIENCE = 'https://mcp.example.com/notes/mcp'

let gateway: TestApp
let client: RegisteredClient
let tokens: Tokens
beforeEach(async () => {
  gateway = await buildTestApp()
  ;({ client, tokens } = await obtainTokens(gateway.app))
})

async function publicJwk(): Promise<Record<string, string>> {
  return (await gateway.app.inject('/jwks')).json().keys[0]
}

async function expectRefused(token: string): Promise<void> {
  const answer = await check(gateway.app, { authorization: `Bearer ${token}` })
  expect(answer.statusCode).toBe(401)
  expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  for (const name of ['x-forwarded-user', 'x-user-id', 'x-forwarded-email']) {
    expect(answer.headers[name] ?? '').toBe('')
  }
}

it('says who may do what where, for how long, and nothing personal', async () => {
  const now = Math.floor(gateway.clock() / 1000)
  expect(decodeProtectedHeader(tokens.access_token)).toEqual({
    alg: 'ES256',
    typ: 'at+jwt',
    kid: (await publicJwk()).kid,
    gw: expect.stringMatching(/^[\w-]{22}$/),
  })
  expect(decodeJwt(tokens.access_token)).toEqual({
    iss: 'https://auth.example.com',
    sub: `u_${sha256('builtin\0ann')}`,
    aud: AUDIENCE,
    client_id: client.client_id,
    scope: 'mcp',
    gid: expect.stringMatching(/^[\w-]{22}$/),
    jti: expect.stringMatching(/^[\w-]{16}$/),
    iat: now,
    exp: now + 3600,
  })
})

it('verifies with the published key, as any resource server would', async () => {
  const key = await importJWK(await publicJwk(), 'ES256')
  const { payload } = await jwtVerify(tokens.access_token, key, {
    issuer: 'https://auth.example.com',
    audience: AUDIENCE,
    typ: 'at+jwt',
    currentDate: new Date(gateway.clock()),
  })
  expect(payload.client_id).toBe(client.client_id)
})

it('carries an id of its own, one subject a person and one grant a sign-in', async () => {
  const other = await obtainTokens(gateway.app, { client })
  const [a, b] = [decodeJwt(tokens.access_token), decodeJwt(other.tokens.access_token)]
  expect(a.jti).not.toBe(b.jti)
  expect(a.gid).not.toBe(b.gid)
  expect(a.sub).toBe(b.sub)
})

it('is over after its hour', async () => {
  gateway.clock.advance(3599)
  const alive = await check(gateway.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(alive.statusCode).toBe(200)
  gateway.clock.advance(1)
  await expectRefused(tokens.access_token)
})

it('T8: is refused at another resource, and at a host that only shares its wildcard', async () => {
  const allow = ANYONE
  gateway = await buildTestApp({
    resources: [
      resource({ allow }),
      resource({ id: 'files', url: 'https://mcp.example.com/files/mcp', allow }),
      resource({ id: 'labs', url: 'https://*.labs.example.com/mcp', allow }),
    ],
  })
  const at = (host: string, uri: string, token: string) =>
    check(gateway.app, {
      authorization: `Bearer ${token}`,
      'x-forwarded-host': host,
      'x-forwarded-uri': uri,
    })
  const notes = (await obtainTokens(gateway.app)).tokens.access_token
  const authorize = { resource: 'https://one.labs.example.com/mcp' }
  const one = (await obtainTokens(gateway.app, { authorize })).tokens.access_token
  expect((await at('mcp.example.com', '/notes/mcp', notes)).statusCode).toBe(200)
  expect((await at('mcp.example.com', '/files/mcp', notes)).statusCode).toBe(401)
  expect((await at('one.labs.example.com', '/mcp', one)).statusCode).toBe(200)
  expect((await at('two.labs.example.com', '/mcp', one)).statusCode).toBe(401)
  expect((await at('mcp.example.com', '/notes/mcp', one)).statusCode).toBe(401)
})

describe('T34: a token is refused', () => {
  const b64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const parts = () => tokens.access_token.split('.')
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  /** A token like ours, signed with a key of the attacker, or of ours; without our MAC or with it. */
  async function signed(
    header: Partial<JWTHeaderParameters> = {},
    claims: Record<string, unknown> = {},
    { key = privateKey, withMac = false }: { key?: KeyObject; withMac?: boolean } = {},
  ): Promise<string> {
    const { kid } = await publicJwk()
    const { gw } = decodeProtectedHeader(tokens.access_token)
    const plain = { alg: 'ES256', typ: 'at+jwt', kid, ...header }
    const payload = b64({ ...decodeJwt(tokens.access_token), ...claims })
    const mac = testKeyring().mac('token-mac/at+jwt', `${JSON.stringify(plain)}.${payload}`, 16)
    const input = `${b64({ ...plain, gw: withMac ? mac : gw })}.${payload}`
    return `${input}.${(await signJws('ES256', input, key)).toString('base64url')}`
  }

  it.each(['none', 'None', 'NONE', ''])('without signature, alg %j', async (alg) => {
    const [, payload] = parts()
    const header = b64({ ...decodeProtectedHeader(tokens.access_token), alg })
    await expectRefused(`${header}.${payload}.`)
    await expectRefused(`${header}.${payload}.${parts()[2]}`)
  })

  it.each(['pem', 'jwk'])('signed by HS256 with our public key (%s) as secret', async (form) => {
    const jwk = await publicJwk()
    const pem = createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    const secret = form === 'pem' ? pem : JSON.stringify(jwk)
    const [, payload] = parts()
    const input = `${b64({ alg: 'HS256', typ: 'at+jwt', kid: jwk.kid, gw: jwk.kid })}.${payload}`
    const signature = createHmac('sha256', secret).update(input).digest('base64url')
    await expectRefused(`${input}.${signature}`)
  })

  it('signed by another key under our kid, with and without our MAC', async () => {
    await expectRefused(await signed())
    await expectRefused(await signed({}, {}, { withMac: true }))
  })

  it('with a key of its own embedded', async () => {
    const jwk = await exportJWK(publicKey)
    const kid = await calculateJwkThumbprint(jwk)
    await expectRefused(await signed({ jwk }))
    await expectRefused(await signed({ jwk, kid }))
  })

  it.each<[string, Partial<JWTHeaderParameters>]>([
    ['an unknown kid', { kid: 'unknown' }],
    ['a kid that is a path', { kid: '../../signing-key:es256-1' }],
    ['a kid that is an object member', { kid: '__proto__' }],
    ['a jku', { jku: 'https://evil.example/jwks' }],
    ['an x5u', { x5u: 'https://evil.example/x.pem' }],
    ['a critical extension', { crit: ['x'], x: true }],
  ])('with %s', async (_what, header) => {
    const token = await signed({}).then(async (plain) => {
      const [, payload] = plain.split('.')
      return `${b64({ ...decodeProtectedHeader(plain), ...header })}.${payload}.${parts()[2]}`
    })
    await expectRefused(token)
  })

  it.each([
    ['changed scope', 1, { scope: 'mcp admin' }],
    ['changed audience', 1, { aud: 'https://other.example' }],
    ['changed lifetime', 1, { exp: 99_999_999_999 }],
    ['changed grant', 1, { gid: 'x' }],
    ['the type of an id token', 0, { typ: 'JWT' }],
    ['PS256 claimed', 0, { alg: 'PS256' }],
  ])('with %s', async (_what, part, change) => {
    const changed = parts()
    const before = JSON.parse(Buffer.from(changed[part] ?? '', 'base64url').toString())
    changed[part] = b64({ ...before, ...change })
    await expectRefused(changed.join('.'))
  })

  it.each<[string, Partial<JWTHeaderParameters>, Record<string, unknown>]>([
    ['the type of an id token', { typ: 'JWT' }, {}],
    ['no type', { typ: '' }, {}],
    ['another issuer', {}, { iss: 'https://auth.example.com/' }],
    ['several audiences', {}, { aud: [AUDIENCE, 'https://other.example'] }],
    ['no grant', {}, { gid: undefined }],
    ['a grant that never was', {}, { gid: 'A'.repeat(22) }],
    ['no expiry', {}, { exp: undefined }],
    ['an expiry in the past', {}, { exp: 1 }],
    ['a time to come', {}, { nbf: 99_999_999_999 }],
  ])('although our own key signed it, with %s', async (_what, header, claims) => {
    const { storage, clock } = gateway
    const key = (await accessKeys({ storage, now: clock })).current().privateKey
    const ours = await signed({}, {}, { key, withMac: true })
    const answer = await check(gateway.app, { authorization: `Bearer ${ours}` })
    expect(answer.statusCode).toBe(200)
    await expectRefused(await signed(header, claims, { key, withMac: true }))
  })

  it('although our own key signed it, without our MAC', async () => {
    const { storage, clock } = gateway
    const key = (await accessKeys({ storage, now: clock })).current().privateKey
    await expectRefused(await signed({}, { jti: 'another' }, { key }))
  })

  it.each(['x', 'x.y.z', 'a'.repeat(10_000), `${'a.'.repeat(50)}a`, '..'])(
    'that is nonsense: %.20s',
    async (nonsense) => {
      await expectRefused(nonsense)
    },
  )

  it('from another gateway that was built alike', async () => {
    const other = await buildTestApp({}, { secret: 'the secret of another server altogether' })
    const stranger = await obtainTokens(other.app, { client: await register(other.app) })
    await expectRefused(stranger.tokens.access_token)
  })
})
