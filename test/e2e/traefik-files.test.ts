/**
 * The shipped Traefik files, with a stand-in for Gatewarden: the requests that reach it and the application, for any
 * request of a client.
 *
 * @module
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../../scripts/lib/ports.ts'
import type { RunningProcess } from '../../scripts/lib/processes.ts'
import { startTraefik } from '../../scripts/lib/traefik.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const IDENTITY = [
  'X-Forwarded-User',
  'X-Forwarded-Email',
  'X-Forwarded-Groups',
  'X-Forwarded-Scopes',
  'X-Forwarded-Client',
  'X-User-Id',
  'X-User-Name',
]

describe.skipIf(isSkipped('traefik'))('the shipped Traefik files', () => {
  let folder: string
  let gatewarden: RecordingServer
  let app: RecordingServer
  let traefik: RunningProcess
  let port: number

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'traefik-files-'))
    gatewarden = await startRecordingServer((asked, answer) => {
      if (asked.url !== '/auth/traefik') {
        answer.end(`gatewarden ${asked.url}`)
      } else if (asked.headers.authorization === 'Bearer good') {
        const identity = Object.fromEntries(IDENTITY.map((name) => [name, '']))
        answer.writeHead(200, {
          ...identity,
          Authorization: '',
          Cookie: 'app=1',
          'X-Forwarded-User': 'real',
          'Content-Length': 0,
        })
        answer.end()
      } else {
        answer.writeHead(401, { 'WWW-Authenticate': 'Bearer resource_metadata="x"' })
        answer.end()
      }
    })
    app = await startRecordingServer(
      (asked, answer) => {
        if (!asked.url?.endsWith('/events')) {
          answer.end('app')
          return
        }
        answer.writeHead(200, { 'Content-Type': 'text/event-stream' })
        answer.write('data: first\n\n')
      },
      (socket) => {
        socket.on('error', () => {})
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        )
      },
    )
    port = await freePort()
    traefik = await startTraefik({
      binary: toolPath('traefik'),
      folder,
      port,
      addresses: ['127.0.0.1'],
      gatewayHost: 'auth.test',
      resourceHost: 'mcp.test',
      gatewarden: gatewarden.address,
      upstream: app.address,
    })
  })

  afterAll(async () => {
    await traefik?.stop()
    await app?.close()
    await gatewarden?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const ask = (host: string, path: string, headers: Record<string, string> = {}, method = 'GET') =>
    exchange(new URL(path, `http://127.0.0.1:${port}`), {
      method,
      headers: { host: `${host}:${port}`, ...headers },
    })

  const good = { authorization: 'Bearer good' }

  it('passes the challenge on, and the request not', async () => {
    const before = app.requests.length
    const answer = await ask('mcp.test', '/mcp')
    expect(answer.status).toBe(401)
    expect(answer.headers['www-authenticate']).toBe('Bearer resource_metadata="x"')
    expect(app.requests.length).toBe(before)
  })

  it('gives the app the identity that Gatewarden gave, whatever the client claims', async () => {
    const answer = await ask('mcp.test', '/mcp', {
      ...good,
      cookie: 'app=1; CF_Authorization=secret',
      'X-Forwarded-User': 'evil',
      'x-user-name': 'evil',
      X_Forwarded_User: 'evil',
      'X.Forwarded.User': 'evil',
      X_USER_ID: 'evil',
    })
    expect(answer.status).toBe(200)
    const received = app.requests.at(-1)
    expect(received?.headers['x-forwarded-user']).toBe('real')
    expect(received?.headers.cookie).toBe('app=1')
    expect(received?.headers.authorization).toBe('')
    expect(received?.rawHeaders.join('\n')).not.toMatch(/evil|secret|good/)
  })

  it('keeps the identity when the client names it in Connection', async () => {
    const outgoing = request({
      port,
      path: '/mcp',
      headers: {
        ...good,
        host: `mcp.test:${port}`,
        'X-Forwarded-User': 'evil',
        Connection: 'close, X-Forwarded-User, X-Forwarded-Email',
      },
    }).end()
    const [answer] = await once(outgoing, 'response')
    answer.resume()
    expect(answer.statusCode).toBe(200)
    expect(app.requests.at(-1)?.headers['x-forwarded-user']).toBe('real')
  })

  it('tells Gatewarden the request that was made, not the one that a header claims', async () => {
    await ask('mcp.test', '/mcp/tools?a=1', {
      ...good,
      'X-Forwarded-Uri': '/public',
      'X-Forwarded-Host': 'other.test',
      'X-Forwarded-Method': 'OPTIONS',
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-For': '203.0.113.9',
    })
    const asked = gatewarden.requests.at(-1)?.headers
    expect(asked).toMatchObject({
      'x-forwarded-uri': '/mcp/tools?a=1',
      'x-forwarded-host': `mcp.test:${port}`,
      'x-forwarded-method': 'GET',
      'x-forwarded-proto': 'http',
      'x-forwarded-for': '127.0.0.1',
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
    '/.gatewarden/logout',
    '/auth/connect?callback_port=1&code=A',
    '/auth/oidc-config',
  ])('sends %s of the protected host to Gatewarden without a login', async (path) => {
    expect((await ask('mcp.test', path)).body).toBe(`gatewarden ${path}`)
  })

  it.each([
    '/authorize',
    '/authorize/consent',
    '/consent',
    '/callback',
    '/logout',
    '/.gatewarden/login?rd=x',
    '/auth/connect?callback_port=1&code=A',
    '/auth/oidc-config',
    '/jwks',
    '/assets/a.css',
    '/mcpx',
  ])('reaches %s of the gateway', async (path) => {
    expect((await ask('auth.test', path)).body).toBe(`gatewarden ${path}`)
  })

  it.each([
    '/auth',
    '/auth/traefik',
    '/auth/nginx/r/x',
    '/auth/nginx/page',
    '/auth/connect/x',
    '/auth/connectx',
    '/auth/x/../traefik',
    '/_ws_tunnel',
    '/auth?x',
    '/%61uth/traefik',
    '//auth',
    '/x/../auth',
    '/auth;x',
    '/verify',
    '/authenticate',
    '/healthz',
    '/readyz',
    '/metrics',
  ])('does not let anyone outside ask %s', async (path) => {
    const before = gatewarden.requests.length
    const answer = await rawGet(port, `auth.test:${port}`, path)
    expect(answer.statusCode).toBe(404)
    expect(gatewarden.requests.length).toBe(before)
  })

  it.each(['%2f', '%5c', '%00', '%25', '%3b'])('refuses %s in a path', async (encoded) => {
    expect((await rawGet(port, `mcp.test:${port}`, `/mcp/a${encoded}b`)).statusCode).toBe(400)
  })

  it('answers a preflight from an allowed page without asking anyone', async () => {
    const before = gatewarden.requests.length + app.requests.length
    const answer = await ask(
      'mcp.test',
      '/mcp',
      {
        origin: 'http://localhost:6274',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,mcp-protocol-version',
      },
      'OPTIONS',
    )
    expect(answer.status).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBe('http://localhost:6274')
    // cl4: Traefik cannot repeat what the browser asks for, and `*` alone does not cover Authorization.
    expect(answer.headers['access-control-allow-headers']?.split(/, ?/)).toEqual([
      '*',
      'Authorization',
    ])
    expect(gatewarden.requests.length + app.requests.length).toBe(before)
  })

  it('lets an allowed page read the challenge, and a foreign one nothing', async () => {
    const answer = await ask('mcp.test', '/mcp', { origin: 'http://127.0.0.1:6274' })
    expect(answer.headers['access-control-allow-origin']).toBe('http://127.0.0.1:6274')
    expect(answer.headers['access-control-expose-headers']).toBe('WWW-Authenticate,Mcp-Session-Id')
    for (const origin of ['https://evil.test', 'http://localhost.evil.test', 'null']) {
      const foreign = await ask('mcp.test', '/mcp', { origin })
      expect(foreign.headers['access-control-allow-origin']).toBeUndefined()
    }
  })

  it('streams events as they come', async () => {
    const outgoing = request({
      port,
      path: '/mcp/events',
      headers: { ...good, host: `mcp.test:${port}` },
    }).end()
    const [answer] = await once(outgoing, 'response')
    const [chunk] = await once(answer, 'data')
    expect(String(chunk)).toBe('data: first\n\n')
    outgoing.destroy()
  })

  it('upgrades to WebSocket only with a login', async () => {
    const upgrade = (headers: Record<string, string>) =>
      request({
        port,
        path: '/mcp/socket',
        headers: {
          ...headers,
          host: `mcp.test:${port}`,
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'c2l4dGVlbiBieXRlcyBvayE=',
        },
      }).end()
    const [refused] = await once(upgrade({}), 'response')
    refused.resume()
    expect(refused.statusCode).toBe(401)
    const [accepted, socket] = await once(upgrade(good), 'upgrade')
    expect(accepted.statusCode).toBe(101)
    expect(app.requests.at(-1)?.headers['x-forwarded-user']).toBe('real')
    socket.destroy()
  })
})

/** Sends a GET with exactly this path, not normalised. */
async function rawGet(port: number, host: string, path: string): Promise<IncomingMessage> {
  const [answer] = await once(request({ port, path, headers: { host } }).end(), 'response')
  answer.resume()
  return answer
}
