/** Early answers to requests whose body is still coming (ed28), over real sockets. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { PassThrough } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { lingerThenClose } from '../../src/http/lingering-close.ts'
import { buildTestApp } from '../support/build-app.ts'
import { listen } from '../support/raw-http.ts'

const MEGABYTE = 1024 * 1024
const sockets: Socket[] = []
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

/** Sends the head and a piece of the body, waits for the answer, then sends the rest, as a streaming proxy does. */
async function upload(
  port: number,
  path: string,
  options: { headers?: readonly string[]; size?: number; chunked?: boolean; host?: string } = {},
): Promise<{ answer: string; error: string | undefined }> {
  const { headers = [], size = 2 * MEGABYTE, chunked = false, host = 'auth.example.com' } = options
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  let answer = ''
  let error: string | undefined
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    answer += chunk
  })
  socket.on('error', (failure: NodeJS.ErrnoException) => {
    error = failure.code
  })
  const closed = new Promise((resolve) => socket.on('close', resolve))
  const framing = chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`
  const head = [`POST ${path} HTTP/1.1`, `Host: ${host}`, framing, ...headers]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  const send = (bytes: number) => {
    const body = 'x'.repeat(bytes)
    socket.write(chunked ? `${bytes.toString(16)}\r\n${body}\r\n` : body)
  }
  send(64 * 1024)
  while (!/\r\n\r\n[\s\S]*[}>]/.test(answer) && error === undefined) {
    await Promise.race([once(socket, 'data').catch(() => undefined), closed])
    if (socket.destroyed) break
  }
  for (let sent = 64 * 1024; sent < size && !socket.destroyed; sent += 64 * 1024) {
    send(Math.min(64 * 1024, size - sent))
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (chunked) socket.write('0\r\n\r\n')
  socket.end()
  await closed
  return { answer, error }
}

const JSON_BODY = ['Content-Type: application/json']
const FORM = ['Content-Type: application/x-www-form-urlencoded']

describe('ed28: a refused upload gets its answer, and no reset', () => {
  it.each<[string, string, readonly string[], number]>([
    ['too large for /register', '/register', JSON_BODY, 413],
    ['too large for /token', '/token', FORM, 413],
    ['too large for /consent', '/consent', FORM, 413],
    ['of a wrong type', '/register', ['Content-Type: text/plain'], 415],
    ['to no address', '/nowhere', JSON_BODY, 404],
  ])('%s', async (_, path, headers, status) => {
    const { app } = await buildTestApp()
    const port = await listen(app)
    for (const chunked of [false, true]) {
      const { answer, error } = await upload(port, path, { headers, chunked })
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(answer.toLowerCase()).toContain('connection: close')
      expect(error).toBeUndefined()
    }
  })

  it('over the rate limit', async () => {
    const { app } = await buildTestApp({ rateLimit: 1 })
    const port = await listen(app)
    await upload(port, '/revoke', { headers: FORM })
    const { answer, error } = await upload(port, '/revoke', { headers: FORM })
    expect(answer).toMatch(/^HTTP\/1\.1 429 /)
    expect(error).toBeUndefined()
  })
})

describe('a lingering close is bounded', () => {
  async function refusing(bounds: { maxBytes?: number; maxMs?: number }): Promise<number> {
    const server = createServer((request, response) => {
      lingerThenClose(request, response, bounds)
      response.writeHead(413, { 'content-type': 'application/json' }).end('{}')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    return typeof address === 'object' && address ? address.port : 0
  }

  it('in bytes', async () => {
    const port = await refusing({ maxBytes: MEGABYTE })
    expect((await upload(port, '/', { size: MEGABYTE })).error).toBeUndefined()
    expect((await upload(port, '/', { size: 50 * MEGABYTE })).error).toMatch(/ECONNRESET|EPIPE/)
  })

  it('in time, for a client that sends nothing more', async () => {
    const socket = connect({ port: await refusing({ maxMs: 50 }), allowHalfOpen: true })
    sockets.push(socket)
    socket.on('error', () => undefined).resume()
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx')
    await once(socket, 'end')
    // Our side is closed; the other one is cut, which a client that writes on notices.
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const writing = setInterval(() => socket.write('x'), 5)
    await closed
    clearInterval(writing)
  })

  it('a client that goes away ends it', async () => {
    const port = await refusing({})
    const socket = connect({ port })
    sockets.push(socket)
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx')
    socket.resume()
    await once(socket, 'close')
  })

  it('an answer to a whole request keeps its connection', async () => {
    const { app } = await buildTestApp()
    const port = await listen(app)
    const socket = connect({ port })
    sockets.push(socket)
    socket.setEncoding('latin1')
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk
    })
    const request =
      'POST /token HTTP/1.1\r\nHost: auth.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b'
    for (let i = 1; i <= 3; i += 1) {
      socket.write(request)
      while (received.split('HTTP/1.1 4').length <= i) await once(socket, 'data')
    }
    expect(received.toLowerCase()).not.toContain('connection: close')
  })
})

it('ed28: a client that leaves ends the wait, also when the body went on through a stream that broke', async () => {
  const server = createServer((request, response) => {
    const onward = request.pipe(new PassThrough())
    lingerThenClose(request, response, { maxMs: 60_000 })
    response.writeHead(502, { 'content-length': '4' }).end('{no}')
    onward.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connected = once(server, 'connection')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const client = connect(address.port, '127.0.0.1')
  sockets.push(client)
  client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n')
  const [socket] = (await connected) as [Socket]
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await once(client, 'data')
  // More than the request holds while nobody reads it.
  client.end(Buffer.alloc(300_000))
  await closed
  server.close()
})
