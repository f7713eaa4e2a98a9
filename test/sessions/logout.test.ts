/**
 * Signing out of a browser session.
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { DOMAIN_COOKIE, makeSession } from '../support/session.ts'
import { storedKeys } from '../support/stored.ts'
import { createVisitor, isLetIn, linkOf, webApp } from '../support/visitor.ts'

const CONFIG = {
  cookieDomain: 'example.com',
  resources: [webApp('wiki.example.com'), webApp('far.example.org')],
}
const PLACES = [
  { page: 'https://wiki.example.com/', logout: 'https://auth.example.com/logout' },
  { page: 'https://wiki.example.com/', logout: 'https://auth.example.com/.gatewarden/logout' },
  { page: 'https://wiki.example.com/', logout: 'https://wiki.example.com/.gatewarden/logout' },
  { page: 'https://far.example.org/', logout: 'https://far.example.org/.gatewarden/logout' },
]

async function signedIn(page: string) {
  const test = await buildTestApp(CONFIG)
  const visitor = createVisitor(test)
  expect(isLetIn(await visitor.signIn(await visitor.open(page)))).toBe(true)
  return { test, visitor, cookie: visitor.jar.header(new URL(page)) ?? '' }
}

describe.each(PLACES)('signing out of $page at $logout', ({ page, logout }) => {
  it('GHSA-f24x-5g9q-753f: ends the session and every copy of its token', async () => {
    const { test, visitor, cookie } = await signedIn(page)
    const { answer } = await visitor.open(logout)
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toContain('You are signed out')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
    expect(await storedKeys(test.storage, 'session:')).toEqual([])
    expect(visitor.jar.names().join()).not.toMatch(/gw_session/)
    expect(isLetIn(await visitor.open(page, { cookie }))).toBe(false)
    expect((await visitor.open(page)).url.pathname).toBe('/authorize/login')
  })

  it.each(['same-origin', 'same-site', 'none'])(
    'needs no asking when opened from: %s',
    async (site) => {
      const { visitor } = await signedIn(page)
      const { answer } = await visitor.open(logout, { 'sec-fetch-site': site })
      expect(answer.body).toContain('You are signed out')
    },
  )

  it.each([
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': '' },
    { 'sec-purpose': 'prefetch;prerender' },
    { purpose: 'prefetch' },
  ])('is asked for first where nobody may have meant it: %j', async (headers) => {
    const { test, visitor } = await signedIn(page)
    const asked = await visitor.open(logout, headers as Record<string, string>)
    expect(asked.answer.statusCode).toBe(200)
    expect(asked.answer.body).toContain('Sign out?')
    expect(asked.answer.headers['set-cookie']).toBeUndefined()
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
    const action = /<form method="post" action="([^"]*)"/.exec(asked.answer.body)?.[1] ?? ''
    const done = await visitor.post(asked, action)
    expect(done.answer.body).toContain('You are signed out')
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
  })

  it.each([
    { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' },
    { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' },
    { 'sec-fetch-site': 'cross-site', origin: 'null' },
  ])('is not done by the form of another page: %j', async (headers) => {
    const { test, visitor } = await signedIn(page)
    const asked = await visitor.open(logout, { 'sec-fetch-site': 'cross-site' })
    const forged = await visitor.post(asked, logout, {}, headers as Record<string, string>)
    expect(forged.answer.statusCode).toBe(403)
    expect(forged.answer.headers['set-cookie']).toBeUndefined()
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
  })

  it('is not done by a script, an image, or a request that only looks', async () => {
    const { test, visitor, cookie } = await signedIn(page)
    for (const mode of ['no-cors', 'cors']) {
      expect((await visitor.step(logout, { 'sec-fetch-mode': mode })).statusCode).toBe(403)
    }
    const { host, pathname: url } = new URL(logout)
    const headers = { host, cookie, 'sec-fetch-site': 'none' }
    for (const method of ['HEAD', 'PUT', 'DELETE'] as const) {
      const answer = await test.app.inject({ method, url, headers })
      expect(answer.statusCode).toBe(405)
      expect(answer.headers.allow).toBe('GET, POST')
    }
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
  })

  it('clears every cookie that may hold a session there', async () => {
    const { visitor } = await signedIn(page)
    const before = visitor.lines.length
    await visitor.open(logout)
    const { host } = new URL(logout)
    const cleared = visitor.lines.slice(before)
    const domain = host.split('.').slice(-2).join('.')
    for (const expected of [
      new RegExp(`${DOMAIN_COOKIE}=; Max-Age=0; Path=/;.* HttpOnly; Secure; SameSite=Lax`),
      new RegExp(`${DOMAIN_COOKIE}=; Max-Age=0; Domain=${domain}; Path=/;.* HttpOnly; Secure`),
      /__Host-gw_session=; Max-Age=0; Path=\/;.* HttpOnly; Secure; SameSite=Lax/,
    ]) {
      expect(cleared).toContainEqual(expect.stringMatching(expected))
    }
  })
})

describe('signing out', () => {
  it('ends nothing that a cookie only names', async () => {
    const { test, visitor, cookie } = await signedIn('https://wiki.example.com/')
    const token = /gw_session_[\w-]+=([^;]*)/.exec(cookie)?.[1] ?? ''
    const [header, payload, signature = ''] = token.split('.')
    const forged = [
      `${header}.${payload}.${'A'.repeat(signature.length)}`,
      `${Buffer.from('{"alg":"none","typ":"session+jwt"}').toString('base64url')}.${payload}.`,
      `${header}.${payload}`,
      JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()).gid,
      'x',
    ]
    for (const value of forged) {
      const answer = await visitor.step('https://auth.example.com/logout', {
        cookie: `${DOMAIN_COOKIE}=${value}`,
      })
      expect(answer.statusCode).toBe(200)
    }
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
    expect(isLetIn(await visitor.open('https://wiki.example.com/', { cookie }))).toBe(true)
  })

  it('takes no access token for a session', async () => {
    const test = await buildTestApp()
    const { tokens } = await obtainTokens(test.app)
    await createVisitor(test).step('https://auth.example.com/logout', {
      cookie: `${DOMAIN_COOKIE}=${tokens.access_token}`,
    })
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
  })

  it('ends both of two sessions, where one was slipped in', async () => {
    const test = await buildTestApp(CONFIG)
    const grant = { resource: 'https://example.com' }
    const [one, two] = [await makeSession(test, { grant }), await makeSession(test, { grant })]
    await createVisitor(test).step('https://auth.example.com/logout', {
      cookie: `${DOMAIN_COOKIE}=${one.token}; ${DOMAIN_COOKIE}=${two.token}`,
    })
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
  })

  it('leaves programs that were let in alone', async () => {
    const test = await buildTestApp()
    await obtainTokens(test.app)
    const { answer } = await createVisitor(test).open('https://auth.example.com/logout')
    expect(answer.body).toContain('Programs that you let in before keep their access')
    expect(await storedKeys(test.storage, 'grant:')).toHaveLength(1)
  })

  it('says that the provider may still know the person, and asks anew after it', async () => {
    const provider = await startHostileProvider()
    const test = await buildTestApp({ provider: provider.config, users: [], ...CONFIG })
    const visitor = createVisitor(test)
    const away = await visitor.open('https://far.example.org/')
    await visitor.open(await provider.signIn(away.url.href))
    const out = await visitor.open('https://far.example.org/.gatewarden/logout')
    expect(out.answer.body).toContain('You may still be signed in at')
    const again = await visitor.open(linkOf(out, 'Sign in again'))
    expect(again.url.origin).toBe(provider.issuer)
    expect(again.url.searchParams.get('prompt')).toBe('login')
    expect((await visitor.open('https://far.example.org/')).url.searchParams.get('prompt')).toBe(
      null,
    )
  })

  it('answers 503 while the store is down, and leaves the cookie for another try', async () => {
    const { test, visitor } = await signedIn('https://wiki.example.com/')
    const { delete: remove } = test.storage
    const { StorageUnavailable } = await import('../../src/storage/storage.ts')
    test.storage.delete = () => Promise.reject(new StorageUnavailable(new Error('down')))
    const down = await visitor.step('https://auth.example.com/logout')
    expect(down.statusCode).toBe(503)
    expect(down.headers['set-cookie']).toBeUndefined()
    test.storage.delete = remove
    expect((await visitor.open('https://auth.example.com/logout')).answer.statusCode).toBe(200)
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
  })

  it('leaves /logout of other hosts to their applications', async () => {
    const test = await buildTestApp(CONFIG)
    for (const host of ['wiki.example.com', 'far.example.org']) {
      const answer = await test.app.inject({ url: '/logout', headers: { host } })
      expect(answer.statusCode).toBe(404)
    }
    for (const host of ['AUTH.example.com', 'auth.example.com:443', 'auth.example.com.']) {
      const answer = await test.app.inject({ url: '/logout', headers: { host } })
      expect(answer.statusCode).toBe(200)
    }
  })
})
