/**
 * Pass-through: a tool call through the gateway, compared with a minimal proxy on undici.
 *
 * @module
 */
import { createServer } from 'node:http'
import type { Load } from './load.ts'
import { takeTurns } from './rounds.ts'
import { type ServerUnderTest, startServer, table } from './under-test.ts'

const REQUESTS = 3000
const CALL = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'echo', arguments: { message: 'hello' } },
})
const ANSWER = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  result: { content: [{ type: 'text', text: 'hello' }] },
})

function call({ port, tokens }: ServerUnderTest): Load {
  const lines = [
    'POST /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    'Accept: application/json, text/event-stream',
    `Authorization: Bearer ${tokens.warm}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(CALL)}`,
  ]
  return { port, request: Buffer.from(`${lines.join('\r\n')}\r\n\r\n${CALL}`) }
}

export async function benchPassThrough(): Promise<void> {
  const upstream = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(ANSWER),
      })
      response.end(ANSWER)
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const address = upstream.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const origin = `http://127.0.0.1:${address.port}`
  const servers = [
    {
      name: 'bare undici pass-through',
      server: await startServer({ kind: 'undici', upstream: origin }),
    },
    {
      name: 'the same with one header each way',
      server: await startServer({ kind: 'undici', upstream: origin, headers: 'one' }),
    },
    {
      name: 'Gatewarden, warm bearer',
      server: await startServer({
        kind: 'gatewarden',
        store: 'memory',
        upstream: `${origin}/notes/mcp`,
      }),
    },
    {
      name: 'the same with five header mutations and caps',
      server: await startServer({
        kind: 'gatewarden',
        store: 'memory',
        upstream: `${origin}/notes/mcp`,
        passThroughRules: true,
      }),
    },
  ]
  const results = await takeTurns(
    servers.map(({ server }) => ({ server, load: call(server) })),
    { bases: [0], requests: REQUESTS },
  )
  const [wrong] = results.filter(({ status }) => status !== 200)
  if (wrong) throw new Error(`pass-through answered ${wrong.status}`)
  table(
    ['proxied call', 'CPU µs', '÷ bare', 'requests/s'],
    servers.map(({ name }, index) => {
      const { cpu = Number.NaN, ratios = [], rate = Number.NaN } = results[index] ?? {}
      return [
        name,
        cpu.toFixed(1),
        (ratios[0] ?? Number.NaN).toFixed(2),
        Math.round(rate).toLocaleString('en'),
      ]
    }),
  )
  for (const { server } of servers) server.stop()
  upstream.close()
}
