/**
 * Limits of pass-through: requests that a person has open at once, bodies and headers (features E5, K39, case sb4).
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { open, parseAnswer } from '../support/raw-http.ts'
import { bodyOf, startUpstream } from '../support/upstream-server.ts'
import { CREDENTIAL, openGateway } from './gateway.ts'

const NO_LIMIT = { body: 0, headers: 65_536, perPerson: { requests: 0, streams: 0 } }
const SCRIPT = 'a-token-of-a-script-0123456789abcdef'
const CALL = `POST /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${CREDENTIAL}\r\nContent-Length: 2\r\n\r\n{}`
const LISTEN = `GET /notes/mcp HTTP/1.1\r\nHost: mcp.example.com\r\n${CREDENTIAL}\r\nAccept: text/event-stream\r\n\r\n`

async function openCapped(perPerson: { requests: number; streams: number }) {
  const upstream = await startUpstream()
  const notes = resource({
    allow: ANYONE,
    upstream: upstream.origin,
    openPaths: ['/notes/mcp/open'],
  })
  const gateway = await openGateway('', {
    resources: [notes],
    staticTokens: [{ name: 'ci', tokenHash: sha256(SCRIPT) }],
    upstreamLimits: { ...NO_LIMIT, perPerson },
  })
  return { upstream, ...gateway }
}

/** Sends a request that stays open, and waits until the upstream has it. */
async function hold(
  { port, upstream }: { port: number; upstream: Awaited<ReturnType<typeof startUpstream>> },
  request = CALL,
) {
  const client = await open(port)
  client.send(request)
  return { client, ...(await upstream.next()) }
}

describe('E5, sb4: a person with as many open requests as allowed', () => {
  it('gets 429 with Retry-After for one more, and is served when one has ended', async () => {
    const gateway = await openCapped({ requests: 2, streams: 0 })
    const first = await hold(gateway)
    await hold(gateway)
    const refused = await gateway.ask('POST /notes/mcp', { body: '{}' })
    expect(refused.status).toBe(429)
    expect(refused.values('retry-after')).toEqual(['1'])
    expect(JSON.parse(refused.body)).toMatchObject({ error: 'temporarily_unavailable' })
    expect(gateway.logs.at(-1)).toMatchObject({
      event: 'too-many-open',
      level: 40,
      userId: expect.stringMatching(/^u_/),
    })
    first.response.end('done')
    await first.client.until(/done/)
    const next = await hold(gateway)
    next.response.end('served')
    await next.client.until(/served/)
  })

  it('is served again after a client left, and after an upstream failed', async () => {
    const gateway = await openCapped({ requests: 1, streams: 0 })
    const left = await hold(gateway)
    const closed = new Promise((resolve) => left.response.once('close', resolve))
    left.client.leave()
    await closed
    const failed = await hold(gateway)
    failed.request.socket.destroy()
    await failed.client.until(/502 /)
    const next = await hold(gateway)
    next.response.end('served')
    await next.client.until(/served/)
  })

  it('is served on a connection that is used again', async () => {
    const gateway = await openCapped({ requests: 1, streams: 1 })
    const first = await hold(gateway)
    first.response.end('first')
    await first.client.until(/first/)
    first.client.send(CALL)
    const second = await gateway.upstream.next()
    second.response.end('second')
    await first.client.until(/second/)
  })

  it('keeps nobody else out, and no stranger from an open path', async () => {
    const gateway = await openCapped({ requests: 1, streams: 1 })
    await hold(gateway)
    const other = CALL.replace(CREDENTIAL, `Authorization: Bearer ${SCRIPT}`)
    await hold(gateway, other)
    const stranger = 'GET /notes/mcp/open HTTP/1.1\r\nHost: mcp.example.com\r\n\r\n'
    await hold(gateway, stranger)
    await hold(gateway, stranger)
    expect((await gateway.ask('POST /notes/mcp')).status).toBe(429)
  })
})

describe('E5: streams', () => {
  it('are counted apart from requests', async () => {
    const gateway = await openCapped({ requests: 1, streams: 2 })
    const stream = await hold(gateway, LISTEN)
    await hold(gateway, LISTEN)
    expect(
      (await gateway.ask('GET /notes/mcp', { headers: ['Accept: text/event-stream'] })).status,
    ).toBe(429)
    const call = await hold(gateway)
    call.response.end('called')
    await call.client.until(/called/)
    const closed = new Promise((resolve) => stream.response.once('close', resolve))
    stream.client.leave()
    await closed
    await hold(gateway, LISTEN)
  })

  it('are what an answer becomes that is one, while there is room', async () => {
    const gateway = await openCapped({ requests: 1, streams: 1 })
    const first = await hold(gateway)
    first.response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    first.response.write('data: 1\n\n')
    await first.client.until(/data: 1/)
    const second = await hold(gateway)
    second.response.writeHead(200, { 'content-type': 'text/event-stream' })
    second.response.write('data: 2\n\n')
    await second.client.until(/data: 2/)
    // The second one is still a request, and nothing of it was lost.
    expect((await gateway.ask('POST /notes/mcp')).status).toBe(429)
  })

  it('may be without limit', async () => {
    const gateway = await openCapped({ requests: 0, streams: 0 })
    for (let i = 0; i < 40; i += 1) await hold(gateway, LISTEN)
  })
})

describe('a body above the limit', () => {
  const LIMITS = { upstreamLimits: { ...NO_LIMIT, body: 100_000 } }
  async function openLimited() {
    const upstream = await startUpstream((request, response) => {
      bodyOf(request).then(
        (body) => response.end(`${body.length} bytes`),
        () => response.destroy(),
      )
    })
    const notes = resource({ allow: ANYONE, upstream: upstream.origin })
    return { upstream, ...(await openGateway('', { resources: [notes], ...LIMITS })) }
  }

  it('is 413 before the server hears of it, and the connection ends without a reset', async () => {
    const { ask, upstream } = await openLimited()
    const answer = await ask('POST /notes/mcp', { body: Buffer.alloc(100_001, 'x') })
    expect(answer).toMatchObject({ status: 413, complete: true })
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_request' })
    expect(answer.values('connection')).toEqual(['close'])
    expect(upstream.requests).toEqual([])
  })

  it('is 413 as soon as its chunks exceed it, and the server sees no whole body', async () => {
    const { port, upstream } = await openLimited()
    const client = await open(port)
    client.send(
      CALL.replace('Content-Length: 2', 'Transfer-Encoding: chunked').replace(/\{\}$/, ''),
    )
    for (let i = 0; i < 3; i += 1) client.send(`c350\r\n${'x'.repeat(50_000)}\r\n`)
    expect(parseAnswer(await client.until(/\}$/)).status).toBe(413)
    expect(upstream.requests.every(({ complete }) => !complete)).toBe(true)
  })

  it('begins one byte above it', async () => {
    const { ask } = await openLimited()
    expect((await ask('POST /notes/mcp', { body: Buffer.alloc(100_000, 'x') })).body).toBe(
      '100000 bytes',
    )
    const chunks = { headers: ['Transfer-Encoding: chunked'] }
    const body = `186a0\r\n${'x'.repeat(100_000)}\r\n0\r\n\r\n`
    expect((await ask('POST /notes/mcp', { ...chunks, body })).body).toBe('100000 bytes')
  })
})

it('headers of the server above the limit are 502', async () => {
  const upstream = await startUpstream((_request, response) =>
    response.writeHead(200, { 'x-long': 'x'.repeat(10_000) }).end('ok'),
  )
  const notes = resource({ allow: ANYONE, upstream: upstream.origin })
  const status = async (headers: number) => {
    const changes = { resources: [notes], upstreamLimits: { ...NO_LIMIT, headers } }
    return (await (await openGateway('', changes)).ask('GET /notes/mcp')).status
  }
  expect(await status(65_536)).toBe(200)
  expect(await status(8192)).toBe(502)
})
