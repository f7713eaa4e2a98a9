/**
 * WebSockets through pass-through (features E1): the handshake is checked as every request is, and then bytes go both ways.
 */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import WebSocket, { type ClientOptions, WebSocketServer } from 'ws'
import { sha256 } from '../../src/crypto.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { afterTest } from '../support/clean-ups.ts'
import { exchange, listen, open } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'
import { type Changes, openGateway, TOKEN } from './gateway.ts'

const BEARER = { authorization: `Bearer ${TOKEN}` }
const HANDSHAKE = [
  ...['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** A server that says every message back. */
async function startEcho() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true })
  await once(server, 'listening')
  const handshakes: IncomingMessage[] = []
  server.on('connection', (socket, request) => {
    handshakes.push(request)
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  })
  afterTest(() => {
    for (const socket of server.clients) socket.terminate()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return { origin: `http://127.0.0.1:${address.port}`, server, handshakes }
}

function dial(port: number, options: ClientOptions = {}, protocols: string[] = []): WebSocket {
  const headers = { host: 'mcp.example.com', ...options.headers }
  const url = `ws://127.0.0.1:${port}/notes/mcp/live?room=a%20b`
  const socket = new WebSocket(url, protocols, { ...options, headers })
  afterTest(() => socket.terminate())
  return socket
}

/** The status of a refused handshake. */
async function refusal(socket: WebSocket): Promise<IncomingMessage> {
  socket.on('error', () => undefined)
  const [, answer] = await once(socket, 'unexpected-response')
  return answer as IncomingMessage
}

async function openEcho(changes: Changes = {}) {
  const echo = await startEcho()
  return { echo, ...(await openGateway(`${echo.origin}/notes/mcp`, changes)) }
}

describe('a WebSocket', () => {
  it('opens with a good token, carries messages both ways, and tells the server who opened it', async () => {
    const { echo, port } = await openEcho()
    const socket = dial(port, { headers: BEARER }, ['chat.v2', 'chat.v1'])
    await once(socket, 'open')
    expect(socket.protocol).toBe('chat.v2')
    expect(socket.extensions).toContain('permessage-deflate')
    for (const message of ['a', 'ä'.repeat(70_000)]) {
      socket.send(message)
      expect(String((await once(socket, 'message'))[0])).toBe(message)
    }
    const [request] = echo.handshakes
    if (!request) throw new Error('nothing arrived')
    expect(request.url).toBe('/notes/mcp/live?room=a%20b')
    expect(linesOf(request, 'x-forwarded-user')).toEqual(['ann@example.com'])
    expect(linesOf(request, 'authorization')).toEqual([])
  })

  it('has our number of the request, and none of the lines that the server has about the connection', async () => {
    const { port } = await openEcho()
    const client = await open(port)
    const lines = ['GET /notes/mcp HTTP/1.1', 'Host: mcp.example.com', ...HANDSHAKE]
    client.send(`${[...lines, `Authorization: Bearer ${TOKEN}`].join('\r\n')}\r\n\r\n`)
    const head = await client.until(/\r\n\r\n/)
    expect(head).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(head.match(/^connection: .*$/gim)).toEqual(['Connection: Upgrade'])
    expect(head.match(/^upgrade: .*$/gim)).toEqual(['Upgrade: websocket'])
    expect(head).toMatch(/^X-Request-Id: \S+\r$/m)
    expect(head).toMatch(/^sec-websocket-accept: \S+\r$/im)
  })

  it('does not open without a good token, and the server hears nothing', async () => {
    const { echo, port } = await openEcho()
    const answer = await refusal(dial(port))
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('resource_metadata=')
    const wrong = await refusal(dial(port, { headers: { authorization: 'Bearer x.y.z' } }))
    expect(wrong.statusCode).toBe(401)
    expect(echo.handshakes).toHaveLength(0)
  })

  it('T28: does not open for a page of another origin with the session of a person', async () => {
    const echo = await startEcho()
    const wiki = { url: 'https://wiki.example.com', upstream: echo.origin, allow: ANYONE }
    const test = await buildTestApp({ resources: [resource(wiki)] })
    const { cookie } = await makeSession(test, { grant: { resource: wiki.url } })
    const port = await listen(test.app)
    const from = (origin: string) =>
      dial(port, { headers: { host: 'wiki.example.com', cookie, origin } })
    expect((await refusal(from('https://evil.example'))).statusCode).toBe(403)
    expect(echo.handshakes).toHaveLength(0)
    await once(from('https://wiki.example.com'), 'open')
    expect(linesOf(echo.handshakes[0] as IncomingMessage, 'cookie')).toEqual([])
  })

  it('ends at the server when the client leaves, and at the client when the server does', async () => {
    const { echo, port } = await openEcho()
    const arrived = once(echo.server, 'connection')
    const first = dial(port, { headers: BEARER })
    const [atServer] = await arrived
    await once(first, 'open')
    first.terminate()
    await once(atServer, 'close')
    const again = once(echo.server, 'connection')
    const second = dial(port, { headers: BEARER })
    const [other] = await again
    await once(second, 'open')
    other.terminate()
    await once(second, 'close')
  })

  it('brings the whole of a last message, although the server leaves at once', async () => {
    const { echo, port } = await openEcho()
    const last = Buffer.alloc(5_000_000, 'x')
    echo.server.on('connection', (socket) => {
      socket.send(last)
      socket.close(1000, 'done')
    })
    const socket = dial(port, { headers: BEARER })
    const closed = once(socket, 'close')
    const [message] = await once(socket, 'message')
    expect(message).toHaveLength(last.length)
    expect((await closed)[0]).toBe(1000)
  })

  it('gets the answer of a server that opens none', async () => {
    const upstream = await startUpstream((_request, response) =>
      response.writeHead(426, { 'X-Why': 'no sockets here' }).end('use POST'),
    )
    const { port } = await openGateway(`${upstream.origin}/notes/mcp`)
    const answer = await refusal(dial(port, { headers: BEARER }))
    expect(answer.statusCode).toBe(426)
    expect(answer.headers['x-why']).toBe('no sockets here')
    expect(String((await once(answer, 'data'))[0])).toBe('use POST')
  })

  it('gets 502 if the server is gone', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(`${upstream.origin}/notes/mcp`)
    await upstream.stop()
    expect((await refusal(dial(port, { headers: BEARER }))).statusCode).toBe(502)
  })

  it('ends when no byte has come for UPSTREAM_IDLE_TIMEOUT', async () => {
    const { port } = await openEcho({ upstreamIdle: 0.1 })
    const socket = dial(port, { headers: BEARER })
    await once(socket, 'open')
    await once(socket, 'close')
  })

  it('counts among the open streams of a person (K39)', async () => {
    const { port } = await openEcho({
      upstreamLimits: { body: 0, headers: 65_536, perPerson: { requests: 0, streams: 1 } },
    })
    const first = dial(port, { headers: BEARER })
    await once(first, 'open')
    expect((await refusal(dial(port, { headers: BEARER }))).statusCode).toBe(429)
    first.terminate()
  })
})

describe('what is no WebSocket', () => {
  it('is a plain request: an offer of HTTP/2 with a body, as programs in Java make it', async () => {
    const upstream = await startUpstream((request, response) =>
      request.pipe(response.writeHead(200)),
    )
    const { ask } = await openGateway(`${upstream.origin}/notes/mcp`)
    const offer = [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABk',
    ]
    for (const headers of [offer, HANDSHAKE]) {
      const answer = await ask('POST /notes/mcp', { headers, body: '{"jsonrpc":"2.0"}' })
      expect(answer.status).toBe(200)
      expect(answer.body).toContain('{"jsonrpc":"2.0"}')
    }
    for (const request of upstream.requests) {
      expect(linesOf(request, 'upgrade')).toEqual([])
      expect(linesOf(request, 'http2-settings')).toEqual([])
    }
  })

  it('is our own page or a check, whatever the proxy sends along', async () => {
    const { port } = await openEcho()
    const health = await exchange(port, [
      'GET /healthz HTTP/1.1',
      'Host: auth.example.com',
      ...HANDSHAKE,
    ])
    expect(health.status).toBe(200)
    const check = await exchange(port, [
      ...['GET /auth/traefik HTTP/1.1', 'Host: auth.example.com', ...HANDSHAKE],
      ...['X-Forwarded-Method: GET', 'X-Forwarded-Proto: https'],
      ...['X-Forwarded-Host: mcp.example.com', 'X-Forwarded-Uri: /notes/mcp'],
      `Authorization: Bearer ${TOKEN}`,
    ])
    expect(check.status).toBe(200)
  })

  it('opens no tunnel past an answer that an earlier request waits for', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(`${upstream.origin}/notes/mcp`)
    const client = await open(port)
    const head = ['Host: mcp.example.com', `Authorization: Bearer ${TOKEN}`]
    const first = ['GET /notes/mcp HTTP/1.1', ...head].join('\r\n')
    const second = ['GET /notes/mcp HTTP/1.1', ...head, ...HANDSHAKE].join('\r\n')
    client.send(`${first}\r\n\r\n${second}\r\n\r\n`)
    expect(await client.ended()).toBe('')
    expect(upstream.requests.length).toBeLessThan(2)
  })

  it('is a caller who may use some tools alone: messages in a tunnel pass unread', async () => {
    const echo = await startEcho()
    const notes = resource({
      allow: ANYONE,
      upstream: `${echo.origin}/notes/mcp`,
      toolChoices: true,
      scopes: { 'tools:read': 'read' },
      scopesBeside: { 'tools:read': 'read' },
    })
    const script = 'a-token-of-a-script-0123456789abcdef'
    const { port } = await openGateway('', {
      resources: [notes],
      staticTokens: [{ name: 'ci', tokenHash: sha256(script), scopes: ['tools:read'] }],
    })
    const authorization = `Bearer ${script}`
    const url = `ws://127.0.0.1:${port}/notes/mcp`
    const socket = new WebSocket(url, { headers: { host: 'mcp.example.com', authorization } })
    expect((await refusal(socket)).statusCode).toBe(403)
    expect(echo.handshakes).toHaveLength(0)
  })
})
