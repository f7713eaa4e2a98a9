import { createHash } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { ANN, ANYONE, BOB, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { asTraefikAsks, BARE_ANN, IDENTITY, PRM } from './asked.ts'

const RESOURCES = [
  resource({ allow: ANYONE }),
  resource({ id: 'other', url: 'https://mcp.example.com/other', allow: ANYONE }),
  resource({
    id: 'writing',
    url: 'https://mcp.example.com/writing',
    scopes: { read: 'Read', write: 'Write' },
    requiredScopes: ['read', 'write'],
    allow: ANYONE,
  }),
]
const first = await buildTestApp({ resources: RESOURCES })
const { tokens, client } = await obtainTokens(first.app)
const authorization = `Bearer ${tokens.access_token}`
const NAVIGATION = {
  'x-forwarded-method': 'GET',
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
}

const sha256 = (value: string) => createHash('sha256').update(value).digest('base64url')

function identityOf(answer: LightMyRequestResponse): string[] {
  const names = IDENTITY.map((name) => name.toLowerCase())
  return Object.keys(answer.headers).filter((name) => names.includes(name.toLowerCase()))
}

describe('an allow', () => {
  it('is 200 with no body and one line of every identity header', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const answer = await exchange(port, asTraefikAsks([`Authorization: ${authorization}`]))
    expect(answer.status).toBe(200)
    expect(answer.body).toBe('')
    expect(answer.values('content-length')).toEqual(['0'])
    expect(answer.values('cache-control')).toEqual(['no-store'])
    expect(answer.values('vary')).toEqual(['Authorization, Cookie, X-API-Key'])
    expect(answer.lines.filter(([name]) => IDENTITY.includes(name))).toEqual([
      ['X-Forwarded-User', 'ann@example.com'],
      ['X-Forwarded-Email', 'ann@example.com'],
      ['X-Forwarded-Groups', 'staff'],
      ['X-Forwarded-Scopes', 'mcp'],
      ['X-Forwarded-Client', sha256(client.client_id).slice(0, 16)],
      ['X-User-Id', `u_${sha256('builtin\0ann')}`],
      ['X-User-Name', 'Ann Adams'],
    ])
  })

  it('GHSA-7r4p-vjf4-gxv4: carries an identity header empty, not absent, when nothing is known', async () => {
    const { app } = await first.restart({ users: [BARE_ANN] })
    const port = await listen(app)
    const answer = await exchange(port, asTraefikAsks([`Authorization: ${authorization}`]))
    expect(answer.status).toBe(200)
    expect(answer.values('x-forwarded-email')).toEqual([''])
    expect(answer.values('x-forwarded-groups')).toEqual([''])
    for (const name of IDENTITY) expect(answer.values(name), name).toHaveLength(1)
  })

  it('T8: carries no Authorization, so that a proxy that copies it takes the token away', async () => {
    const { app } = await first.restart()
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).not.toHaveProperty('authorization')
    expect(JSON.stringify(answer.headers)).not.toContain(tokens.access_token)
  })

  it.each([
    ['app=1; __Host-gw_browser=abc; gw_flow_x=y; theme=dark', 'app=1; theme=dark'],
    ['__Host-gw_browser=abc;app=1', 'app=1'],
    ['app="a=b"; gw=1; my_gw_browser=2', 'app="a=b"; gw=1; my_gw_browser=2'],
    [' gw_browser =abc; app=1', 'app=1'],
    ['gw_browser; app', 'app'],
  ])('hands back the cookies %j as %j', async (cookie, left) => {
    const { app } = await first.restart()
    const answer = await check(app, { authorization, cookie })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.cookie).toBe(left)
  })

  it('hands back bytes beyond ASCII in a cookie as they came', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const cookie = 'app=caf\u00e9\u00ff'
    const answer = await exchange(
      port,
      asTraefikAsks([`Authorization: ${authorization}`, `Cookie: ${cookie}; gw_browser=x`]),
    )
    expect(answer.status).toBe(200)
    expect(answer.values('cookie')).toEqual([cookie])
  })

  it.each([
    ['only ours came', '__Host-gw_browser=abc; __Host-gw_flow_1=x'],
    ['none came', undefined],
  ])('has no Cookie at all when %s', async (_when, cookie) => {
    const { app } = await first.restart()
    const answer = await check(app, { authorization, cookie })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).not.toHaveProperty('cookie')
  })

  it('sets no cookie, which would make Traefik write those of the app anew', async () => {
    const { app } = await first.restart()
    const answer = await check(app, { authorization })
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })
})

describe('a refusal', () => {
  const BARE = `Bearer resource_metadata="${PRM}/notes/mcp", scope="mcp"`
  it.each<{
    when: string
    headers: Record<string, string | undefined>
    url?: string
    status: number
    error: string
    challenge?: string
  }>([
    { when: 'no credential', headers: {}, status: 401, error: 'invalid_token', challenge: BARE },
    {
      when: 'another scheme than Bearer',
      headers: { authorization: 'Basic YW5uOnB3' },
      status: 401,
      error: 'invalid_token',
      challenge: BARE,
    },
    {
      when: 'a token that is none',
      headers: { authorization: 'Bearer x' },
      status: 401,
      error: 'invalid_token',
      challenge: `Bearer error="invalid_token", error_description="The access token is expired or revoked or not valid here", resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
    },
    {
      when: 'a malformed credential',
      headers: { authorization: 'Bearer a b' },
      status: 400,
      error: 'invalid_request',
      challenge: `Bearer error="invalid_request", error_description="The Authorization header is malformed or doubled", resource_metadata="${PRM}/notes/mcp", scope="mcp"`,
    },
    {
      when: 'an unknown host',
      headers: { authorization, 'x-forwarded-host': 'elsewhere.example.com' },
      status: 403,
      error: 'access_denied',
    },
    {
      when: 'a path of no resource',
      headers: { authorization, 'x-forwarded-uri': '/' },
      status: 403,
      error: 'access_denied',
    },
    {
      when: 'an ambiguous path',
      headers: { authorization, 'x-forwarded-uri': '/notes/mcp/..%2f..%2fother' },
      status: 403,
      error: 'access_denied',
    },
    {
      when: 'a foreign Origin',
      headers: { authorization, origin: 'https://evil.test' },
      status: 403,
      error: 'access_denied',
    },
    {
      when: 'another resource than the pinned one',
      headers: { authorization },
      url: '/auth/traefik/r/other',
      status: 403,
      error: 'access_denied',
    },
  ])('of $when is $status $error', async ({ headers, url, status, error, challenge }) => {
    const { app } = await first.restart()
    const answer = await check(app, headers, url)
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['www-authenticate']).toBe(challenge)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers.vary).toBe('Authorization, Cookie')
    expect(answer.headers['content-length']).toBe(String(Buffer.byteLength(answer.body)))
    expect(answer.json()).toMatchObject({ error })
    expect(identityOf(answer)).toEqual([])
  })

  it('of a person who is not on the list is 403 without a challenge or an identity', async () => {
    const { app } = await first.restart({
      resources: [resource({ allow: { ...ANYONE, anyone: false, emails: ['x@example.com'] } })],
    })
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'access_denied' })
    expect(answer.headers).not.toHaveProperty('www-authenticate')
    expect(identityOf(answer)).toEqual([])
  })

  it('of a token without a required scope is 403 insufficient_scope with a challenge', async () => {
    const { app } = await first.restart({
      resources: [
        resource({
          allow: ANYONE,
          scopes: { mcp: 'Use', admin: 'Change' },
          requiredScopes: ['mcp', 'admin'],
        }),
      ],
    })
    const answer = await check(app, { authorization })
    expect(answer.statusCode).toBe(403)
    expect(answer.json()).toMatchObject({ error: 'insufficient_scope' })
    expect(answer.headers['www-authenticate']).toContain('scope="mcp admin"')
    expect(identityOf(answer)).toEqual([])
  })

  it('has the same head and no body when the question is a HEAD', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const [, ...lines] = asTraefikAsks()
    const got = await exchange(port, ['GET /auth/traefik HTTP/1.1', ...lines])
    const headed = await exchange(port, ['HEAD /auth/traefik HTTP/1.1', ...lines])
    expect(headed.status).toBe(401)
    expect(headed.body).toBe('')
    expect(headed.values('www-authenticate')).toEqual(got.values('www-authenticate'))
    expect(headed.values('content-length')).toEqual(got.values('content-length'))
  })
})

describe('T28: an Origin', () => {
  it.each([
    ['none', undefined, 200],
    ["the resource's own", 'https://mcp.example.com', 200],
    ["the gateway's", 'https://auth.example.com', 200],
    ['loopback', 'http://localhost:6274', 200],
    ['loopback by address', 'http://127.0.0.1:8000', 200],
    ['a foreign one', 'https://evil.test', 403],
    ['the opaque one', 'null', 403],
    ['an empty one', '', 403],
    ['one that only begins like loopback', 'http://localhost.evil.test', 403],
    ['one that only begins like ours', 'https://mcp.example.com.evil.test', 403],
    ['another scheme of ours', 'http://mcp.example.com', 403],
    ['a list', 'https://mcp.example.com, https://evil.test', 403],
  ])('of %s is answered as it should be', async (_what, origin, status) => {
    const { app } = await first.restart()
    expect((await check(app, { authorization, origin })).statusCode).toBe(status)
  })

  it('on two lines is refused, whatever they say', async () => {
    const { app } = await first.restart()
    const port = await listen(app)
    const twice = [
      `Authorization: ${authorization}`,
      'Origin: https://mcp.example.com',
      'Origin: https://mcp.example.com',
    ]
    expect((await exchange(port, asTraefikAsks(twice))).status).toBe(403)
  })

  it('passes if it is on the configured list, and loopback then does not', async () => {
    const { app } = await first.restart({ allowedOrigins: ['https://chat.example.com'] })
    const status = async (origin: string) =>
      (await check(app, { authorization, origin })).statusCode
    expect(await status('https://chat.example.com')).toBe(200)
    expect(await status('https://chat.example.com:8443')).toBe(403)
    expect(await status('http://localhost:6274')).toBe(403)
  })

  it('passes on this computer and on the list, where the list says loopback beside others', async () => {
    const allowedOrigins = ['loopback', 'https://chat.example.com']
    const { app } = await first.restart({ allowedOrigins })
    const status = async (origin: string) =>
      (await check(app, { authorization, origin })).statusCode
    expect(await status('https://chat.example.com')).toBe(200)
    expect(await status('http://localhost:6274')).toBe(200)
    expect(await status('https://localhost.evil.test')).toBe(403)
    expect(await status('loopback')).toBe(403)
  })
})

describe('a person in a browser', () => {
  it('is sent to the login, and comes back to the very page', async () => {
    const { app } = await first.restart()
    const answer = await check(app, { ...NAVIGATION, 'x-forwarded-uri': '/notes/mcp/a?b=c%20d&e' })
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toBe(
      'https://mcp.example.com/.gatewarden/login?rd=%2Fnotes%2Fmcp%2Fa%3Fb%3Dc%2520d%26e',
    )
    expect(answer.headers['www-authenticate']).toContain('Bearer resource_metadata=')
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    expect(answer.headers.vary).toContain('Accept')
    expect(answer.body).toBe('')
    expect(identityOf(answer)).toEqual([])
  })

  it.each([
    [
      'mcp-remote, which asks for an event stream',
      { accept: 'application/json, text/event-stream' },
    ],
    ['anything', { accept: '*/*' }],
    ['a page but from a script', { 'sec-fetch-mode': 'cors' }],
    ['a page but from an old script', { 'x-requested-with': 'XMLHttpRequest' }],
    ['a page but as an image', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
    ['nothing in particular', { accept: undefined }],
  ])('is not taken for a client that accepts %s', async (_what, headers) => {
    const { app } = await first.restart()
    const answer = await check(app, { ...NAVIGATION, ...headers })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.json()).toMatchObject({ error: 'invalid_token' })
  })
})

it('T32: writes no token, cookie or query to the log', async () => {
  const { app, logs } = await first.restart({ users: [ANN, BOB] })
  const cookie = 'app=a-cookie-of-the-app'
  const uri = '/notes/mcp?access_token=in-the-query'
  await check(app, { authorization, cookie, 'x-forwarded-uri': uri })
  await check(app, { authorization: 'Bearer a-bad-token', 'x-forwarded-uri': uri })
  await check(app, { authorization, 'x-forwarded-uri': '/?in-the-query' })
  const written = JSON.stringify(logs)
  expect(logs.filter(({ msg }) => msg === 'decision')).toHaveLength(3)
  for (const secret of [tokens.access_token, 'a-cookie-of', 'a-bad-token', 'in-the-query']) {
    expect(written).not.toContain(secret)
  }
})
