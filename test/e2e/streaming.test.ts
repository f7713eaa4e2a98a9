/**
 * Streams through the login: no proxy holds data back, in either direction, and the server notices a client that
 * leaves.
 *
 * @module
 */
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type WebSocket as ServerSocket, WebSocket, WebSocketServer } from 'ws'
import { signInByHand } from './support/hand-client.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

/** The longest wait of a client: after it, the test counts the data as held back. */
const PATIENCE_MS = 5_000

describe.each(['traefik', 'nginx', 'builtin'] as const)('behind %s', (front) => {
  describe.skipIf(front !== 'builtin' && isSkipped(front))('a stream', () => {
    let app: RecordingServer
    let world: World
    let authorization: string
    const arrived: { request: IncomingMessage; response: ServerResponse }[] = []

    beforeAll(async () => {
      app = await startRecordingServer((request, response) => arrived.push({ request, response }))
      world = await startWorld({ front, upstream: app.address })
      authorization = await bearer(world)
    })
    afterAll(async () => {
      await world?.stop()
      await app?.close()
    })

    /** Begins a request. @returns also the parts of it that reached the server */
    async function begin(options: { method?: string; body?: string } = {}): Promise<{
      outgoing: ClientRequest
      request: IncomingMessage
      response: ServerResponse
    }> {
      const outgoing = request(world.mcpUrl, {
        method: options.method ?? 'GET',
        headers: { authorization, accept: 'text/event-stream' },
      })
      outgoing.on('error', () => {})
      if (options.body === undefined) outgoing.end()
      else outgoing.write(options.body)
      const received = await vi.waitUntil(() => arrived.shift(), { timeout: PATIENCE_MS })
      return { outgoing, ...received }
    }

    it('has its head and each event passed on as they are written', async () => {
      const { outgoing, response } = await begin()
      const answered = once(outgoing, 'response', { signal: AbortSignal.timeout(PATIENCE_MS) })
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      const [answer] = await answered
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['content-type']).toBe('text/event-stream')
      for (const event of ['data: first\n\n', 'data: second\n\n', ': ping\n\n']) {
        const came = once(answer, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })
        response.write(event)
        expect(String((await came)[0])).toBe(event)
      }
      const ended = once(answer, 'end', { signal: AbortSignal.timeout(PATIENCE_MS) })
      response.end()
      answer.resume()
      await ended
    })

    it('of the client is passed on while it is still sent', async () => {
      const { outgoing, request, response } = await begin({ method: 'POST', body: 'one ' })
      const first = await once(request, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })
      expect(String(first[0])).toBe('one ')
      const second = once(request, 'data', { signal: AbortSignal.timeout(PATIENCE_MS) })
      outgoing.write('two')
      expect(String((await second)[0])).toBe('two')
      const answered = once(outgoing, 'response', { signal: AbortSignal.timeout(PATIENCE_MS) })
      outgoing.end()
      response.end('done')
      const [answer] = await answered
      answer.resume()
      expect(answer.statusCode).toBe(200)
    })

    it('ends at the server when its client leaves', async () => {
      const { outgoing, response } = await begin()
      const left = once(response, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) })
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
      await once(outgoing, 'response')
      outgoing.destroy()
      await left
      expect(response.writableFinished).toBe(false)
    })

    it('that has not begun yet ends at the server, too', async () => {
      const { outgoing, response } = await begin()
      const left = once(response, 'close', { signal: AbortSignal.timeout(PATIENCE_MS) })
      outgoing.destroy()
      await left
      expect(response.headersSent).toBe(false)
    })

    it('that breaks off at the server does not look whole to the client', async () => {
      const { outgoing, response } = await begin()
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: half')
      const [answer] = await once(outgoing, 'response')
      const broken = once(answer.resume(), 'error', { signal: AbortSignal.timeout(PATIENCE_MS) })
      response.destroy()
      expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' })
    })
  })
})

describe.each(['traefik', 'nginx'] as const)('through %s', (front) => {
  describe.skipIf(isSkipped(front))('a WebSocket', () => {
    let server: WebSocketServer
    let world: World
    const connected: { socket: ServerSocket; request: IncomingMessage }[] = []

    beforeAll(async () => {
      server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
      await once(server, 'listening')
      server.on('connection', (socket, request) => {
        connected.push({ socket, request })
        socket.on('message', (data) => socket.send(`you said ${String(data)}`))
      })
      const address = server.address()
      if (address === null || typeof address === 'string') throw new Error('no TCP port')
      world = await startWorld({ front, upstream: `127.0.0.1:${address.port}` })
    })
    afterAll(async () => {
      await world?.stop()
      for (const socket of server?.clients ?? []) socket.terminate()
      server?.close()
    })

    const open = (headers: Record<string, string> = {}) =>
      new WebSocket(world.mcpUrl.replace(/^http/, 'ws'), { headers })

    it('opens with a token, says who it is, carries messages and closes', async () => {
      const socket = open({ authorization: await bearer(world), 'x-forwarded-user': 'mallory' })
      await once(socket, 'open', { signal: AbortSignal.timeout(PATIENCE_MS) })
      const accepted = connected.at(-1)
      expect(accepted?.request.headers['x-forwarded-user']).toBe('ann@example.com')
      expect(accepted?.request.headers.authorization ?? '').toBe('')
      socket.send('hello')
      const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
      expect(String(answer)).toBe('you said hello')
      const closed = accepted && once(accepted.socket, 'close')
      socket.close()
      await closed
    })

    it.each([{}, { authorization: 'Bearer nonsense' }])(
      'is challenged with %o',
      async (headers) => {
        const before = connected.length
        const socket = open(headers)
        socket.on('error', () => {})
        const [, answer] = await once(socket, 'unexpected-response')
        expect(answer.statusCode).toBe(401)
        expect(answer.headers['www-authenticate']).toContain('resource_metadata=')
        socket.terminate()
        expect(connected.length).toBe(before)
      },
    )

    it('from a foreign page is refused even with a token', async () => {
      const socket = open({ authorization: await bearer(world), origin: 'https://evil.test' })
      socket.on('error', () => {})
      const [, answer] = await once(socket, 'unexpected-response')
      expect(answer.statusCode).toBe(403)
      socket.terminate()
    })
  })
})

async function bearer(world: World): Promise<string> {
  const { publicUrl: issuer, mcpUrl: resource, ann: person } = world
  const { tokens } = await signInByHand({ issuer, resource, person })
  return `Bearer ${tokens.access_token}`
}
