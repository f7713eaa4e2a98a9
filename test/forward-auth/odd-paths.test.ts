import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { startUpstream } from '../support/upstream-server.ts'

const NOBODY = { anyone: false, emails: ['alice@example.test'], domains: [], groups: [] }
const OUTER = 'https://mcp.example.test/mcp'
const WIKI = 'https://wiki.example.test'
const RESOURCES = [
  resource({ id: 'outer', url: OUTER, allow: ANYONE }),
  resource({ id: 'admin', url: `${OUTER}/admin`, allow: NOBODY }),
  resource({ id: 'wiki', url: WIKI, allow: ANYONE }),
]
const first = await buildTestApp({ resources: RESOURCES })
const tokenFor = async (url: string) =>
  `Bearer ${(await obtainTokens(first.app, { authorize: { resource: url } })).tokens.access_token}`
const outer = await tokenFor(OUTER)
const wiki = await tokenFor(WIKI)

const NESTED = ['/mcp/adm%c4%b1n', '/mcp/ad%C2%ADmin', '/mcp/admin::$DATA', '/mcp/ADMIN~1']
const ORDINARY = [
  '/wiki/C%23',
  '/files/100%25.txt',
  '/q/what%3F',
  '/api/queues/%2F/jobs',
  '/@scope%2fpkg',
  '/job/a;b',
  '/wiki//page',
  '//page',
]

it.each(NESTED)(
  'at16, T50: %s, which may be a nested server, is 403 by forward-auth',
  async (path) => {
    const { app } = await first.restart()
    const asked = { 'x-forwarded-host': 'mcp.example.test', authorization: outer }
    expect((await check(app, { ...asked, 'x-forwarded-uri': path })).statusCode).toBe(403)
    expect((await check(app, { ...asked, 'x-forwarded-uri': '/mcp/x' })).statusCode).toBe(200)
    const nginx = await app.inject({
      url: '/auth/nginx',
      headers: {
        authorization: outer,
        'x-original-url': `https://mcp.example.test${path}`,
        'x-original-method': 'GET',
      },
    })
    expect(nginx.statusCode).toBe(403)
  },
)

it.each(NESTED)('at16, T50: %s never reaches the upstream in proxy mode', async (path) => {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const resources = RESOURCES.map((each) => ({ ...each, upstream: upstream.origin }))
  const port = await listen((await first.restart({ resources })).app)
  const head = [`GET ${path} HTTP/1.1`, 'Host: mcp.example.test', `Authorization: ${outer}`]
  expect((await exchange(port, head)).status).toBe(403)
  expect(upstream.requests).toEqual([])
})

describe.each(ORDINARY)('ed7: %s of a whole host', (path) => {
  const asked = { 'x-forwarded-host': 'wiki.example.test', 'x-forwarded-uri': path }

  it('is 200 with a token or a session, and leads to the login without', async () => {
    const { app, ...test } = await first.restart()
    expect((await check(app, { ...asked, authorization: wiki })).statusCode).toBe(200)
    const { cookie } = await makeSession(
      { ...first, ...test },
      { grant: { resource: WIKI }, claims: { aud: WIKI } },
    )
    const page = { 'x-forwarded-method': 'GET', accept: 'text/html', authorization: undefined }
    expect((await check(app, { ...asked, ...page, cookie })).statusCode).toBe(200)
    const signedOut = await check(app, { ...asked, ...page })
    expect(signedOut.statusCode).toBe(302)
    const login = new URL(String(signedOut.headers.location))
    expect([login.origin, login.searchParams.get('rd')]).toEqual([
      WIKI,
      // A browser reads an address that begins with two slashes as one of another host.
      path.startsWith('//') ? WIKI + path : path,
    ])
    const onward = await app.inject({
      url: login.pathname + login.search,
      headers: { host: 'wiki.example.test' },
    })
    expect(onward.statusCode).toBe(302)
    const gateway = new URL(String(onward.headers.location))
    expect(gateway.searchParams.get('rd')).toBe(WIKI + path)
  })

  it('reaches the upstream byte for byte in proxy mode', async () => {
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const resources = RESOURCES.map((each) => ({ ...each, upstream: upstream.origin }))
    const port = await listen((await first.restart({ resources })).app)
    const head = [`GET ${path}?a=%2f;b HTTP/1.1`, 'Host: wiki.example.test']
    expect((await exchange(port, [...head, `Authorization: ${wiki}`])).status).toBe(200)
    expect(upstream.requests.map(({ url }) => url)).toEqual([`${path}?a=%2f;b`])
  })

  it('is that server where a client names it as the resource', async () => {
    const { app } = await first.restart()
    const { tokens } = await obtainTokens(app, { authorize: { resource: WIKI + path } })
    const authorization = `Bearer ${tokens.access_token}`
    expect((await check(app, { ...asked, authorization })).statusCode).toBe(200)
  })
})

it('cl16: a path with @ : + , ! under a whole host has a document and a challenge of its own', async () => {
  const { app } = await first.restart()
  for (const path of ['/@oxylabs/a+b:c/mcp', "/a,b/!x/$1&2='(3)*"]) {
    const document = `${WIKI}/.well-known/oauth-protected-resource${path}`
    const challenge = await check(app, {
      'x-forwarded-host': 'wiki.example.test',
      'x-forwarded-uri': path,
      authorization: undefined,
    })
    expect(challenge.statusCode).toBe(401)
    expect(challenge.headers['www-authenticate']).toContain(`resource_metadata="${document}"`)
    const answer = await app.inject({ url: document, headers: { host: 'wiki.example.test' } })
    expect(answer.json()).toMatchObject({ resource: WIKI + path })
  }
})
