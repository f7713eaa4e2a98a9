/** A process that ends (ed25, ed37): the app with its lifecycle, and the order of the end. */

import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import { pino } from 'pino'
import { expect, it } from 'vitest'
import { buildApp } from '../../src/app.ts'
import { createServingEnd } from '../../src/cli/end-serving.ts'
import { NO_EVENTS } from '../../src/events.ts'
import { createLifecycle } from '../../src/http/lifecycle.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { createClock, SECRET, testConfig } from '../support/build-app.ts'
import { listen } from '../support/raw-http.ts'

async function startEnding() {
  const now = createClock()
  const lifecycle = createLifecycle()
  const app = await buildApp({
    config: testConfig(),
    secret: SECRET,
    storage: createMemoryStorage({ now }),
    log: pino({ level: 'silent' }),
    events: NO_EVENTS,
    now,
    elapsed: now.elapsed,
    lifecycle,
  })
  const port = await listen(app)
  return { app, lifecycle, ask: (path: string) => fetch(`http://127.0.0.1:${port}${path}`) }
}

it('ed25, ed37: an ending process says so at /readyz, and answers everything else as before', async () => {
  const { app, lifecycle, ask } = await startEnding()
  expect((await ask('/readyz')).status).toBe(200)
  lifecycle.end()
  const ready = await ask('/readyz')
  expect([ready.status, await ready.json()]).toEqual([503, { status: 'ending' }])
  for (const [path, status] of [
    ['/healthz', 200],
    ['/auth/traefik', 403],
    ['/nowhere', 404],
    ['/.well-known/oauth-authorization-server', 200],
  ] as const) {
    const answer = await ask(path)
    expect([path, answer.status, answer.headers.get('connection')]).toEqual([path, status, 'close'])
    await answer.arrayBuffer()
  }
  await app.close()
})

async function streaming(): Promise<{
  server: Server
  open: (path: string) => Promise<IncomingMessage>
}> {
  const server = createServer((request, response) => {
    if (request.url === '/stream') response.write('one')
    else response.end('answer')
  })
  return {
    server,
    open: async (path) => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : 0
      const [response] = await once(
        get({ port, path, host: '127.0.0.1', agent: false }),
        'response',
      )
      return response
    },
  }
}

it('ed37: a stream does not make a single process refuse: the listener goes on until it is cut', async () => {
  const { server, open } = await streaming()
  const end = createServingEnd(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const stream = await open('/stream')
  stream.on('error', () => undefined)
  const cut = new Promise((resolve) => stream.once('close', resolve))
  let closedAt: number | undefined
  const ending = end.run({
    delayMs: 0,
    timeoutMs: 200,
    close: async () => {
      closedAt = performance.now()
      server.close()
    },
  })
  const started = performance.now()
  while (performance.now() - started < 100) {
    expect((await open('/')).statusCode).toBe(200)
  }
  expect(closedAt).toBeUndefined()
  await ending
  await cut
  expect((closedAt ?? 0) - started).toBeGreaterThan(150)
  await expect(open('/')).rejects.toThrow()
})

it('ed25: without open requests it closes after the delay alone', async () => {
  const { server, open } = await streaming()
  const end = createServingEnd(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  ;(await open('/')).resume()
  const started = performance.now()
  await end.run({
    delayMs: 50,
    timeoutMs: 60_000,
    close: async () => void server.close(),
  })
  expect(performance.now() - started).toBeLessThan(5000)
})

it('ed37: a WebSocket is cut when the time for streams is over', async () => {
  const server = createServer().on('upgrade', (_request, socket) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
    )
  })
  const end = createServingEnd(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const headers = { connection: 'Upgrade', upgrade: 'websocket' }
  const [, socket] = await once(get({ port, host: '127.0.0.1', agent: false, headers }), 'upgrade')
  const cut = once(
    socket.resume().on('error', () => undefined),
    'close',
  )
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()))
  await end.run({ delayMs: 0, timeoutMs: 0, close })
  await cut
})
