/**
 * The shipped nginx files, with a stand-in for Gatewarden: the requests that reach it and the application, for any
 * request of a client.
 *
 * @module
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNginx } from '../../scripts/lib/nginx.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import type { RunningProcess } from '../../scripts/lib/processes.ts'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const CHALLENGE = 'Bearer resource_metadata="x", scope="a b"'
const CHECKS = ['/auth/nginx', '/_ws_tunnel']

describe.skipIf(isSkipped('nginx')).each([
  { layout: 'two hosts', gateway: 'auth.test', resource: 'mcp.test' },
  { layout: 'one host', gateway: 'mcp.test', resource: 'mcp.test' },
])('the shipped nginx files for $layout', ({ gateway, resource }) => {
  let folder: string
  let gatewarden: RecordingServer
  let app: RecordingServer
  let nginx: RunningProcess
  let port: number

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nginx-files-'))
    gatewarden = await startRecordingServer((asked, answer) => {
      if (!CHECKS.includes(asked.url ?? '')) {
        answer.end(`gatewarden ${asked.url}`)
        return
      }
      const identity = Object.fromEntries(Object.keys(IDENTITY_HEADERS).map((name) => [name, '']))
      const say = (status: number, headers: Record<string, string> = {}) =>
        answer.writeHead(status, { ...headers, 'Content-Length': 0 }).end()
      switch (asked.headers.authorization) {
        case 'Bearer good':
          return say(200, {
            ...identity,
            ...(asked.headers.cookie && {
              Cookie: asked.headers.cookie.replace(/CF_\w+=\w+;? ?/, ''),
            }),
            'X-Forwarded-User': 'real',
          })
        case 'Basic theirs':
          return say(200, {
            ...identity,
            Authorization: 'Basic theirs',
            'X-Forwarded-User': 'real',
          })
        case 'Bearer narrow':
          return say(403, { 'WWW-Authenticate': `${CHALLENGE}, error="insufficient_scope"` })
        case 'Bearer nobody':
          return say(403)
        case 'Bearer early':
          return say(503, { 'Retry-After': '7' })
        case 'Bearer huge':
          return say(431)
        case 'Bearer broken':
          asked.socket.destroy()
          return
        default:
          return say(401, {
            'WWW-Authenticate': CHALLENGE,
            ...(asked.headers.accept === 'text/html' && {
              Location: 'http://auth.test/.gatewarden/login?rd=%2Fmcp%3Fa%26b',
            }),
          })
      }
    })
    app = await startRecordingServer(
      (asked, answer) => {
        const status = /status=(\d+)/.exec(asked.url ?? '')?.[1]
        const headers = {
          'Access-Control-Allow-Origin': '*',
          ...(status === '401' && { 'WWW-Authenticate': 'Basic realm="app"' }),
        }
        if (asked.url?.includes('drop')) {
          asked.socket.destroy()
          return
        }
        let words = 'app'
        asked.on('data', (chunk) => {
          words += ` ${chunk}`
        })
        asked.on('end', () => answer.writeHead(Number(status ?? 200), headers).end(words))
      },
      (socket) => {
        socket.on('error', () => {})
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        )
      },
    )
    port = await freePort()
    nginx = await startNginx({
      binary: toolPath('nginx'),
      folder,
      port,
      addresses: ['127.0.0.1'],
      gatewayHost: gateway,
      resourceHost: resource,
      gatewarden: gatewarden.address,
      upstream: app.address,
      change: (text) => text.replaceAll(/^( *)#tunnel# /gm, '$1'),
    })
  })

  afterAll(async () => {
    await nginx?.stop()
    await app?.close()
    await gatewarden?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** Sends exactly these bytes. @returns the answer, and the request that the app received, if any */
  async function ask(
    host: string,
    path: string,
    headers: Record<string, string | readonly string[]> = {},
    { method = 'GET', body }: { method?: string; body?: string } = {},
  ) {
    const before = app.requests.length
    const answer = await exchange(new URL(`http://127.0.0.1:${port}`), {
      path,
      method,
      headers: { host: `${host}:${port}`, ...headers },
      ...(body !== undefined && { body }),
    })
    return { ...answer, received: app.requests[before] }
  }
  const call = (headers: Record<string, string | readonly string[]> = {}, path = '/mcp') =>
    ask(resource, path, headers)

  const good = { authorization: 'Bearer good' }
  const question = () => gatewarden.requests.at(-1)

  describe('tell Gatewarden', () => {
    it('the request that was made, not the one that a header claims', async () => {
      const { status } = await call(
        {
          ...good,
          'X-Original-URL': 'http://other.test/public',
          'X-Original-Method': 'OPTIONS',
          'X-Forwarded-Uri': '/public',
          'X-Forwarded-Host': 'other.test',
          'X-Forwarded-Method': 'OPTIONS',
          'X-Forwarded-Proto': 'https',
          'X-Forwarded-For': '203.0.113.9',
        },
        '/mcp/tools?a=1&b=%20',
      )
      expect(status).toBe(200)
      expect(question()?.headersDistinct).toMatchObject({
        'x-original-url': [`http://${resource}:${port}/mcp/tools?a=1&b=%20`],
        'x-original-method': ['GET'],
        'x-forwarded-host': [`${resource}:${port}`],
        'x-forwarded-uri': ['/mcp/tools?a=1&b=%20'],
        'x-forwarded-method': ['GET'],
        'x-forwarded-proto': ['http'],
        'x-forwarded-for': ['127.0.0.1'],
      })
    })

    it.each([
      { 'Content-Type': 'application/json', 'Content-Length': '9' },
      { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' },
    ])('no body of a POST with %o, and the app all of it', async (headers) => {
      const options = { method: 'POST', body: 'some body' }
      const answer = await ask(resource, '/mcp', { ...good, ...headers }, options)
      expect([answer.status, answer.body]).toEqual([200, 'app some body'])
      expect(question()?.method).toBe('GET')
      expect(question()?.headers).not.toHaveProperty('content-length')
      expect(question()?.headers).not.toHaveProperty('transfer-encoding')
      expect(question()?.headers['x-original-method']).toBe('POST')
    })

    it('no host when the request line names another than Host does', async () => {
      await raw(port, [
        `GET http://${resource}:${port}/mcp HTTP/1.1`,
        `Host: other.test:${port}`,
        'Authorization: Bearer good',
      ])
      expect(question()?.headersDistinct['x-original-url']).toEqual(['http:///mcp'])
      expect(question()?.headers).not.toHaveProperty('x-forwarded-host')
    })

    it('the host of a request line that agrees with Host', async () => {
      await raw(port, [
        `GET http://${resource.toUpperCase()}:${port}/mcp?x HTTP/1.1`,
        `Host: ${resource}:${port}`,
      ])
      expect(question()?.headers['x-original-url']).toBe(`http://${resource}:${port}/mcp?x`)
    })

    it('no host when there is none', async () => {
      const before = gatewarden.requests.length
      await raw(port, ['GET /mcp HTTP/1.0', 'Authorization: Bearer good'])
      for (const asked of gatewarden.requests.slice(before)) {
        expect(asked.headers['x-original-url'] ?? 'http:///').toMatch(/^http:\/\/\//)
      }
    })

    it('20 kB of cookies, and the app, too', async () => {
      const big = 'x'.repeat(20_000)
      const { status, received } = await call({ ...good, cookie: `app=${big}; CF_Authorization=s` })
      expect(status).toBe(200)
      expect(received?.headers.cookie).toContain(big)
      expect(received?.headers.cookie).not.toContain('CF_')
    })

    it('everything over few connections', async () => {
      const sockets = new Set()
      for (let i = 0; i < 12; i++) {
        await call(i % 2 === 0 ? good : {})
        sockets.add(question()?.socket.remotePort)
      }
      expect(sockets.size).toBe(1)
    })
  })

  describe('tell the app', () => {
    it('the identity that Gatewarden gave, whatever the client claims', async () => {
      const { status, received } = await call({
        ...good,
        cookie: 'app=1; CF_Authorization=secret',
        'X-Forwarded-User': 'evil',
        'x-user-name': 'evil',
        'X-USER-ID': ['evil', 'evil'],
        X_Forwarded_User: 'evil',
        'X.Forwarded.User': 'evil',
        X_USER_ID: 'evil',
        Forwarded: 'for=evil',
        'X-Rewrite-URL': '/evil',
        'X-Original-URL': '/evil',
        'X-Original-URI': '/evil',
        'X-Forwarded-Prefix': '/evil',
        'X-Forwarded-Uri': '/evil',
      })
      expect(status).toBe(200)
      expect(received?.headersDistinct['x-forwarded-user']).toEqual(['real'])
      expect(received?.headers.cookie).toMatch(/^app=1;? ?$/)
      expect(received?.headers).not.toHaveProperty('authorization')
      expect(received?.rawHeaders.join('\n')).not.toMatch(/evil|secret|good/)
    })

    it.each(Object.keys(IDENTITY_HEADERS))('no %s of the client', async (name) => {
      const { received } = await call({ ...good, [name]: 'evil' })
      expect(received?.rawHeaders.join('\n')).not.toContain('evil')
    })

    it('the identity though the client names it in Connection', async () => {
      const { received } = await call({
        ...good,
        'X-Forwarded-User': 'evil',
        connection: 'close, X-Forwarded-User, X-User-Id, Authorization',
      })
      expect(received?.headers['x-forwarded-user']).toBe('real')
      expect(received?.headers).not.toHaveProperty('connection', expect.stringContaining('X-'))
    })

    it('a scheme of its own that Gatewarden let through', async () => {
      const { received } = await call({ authorization: 'Basic theirs' })
      expect(received?.headers.authorization).toBe('Basic theirs')
    })

    it('the path as it came', async () => {
      const { received } = await call(good, '/mcp/%61%20b/x?q=%2F..%2F')
      expect(received?.url).toBe('/mcp/%61%20b/x?q=%2F..%2F')
    })

    it('where the request came from, in our words', async () => {
      const { received } = await call({
        ...good,
        'x-forwarded-for': '1.2.3.4',
        'x-real-ip': '1.2.3.4',
      })
      expect(received?.headers).toMatchObject({
        host: `${resource}:${port}`,
        'x-forwarded-host': `${resource}:${port}`,
        'x-forwarded-for': '127.0.0.1',
        'x-real-ip': '127.0.0.1',
        'x-forwarded-proto': 'http',
      })
    })
  })

  describe('tell the client', () => {
    const lines = (answer: string) =>
      answer.split('\r\n').filter((line) => /^www-authenticate:/i.test(line))
    const rawCall = (authorization?: string) =>
      raw(port, [
        'GET /mcp HTTP/1.1',
        `Host: ${resource}:${port}`,
        ...(authorization ? [`Authorization: ${authorization}`] : []),
      ])

    it('the challenge of a 401, once', async () => {
      const answer = await rawCall()
      expect(answer).toMatch(/^HTTP\/1\.1 401/)
      expect(lines(answer)).toEqual([`WWW-Authenticate: ${CHALLENGE}`])
    })

    it('the challenge of a 403, once', async () => {
      const answer = await rawCall('Bearer narrow')
      expect(answer).toMatch(/^HTTP\/1\.1 403/)
      expect(lines(answer)).toEqual([`WWW-Authenticate: ${CHALLENGE}, error="insufficient_scope"`])
    })

    it('no challenge with a 403 that has none', async () => {
      const answer = await rawCall('Bearer nobody')
      expect(answer).toMatch(/^HTTP\/1\.1 403/)
      expect(lines(answer)).toEqual([])
    })

    it('that there is an outage, and when to come back', async () => {
      const early = await call({ authorization: 'Bearer early' })
      expect([early.status, early.headers['retry-after']]).toEqual([503, '7'])
      const broken = await call({ authorization: 'Bearer broken' })
      expect([broken.status, broken.headers['retry-after']]).toEqual([503, '2'])
      for (const { received } of [early, broken]) expect(received).toBeUndefined()
    })

    it('that Gatewarden cannot read its request', async () => {
      expect((await call({ authorization: 'Bearer huge' })).status).toBe(400)
    })

    it.each([400, 401, 403, 404, 500, 502, 503])('a %i of the app as it is', async (status) => {
      const answer = await call(good, `/mcp?status=${status}`)
      expect([answer.status, answer.body]).toEqual([status, 'app'])
      expect(answer.headers['www-authenticate']).toBe(
        status === 401 ? 'Basic realm="app"' : undefined,
      )
      expect(answer.headers).not.toHaveProperty('retry-after')
    })

    it('502 when the app is gone, which is no outage of the login', async () => {
      const answer = await call(good, '/mcp?drop')
      expect(answer.status).toBe(502)
      expect(answer.headers).not.toHaveProperty('retry-after')
    })

    it('the way to the login only if it is a browser that opened a page', async () => {
      const browser = await call({ accept: 'text/html' })
      expect(browser.status).toBe(302)
      expect(browser.headers.location).toBe('http://auth.test/.gatewarden/login?rd=%2Fmcp%3Fa%26b')
      expect(browser.headers['cache-control']).toBe('no-store')
      const program = await call({ accept: 'application/json, text/event-stream' })
      expect(program.status).toBe(401)
      expect(program.headers).not.toHaveProperty('location')
    })

    it('400 when it sends two Authorization lines', async () => {
      const { status, received } = await call({ authorization: ['Bearer good', 'Bearer other'] })
      expect(status).toBe(400)
      expect(received).toBeUndefined()
    })
  })

  it.each([
    '/.well-known/oauth-protected-resource',
    '/.well-known/oauth-protected-resource/mcp',
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration/mcp',
    '/mcp/.well-known/openid-configuration',
    '/authorize?client_id=x',
    '/token',
    '/register',
    '/.gatewarden/login?rd=%2Fmcp',
    '/.gatewarden/callback?code=x',
    '/auth/connect?callback_port=1',
    '/auth/oidc-config',
  ])('send %s of the protected host to Gatewarden without a login', async (path) => {
    const answer = await ask(resource, path)
    expect(answer.body).toBe(`gatewarden ${path}`)
    expect(question()?.headers.host).toBe(`${resource}:${port}`)
  })

  it.each([
    '/',
    '/authorize',
    '/authorize/login',
    '/consent',
    '/callback?code=x',
    '/jwks',
    '/assets/a.css',
    '/mcpx',
  ])('reach %s of the gateway', async (path) => {
    expect((await ask(gateway, path)).body).toBe(`gatewarden ${path}`)
  })

  it.each([
    '/auth',
    '/auth/traefik',
    '/auth/nginx/r/x',
    '/auth/nginx/r/.well-known/openid-configuration',
    '/auth/nginx/page',
    '/auth/nginx/page/r/x',
    '/auth?x',
    '/%61uth/traefik',
    '/verify',
    '/authenticate',
    '/_ws_tunnel/x',
    '/healthz',
    '/readyz',
    '/metrics',
    '/_gatewarden/check',
  ])('do not let anyone outside ask %s', async (path) => {
    const before = gatewarden.requests.length
    expect((await ask(gateway, path, { ...good })).status).toBe(404)
    expect(gatewarden.requests.length).toBe(before)
  })

  it.each([
    '//auth',
    '/x/../auth',
    '/auth;x',
    '/auth/traefik/r/../../../consent',
    '/auth/nginx/r/%2e%2e/connect',
    '/auth%2Fnginx',
    '/mcp/a%2fb',
    '/mcp/a%5cb',
    '/mcp/a%00b',
    '/mcp/a%25b',
    '/mcp/a%3bb',
    '/mcp/a%3fb',
    '/mcp/a%23b',
    '/mcp/a\\b',
    '/mcp/#b',
    '/mcp//b',
    '/mcp/./b',
    '/mcp/..',
    '/mcp/%2E%2e/b',
    '/mcp/..?x',
    '/mcp/a%0ab',
  ])('refuse %s, which can be read in two ways', async (path) => {
    const before = gatewarden.requests.length
    for (const host of [gateway, resource]) {
      const answer = await raw(port, [`GET ${path} HTTP/1.1`, `Host: ${host}:${port}`])
      expect(answer).toMatch(/^HTTP\/1\.1 400/)
    }
    expect(gatewarden.requests.length).toBe(before)
  })

  it.each(['/mcp/...', '/mcp/.a/b', '/mcp/%20', '/mcp/%61', '/mcp?x=//..%2F;', '/mcp/'])(
    'ask Gatewarden about %s, which cannot',
    async (path) => {
      expect((await call(good, path)).received?.url).toBe(path)
    },
  )

  describe('for a web page', () => {
    const preflight = (origin: string) =>
      ask(
        resource,
        '/mcp',
        {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,mcp-protocol-version',
        },
        { method: 'OPTIONS' },
      )

    it('of an allowed origin answer a preflight without asking anyone', async () => {
      const before = gatewarden.requests.length + app.requests.length
      const answer = await preflight('http://localhost:6274')
      expect(answer.status).toBe(204)
      expect(answer.headers['access-control-allow-origin']).toBe('http://localhost:6274')
      expect(answer.headers['access-control-allow-methods']).toBe(
        'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS',
      )
      expect(answer.headers['access-control-allow-headers']).toBe(
        'authorization,mcp-protocol-version',
      )
      expect(answer.headers.vary).toBe('Origin, Access-Control-Request-Headers')
      expect(answer.headers['access-control-max-age']).toBe('600')
      expect(gatewarden.requests.length + app.requests.length).toBe(before)
    })

    it.each([
      ['x-tenant-id,traceparent', 'x-tenant-id,traceparent'],
      ['sentry-trace, cache-control , x_a.b', 'sentry-trace, cache-control , x_a.b'],
      ['x-a; y', expect.stringMatching(/^Accept, Authorization/)],
      ['a,'.repeat(200), expect.stringMatching(/^Accept, Authorization/)],
      ['', expect.stringMatching(/^Accept, Authorization/)],
    ])('cl4: allow the headers that the browser asks for: %j', async (asked, allowed) => {
      const answer = await ask(
        resource,
        '/mcp',
        {
          origin: 'http://localhost:6274',
          'access-control-request-method': 'POST',
          'access-control-request-headers': asked,
        },
        { method: 'OPTIONS' },
      )
      expect(answer.headers['access-control-allow-headers']).toEqual(allowed)
    })

    it.each(['https://evil.test', 'http://localhost.evil.test', 'http://localhost:1/', 'null'])(
      'of %s allow nothing',
      async (origin) => {
        for (const answer of [
          await preflight(origin),
          await call({ origin }),
          await call({ ...good, origin }),
        ]) {
          const names = Object.keys(answer.headers).filter((name) => name.startsWith('access-'))
          expect(names).toEqual([])
        }
      },
    )

    it.each([
      ['a 401', {}, 401],
      ['a 403', { authorization: 'Bearer narrow' }, 403],
      ['an outage', { authorization: 'Bearer early' }, 503],
      ['an answer of the app', good, 200],
    ])('expose %s, said once', async (_what, headers, status) => {
      const answer = await call({ ...headers, origin: 'http://127.0.0.1:6274' })
      expect(answer.status).toBe(status)
      expect(answer.headers['access-control-allow-origin']).toBe('http://127.0.0.1:6274')
      expect(answer.headers['access-control-expose-headers']).toBe(
        'WWW-Authenticate, Mcp-Session-Id',
      )
      expect(answer.headers).not.toHaveProperty('access-control-allow-methods')
      expect(answer.headers.vary).toContain('Origin')
    })

    it.each([
      ['without a method', { origin: 'http://localhost:1' }],
      ['without an origin', { 'access-control-request-method': 'POST' }],
    ])('take an OPTIONS %s for a request like others', async (_what, headers) => {
      const answer = await ask(resource, '/mcp', headers, { method: 'OPTIONS' })
      expect(answer.status).toBe(401)
    })
  })

  describe('for an upgrade', () => {
    const upgrade = (path: string, headers: Record<string, string>) =>
      request({
        port,
        path,
        headers: {
          host: `${resource}:${port}`,
          connection: 'Upgrade',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'c2l4dGVlbiBieXRlcyBvayE=',
          ...headers,
        },
      }).end()

    it('to WebSocket demand the login', async () => {
      const [refused] = await once(upgrade('/mcp', { upgrade: 'websocket' }), 'response')
      refused.resume()
      expect(refused.statusCode).toBe(401)
      const opened = upgrade('/mcp', { ...good, upgrade: 'WebSocket' })
      const [accepted, socket] = await once(opened, 'upgrade')
      expect(accepted.statusCode).toBe(101)
      expect(app.requests.at(-1)?.headers['x-forwarded-user']).toBe('real')
      expect(question()?.headers).not.toHaveProperty('upgrade')
      expect(question()?.headers['sec-websocket-key']).toBe('c2l4dGVlbiBieXRlcyBvayE=')
      socket.destroy()
    })

    it('ask /_ws_tunnel about the WebSocket of a command line', async () => {
      const refused = await ask(resource, '/_ws_tunnel')
      expect([refused.status, refused.received]).toEqual([401, undefined])
      expect(question()?.url).toBe('/_ws_tunnel')
      expect(question()?.headersDistinct).toMatchObject({
        'x-forwarded-method': ['GET'],
        'x-forwarded-host': [`${resource}:${port}`],
        'x-forwarded-uri': ['/_ws_tunnel'],
      })
      const [accepted, socket] = await once(
        upgrade('/_ws_tunnel', { ...good, upgrade: 'websocket' }),
        'upgrade',
      )
      expect(accepted.statusCode).toBe(101)
      expect(app.requests.at(-1)?.headers['x-forwarded-user']).toBe('real')
      socket.destroy()
    })

    it.each(['h2c', 'h2c, websocket', 'websocket, h2c', 'TLS/1.0'])(
      'do not pass on %s',
      async (to) => {
        const headers = { ...good, upgrade: to, 'http2-settings': 'AAMAAABkAAQAAP__' }
        const [answer] = await once(upgrade('/mcp', headers), 'response')
        answer.resume()
        expect(answer.statusCode).toBe(200)
        expect(app.requests.at(-1)?.headers).not.toHaveProperty('upgrade')
        expect(app.requests.at(-1)?.headers.connection ?? '').not.toMatch(/upgrade/i)
      },
    )
  })
})

/** Sends exactly these bytes on a connection that nginx then closes. @returns the bytes of the answer */
async function raw(port: number, lines: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('latin1')
  socket.write(`${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}
