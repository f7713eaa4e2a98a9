import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'
import { openGateway } from './gateway.ts'

const ok = (_request: unknown, response: { end(body: string): unknown }) => response.end('ok')

describe('the rest of the path after the resource URL goes on verbatim', () => {
  it.each([
    ['/notes/mcp', '/server/mcp'],
    ['/notes/mcp/', '/server/mcp/'],
    ['/notes/mcp/a/b', '/server/mcp/a/b'],
    ['/notes/mcp?a=1&b=%2f&c=;&d=../..', '/server/mcp?a=1&b=%2f&c=;&d=../..'],
    ['/notes/mcp/?', '/server/mcp/?'],
    ['/notes/mcp?x=?y=#z', '/server/mcp?x=?y=#z'],
    ['/notes/mcp/%61%c3%a9', '/server/mcp/%61%c3%a9'],
    ["/notes/mcp/a'b(c)*!$&+,=:@", "/server/mcp/a'b(c)*!$&+,=:@"],
    ['/notes/%6dcp/x', '/server/mcp/x'],
    ['/notes/%6dcp/%c3%a9%2fb', '/server/mcp/%c3%a9%2fb'],
    // ed7: no other resource could be meant.
    ['/notes/mcp//x', '/server/mcp//x'],
    ['/notes/mcp/a;b/@s%2fp/100%25/C%23', '/server/mcp/a;b/@s%2fp/100%25/C%23'],
  ])('%s -> %s', async (asked, reached) => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(`${upstream.origin}/server/mcp`)
    const answer = await ask(`GET ${asked}`)
    expect(answer.status).toBe(200)
    expect(upstream.requests.map(({ url }) => url)).toEqual([reached])
  })

  it.each([
    ['', '/'],
    ['/', '/'],
    ['/base', '/base'],
    ['/base/', '/base/'],
  ])('with an upstream of path %j the resource itself is %s', async (path, reached) => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(`${upstream.origin}${path}`)
    await ask('GET /notes/mcp')
    expect(upstream.requests[0]?.url).toBe(reached)
  })

  it.each([
    ['/', '/base'],
    ['/?a=1', '/base?a=1'],
    ['/x', '/base/x'],
    ['/login', '/base/login'],
    ['/logout', '/base/logout'],
    ['/consent?a', '/base/consent?a'],
  ])('a resource that is a whole host maps %s to %s', async (asked, reached) => {
    const upstream = await startUpstream(ok)
    const resources = [
      resource({
        url: 'https://mcp.example.com',
        allow: ANYONE,
        upstream: `${upstream.origin}/base`,
      }),
    ]
    const { app } = await buildTestApp({ resources })
    const { tokens } = await obtainTokens(app)
    const port = await listen(app)
    await exchange(port, [
      `GET ${asked} HTTP/1.1`,
      'Host: mcp.example.com',
      `Authorization: Bearer ${tokens.access_token}`,
    ])
    expect(upstream.requests[0]?.url).toBe(reached)
  })

  it('and the upstream is asked under its own name', async () => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(upstream.origin)
    await ask('GET /notes/mcp')
    expect(upstream.requests[0]?.headers.host).toBe(upstream.origin.slice('http://'.length))
  })
})

it('sends an also-path as it is', async () => {
  const upstream = await startUpstream(ok)
  const { ask } = await openGateway('', {
    resources: [
      resource({
        also: ['/messages'],
        allow: ANYONE,
        upstream: `${upstream.origin}/server/sse`,
      }),
    ],
  })
  await ask('POST /messages/?session=1')
  await ask('POST /notes/mcp/x')
  expect(upstream.requests.map(({ url }) => url)).toEqual(['/messages/?session=1', '/server/sse/x'])
})

describe('T25: never reaches the upstream', () => {
  it.each([
    '/notes/mcp/../secret',
    '/notes/mcp/%2e%2e/secret',
    '/notes/mcp/..%2fsecret',
    '/notes/mcp/%00',
    '/notes/mcp;x',
    '/notes/mcp\\..\\secret',
    'http://other.example/notes/mcp',
    'http://ann@mcp.example.com/notes/mcp',
    'http://mcp.example.com/notes/mcp/../secret',
  ])('%s', async (path) => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(upstream.origin)
    expect([400, 403, 404]).toContain((await ask(`GET ${path}`)).status)
    expect(upstream.requests).toEqual([])
  })

  it.each(['/', '/notes', '/notes/mcpx', '/secret', '/secret?/notes/mcp'])(
    '%s, which is no resource: 404',
    async (path) => {
      const upstream = await startUpstream(ok)
      const { ask } = await openGateway(upstream.origin)
      expect((await ask(`GET ${path}`)).status).toBe(404)
      expect(upstream.requests).toEqual([])
    },
  )

  it('T28: a request for another host', async () => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(upstream.origin)
    for (const host of ['evil.test', 'localhost', '127.0.0.1', 'mcp.example.com.evil.test']) {
      expect((await ask('GET /notes/mcp', { host })).status, host).toBe(404)
    }
    expect(upstream.requests).toEqual([])
  })

  it('T24: one that forwarded headers point to, since this is no question of a proxy', async () => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(upstream.origin)
    const headers = ['X-Forwarded-Host: mcp.example.com', 'X-Forwarded-Uri: /notes/mcp']
    expect((await ask('GET /', { headers, host: 'evil.test' })).status).toBe(404)
    expect(upstream.requests).toEqual([])
  })
})

describe('on an origin shared with the gateway', () => {
  const shared = (origin: string) => ({
    resources: [resource({ url: 'https://auth.example.com', allow: ANYONE, upstream: origin })],
  })

  it.each([
    ['GET /healthz', 200],
    ['GET /readyz', 200],
    ['GET /jwks', 200],
    ['GET /.well-known/oauth-authorization-server', 200],
    ['GET /.well-known/oauth-protected-resource', 200],
    ['GET /mcp/.well-known/openid-configuration', 200],
    ['GET /token', 405],
    ['POST /token', 401],
    ['GET /register', 405],
    ['GET /authorize', 400],
    ['GET /auth/traefik', 403],
  ])("%s is the gateway's", async (line, status) => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(upstream.origin, shared(upstream.origin))
    expect((await ask(line, { host: 'auth.example.com' })).status).toBe(status)
    expect(upstream.requests).toEqual([])
  })

  it('everything else is the resource, and needs a token of it', async () => {
    const upstream = await startUpstream(ok)
    const { ask } = await openGateway(upstream.origin, shared(upstream.origin))
    // The token is for another resource.
    const answer = await ask('POST /mcp', { host: 'auth.example.com' })
    expect(answer.status).toBe(401)
    expect(answer.values('www-authenticate')[0]).toContain(
      'resource_metadata="https://auth.example.com/.well-known/oauth-protected-resource/mcp"',
    )
  })
})

it('Kong ai-mcp-oauth2: asks for a token whatever the request looks like', async () => {
  const upstream = await startUpstream(ok)
  const { port } = await openGateway(upstream.origin)
  for (const method of ['GET', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PUT', 'PROPFIND', 'QUERY']) {
    for (const type of ['application/json', 'text/plain', 'nonsense']) {
      const head = [
        `${method} /notes/mcp HTTP/1.1`,
        'Host: mcp.example.com',
        `Content-Type: ${type}`,
      ]
      const answer = await exchange(port, head)
      expect(answer.status, `${method} ${type}`).toBe(401)
      expect(answer.values('www-authenticate')).toHaveLength(1)
    }
  }
  expect(upstream.requests).toEqual([])
})

it('passes every method on as it is', async () => {
  const upstream = await startUpstream(ok)
  const { ask } = await openGateway(upstream.origin)
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']
  for (const method of methods) expect((await ask(`${method} /notes/mcp`)).status).toBe(200)
  expect(upstream.requests.map(({ method }) => method)).toEqual(methods)
})

it('keeps the query out of the upstream’s headers and the token out of its address', async () => {
  const upstream = await startUpstream(ok)
  const { ask } = await openGateway(upstream.origin)
  await ask('GET /notes/mcp?q=1')
  const [request] = upstream.requests
  if (!request) throw new Error('nothing arrived')
  expect(request.rawHeaders.join('\n')).not.toContain('q=1')
  expect(linesOf(request, 'authorization')).toEqual([])
})
