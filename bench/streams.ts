/**
 * Event streams through the gateway: resident memory of the program with many of them open and silent, and how much later
 * than the upstream wrote it the first byte of an event arrives.
 *
 * @module
 */
import { createServer, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createProgram, residentMiB } from './program.ts'
import { median, startServer, table } from './under-test.ts'

const STREAMS = 2000
/** Streams that are opened at the same time. */
const BATCH = 50
const EVENTS = 300
const EVENT = Buffer.from('data: {}\n\n')

/** The time after which memory is read: the streams are as idle as the process. */
const IDLE_MS = 30_000
/** As long as an access token. */
const STATIC_TOKEN = 'k'.repeat(756)

export async function benchStreams(folder: string): Promise<void> {
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
  const upstreamUrl = `http://127.0.0.1:${address.port}/notes/mcp`
  const server = await startServer({
    kind: 'gatewarden',
    store: 'memory',
    upstream: upstreamUrl,
    passThroughRules: true,
  })
  const token = server.tokens.warm
  const direct = await firstBytes({ port: address.port, token }, waiting)
  const through = await firstBytes({ port: server.port, token }, waiting)
  server.stop()

  const program = await createProgram(folder, () => ({
    resources: { notes: { url: 'https://mcp.example.com/notes/mcp', upstream: upstreamUrl } },
    mcp_per_subject_streams: STREAMS + BATCH,
    static_bearer_tokens: `bench:${STATIC_TOKEN}`,
  }))
  const gateway = await program.start()
  const ours = await memoryOfStreams({ port: program.port, token: STATIC_TOKEN }, () =>
    residentMiB(gateway.pid),
  )
  await gateway.stop()
  const undici = await startServer({ kind: 'undici', upstream: new URL(upstreamUrl).origin })
  const bare = await memoryOfStreams({ port: undici.port, token: STATIC_TOKEN }, async () =>
    Math.round((await undici.usage()).rss / 1024 / 1024),
  )
  undici.stop()
  table(
    ['event streams', 'measured'],
    [
      ['resident with a single stream', `${ours.before} MiB (bare undici: ${bare.before})`],
      [
        `resident with ${STREAMS.toLocaleString('en')} idle streams`,
        `${ours.after} MiB (bare undici: ${bare.after})`,
      ],
      ['an event arrives, without Gatewarden', milliseconds(direct)],
      ['an event arrives, through Gatewarden', milliseconds(through)],
    ],
  )
  upstream.closeAllConnections()
  upstream.close()
}

/** Resident MiB with a single idle stream, and with all of them. */
async function memoryOfStreams(
  target: Target,
  resident: () => Promise<number>,
): Promise<{ before: number; after: number }> {
  const sockets = [await openStream(target)]
  await delay(IDLE_MS)
  const before = await resident()
  for (let i = 0; i < STREAMS; i += BATCH) {
    sockets.push(...(await Promise.all(batch(() => openStream(target)))))
  }
  await delay(IDLE_MS)
  const after = await resident()
  for (const socket of sockets) socket.destroy()
  return { before, after }
}

const batch = <T>(make: () => Promise<T>): Promise<T>[] => Array.from({ length: BATCH }, make)
const milliseconds = (spans: readonly number[]) => {
  const sorted = [...spans].sort((a, b) => a - b)
  const late = sorted[Math.floor(sorted.length * 0.99)] ?? Number.NaN
  return `${median(spans).toFixed(2)} ms, 99th percentile ${late.toFixed(2)} ms`
}

interface Target {
  readonly port: number
  /** A good bearer token. */
  readonly token: string
}

/** Opens a stream and waits for its first event. */
async function openStream({ port, token }: Target): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  const head = [
    'GET /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    'Accept: text/event-stream',
    `Authorization: Bearer ${token}`,
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
  target: Target,
  waiting: ((response: ServerResponse) => void)[],
): Promise<number[]> {
  const upstream = new Promise<ServerResponse>((resolve) => waiting.push(resolve))
  const socket = await openStream(target)
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
