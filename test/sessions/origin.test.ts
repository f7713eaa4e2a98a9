/**
 * Requests that a web page makes with somebody's cookie (decision K24): the page's origin decides.
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { makeSession } from '../support/session.ts'

const FOREIGN = {
  error: 'access_denied',
  error_description: 'the web page that made this request is of a foreign origin',
}
const first = await buildTestApp({
  resources: [resource(), resource({ id: 'other', url: 'https://other.example.com' })],
  allowedOrigins: ['https://chat.example.com'],
})
const { cookie } = await makeSession(first)
const WEBSOCKET = {
  'x-forwarded-method': 'GET',
  'sec-websocket-key': 'c2l4dGVlbiBieXRlcyBvayE=',
  'sec-websocket-version': '13',
}

describe.each([
  ['POST', { 'x-forwarded-method': 'POST' }],
  ['DELETE', { 'x-forwarded-method': 'DELETE' }],
  ['GET', { 'x-forwarded-method': 'GET' }],
  ['WebSocket handshake', WEBSOCKET],
])('T28: a %s with a cookie', (_what, asked) => {
  const ask = async (headers: Record<string, string>, changes = {}) => {
    const { app } = await first.restart(changes)
    return check(app, { cookie, ...asked, ...headers })
  }

  it("of the application's own page passes", async () => {
    const own = { origin: 'https://mcp.example.com', 'sec-fetch-site': 'same-origin' }
    expect((await ask(own)).statusCode).toBe(200)
  })

  it('of a program, which sends no Origin, passes', async () => {
    expect((await ask({})).statusCode).toBe(200)
  })

  it.each([
    ['another application here', 'https://other.example.com'],
    ['the gateway', 'https://auth.example.com'],
    ['a page of ALLOWED_ORIGINS', 'https://chat.example.com'],
    ['a page on this computer', 'http://localhost:6274'],
    ['a foreign page', 'https://evil.test'],
    ['the same host over http', 'http://mcp.example.com'],
    ['the same host at another port', 'https://mcp.example.com:8443'],
    ['a page without an origin', 'null'],
    ['nobody', ''],
  ])('of %s is refused', async (_who, origin) => {
    const answer = await ask({ origin, 'sec-fetch-site': 'cross-site' })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toEqual(FOREIGN)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  })

  it('is refused whatever ALLOWED_ORIGINS lets others do', async () => {
    for (const allowedOrigins of ['*', ['loopback']] as const) {
      const origin = 'http://localhost:6274'
      expect((await ask({ origin }, { allowedOrigins })).json()).toEqual(FOREIGN)
    }
  })

  it('of an own page that hides its address passes: the browser says that it is our own', async () => {
    const own = { origin: 'null', 'sec-fetch-site': 'same-origin' }
    expect((await ask(own)).statusCode).toBe(200)
    for (const site of ['same-site', 'cross-site', 'none', '']) {
      expect((await ask({ origin: 'null', 'sec-fetch-site': site })).json()).toEqual(FOREIGN)
    }
  })
})

it.each(['cross-site', 'same-site'])('a %s POST that lost its Origin is refused', async (site) => {
  const { app } = await first.restart()
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY']) {
    const answer = await check(app, {
      cookie,
      'x-forwarded-method': method,
      'sec-fetch-site': site,
    })
    expect(answer.json()).toEqual(FOREIGN)
  }
})

it('a link from another site opens the page', async () => {
  const { app } = await first.restart()
  const answer = await check(app, {
    cookie,
    accept: 'text/html',
    'x-forwarded-method': 'GET',
    'sec-fetch-site': 'cross-site',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
  })
  expect(answer.statusCode).toBe(200)
})

it('a page that may call with a token still may, with a cookie beside it', async () => {
  const { app } = await first.restart({ allowedOrigins: ['loopback'] })
  const { tokens } = await obtainTokens(app)
  const authorization = `Bearer ${tokens.access_token}`
  const origin = 'http://localhost:6274'
  expect((await check(app, { authorization, cookie, origin })).statusCode).toBe(200)
})

it('a page with a bad cookie is challenged, so that it can get a token', async () => {
  const { app } = await first.restart({ allowedOrigins: ['loopback'] })
  const answer = await check(app, { cookie: 'gw_session=x', origin: 'http://localhost:6274' })
  expect(answer.statusCode).toBe(401)
})
