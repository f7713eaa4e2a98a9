/**
 * Event streams through the gateway: resident memory with many of them open and silent, and how much later than the
 * upstream wrote it the first byte of an event arrives.
 *
 * @module
 */
import { createServer, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { median, type ServerUnderTest, startServer, table } from './under-test.ts'

const STREAMS = 2000
/** Streams that are opened at the same time. */
const BATCH = 50
const EVENTS = 300
const EVENT = Buffer.from('data: {}\n\n')

export async function benchStreams(): Promise<void> {
  const waiting: ((response: ServerResponse) => void)[] = []
  const upstream = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(EVENT)
    waiting.shift()?.(response)
  })
  upstream.listen(0, '127.0.0.1')
  await new Promise((resolve) => upstream.once('listening', resolve))
  const address = upstream.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const server = await startServer({
    kind: 'gatewarden',
    store: 'memory',
    upstream: `http://127.0.0.1:${address.port}/notes/mcp`,
    passThroughRules: true,
  })
  const before = (await server.usage()).rss
  const direct = await firstBytes(() => open(address.port, server), waiting)
  const through = await firstBytes(() => open(server.port, server), waiting)
  const sockets: Socket[] = []
  for (let i = 0; i < STREAMS; i += BATCH) {
    sockets.push(...(await Promise.all(batch(() => open(server.port, server)))))
  }
  const after = (await server.usage()).rss
  table(
    ['event streams', 'measured'],
    [
      ['resident before', megabytes(before)],
      [`resident with ${STREAMS.toLocaleString('en')} idle streams`, megabytes(after)],
      ['an event arrives, without Gatewarden', milliseconds(direct)],
      ['an event arrives, through Gatewarden', milliseconds(through)],
    ],
  )
  for (const socket of sockets) socket.destroy()
  server.stop()
  upstream.closeAllConnections()
  upstream.close()
}

const batch = <T>(make: () => Promise<T>): Promise<T>[] => Array.from({ length: BATCH }, make)
const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MiB`
const milliseconds = (spans: readonly number[]) => {
  const sorted = [...spans].sort((a, b) => a - b)
  const late = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  return `${median(spans).toFixed(2)} ms, 99th percentile ${late.toFixed(2)} ms`
}

/** Opens a stream and waits for its first event. */
async function open(port: number, { tokens }: ServerUnderTest): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  const head = [
    'GET /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    'Accept: text/event-stream',
    `Authorization: Bearer ${tokens.warm}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`)
  let got = ''
  while (!got.includes('data: {}')) {
    got += await new Promise<string>((resolve, reject) => {
      socket.once('data', (chunk) => resolve(String(chunk)))
      socket.once('error', reject)
      socket.once('close', () => reject(new Error(`the stream ended after: ${got}`)))
    })
  }
  socket.removeAllListeners('close')
  return socket
}

/** Milliseconds between the write of an event at the upstream and its first byte at the client. */
async function firstBytes(
  openStream: () => Promise<Socket>,
  waiting: ((response: ServerResponse) => void)[],
): Promise<number[]> {
  const upstream = new Promise<ServerResponse>((resolve) => waiting.push(resolve))
  const socket = await openStream()
  const response = await upstream
  const spans: number[] = []
  for (let i = 0; i < EVENTS; i += 1) {
    const arrived = new Promise((resolve) => socket.once('data', resolve))
    const written = performance.now()
    response.write(EVENT)
    await arrived
    spans.push(performance.now() - written)
  }
  socket.destroy()
  return spans
}
