/**
 * Signing in to a web page with a browser, from the first request back to the very page, for every host that can set
 * the cookie.
 */
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import type { Grant } from '../../src/records/records.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { DOMAIN_COOKIE } from '../support/session.ts'
import { storedRecords } from '../support/stored.ts'
import { createVisitor, isLetIn, linkOf, webApp } from '../support/visitor.ts'

const SCOPES = [
  {
    scope: 'domain',
    config: { cookieDomain: 'example.com', resources: [webApp('wiki.example.com')] },
    page: 'https://wiki.example.com/pages/1?q=a%20b&x=/y',
    audience: 'https://example.com',
    cookie:
      /^__Secure-gw_session_[\w-]{8}=[\w.-]+; Max-Age=86400; Domain=example\.com; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    setAt: 'auth.example.com',
  },
  {
    scope: 'own host',
    config: { resources: [webApp('auth.example.com', { url: 'https://auth.example.com/app' })] },
    page: 'https://auth.example.com/app?tab=2',
    audience: 'https://auth.example.com/app',
    cookie: /^__Host-gw_session=[\w.-]+; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    setAt: 'auth.example.com',
  },
  {
    scope: 'other host',
    config: { resources: [webApp('wiki.example.org')] },
    page: 'https://wiki.example.org/pages/1?q=a%20b&x=/y',
    audience: 'https://wiki.example.org',
    cookie: /^__Host-gw_session=[\w.-]+; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    setAt: 'wiki.example.org',
  },
] as const

const protects = ['/app']

describe.each(SCOPES)('a session by the cookie of the $scope', ({ config, page, ...expected }) => {
  it('comes back to the very page, with the built-in login', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test, { protects })
    const login = await visitor.open(page)
    expect(login.url.pathname).toBe('/authorize/login')
    expect(login.answer.body).toContain('>Wiki</bdi></b>')
    expect(login.answer.body).not.toContain('so that')
    const back = await visitor.signIn(login)
    expect(back.url.href).toBe(page)
    expect(isLetIn(back)).toBe(true)
    expect(back.answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-client': sha256('edge-auth-client').slice(0, 16),
    })
    expect(isLetIn(await visitor.open(page))).toBe(true)
  })

  it('comes back to the very page, from a provider elsewhere', async () => {
    const provider = await startHostileProvider()
    const test = await buildTestApp({ provider: provider.config, users: [], ...config })
    const visitor = createVisitor(test, { protects })
    const away = await visitor.open(page)
    expect(away.url.origin).toBe(provider.issuer)
    const back = await visitor.open(await provider.signIn(away.url.href))
    expect(back.url.href).toBe(page)
    expect(isLetIn(back)).toBe(true)
  })

  it('sets a cookie with exactly these attributes, for exactly this audience', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test, { protects })
    await visitor.signIn(await visitor.open(page))
    const set = visitor.lines.filter((line) => /CF_Authorization|gw_session/.test(line))
    // Under a domain, programs find the same token under the name that they know.
    const further = set.filter((line) => line.includes(' CF_Authorization='))
    expect(further).toHaveLength(expected.audience === 'https://example.com' ? 1 : 0)
    const [own = '', ...more] = set.filter((line) => !further.includes(line))
    expect(more).toEqual([])
    for (const line of further) expect(line.split('=')[1]).toBe(own.split('=')[1])
    const [host = '', ...rest] = own.split(' ')
    const line = rest.join(' ')
    expect(host).toBe(expected.setAt)
    expect(line).toMatch(expected.cookie)
    const [, payload = ''] = line.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const now = Math.floor(test.clock() / 1000)
    expect(claims).toMatchObject({
      iss: 'https://auth.example.com',
      aud: expected.audience,
      scope: 'mcp',
      email: 'ann@example.com',
      iat: now,
      exp: now + 86_400,
    })
  })

  it('leaves one grant of the browser, and nothing else that stays', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test, { protects })
    await visitor.signIn(await visitor.open(page))
    const records = await storedRecords(test.storage)
    const kinds = Object.keys(records).map((key) => key.split(':')[0])
    expect(kinds.filter((kind) => kind !== 'signing-key').toSorted()).toEqual(
      // On a host that is shared and unguarded, the gateway knows no browser again (K36).
      [
        ...['grant', 'identity', 'interaction', 'session'],
        ...(page.includes('/app') ? [] : ['sign-in']),
      ].toSorted(),
    )
    const grant = storedGrant(records)
    expect(grant).toMatchObject({
      provider: 'builtin',
      subject: 'ann',
      clientHash: sha256('edge-auth-client'),
      clientName: 'Browser',
      redirectHost: new URL(page).host,
      resource: expected.audience,
      scopes: ['mcp'],
      expiresAt: grant.createdAt + 86_400,
    })
  })

  it('lasts as long as SESSION_LIFETIME says, also for a session of 30 days', async () => {
    const lifetimes = { ...(await buildTestApp()).config.lifetimes, session: 30 * 86_400 }
    const test = await buildTestApp({
      ...config,
      lifetimes: { ...lifetimes, sessionIdle: 40 * 86_400 },
    })
    const visitor = createVisitor(test, { protects })
    await visitor.signIn(await visitor.open(page))
    test.clock.advance(30 * 86_400 - 1)
    expect(isLetIn(await visitor.open(page))).toBe(true)
    test.clock.advance(1)
    expect((await visitor.open(page)).url.pathname).toBe('/authorize/login')
  })

  it('never reaches the application with the rest of the cookies', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test, { protects })
    await visitor.signIn(await visitor.open(page))
    const mine = visitor.jar.header(new URL(page))
    const { answer } = await visitor.open(page, { cookie: `theme=dark; ${mine}; lang=en` })
    expect(answer.headers.cookie).toBe('theme=dark; lang=en')
  })

  it('is refused to a person whom the policy refuses, who may sign in as someone else', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test, { protects })
    const refused = await visitor.signIn(await visitor.open(page), { name: 'bob' })
    expect(refused.answer.statusCode).toBe(403)
    expect(refused.answer.body).toContain('bob@elsewhere.test')
    expect(refused.answer.body).not.toContain('Back to')
    expect(Object.keys(await storedRecords(test.storage)).join()).not.toMatch(/grant|session/)
    const login = await visitor.open(linkOf(refused, 'Sign in as someone else'))
    const back = await visitor.signIn(login)
    expect(isLetIn(back)).toBe(true)
  })

  it('is asked for once more, not lost, by a person who took half an hour', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test, { protects })
    const login = await visitor.open(page)
    test.clock.advance(30 * 60)
    const late = await visitor.signIn(login)
    expect(late.answer.statusCode).toBe(400)
    const fresh = await visitor.open(linkOf(late, 'Start again'))
    expect((await visitor.signIn(fresh)).url.href).toBe(page)
  })
})

describe('a session of a domain', () => {
  const config = {
    cookieDomain: 'example.com',
    resources: [
      webApp('wiki.example.com', { scopes: { read: '', write: '' }, defaultScopes: ['read'] }),
      webApp('board.example.com', {
        scopes: { post: '', vote: '' },
        requiredScopes: ['vote'],
        defaultScopes: ['post'],
        allow: { ...ANYONE, anyone: false, emails: ['cay@example.com'] },
      }),
      webApp('far.example.org', { scopes: { far: '' }, defaultScopes: ['far'] }),
    ],
  }

  it('opens every server under it, each by its own policy, and none beyond', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test)
    await visitor.signIn(await visitor.open('https://wiki.example.com/'))
    const board = await visitor.open('https://board.example.com/')
    expect(board.answer.statusCode).toBe(403)
    const far = await visitor.open('https://far.example.org/')
    expect(far.way.join(' ')).toContain('https://far.example.org/.gatewarden/callback?code=')
  })

  it('carries the default and required scopes of all of them', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test)
    await visitor.signIn(await visitor.open('https://wiki.example.com/'))
    const records = await storedRecords(test.storage)
    const grant = storedGrant(records)
    expect(grant).toMatchObject({ scopes: ['read', 'vote', 'post'] })
  })

  it('takes the place of a cookie of another COOKIE_DOMAIN, which would be a second one', async () => {
    const test = await buildTestApp(config)
    const visitor = createVisitor(test)
    const own = new URL('https://auth.example.com')
    visitor.jar.store(own, [
      `${DOMAIN_COOKIE}=old; Domain=auth.example.com; Path=/; Secure`,
      `${DOMAIN_COOKIE}=older; Path=/; Secure`,
    ])
    await visitor.signIn(await visitor.open('https://wiki.example.com/'))
    const header = visitor.jar.header(own) ?? ''
    expect(header.match(/gw_session_/g)).toHaveLength(1)
    expect(header).not.toContain('=old')
  })
})

describe('over plain http (decision K7)', () => {
  it('uses the same cookies without prefix and Secure', async () => {
    const test = await buildTestApp({
      publicUrl: { origin: 'http://localhost:8080', host: 'localhost:8080', secure: false },
      resources: [resource({ url: 'http://127.0.0.1:8081' })],
    })
    const visitor = createVisitor(test)
    const back = await visitor.signIn(await visitor.open('http://127.0.0.1:8081/x'))
    expect(back.url.href).toBe('http://127.0.0.1:8081/x')
    expect(isLetIn(back)).toBe(true)
    expect(visitor.jar.names().filter((name) => name.includes('__Host-'))).toEqual([])
    expect(visitor.jar.names()).toContain('gw_session')
  })
})

/** The grant among the records of a store, without its MAC. */
function storedGrant(records: Readonly<Record<string, unknown>>): Grant {
  const stored = Object.entries(records).find(([key]) => key.startsWith('grant:'))?.[1]
  // The store's own form (src/records/authentic.ts), which no interface of it shows.
  return (stored as { readonly value: Grant }).value
}
