import { afterEach, expect, it, vi } from 'vitest'
import { CREDENTIAL, openGateway } from '../proxy/gateway.ts'
import { open, parseAnswer } from '../support/raw-http.ts'
import { startUpstream } from '../support/upstream-server.ts'

afterEach(() => void vi.useRealTimers())

const HALF = 'x'.repeat(50_000)
const head = (line: string) =>
  `${line} HTTP/1.1\r\nHost: mcp.example.com\r\n${CREDENTIAL}\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n`

it('ed22: an upload to a proxied server takes as long as it likes', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  let size = 0
  const upstream = await startUpstream((request, response) => {
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
    })
    request.on('end', () => response.end(String(size)))
  })
  const arrived = async (bytes: number) => {
    while (size < bytes) await new Promise(setImmediate)
  }
  const { port } = await openGateway(upstream.origin)
  const client = await open(port)
  client.send(head('PUT /notes/mcp/x') + HALF)
  await arrived(50_000)
  // No silence is longer than the limit of an hour; all of them together are.
  for (let i = 0; i < 5; i += 1) {
    await vi.advanceTimersByTimeAsync(50 * 60_000)
    client.send('x'.repeat(10_000))
    await arrived(60_000 + i * 10_000)
  }
  expect(parseAnswer(await client.ended())).toMatchObject({ status: 200, body: '100000' })
})

it('ed22: an upload that is silent for longer than the limit ends', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const upstream = await startUpstream()
  const { port } = await openGateway(upstream.origin)
  for (const half of [HALF, '']) {
    const client = await open(port)
    client.send(head('PUT /notes/mcp/x').replace('100000', half === '' ? '10' : '100000') + half)
    if (half !== '') await upstream.next()
    else for (let i = 0; i < 20; i += 1) await new Promise(setImmediate)
    await vi.advanceTimersByTimeAsync(3_601_000)
    expect(await client.ended()).toBe('')
  }
})

it.each(['POST /register', 'POST /token', 'GET /healthz', 'POST /consent', 'POST /jwks'])(
  'ed22: a body to an endpoint of our own has two minutes: %s',
  async (line) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const { port } = await openGateway('http://127.0.0.1:1')
    const client = await open(port)
    client.send(head(line).replace('100000', '10000').replace('Connection: close\r\n', ''))
    for (let i = 0; i < 50; i += 1) await new Promise(setImmediate)
    await vi.advanceTimersByTimeAsync(121_000)
    await client.ended()
  },
)
