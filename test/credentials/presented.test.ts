import { createPublicKey } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { asTraefikAsks } from '../check/asked.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'

const OTHER = resource({ id: 'other', url: 'https://mcp.example.com/other', allow: ANYONE })
const first = await buildTestApp({ resources: [resource({ allow: ANYONE }), OTHER] })
const { tokens } = await obtainTokens(first.app)
const token = tokens.access_token
const [header = '', payload = '', signature = ''] = token.split('.')
const jwks: { keys: [JWK] } = (await first.app.inject('/jwks')).json()
const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())

async function answerTo(authorization: string | undefined) {
  const { app } = await first.restart()
  return check(app, { authorization })
}

describe('a bearer credential', () => {
  it.each([
    ['as clients write it', `Bearer ${token}`, 200],
    ['in lower case', `bearer ${token}`, 200],
    ['in capitals', `BEARER ${token}`, 200],
    ['after two spaces', `Bearer  ${token}`, 200],
    ['after a tab', `Bearer\t${token}`, 200],
    ['behind another one', `Basic Zm9v, Bearer ${token}`, 400],
    ['of nothing and a comma', 'Bearer ,', 400],
    ['of a quoted nothing', 'Bearer ""', 400],
    ['of two tokens', `Bearer ${token} ${token}`, 400],
    ['of a list', `Bearer ${token},Bearer ${token}`, 400],
    ['in quotes', `Bearer "${token}"`, 400],
    ['with a parameter', `Bearer token=${token}`, 400],
    ['under a scheme that only begins like it', `Bearerx ${token}`, 401],
    ['under another scheme', `Basic ${token}`, 401],
    ['under no scheme', token, 401],
    ['as DPoP', `DPoP ${token}`, 401],
    ['that is left out', undefined, 401],
    ['that is empty', '', 401],
  ])('%s', async (_how, authorization, status) => {
    const answer = await answerTo(authorization)
    expect(answer.statusCode).toBe(status)
    if (status === 400) expect(answer.json()).toMatchObject({ error: 'invalid_request' })
  })

  it.each(['Bearer', 'Bearer ', 'bearer', 'BEARER\t', 'Bearer \t  ', ' Bearer'])(
    'cl14: without a token is none, at every endpoint, and lets a session decide: %j',
    async (authorization) => {
      const test = await first.restart({ edgeAuth: true })
      const { app } = test
      for (const at of ['/auth', '/auth/traefik', '/verify', '/_ws_tunnel']) {
        const bare = await check(app, {}, at)
        const answer = await check(app, { authorization }, at)
        expect(answer.statusCode, at).toBe(401)
        expect(answer.headers['www-authenticate']).toBe(bare.headers['www-authenticate'])
        expect(answer.body).toBe(bare.body)
      }
      const nginx = {
        'x-original-url': 'https://mcp.example.com/notes/mcp',
        'x-original-method': 'POST',
      }
      const refused = await check(app, { ...nginx, authorization }, '/auth/nginx')
      expect(refused.statusCode).toBe(401)
      expect(refused.headers['www-authenticate']).not.toContain('error=')
      const { cookie } = await makeSession(test)
      expect((await check(app, { authorization, cookie })).statusCode).toBe(200)
      expect((await check(app, { authorization, cookie: 'x=1' })).statusCode).toBe(401)
    },
  )

  it('on two lines is malformed, in whatever order and even if one is empty', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const good = `Authorization: Bearer ${token}`
    for (const other of ['Bearer x', 'Basic x', '', 'Bearer', `Bearer ${token}`]) {
      for (const lines of [
        [good, `Authorization: ${other}`],
        [`authorization: ${other}`, good],
      ]) {
        const answer = await exchange(port, asTraefikAsks(lines))
        expect(answer.status, lines.join()).toBe(400)
        expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request' })
      }
    }
  })

  it('in the query is ignored', async () => {
    const { app } = await first.restart()
    const uri = `/notes/mcp?access_token=${token}`
    const answer = await check(
      app,
      { 'x-forwarded-uri': uri },
      `/auth/traefik?access_token=${token}`,
    )
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).not.toContain('error=')
  })

  it('in a cookie is ignored', async () => {
    const { app } = await first.restart()
    const cookie = `access_token=${token}; Authorization=Bearer ${token}`
    expect((await check(app, { cookie })).statusCode).toBe(401)
  })
})

describe('T8, CVE-2025-69196: a token', () => {
  it('is good at the one resource it was issued for, not at its neighbour on the same host', async () => {
    const { app } = await first.restart()
    const authorization = `Bearer ${token}`
    expect((await check(app, { authorization })).statusCode).toBe(200)
    const answer = await check(app, { authorization, 'x-forwarded-uri': '/other' })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toMatchObject({ error: 'invalid_token' })
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('is good below its resource', async () => {
    const { app } = await first.restart()
    const authorization = `Bearer ${token}`
    const answer = await check(app, { authorization, 'x-forwarded-uri': '/notes/mcp/x?y' })
    expect(answer.statusCode).toBe(200)
  })
})

describe('T34: a token is invalid', () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const kid = jwks.keys[0].kid ?? ''
  const typ = 'at+jwt'
  const publicPem = createPublicKey({ key: { ...jwks.keys[0] }, format: 'jwk' })
    .export({ type: 'spki', format: 'pem' })
    .toString()
  const signedByStranger = async (protectedHeader: object) => {
    const { privateKey, publicKey } = await generateKeyPair('RS256')
    return new SignJWT(claims)
      .setProtectedHeader({
        alg: 'RS256',
        typ,
        jwk: await exportJWK(publicKey),
        ...protectedHeader,
      })
      .sign(privateKey)
  }
  it.each<[string, () => string | Promise<string>]>([
    ['with another payload', () => `${header}.${encode({ ...claims, sub: 'u_x' })}.${signature}`],
    [
      'with a payload that lives longer',
      () => `${header}.${encode({ ...claims, exp: 1e10 })}.${signature}`,
    ],
    ['without a signature', () => `${header}.${payload}.`],
    ['of alg none', () => `${encode({ alg: 'none', typ, kid })}.${payload}.`],
    [
      'of alg none with a signature',
      () => `${encode({ alg: 'none', typ, kid })}.${payload}.${signature}`,
    ],
    [
      'signed HS256 with our public key as the secret',
      () =>
        new SignJWT(claims)
          .setProtectedHeader({ alg: 'HS256', typ, kid })
          .sign(new TextEncoder().encode(publicPem)),
    ],
    ['signed by an embedded key', () => signedByStranger({})],
    ['signed by another key under our kid', () => signedByStranger({ kid })],
    [
      'signed by a key at a jku',
      () => signedByStranger({ kid: 'x', jku: 'https://evil.test/jwks' }),
    ],
    ['under a kid that is a path', () => signedByStranger({ kid: '../../dev/null' })],
    ['cut short', () => token.slice(0, -2)],
    ['with a further part', () => `${token}.${signature}`],
    ['that is only dots', () => '..'],
    ['that is not a JWT', () => 'abc'],
    ['of 20,000 characters', () => 'a'.repeat(20_000)],
  ])('%s', async (_how, forge) => {
    const answer = await answerTo(`Bearer ${await forge()}`)
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toMatchObject({ error: 'invalid_token' })
  })

  it('but not as it was issued, so that nothing else than the forgery fails above', async () => {
    expect((await answerTo(`Bearer ${header}.${payload}.${signature}`)).statusCode).toBe(200)
  })
})

describe('nothing but a credential lets a request pass', () => {
  it.each([
    ['GHSA-5hvv-m4w4-gf6v: a health checker by its name', { 'user-agent': 'kube-probe/1.30' }],
    ['GHSA-5hvv-m4w4-gf6v: Google by its name', { 'user-agent': 'GoogleHC/1.0' }],
    [
      'T26: a header of somebody who calls himself internal',
      { 'x-internal': 'true', 'router-key': '' },
    ],
    [
      'T24: an identity brought along',
      { 'x-forwarded-user': 'ann@example.com', 'x-user-id': 'u_1' },
    ],
    ['T24: an address brought along', { 'x-forwarded-for': '127.0.0.1', 'x-real-ip': '127.0.0.1' }],
    [
      'Kong ai-mcp-oauth2: a request of another shape than MCP',
      { 'x-forwarded-method': 'GET', accept: 'image/png' },
    ],
    [
      'a preflight',
      {
        'x-forwarded-method': 'OPTIONS',
        'access-control-request-method': 'POST',
        origin: 'http://localhost:1',
      },
    ],
    ['a method of MCP before login', { 'mcp-method': 'server/discover' }],
  ])('%s', async (_what, headers) => {
    const { app } = await first.restart()
    expect((await check(app, headers)).statusCode).toBe(401)
  })
})
