/**
 * Where a sign-in may lead: to pages behind this login and nowhere else.
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp } from '../support/build-app.ts'
import { storedKeys } from '../support/stored.ts'
import { createVisitor, webApp } from '../support/visitor.ts'

const CONFIG = {
  cookieDomain: 'example.com',
  resources: [
    webApp('wiki.example.com'),
    webApp('far.example.org'),
    webApp('auth.example.com', { url: 'https://auth.example.com/app' }),
  ],
}
const LOGIN = 'https://auth.example.com/.gatewarden/login'
const FAR_LOGIN = 'https://far.example.org/.gatewarden/login'
const NONCE = 'n'.repeat(43)

const FOREIGN = [
  'https://evil.test/',
  'https://evil.test/https://wiki.example.com/',
  '//evil.test/',
  '///evil.test',
  '/\\evil.test/',
  '\\\\evil.test/',
  'https:evil.test',
  'https:/evil.test',
  'https:\\\\wiki.example.com/',
  'https://wiki.example.com\\@evil.test/',
  'https://wiki.example.com@evil.test/',
  'https://ann:pw@wiki.example.com/',
  'https://wiki.example.com.evil.test/',
  'https://evilwiki.example.com/',
  'https://example.com/',
  'https://wiki.example.com:8443/',
  'https://wiki.example.com/#fragment',
  'https://wiki.example.com/a/../b',
  'https://wiki.example.com/%2e%2e/b',
  'https://wiki.example.com/a/..%2fb',
  '//wiki.example.com/',
  'https://wiki.example.com/\r\nSet-Cookie: a=b',
  'https://wiki.example.com/ x',
  'https://wiki.example.com/ä',
  `https://wiki.example.com/${'a'.repeat(70_000)}`,
  'javascript:alert(1)',
  'data:text/html,x',
  'ftp://wiki.example.com/',
  'wiki.example.com',
  '',
  'https://auth.example.com/elsewhere',
  '/.gatewarden/login?rd=/app',
  'https://wiki.example.com/.gatewarden/login?rd=%2F',
  'https://wiki.example.com/%2egatewarden/logout',
]

describe('T15: a sign-in', () => {
  it.each(FOREIGN)('does not begin for %j', async (rd) => {
    const test = await buildTestApp(CONFIG)
    const visitor = createVisitor(test)
    for (const login of [LOGIN, FAR_LOGIN]) {
      const answer = await visitor.step(`${login}?rd=${encodeURIComponent(rd)}&nonce=${NONCE}`)
      expect(answer.statusCode, login).toBe(400)
      expect(answer.headers.location).toBeUndefined()
      expect(answer.headers['set-cookie']).toBeUndefined()
      expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(answer.body).not.toContain('evil.test')
    }
  })

  it.each(['', '?rd', '?rd=/app&rd=/app', '?nonce=x', '?rd=%ff'])(
    'does not begin without one readable address: %s',
    async (query) => {
      const visitor = createVisitor(await buildTestApp(CONFIG))
      const answer = await visitor.step(LOGIN + query)
      expect(answer.statusCode).toBe(400)
      expect(answer.headers['content-type']).toContain('text/html')
      expect(answer.headers['set-cookie']).toBeUndefined()
    },
  )

  it.each([
    ['the page of another host', 'https://wiki.example.com/'],
    ['a page of the gateway', 'https://auth.example.com/app'],
  ])('does not begin on a protected host for %s', async (_what, rd) => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    const answer = await visitor.step(`${FAR_LOGIN}?rd=${encodeURIComponent(rd)}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('is not offered on hosts that nobody configured', async () => {
    const { app } = await buildTestApp(CONFIG)
    for (const path of ['login?rd=/', 'callback?code=x', 'logout']) {
      for (const host of ['evil.test', 'evil.example.com', 'a b', '']) {
        const answer = await app.inject({ url: `/.gatewarden/${path}`, headers: { host } })
        expect(answer.statusCode).toBe(404)
        expect(answer.headers['set-cookie']).toBeUndefined()
      }
    }
  })

  it.each([
    ['https://wiki.example.com/a?b=c', '/authorize/login'],
    ['https%3A%2F%2Fwiki.example.com%2Fa%3Fb=c', '/authorize/login'],
    ['https://wiki.example.com%2Fa', '/authorize/login'],
    ['https://WIKI.example.com:443/a', '/authorize/login'],
    ['http://wiki.example.com/a', '/authorize/login'],
    ['/app', '/authorize/login'],
    ['/app/x?y=z', '/authorize/login'],
  ])('begins for %s, as proxies write it', async (rd, path) => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    const answer = await visitor.step(`${LOGIN}?rd=${rd}`)
    expect(answer.statusCode).toBe(302)
    expect(String(answer.headers.location).split('?')[0]).toBe(path)
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    })
  })

  it('goes back by https to a host that is https, whatever the address said', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    const login = await visitor.open(
      `${LOGIN}?rd=${encodeURIComponent('http://WIKI.example.com/')}`,
    )
    expect((await visitor.signIn(login)).url.href).toBe('https://wiki.example.com/')
  })

  it('takes the longest address there may be through the provider', async () => {
    const noise = Buffer.from(Array.from({ length: 1500 }, (_, i) => (i * 7919) % 251))
    const page = `https://wiki.example.com/${noise.toString('base64url').slice(0, 2000)}`
    const visitor = createVisitor(await buildTestApp(CONFIG))
    const back = await visitor.signIn(await visitor.open(page))
    expect(back.url.href).toBe(page)
  })

  it('goes to the protected host first, where that host sets the cookie and did not begin it', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    for (const nonce of ['', '&nonce=', '&nonce=short', `&nonce=${'!'.repeat(43)}`]) {
      const rd = encodeURIComponent('https://far.example.org/a?b')
      const answer = await visitor.step(`${LOGIN}?rd=${rd}${nonce}`)
      expect(answer.headers.location).toBe('https://far.example.org/.gatewarden/login?rd=%2Fa%3Fb')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  })

  it('is sent on from a host of the cookie domain, whose cookie the gateway sets', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    const answer = await visitor.step('https://wiki.example.com/.gatewarden/login?rd=/a')
    expect(answer.headers.location).toBe(`${LOGIN}?rd=https%3A%2F%2Fwiki.example.com%2Fa`)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('does not begin for a request that only looks, or for a script', async () => {
    const { app, storage } = await buildTestApp(CONFIG)
    const host = 'auth.example.com'
    for (const method of ['HEAD', 'POST', 'PUT', 'OPTIONS', 'QUERY'] as const) {
      const answer = await app.inject({
        method: method as 'POST',
        url: '/.gatewarden/login?rd=/app',
        headers: { host },
      })
      expect(answer.statusCode, method).toBe(405)
      expect(answer.headers.allow).toBe('GET')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
    for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket']) {
      const headers = { host, 'sec-fetch-mode': mode }
      const answer = await app.inject({ url: '/.gatewarden/login?rd=/app', headers })
      expect(answer.statusCode, mode).toBe(403)
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
    expect(await storedKeys(storage, 'interaction:')).toEqual([])
  })

  it('has the rate limit of the login', async () => {
    const { app } = await buildTestApp({ ...CONFIG, rateLimit: 2 })
    const ask = () =>
      app.inject({ url: '/.gatewarden/login?rd=/app', headers: { host: 'auth.example.com' } })
    await ask()
    await ask()
    const answer = await ask()
    expect(answer.statusCode).toBe(429)
    expect(answer.headers['content-type']).toContain('text/html')
  })
})
