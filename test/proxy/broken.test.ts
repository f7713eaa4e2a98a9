import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { createUpstream } from '../../src/proxy/upstream.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen, open, parseAnswer } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { CREDENTIAL, openGateway } from './gateway.ts'

const POST = ['POST /notes/mcp HTTP/1.1', 'Host: mcp.example.com', CREDENTIAL].join('\r\n')

describe('an upstream that', () => {
  it('is down is 502 with JSON', async () => {
    const upstream = await startUpstream()
    const { ask, logs } = await openGateway(upstream.origin)
    await upstream.stop()
    for (const body of ['', '{"jsonrpc":"2.0"}']) {
      const answer = await ask('POST /notes/mcp', { body })
      expect(answer.status).toBe(502)
      expect(answer.values('content-type')).toEqual(['application/json'])
      expect(JSON.parse(answer.body)).toMatchObject({ error: 'temporarily_unavailable' })
    }
    expect(logs.filter(({ level }) => level === 50)).toHaveLength(2)
  })

  it('is down is 502 for a request whose body is still on its way', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    await upstream.stop()
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 1000000\r\n\r\nhalf`)
    expect(parseAnswer(await client.until(/\}$/)).status).toBe(502)
  })

  it('goes away before it answers is 502', async () => {
    const upstream = await startUpstream((request) => {
      request.socket.destroy()
    })
    const { ask } = await openGateway(upstream.origin)
    expect((await ask('POST /notes/mcp', { body: '{}' })).status).toBe(502)
    expect((await ask('GET /notes/mcp')).status).toBe(502)
  })

  it('goes away in the middle of an upload ends the connection of the client with it', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 100000000\r\n\r\n`)
    client.send(Buffer.alloc(16_000_000))
    const { request } = await upstream.next()
    request.socket.destroy()
    await client.ended()
  })

  it('answers before an upload is whole is passed on, and the connection ends there', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(413, { 'content-length': '9' })
      response.end('too large')
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 1000000\r\n\r\nhalf`)
    expect(parseAnswer(await client.ended())).toMatchObject({ status: 413, body: 'too large' })
  })

  it('says something else than HTTP is 502', async () => {
    const upstream = await startUpstream((request) => {
      request.socket.end('I am no HTTP server\r\n\r\n')
    })
    const { ask } = await openGateway(upstream.origin)
    expect((await ask('GET /notes/mcp')).status).toBe(502)
  })

  it('dies in the middle of an answer of known length leaves it broken', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\n\r\n`)
    const { request, response } = await upstream.next()
    response.writeHead(200, { 'content-length': '100' })
    response.write('half')
    await client.until(/half/)
    request.socket.destroy()
    const answer = parseAnswer(await client.ended())
    expect(answer).toMatchObject({ status: 200, body: 'half', complete: false })
  })

  it('dies in the middle of a stream leaves it without its end', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\n\r\n`)
    const { request, response } = await upstream.next()
    response.write('data: 1\n\n')
    await client.until(/data: 1/)
    request.socket.destroy()
    const answer = parseAnswer(await client.ended())
    expect(answer).toMatchObject({ status: 200, body: 'data: 1\n\n', complete: false })
  })

  it('resets the connection in the middle of an answer without a length leaves it without its end', async () => {
    const upstream = await startUpstream((request) => {
      request.socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf')
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\n\r\n`)
    await client.until(/half/)
    upstream.requests[0]?.socket.resetAndDestroy()
    const answer = parseAnswer(await client.ended())
    expect(answer).toMatchObject({ status: 200, body: 'half', complete: false })
  })

  it('closes a connection that we keep is asked on a new one', async () => {
    const upstream = await startUpstream((request, response) => {
      response.end('ok', () => request.socket.destroy())
    })
    const { ask } = await openGateway(upstream.origin)
    for (let i = 0; i < 5; i += 1) expect((await ask('GET /notes/mcp')).status).toBe(200)
  })
})

describe('a client that leaves', () => {
  it('ends the request at the upstream while that is still thinking', async () => {
    const upstream = await startUpstream()
    const { port, logs } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 2\r\n\r\n{}`)
    const { response } = await upstream.next()
    client.leave()
    await once(response, 'close')
    expect(response.writableFinished).toBe(false)
    expect(logs.filter(({ level }) => level === 50)).toEqual([])
  })

  it('ends a stream', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\n\r\n`)
    const { response } = await upstream.next()
    response.write('data: 1\n\n')
    await client.until(/data: 1/)
    client.leave()
    await once(response, 'close')
    expect(response.writableFinished).toBe(false)
  })

  it('ends an upload', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 1000000\r\n\r\nhalf`)
    const { request, response } = await upstream.next()
    await once(request, 'data')
    const aborted = once(request, 'error')
    client.leave()
    await aborted
    expect(request.complete).toBe(false)
    response.destroy()
  })

  it('before its call is whole is not heard of at the upstream', async () => {
    const asked: (string | undefined)[] = []
    const upstream = await startUpstream((request, response) => {
      asked.push(request.url)
      response.end('ok')
    })
    const { port, ask, logs } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 1000\r\n\r\nhalf`)
    expect((await ask('GET /notes/mcp/other')).body).toBe('ok')
    client.leave()
    await client.ended()
    expect((await ask('GET /notes/mcp/another')).body).toBe('ok')
    expect(asked).toEqual(['/other', '/another'])
    expect(logs.filter(({ level }) => level === 50)).toEqual([])
  })

  it('does not disturb others', async () => {
    const upstream = await startUpstream((request, response) => {
      if (request.url === '/') response.end('ok')
    })
    const { port, ask } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST.replace('/notes/mcp', '/notes/mcp/slow')}\r\n\r\n`)
    await upstream.next()
    client.leave()
    expect((await ask('GET /notes/mcp')).body).toBe('ok')
  })

  it('during the check is not asked for at the upstream any more', async () => {
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const resources = [resource({ allow: ANYONE, upstream: upstream.origin })]
    const { app, storage } = await buildTestApp({ resources })
    const { tokens } = await obtainTokens(app)
    const port = await listen(app)
    const get = storage.get.bind(storage)
    const gate = new EventEmitter()
    const asked = once(gate, 'asked')
    storage.get = async (key) => {
      gate.emit('asked')
      await once(gate, 'open')
      return get(key)
    }
    const left = new Promise((resolve) =>
      app.server.once('request', (_request, response) => response.once('close', resolve)),
    )
    const client = await open(port)
    const credential = `Authorization: Bearer ${tokens.access_token}`
    client.send(`POST /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${credential}\r\n\r\n`)
    await asked
    client.leave()
    await left
    gate.emit('open')
    storage.get = get
    // A second request finds the upstream without the first one.
    const second = await open(port)
    second.send(`GET /notes/mcp/second HTTP/1.1\r\nHost: mcp.example.com\r\n${credential}\r\n\r\n`)
    await second.until(/ok/)
    expect(upstream.requests.map(({ url }) => url)).toEqual(['/second'])
  })
})

it('asks an upstream nothing for an answer that nobody waits for any more', async () => {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const forwarder = createUpstream({ idleMs: 0 })
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const client = await open(address.port)
  const arrival = once(server, 'request')
  client.send('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const [request, response] = (await arrival) as [IncomingMessage, ServerResponse]
  client.leave()
  await once(response, 'close')
  const target = { origin: upstream.origin, path: '/', headers: [] }
  const rules = { responseHeaders: () => [], redirect: () => undefined }
  await forwarder.forward({ request, requestId: 'one', response, target, ...rules })
  expect(upstream.requests).toEqual([])
  await forwarder.close()
  server.close()
})

it('says 503, not 502, and asks no upstream when our own store is gone', async () => {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const resources = [resource({ allow: ANYONE, upstream: upstream.origin })]
  const { app, storage } = await buildTestApp({ resources })
  const { tokens } = await obtainTokens(app)
  await storage.close()
  const answer = await app.inject({
    url: '/notes/mcp',
    headers: { host: 'mcp.example.com', authorization: `Bearer ${tokens.access_token}` },
  })
  expect(answer.statusCode).toBe(503)
  expect(answer.headers['retry-after']).toBeDefined()
  expect(upstream.requests).toEqual([])
})

describe('an early answer to an upload', () => {
  const CHUNK = Buffer.alloc(64 * 1024, 'x')
  const head = (lines: readonly string[]) =>
    `${[...lines, `Content-Length: ${20 * CHUNK.length}`].join('\r\n')}\r\n\r\n`

  /** Sends an upload to its end, whatever comes back meanwhile. */
  async function upload(port: number, lines: readonly string[]) {
    const client = await open(port)
    client.send(head(lines))
    client.send(CHUNK)
    await client.until(/^HTTP\/1\.1 /)
    // Like a proxy in front, which has these bytes under way when it sees the answer.
    for (let i = 1; i < 20; i += 1) client.send(CHUNK)
    return parseAnswer(await client.ended())
  }

  it('ed33: 502 says that the connection ends, and ends it without a reset', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    await upstream.stop()
    for (let round = 0; round < 5; round += 1) {
      const answer = await upload(port, POST.split('\r\n'))
      expect(answer).toMatchObject({ status: 502, complete: true })
      expect(answer.values('connection')).toEqual(['close'])
    }
  })

  it('ed33: so does the refusal of a request without a token', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    const answer = await upload(port, ['POST /notes/mcp HTTP/1.1', 'Host: mcp.example.com'])
    expect(answer).toMatchObject({ status: 401, complete: true })
    expect(answer.values('connection')).toEqual(['close'])
    expect(answer.values('www-authenticate')).toHaveLength(1)
  })

  it('ed33: so does an early answer of the upstream', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(413, { 'content-length': '9' })
      response.end('too large')
    })
    const { port } = await openGateway(upstream.origin)
    const answer = await upload(port, POST.split('\r\n'))
    expect(answer).toMatchObject({ status: 413, body: 'too large' })
    expect(answer.values('connection')).toEqual(['close'])
  })

  it('ed33: leaves the connection open when the upload was whole', async () => {
    const upstream = await startUpstream()
    const { port } = await openGateway(upstream.origin)
    await upstream.stop()
    const client = await open(port)
    for (let round = 0; round < 2; round += 1) {
      client.send(`${POST}\r\nContent-Length: 2\r\n\r\n{}`)
      await client.until(round === 0 ? /502 [\s\S]*\}$/ : /502 [\s\S]*502 [\s\S]*\}$/)
    }
  })

  it('ed33: lets both directions flow at once', async () => {
    const upstream = await startUpstream((request, response) => {
      response.writeHead(200)
      request.on('data', (chunk) => response.write(chunk))
      request.on('end', () => response.end('end'))
    })
    const { port } = await openGateway(upstream.origin)
    const client = await open(port)
    client.send(`${POST}\r\nContent-Length: 100000\r\n\r\n${'a'.repeat(50_000)}`)
    await client.until(/aaaa/)
    client.send('b'.repeat(50_000))
    await client.until(/b[\s\S]*end/)
  })
})

describe('an error that nobody foresaw', () => {
  async function breakDown(headers: readonly string[]) {
    const storage = createMemoryStorage({ now: Date.now })
    const upstream = await startUpstream()
    const resources = [resource({ allow: ANYONE, upstream: upstream.origin })]
    const broken = await buildTestApp({ resources }, { storage })
    const { tokens } = await obtainTokens(broken.app)
    const { app, logs } = await broken.restart()
    storage.get = () => Promise.reject(new TypeError('secret detail'))
    const port = await listen(app)
    const lines = [`Authorization: Bearer ${tokens.access_token}`, ...headers]
    const answer = await exchange(port, [
      'GET /notes/mcp HTTP/1.1',
      'Host: mcp.example.com',
      ...lines,
    ])
    return { answer, logs }
  }

  it('is 500 that says so, not an outage of the upstream, and an allowed page can read it', async () => {
    const { answer, logs } = await breakDown(['Origin: http://localhost:6274'])
    expect(answer.status).toBe(500)
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'server_error' })
    expect(answer.body).not.toContain('secret detail')
    expect(answer.values('cache-control')).toEqual(['no-store'])
    expect(answer.values('access-control-allow-origin')).toEqual(['http://localhost:6274'])
    expect(logs.at(-1)).toMatchObject({ event: 'request-failed' })
  })

  it('is a page for a person that does not say that they are signed in', async () => {
    const { answer } = await breakDown(['Accept: text/html', 'Sec-Fetch-Mode: navigate'])
    expect(answer.status).toBe(500)
    expect(answer.values('content-type')).toEqual(['text/html; charset=utf-8'])
    expect(answer.body).toContain('Something went wrong here')
    expect(answer.body).not.toContain('signed in')
  })
})

it('an upstream that is down is 502 that an allowed page can read, and that no cache keeps', async () => {
  const upstream = await startUpstream()
  const { ask } = await openGateway(upstream.origin)
  await upstream.stop()
  const answer = await ask('GET /notes/mcp', { headers: ['Origin: http://localhost:6274'] })
  expect(answer.status).toBe(502)
  expect(answer.values('access-control-allow-origin')).toEqual(['http://localhost:6274'])
  expect(answer.values('cache-control')).toEqual(['no-store'])
})

it('half an answer stays half where the client sends what is no HTTP: no words of ours stand in its middle', async () => {
  const upstream = await startUpstream((_request, response) => {
    response.writeHead(200, { 'content-length': '900' }).write('the first part')
  })
  const { port } = await openGateway(upstream.origin)
  const connection = await open(port)
  connection.socket.write(`${POST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n`)
  await connection.until(/the first part/)
  connection.socket.write('no chunk\r\n')
  expect(await connection.ended()).toMatch(/^HTTP\/1\.1 200 .*the first part$/s)
})
