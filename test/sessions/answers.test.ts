/**
 * The answers to people and programs whose browser session is not good enough.
 */
import { describe, expect, it } from 'vitest'
import { IDENTITY } from '../check/asked.ts'
import { ANYONE, BOB, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { DOMAIN_COOKIE, HAND_COOKIE, HOST_COOKIE, makeSession } from '../support/session.ts'

const BROWSER = {
  'x-forwarded-method': 'GET',
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
}
const LOGIN = 'https://mcp.example.com/.gatewarden/login?rd=%2Fnotes%2Fmcp'
const ONLY_BOB = { anyone: false, emails: [BOB.email ?? ''], domains: [], groups: [] }

type Answer = Awaited<ReturnType<typeof check>>

function expectPage(answer: Answer, status: number): void {
  expect(answer.statusCode).toBe(status)
  expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(answer.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.headers['referrer-policy']).toBe('no-referrer')
  expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)))
  for (const name of IDENTITY) expect(answer.headers).not.toHaveProperty(name.toLowerCase())
}

describe('a person whose session does not count', () => {
  it.each([
    ['is none', undefined],
    ['is garbage', `${HOST_COOKIE}=x`],
    ['is another program, under the same name', `${HAND_COOKIE}=eyJhbGciOiJSUzI1NiJ9.e30.x`],
  ])('since it %s is sent to the login', async (_why, cookie) => {
    const { app } = await buildTestApp()
    const answer = await check(app, { ...BROWSER, cookie })
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe(LOGIN)
  })

  it('since it has ended is sent to the login, by HEAD, too', async () => {
    const test = await buildTestApp()
    const { cookie } = await makeSession(test)
    test.clock.advance(86_400)
    expect((await check(test.app, { ...BROWSER, cookie })).headers.location).toBe(LOGIN)
    const head = await check(test.app, { ...BROWSER, cookie, 'x-forwarded-method': 'HEAD' })
    expect(head.headers.location).toBe(LOGIN)
  })

  it('since it is for another application is sent to the login of this one', async () => {
    const test = await buildTestApp({
      resources: [resource(), resource({ id: 'wiki', url: 'https://wiki.example.com' })],
    })
    const { cookie } = await makeSession(test)
    const answer = await check(test.app, {
      ...BROWSER,
      cookie,
      'x-forwarded-host': 'wiki.example.com',
      'x-forwarded-uri': '/a?b',
    })
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe('https://wiki.example.com/.gatewarden/login?rd=%2Fa%3Fb')
  })

  it('under the cookie domain is sent to the gateway itself', async () => {
    const { app } = await buildTestApp({ cookieDomain: 'example.com' })
    const answer = await check(app, BROWSER)
    expect(answer.headers.location).toBe(
      'https://auth.example.com/.gatewarden/login?rd=https%3A%2F%2Fmcp.example.com%2Fnotes%2Fmcp',
    )
  })

  it.each([
    ['a script', { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
    ['a frame', { 'sec-fetch-dest': 'iframe' }],
    ['an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image', accept: 'image/*' }],
    ['a form', { 'x-forwarded-method': 'POST' }],
    ['an MCP client', { accept: 'application/json, text/event-stream' }],
    ['one that takes a page as well', { accept: 'text/event-stream, text/html, */*' }],
    ['curl', { accept: '*/*', 'sec-fetch-mode': undefined, 'sec-fetch-dest': undefined }],
  ])('is not: %s is challenged', async (_what, headers) => {
    const test = await buildTestApp()
    const { cookie } = await makeSession(test)
    test.clock.advance(86_400)
    for (const sent of [undefined, cookie]) {
      const answer = await check(test.app, { ...BROWSER, ...headers, cookie: sent })
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('resource_metadata=')
      expect(answer.headers).not.toHaveProperty('location')
    }
  })

  it('with a bad bearer token is challenged, not sent away', async () => {
    const { app } = await buildTestApp()
    const answer = await check(app, { ...BROWSER, authorization: 'Bearer x' })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toMatchObject({ error: 'invalid_token' })
  })
})

describe('a person who is not on the list', () => {
  it('reads who they are, whom to ask, and how to be someone else', async () => {
    const test = await buildTestApp({ resources: [resource({ allow: ONLY_BOB })] })
    const { cookie } = await makeSession(test)
    const answer = await check(test.app, { ...BROWSER, cookie })
    expectPage(answer, 403)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
    expect(answer.body).toContain('You may not use Team notes')
    expect(answer.body).toContain('You are signed in as ann@example.com')
    expect(answer.body).toContain('Ask whoever runs mcp.example.com to let you in,')
    expect(answer.body).toContain('href="https://mcp.example.com/.gatewarden/logout"')
    expect(answer.body).toContain('Sign in as someone else')
  })

  it('under the cookie domain signs out at the gateway', async () => {
    const test = await buildTestApp({
      cookieDomain: 'example.com',
      resources: [resource({ allow: ONLY_BOB })],
    })
    const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
    const answer = await check(test.app, { ...BROWSER, cookie: `${DOMAIN_COOKIE}=${token}` })
    expectPage(answer, 403)
    expect(answer.body).toContain('href="https://auth.example.com/logout"')
  })

  it('gets JSON as a program, or with a token', async () => {
    const test = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
    const { tokens } = await obtainTokens(test.app)
    const { app } = await test.restart({ resources: [resource({ allow: ONLY_BOB })] })
    const { cookie } = await makeSession(test)
    const json = { error: 'access_denied', error_description: 'the person is not on the list' }
    expect((await check(app, { cookie })).json()).toEqual(json)
    const authorization = `Bearer ${tokens.access_token}`
    expect((await check(app, { ...BROWSER, authorization })).json()).toEqual(json)
  })
})

it('a person without a permission that everybody needs reads so', async () => {
  const test = await buildTestApp({
    resources: [
      resource({ scopes: { mcp: 'Use', admin: 'Administer' }, requiredScopes: ['admin'] }),
    ],
  })
  const { cookie } = await makeSession(test)
  const answer = await check(test.app, { ...BROWSER, cookie })
  expectPage(answer, 403)
  expect(answer.body).toContain('You have no permission for Team notes')
  expect(answer.body).toContain('You are signed in as ann@example.com')
})

describe('our own addresses on a protected host whose proxy does not send them to us', () => {
  const host = resource({ url: 'https://mcp.example.com', allow: ANYONE })
  const at = { 'x-forwarded-uri': '/.gatewarden/login?rd=%2F' }

  it('are refused for everybody, in words, and never reach the application', async () => {
    const test = await buildTestApp({ resources: [host] })
    const { cookie } = await makeSession(test, { grant: { resource: host.url } })
    for (const sent of [undefined, cookie]) {
      const page = await check(test.app, { ...BROWSER, ...at, cookie: sent })
      expectPage(page, 403)
      expect(page.body).toContain('Signing in is not set up at this address')
      expect(page.body).toContain('/.gatewarden/')
      const json = await check(test.app, { ...at, cookie: sent })
      expect(json.statusCode).toBe(403)
      expect(json.json()).toEqual({
        error: 'access_denied',
        error_description:
          'the operator of this server must route /.gatewarden/ of this host to Gatewarden',
      })
    }
  })

  it('are named in the log once a minute', async () => {
    const test = await buildTestApp({ resources: [host] })
    const warnings = () => test.logs.filter(({ level }) => level === 40)
    for (let i = 0; i < 3; i++) await check(test.app, { ...BROWSER, ...at })
    expect(warnings()).toMatchObject([
      {
        host: 'mcp.example.com',
        path: '/.gatewarden/',
        msg: 'no browser can sign in: route this path of this host to Gatewarden, without the login in front',
      },
    ])
    test.clock.advance(60)
    await check(test.app, { ...BROWSER, ...at })
    expect(warnings()).toHaveLength(2)
    expect(JSON.stringify(test.logs)).not.toContain('rd=')
  })
})

it('T32: writes no session to the log', async () => {
  const test = await buildTestApp()
  const { token, cookie } = await makeSession(test)
  await check(test.app, { cookie })
  await check(test.app, { cookie: `${cookie}; ${cookie}` })
  await check(test.app, { cookie, origin: 'https://evil.test' })
  await check(test.app, { cookie: `${cookie}x` })
  const written = JSON.stringify(test.logs)
  expect(test.logs.filter(({ msg }) => msg === 'decision')).toHaveLength(4)
  expect(written).not.toContain(token.slice(-20))
  expect(written).not.toContain(token.slice(0, 20))
})
