import { decodeJwt, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { subjectOf } from '../../src/oauth/subject.ts'
import { createAccessTokens } from '../../src/oauth/tokens/access-token.ts'
import {
  addSigningKey,
  loadSigningKeys,
  replaceSigningKeys,
} from '../../src/oauth/tokens/signing-keys.ts'
import { asTraefikAsks, PRM } from '../check/asked.ts'
import { ANN, ANYONE, BOB, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { HAND_COOKIE, HOST_COOKIE, makeSession } from '../support/session.ts'
import { accessKeys, keyDeps, testKeyring } from '../support/signing.ts'

const EXPIRED_OR_WORSE = `Bearer error="invalid_token", error_description="The access token is expired or revoked or not valid here", resource_metadata="${PRM}/notes/mcp", scope="mcp"`

async function signedIn(changes: Parameters<typeof buildTestApp>[0] = {}) {
  const test = await buildTestApp(changes)
  return { test, app: test.app, ...(await makeSession(test)) }
}

const other = (changes: Parameters<typeof resource>[0] = {}) =>
  resource({ id: 'other', url: 'https://other.example.net/app', allow: ANYONE, ...changes })

describe('the cookie of a signed-in browser', () => {
  it.each([
    ['seen for the first time', false],
    ['seen before', true],
  ])('opens the application with every identity header, %s', async (_which, warm) => {
    const { app, cookie, grant } = await signedIn()
    if (warm) await check(app, { cookie })
    const answer = await check(app, { cookie })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
      'x-forwarded-scopes': 'mcp',
      'x-forwarded-client': sha256('browser').slice(0, 16),
      'x-user-id': subjectOf(grant),
      'x-user-name': 'Ann Adams',
    })
    expect(answer.headers).not.toHaveProperty('cookie')
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })

  it('is found among 30 cookies of the application, which alone go on', async () => {
    const { app, cookie } = await signedIn()
    const theirs = Array.from({ length: 30 }, (_, i) => `app_${i}=${'v'.repeat(600)}`)
    const sent = [...theirs.slice(0, 15), cookie, ...theirs.slice(15)].join('; ')
    const port = await listen(app)
    const answer = await exchange(port, asTraefikAsks([`Cookie: ${sent}`]))
    expect(answer.status).toBe(200)
    expect(answer.values('cookie')).toEqual([theirs.join('; ')])
  })

  it('does not count beside a bearer token, not even beside a bad one', async () => {
    const { app, cookie } = await signedIn()
    const answer = await check(app, { cookie, authorization: 'Bearer x' })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe(EXPIRED_OR_WORSE)
  })

  it('leaves the application the Authorization of its own', async () => {
    const { app, cookie } = await signedIn()
    const authorization = 'Basic YXBwOnBhc3N3b3Jk'
    const answer = await check(app, { cookie: `${cookie}; app=1`, authorization })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.authorization).toBe(authorization)
    expect(answer.headers.cookie).toBe('app=1')
    const { tokens } = await obtainTokens(app)
    const byToken = await check(app, { cookie, authorization: `Bearer ${tokens.access_token}` })
    expect(byToken.statusCode).toBe(200)
    expect(byToken.headers).not.toHaveProperty('authorization')
  })

  it('on two lines, or twice on one, counts once', async () => {
    const { app, cookie } = await signedIn()
    const port = await listen(app)
    for (const lines of [
      [`Cookie: ${cookie}; ${cookie}`],
      [`Cookie: ${HOST_COOKIE}=slipped-in`, `Cookie: app=1; ${cookie}`],
    ]) {
      const answer = await exchange(port, asTraefikAsks(lines))
      expect(answer.status).toBe(200)
      expect(answer.values('x-forwarded-user')).toEqual(['ann@example.com'])
    }
  })
})

describe('T34: a session cookie that we did not make', () => {
  const CLAIMS = { aud: 'https://mcp.example.com/notes/mcp', scope: 'mcp' }

  async function forge(kind: 'other key' | 'none' | 'HS256' | 'embedded key' | 'other issuer') {
    const session = await signedIn()
    const { test, token, grant } = session
    const keys = await loadSigningKeys(
      keyDeps({ storage: test.storage, now: test.clock }, { algorithm: 'RS256' }),
    )
    const { kid, publicKey, privateKey } = keys.current()
    const stranger = await generateKeyPair('RS256')
    const claims = { ...decodeJwt(token), ...CLAIMS, gid: grant.id }
    const signed = (header: object, by: Parameters<SignJWT['sign']>[0], changes: object = {}) =>
      new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ alg: 'RS256', typ: 'session+jwt', kid, ...header })
        .sign(by)
    const forged = {
      'other key': () => signed({}, stranger.privateKey),
      none: async () => {
        const head = Buffer.from('{"alg":"none","typ":"session+jwt"}').toString('base64url')
        return `${head}.${token.split('.')[1]}.`
      },
      HS256: async () => signed({ alg: 'HS256' }, Buffer.from(await exportSPKI(publicKey))),
      'embedded key': () =>
        signed({ kid: undefined, jwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }, stranger.privateKey),
      'other issuer': () =>
        signed({ typ: 'JWT' }, privateKey, { iss: 'https://team.cloudflareaccess.com' }),
    }
    return { ...session, forged: await forged[kind]() }
  }

  it.each(['other key', 'none', 'HS256', 'embedded key', 'other issuer'] as const)(
    '%s: is refused, and the good one still good',
    async (kind) => {
      const { app, forged, cookie } = await forge(kind)
      for (const name of [HOST_COOKIE, HAND_COOKIE]) {
        const answer = await check(app, { cookie: `${name}=${forged}` })
        expect(answer.statusCode).toBe(401)
        expect(answer.json()).toMatchObject({ error: 'invalid_token' })
        expect(answer.headers['www-authenticate']).toBe(EXPIRED_OR_WORSE)
      }
      expect((await check(app, { cookie })).statusCode).toBe(200)
    },
  )

  it.each(['x', 'a.b.c', '%', '"quoted"', 'e30.e30.', '{}', '.'.repeat(5000)])(
    'garbage is refused: %.20s',
    async (value) => {
      const { app } = await buildTestApp()
      expect((await check(app, { cookie: `${HOST_COOKIE}=${value}` })).statusCode).toBe(401)
    },
  )

  it('an empty one is none: the challenge is the bare one', async () => {
    const { app } = await buildTestApp()
    const answer = await check(app, { cookie: `${HOST_COOKIE}=; ${HAND_COOKIE}=` })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).not.toContain('error=')
  })

  it.each([
    ['another person', { sub: 'u_somebody-else' }],
    ['another scope', { scope: 'mcp admin' }],
    ['another audience', { aud: 'https://other.example.net/app' }],
  ])('signed with our key but for %s than its grant is refused', async (_what, claims) => {
    const test = await buildTestApp({ resources: [resource(), other()] })
    const { cookie } = await makeSession(test, { claims })
    for (const place of [
      {},
      { 'x-forwarded-host': 'other.example.net', 'x-forwarded-uri': '/app' },
    ])
      expect((await check(test.app, { cookie, ...place })).statusCode).toBe(401)
  })
})

describe('T8: a session and an access token are two things', () => {
  it('a session is not a bearer token', async () => {
    const { app, token } = await signedIn()
    const answer = await check(app, { authorization: `Bearer ${token}` })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe(EXPIRED_OR_WORSE)
  })

  it('an access token is not a session, even with the grant of one', async () => {
    const { test, app, grant } = await signedIn()
    const { tokens } = await obtainTokens(app)
    for (const name of [HOST_COOKIE, HAND_COOKIE]) {
      const cookie = `${name}=${tokens.access_token}`
      expect((await check(app, { cookie })).statusCode).toBe(401)
    }
    const keys = await accessKeys({ storage: test.storage, now: test.clock })
    const made = await createAccessTokens({
      issuer: 'https://auth.example.com',
      keys,
      keyring: testKeyring(),
      now: test.clock,
    }).issue({
      sub: subjectOf(grant),
      aud: grant.resource,
      gid: grant.id,
      client_id: 'browser',
      scope: 'mcp',
      iat: grant.createdAt,
      exp: grant.expiresAt,
    })
    expect((await check(app, { cookie: `${HOST_COOKIE}=${made}` })).statusCode).toBe(401)
  })
})

describe('where a session counts', () => {
  const APPS = [
    resource({ allow: ANYONE }),
    resource({ id: 'wiki', url: 'https://mcp.example.com/wiki', allow: ANYONE }),
    resource({ id: 'mail', url: 'https://mail.example.com', allow: ANYONE }),
    resource({ id: 'apex', url: 'https://example.com', allow: ANYONE }),
    resource({ id: 'lookalike', url: 'https://evil-example.com', allow: ANYONE }),
    other(),
  ]
  const at = (host: string, uri: string) => ({ 'x-forwarded-host': host, 'x-forwarded-uri': uri })
  const WIKI = at('mcp.example.com', '/wiki')
  const MAIL = at('mail.example.com', '/inbox')
  const APEX = at('example.com', '/')
  const LOOKALIKE = at('evil-example.com', '/')
  const OTHER = at('other.example.net', '/app')

  it('that of a host: at its own application only, wherever it is replayed', async () => {
    const test = await buildTestApp({ resources: APPS })
    const { token, cookie } = await makeSession(test)
    expect((await check(test.app, { cookie })).statusCode).toBe(200)
    for (const place of [WIKI, MAIL, APEX, LOOKALIKE, OTHER]) {
      for (const name of [HOST_COOKIE, HAND_COOKIE]) {
        const answer = await check(test.app, { cookie: `${name}=${token}`, ...place })
        expect(answer.statusCode, place['x-forwarded-host']).toBe(401)
      }
    }
  })

  it('that of a domain: at every application under it, and at no other', async () => {
    const test = await buildTestApp({ resources: APPS, cookieDomain: 'example.com' })
    const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
    const cookie = `${HAND_COOKIE}=${token}`
    for (const place of [{}, WIKI, MAIL, APEX]) {
      expect((await check(test.app, { cookie, ...place })).statusCode).toBe(200)
    }
    for (const place of [LOOKALIKE, OTHER]) {
      expect((await check(test.app, { cookie, ...place })).statusCode).toBe(401)
    }
  })

  it('that of a domain that is no longer configured: nowhere but at that very address', async () => {
    const test = await buildTestApp({ resources: APPS })
    const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
    const cookie = `${HAND_COOKIE}=${token}`
    for (const place of [{}, WIKI, MAIL, OTHER]) {
      expect((await check(test.app, { cookie, ...place })).statusCode).toBe(401)
    }
  })

  it("asks each application's own policy and scopes", async () => {
    const test = await buildTestApp({
      cookieDomain: 'example.com',
      resources: [
        resource(),
        resource({
          id: 'mail',
          url: 'https://mail.example.com',
          allow: { anyone: false, emails: ['bob@elsewhere.test'], domains: [], groups: [] },
        }),
        resource({
          id: 'wiki',
          url: 'https://mcp.example.com/wiki',
          scopes: { mcp: 'Use', admin: 'Administer' },
          requiredScopes: ['admin'],
        }),
      ],
    })
    const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
    const cookie = `${HAND_COOKIE}=${token}`
    expect((await check(test.app, { cookie })).statusCode).toBe(200)
    const mail = await check(test.app, { cookie, ...MAIL })
    expect(mail.statusCode).toBe(403)
    expect(mail.json()).toEqual({
      error: 'access_denied',
      error_description: 'the person is not on the list',
    })
    const wiki = await check(test.app, { cookie, ...WIKI })
    expect(wiki.statusCode).toBe(403)
    expect(wiki.headers['www-authenticate']).toContain('error="insufficient_scope"')
  })
})

describe.each([
  ['seen before', true],
  ['not seen before', false],
])('a session %s', (_which, warm) => {
  async function used(changes: Parameters<typeof buildTestApp>[0] = {}) {
    const session = await signedIn(changes)
    if (warm) expect((await check(session.app, { cookie: session.cookie })).statusCode).toBe(200)
    return session
  }

  it('is refused at the very next check when it was ended', async () => {
    const { app, cookie, records, grant } = await used()
    await records.grants.revoke(grant.id)
    for (let i = 0; i < 2; i++) {
      const answer = await check(app, { cookie })
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['www-authenticate']).toBe(EXPIRED_OR_WORSE)
    }
  })

  it('is good after another key signs, and refused once its own was taken away', async () => {
    const { test, app, cookie } = await used()
    const deps = keyDeps({ storage: test.storage, now: test.clock }, { algorithm: 'RS256' })
    test.clock.advance(1)
    await addSigningKey(test.clock(), deps)
    // Each process does this by itself every minute: here a session of the new key makes it look.
    const other = (await makeSession(test)).cookie
    expect((await check(app, { cookie: other })).statusCode).toBe(200)
    expect((await check(app, { cookie })).statusCode).toBe(200)
    await replaceSigningKeys(deps)
    test.clock.advance(5)
    const next = (await makeSession(test)).cookie
    expect((await check(app, { cookie: next })).statusCode).toBe(200)
    expect((await check(app, { cookie })).statusCode).toBe(401)
  })

  it('is as good as before after a restart', async () => {
    const { test, cookie } = await used()
    const { app } = await test.restart()
    expect((await check(app, { cookie })).statusCode).toBe(200)
  })

  it('is out with its person', async () => {
    const { test, cookie } = await used()
    const { app } = await test.restart({ users: [BOB] })
    expect((await check(app, { cookie })).statusCode).toBe(401)
  })

  it('is refused as a person when the list changed', async () => {
    const { test, cookie } = await used()
    const { app } = await test.restart({ users: [{ ...ANN, email: 'ann@elsewhere.test' }] })
    const answer = await check(app, { cookie })
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  })

  it('is out when everything before a time is', async () => {
    const { test, cookie, grant } = await used()
    const { app } = await test.restart({ revokeBefore: grant.createdAt + 1 })
    expect((await check(app, { cookie })).statusCode).toBe(401)
  })
})
