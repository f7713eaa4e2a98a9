import { once } from 'node:events'
import { createServer } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { open, parseAnswer } from '../support/raw-http.ts'
import { bodyOf, startUpstream } from '../support/upstream-server.ts'
import { CREDENTIAL, openGateway } from './gateway.ts'

const head = (line: string, ...headers: string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: mcp.example.com', CREDENTIAL, ...headers].join('\r\n')}\r\n\r\n`

describe('an answer', () => {
  it('begins before it has a body: the head of an event stream is not held back', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head('GET /notes/mcp', 'Accept: text/event-stream'))
    const { response } = await upstream.next()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    const got = await client.until(/\r\n\r\n/)
    expect(got).toMatch(/^HTTP\/1\.1 200 /)
    expect(got).toMatch(/content-type: text\/event-stream\r\n/i)
  })

  it('arrives event by event, each before the next one is written', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head('GET /notes/mcp'))
    const { response } = await upstream.next()
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      response.write(event)
      await client.until(new RegExp(event))
    }
    response.end()
    const answer = parseAnswer(await client.until(/\r\n0\r\n\r\n$/))
    expect(answer.body).toBe('data: 1\n\ndata: 2\n\ndata: 3\n\n')
  })

  it('of many bytes arrives whole, every one of them', async () => {
    const bytes = Buffer.from(Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 7) % 251))
    const upstream = await startUpstream((_request, response) => response.end(bytes))
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('GET /notes/mcp')
    expect(answer.complete).toBe(true)
    expect(Buffer.from(answer.body, 'latin1').equals(bytes)).toBe(true)
  })

  it('to a client that reads slowly is not gathered in memory', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const { socket } = await open(port)
    socket.pause()
    socket.write(head('GET /notes/mcp'))
    const { response } = await upstream.next()
    const chunk = Buffer.alloc(1024 * 1024)
    let written = 0
    while (written < 256 && (response.write(chunk) || (await drained(response)))) written += 1
    expect(written).toBeLessThan(256)
    const over = once(response, 'close')
    socket.destroy()
    await over
  })

  it.each([
    ['alone', ''],
    ['behind another request on its connection', head('GET /notes/mcp')],
  ])(
    'ends after the idle time with a client that reads no byte of it, %s',
    async (_name, before) => {
      const big = Buffer.alloc(32 * 1024 * 1024)
      const upstream = await startUpstream((_request, response) => {
        if (before !== '' && upstream.requests.length === 1) response.end('small')
        else response.end(big)
      })
      const { port } = await openGateway(upstream.origin, { upstreamIdle: 0.1 })
      const client = await open(port)
      client.socket.pause()
      client.send(before + head('GET /notes/mcp'))
      if (before !== '') await upstream.next()
      const { response } = await upstream.next()
      await once(response, 'close')
      client.socket.resume()
      expect((await client.ended()).length).toBeLessThan(big.length)
    },
  )

  it.each([
    ['HEAD', 200, { 'content-length': '5' }],
    ['HEAD', 200, { 'x-a': 'b' }],
    ['GET', 204, {}],
    ['GET', 304, { etag: '"x"' }],
    ['POST', 202, { 'content-length': '0' }],
  ])('to %s with %i has no body, and the connection goes on', async (method, status, headers) => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(status, headers)
      response.end()
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head(`${method} /notes/mcp`))
    const got = await client.until(/\r\n\r\n/)
    expect(got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    for (const [name, value] of Object.entries(headers)) {
      expect(parseAnswer(got).values(name)).toEqual([value])
    }
    client.send(head(`${method} /notes/mcp`))
    const both = await client.until(/HTTP\/1\.1[\s\S]*HTTP\/1\.1[\s\S]*\r\n\r\n$/)
    expect(both.slice(got.length)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  })

  it.each([
    ['304 with the length of the document', '304 Not Modified', '5'],
    ['204 with a length, as some servers send', '204 No Content', '5'],
  ])('%s has no body, and the connection goes on', async (_name, status, length) => {
    const upstream = await startUpstream((request) => {
      request.socket.write(`HTTP/1.1 ${status}\r\nETag: "a"\r\nContent-Length: ${length}\r\n\r\n`)
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head('GET /notes/mcp'))
    await client.until(new RegExp(`^HTTP/1\\.1 ${status}\r\n[^]*\r\n\r\n$`))
    client.send(head('GET /notes/mcp', 'Connection: close'))
    expect((await client.ended()).match(new RegExp(`HTTP/1\\.1 ${status}`, 'g'))).toHaveLength(2)
  })

  it('comes after interim ones, which stay between us and the upstream', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeProcessing()
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      response.end('final')
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head('GET /notes/mcp', 'Connection: close'))
    const got = await client.ended()
    expect(got).toMatch(/^HTTP\/1\.1 200 /)
    expect(parseAnswer(got).body).toBe('final')
  })

  it('may have trailers, which stay there without harm', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { trailer: 'X-Sum' })
      response.write('body')
      response.addTrailers({ 'X-Sum': '1' })
      response.end()
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('GET /notes/mcp')
    expect(answer).toMatchObject({ status: 200, body: 'body', complete: true })
    expect(answer.values('trailer')).toEqual([])
  })
})

describe('a request body', () => {
  it('arrives piece by piece, each before the next one is sent', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head('POST /notes/mcp', 'Transfer-Encoding: chunked'))
    client.send('3\r\none\r\n')
    const { request, response } = await upstream.next()
    const arriving = request[Symbol.asyncIterator]()
    expect(String((await arriving.next()).value)).toBe('one')
    client.send('3\r\ntwo\r\n')
    expect(String((await arriving.next()).value)).toBe('two')
    client.send('0\r\n\r\n')
    expect((await arriving.next()).done).toBe(true)
    response.end('done')
    await client.until(/done/)
  })

  it('that is small arrives whole with its length, in however many pieces it comes', async () => {
    const upstream = await startUpstream(async (request, response) => {
      response.end(`${await bodyOf(request)} ${request.headers['content-length']}`)
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(head('POST /notes/mcp', 'Content-Length: 9'))
    for (const piece of ['on', 'e', ' two ', 'x']) {
      client.send(piece)
      await nextTurn()
    }
    await client.until(/one two x 9/)
  })

  it('of 8 MB arrives whole with its length', async () => {
    const upstream = await startUpstream(async (request, response) => {
      const body = await bodyOf(request)
      response.end(`${body.length} ${request.headers['content-length']}`)
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('POST /notes/mcp', { body: Buffer.alloc(8_000_000, 1) })
    expect(answer.body).toBe('8000000 8000000')
  })

  it('larger than what sockets hold is not gathered in memory while the upstream does not read', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const { socket } = await open(port)
    const chunk = Buffer.alloc(1024 * 1024)
    socket.write(head('POST /notes/mcp', `Content-Length: ${257 * chunk.length}`))
    socket.write(chunk)
    const { response } = await upstream.next()
    let written = 0
    while (written < 256 && (socket.write(chunk) || (await drained(socket)))) written += 1
    expect(written).toBeLessThan(256)
    socket.destroy()
    response.destroy()
  })

  it.each([
    ['Expect: 100-continue', 'POST', 'Expect: 100-continue'],
    ['GET', 'GET', 'X-A: b'],
    ['DELETE', 'DELETE', 'X-A: b'],
    ['an odd content type', 'POST', 'Content-Type: ;;;'],
    ['broken JSON', 'POST', 'Content-Type: application/json'],
    ['QUERY without a type', 'QUERY', 'X-A: b'],
  ])('with %s goes on as it is', async (_what, method, header) => {
    const upstream = await startUpstream(async (request, response) => {
      response.end(await bodyOf(request))
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask(`${method} /notes/mcp`, { headers: [header], body: '{"a":' })
    expect(answer).toMatchObject({ status: 200, body: '{"a":' })
  })

  it('in chunks with an extension and trailers ends where it ends', async () => {
    const upstream = await startUpstream(async (request, response) => {
      response.end(await bodyOf(request))
    })
    const { ask } = await openGateway(upstream.origin)
    const answer = await ask('POST /notes/mcp', {
      headers: ['Transfer-Encoding: chunked', 'Trailer: X-Forwarded-User'],
      body: '3;a=b\r\nabc\r\n0\r\nX-Forwarded-User: root\r\n\r\n',
    })
    expect(answer.body).toBe('abc')
    expect(upstream.requests[0]?.trailers).toEqual({})
  })

  it('of a request that is refused is not sent anywhere', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(
      'POST /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\nContent-Length: 1000\r\n\r\nhalf',
    )
    expect(parseAnswer(await client.until(/\}$/)).status).toBe(401)
    expect(upstream.requests).toEqual([])
  })
})

it('makes nothing of an upstream that switches protocols without being asked', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () =>
      socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const { ask } = await openGateway(`http://127.0.0.1:${address.port}`)
  const answer = await ask('GET /notes/mcp', { headers: ['Upgrade: x', 'Connection: upgrade'] })
  expect(answer.status).toBe(502)
  server.close()
})

/** True if the writer drains within one turn of all that is ready; false if it is stuck. */
async function drained(writer: NodeJS.EventEmitter): Promise<boolean> {
  let flowed = false
  writer.once('drain', () => {
    flowed = true
  })
  for (let turn = 0; turn < 2000 && !flowed; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  return flowed
}
