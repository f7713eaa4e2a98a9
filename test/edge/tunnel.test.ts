import { SignJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { IDENTITY } from '../check/asked.ts'
import { resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { HAND_COOKIE, HOST_COOKIE, makeSession } from '../support/session.ts'
import { askTunnel, buildEdgeApp } from './support.ts'

const MISSING = '{"error":"authentication required"}'
const INVALID = '{"error":"invalid or expired token"}'

const identityIn = (headers: Record<string, unknown>) =>
  IDENTITY.filter((name) => headers[name.toLowerCase()] !== undefined)

describe('a tunnel with a good cookie', () => {
  it.each([HOST_COOKIE, HAND_COOKIE])('opens, in the words of mcpauth (%s)', async (name) => {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test)
    const answer = await askTunnel(test.app, { cookie: `theme=dark; ${name}=${token}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toBe('authenticated')
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(answer.headers['content-length']).toBe('13')
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-scopes': 'mcp',
      'cache-control': 'no-store',
      cookie: 'theme=dark',
    })
    expect(identityIn(answer.headers)).toEqual(IDENTITY)
  })

  it('opens again without a promise, and whatever the method of the question', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    for (const method of ['GET', 'POST'] as const) {
      expect((await askTunnel(test.app, { cookie }, { method })).body).toBe('authenticated')
    }
  })

  it("opens on the gateway's own host, for the server that is meant there", async () => {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test)
    const answer = await askTunnel(test.app, {
      'x-forwarded-host': 'auth.example.com',
      cookie: `${HAND_COOKIE}=${token}`,
    })
    expect(answer.body).toBe('authenticated')
  })

  it('opens at every server under the cookie domain, by its own policy', async () => {
    const wiki = resource({ id: 'wiki', url: 'https://wiki.example.com' })
    const closed = resource({
      id: 'closed',
      url: 'https://closed.example.com',
      allow: { anyone: false, emails: [], domains: [], groups: ['admins'] },
    })
    const test = await buildEdgeApp({
      cookieDomain: 'example.com',
      resources: [resource(), wiki, closed],
    })
    const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
    const at = async (host: string) =>
      (
        await askTunnel(test.app, {
          'x-forwarded-host': host,
          cookie: `${HAND_COOKIE}=${token}`,
        })
      ).statusCode
    expect(await at('mcp.example.com')).toBe(200)
    expect(await at('wiki.example.com')).toBe(200)
    expect(await at('closed.example.com')).toBe(403)
    expect(await at('other.example.org')).toBe(403)
  })

  it('is pinned to a server where the proxy says so', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    const at = async (url: string) => (await askTunnel(test.app, { cookie }, { url })).statusCode
    expect(await at('/_ws_tunnel/r/notes')).toBe(200)
    expect(await at('/_ws_tunnel/r/other')).toBe(403)
    expect(await at('/_ws_tunnel/x')).toBe(404)
  })
})

describe('a tunnel without one', () => {
  it('is told to authenticate, without a challenge', async () => {
    const { app } = await buildEdgeApp()
    for (const headers of [{}, { cookie: 'theme=dark' }, { cookie: `${HOST_COOKIE}=` }]) {
      const answer = await askTunnel(app, headers)
      expect(answer.statusCode).toBe(401)
      expect(answer.body).toBe(MISSING)
      expect(answer.headers['content-type']).toBe('application/json')
      expect(answer.headers['www-authenticate']).toBeUndefined()
      expect(identityIn(answer.headers)).toEqual([])
    }
  })

  it('is not sent to the login, even by a browser', async () => {
    const { app } = await buildEdgeApp()
    const answer = await askTunnel(app, { accept: 'text/html', 'sec-fetch-mode': 'navigate' })
    expect(answer.statusCode).toBe(401)
    expect(answer.body).toBe(MISSING)
  })

  it('gains nothing by a bearer token, nor by its session as one', async () => {
    const test = await buildEdgeApp()
    const { tokens } = await obtainTokens(test.app)
    const { token } = await makeSession(test)
    for (const bearer of [tokens.access_token, token]) {
      const answer = await askTunnel(test.app, { authorization: `Bearer ${bearer}` })
      expect(answer.body).toBe(MISSING)
    }
    const asCookie = await askTunnel(test.app, { cookie: `${HOST_COOKIE}=${tokens.access_token}` })
    expect(asCookie.body).toBe(INVALID)
  })
})

describe('a tunnel with a bad cookie', () => {
  it.each<[string, Parameters<typeof makeSession>[1], number]>([
    ['for another server', { grant: { resource: 'https://other.example.com' } }, 0],
    ['that says more than its grant', { claims: { scope: 'mcp admin' } }, 0],
    ['of somebody who is gone', { grant: { subject: 'carol' } }, 0],
    ['past its time', {}, 86_400],
    ['idle for too long', {}, 28_800],
  ])('%s is refused', async (_name, changes, later) => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test, changes)
    test.clock.advance(later)
    const answer = await askTunnel(test.app, { cookie })
    expect(answer.statusCode).toBe(401)
    expect(answer.body).toBe(INVALID)
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(identityIn(answer.headers)).toEqual([])
  })

  it('revoked or forged, it is refused', async () => {
    const test = await buildEdgeApp()
    const { cookie, grant, records } = await makeSession(test)
    expect((await askTunnel(test.app, { cookie })).statusCode).toBe(200)
    await records.grants.revoke(grant.id)
    for (const other of [cookie, `${cookie}x`, `${HOST_COOKIE}=a.b.c`]) {
      expect((await askTunnel(test.app, { cookie: other })).body).toBe(INVALID)
    }
  })

  it('of mcpauth, signed with the key in its source, is refused', async () => {
    const { app } = await buildEdgeApp()
    const theirs = await new SignJWT({ email: 'ann@example.com', scopes: ['mcp'] })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject('ann@example.com')
      .setIssuedAt()
      .setExpirationTime('24h')
      .sign(new TextEncoder().encode('my-secret-key'))
    const answer = await askTunnel(app, { cookie: `${HAND_COOKIE}=${theirs}` })
    expect(answer.statusCode).toBe(401)
    expect(answer.body).toBe(INVALID)
  })

  it('among thirty others is found all the same', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    const others = Array.from({ length: 30 }, (_none, i) => `c${i}=${'v'.repeat(100)}`)
    const answer = await askTunnel(test.app, { cookie: [...others, cookie].join('; ') })
    expect(answer.body).toBe('authenticated')
  })
})

describe('a tunnel that is refused for good', () => {
  it('to a person who is not on the list, without a challenge', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test, { grant: { subject: 'bob' } })
    const answer = await askTunnel(test.app, { cookie })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'access_denied' })
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(identityIn(answer.headers)).toEqual([])
  })

  it('without a required scope', async () => {
    const test = await buildEdgeApp({
      resources: [resource({ scopes: { mcp: 'Use', admin: 'All' }, requiredScopes: ['admin'] })],
    })
    const { cookie } = await makeSession(test)
    const answer = await askTunnel(test.app, { cookie })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'insufficient_scope' })
    expect(answer.headers['www-authenticate']).toBeUndefined()
  })

  it.each([
    'https://evil.test',
    'https://auth.example.com',
    'https://wiki.example.com',
    'http://mcp.example.com',
    'http://localhost:6274',
    'null',
    '',
  ])('to a web page of the foreign origin %j, cross-site WebSocket hijacking', async (origin) => {
    const test = await buildEdgeApp({ allowedOrigins: '*' })
    const { cookie } = await makeSession(test)
    const answer = await askTunnel(test.app, { cookie, origin })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'access_denied' })
    expect(identityIn(answer.headers)).toEqual([])
  })

  it("on the gateway's own host to a page of the protected one", async () => {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test)
    const from = async (origin: string) =>
      (
        await askTunnel(test.app, {
          'x-forwarded-host': 'auth.example.com',
          cookie: `${HOST_COOKIE}=${token}`,
          origin,
        })
      ).statusCode
    expect(await from('https://mcp.example.com')).toBe(403)
    expect(await from('https://auth.example.com')).toBe(200)
  })

  it('but not to a page of its own', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    const answer = await askTunnel(test.app, { cookie, origin: 'https://mcp.example.com' })
    expect(answer.statusCode).toBe(200)
  })

  it.each([
    { origin: 'https://mcp.example.com' },
    { 'sec-fetch-site': 'same-origin' },
    { 'sec-fetch-dest': 'websocket' },
  ])('at9: to a browser that sends the cookie of a command line: %j', async (headers) => {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test)
    const cookie = `${HAND_COOKIE}=${token}`
    const sent = Object.fromEntries(Object.entries({ cookie, ...headers }))
    const answer = await askTunnel(test.app, sent)
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toEqual({ error: 'authentication required' })
  })

  it.each([
    ['at an unknown host', { 'x-forwarded-host': 'unknown.example.com' }],
    ['at a path that can be read in two ways', { 'x-forwarded-uri': '/a/..%2f_ws_tunnel' }],
    ['without its address', { 'x-forwarded-uri': '' }],
  ])('%s', async (_name, headers) => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    const answer = await askTunnel(test.app, { cookie, ...headers })
    expect(answer.statusCode).toBe(403)
    expect(identityIn(answer.headers)).toEqual([])
  })

  it('to a peer that is no proxy of ours', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    const answer = await test.app.inject({
      url: '/_ws_tunnel',
      remoteAddress: '203.0.113.9',
      headers: {
        cookie,
        'x-forwarded-method': 'GET',
        'x-forwarded-host': 'mcp.example.com',
        'x-forwarded-uri': '/_ws_tunnel',
      },
    })
    expect(answer.statusCode).toBe(403)
  })
})

it('says that the store is down as an outage, never as a bad cookie', async () => {
  const test = await buildEdgeApp()
  const { cookie } = await makeSession(test)
  await test.storage.close()
  const answer = await askTunnel(test.app, { cookie })
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBe('2')
  expect(identityIn(answer.headers)).toEqual([])
})
