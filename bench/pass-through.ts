/**
 * Pass-through: a tool call through the gateway, beside the least that a proxy on undici can do.
 *
 * @module
 */
import { createServer } from 'node:http'
import { flood } from './load.ts'
import { median, startServer, table } from './under-test.ts'

const ROUNDS = 5
const REQUESTS = 10_000
const CONNECTIONS = 16
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
  ]
  const measured = servers.map(() => ({ cpu: [] as number[], rate: [] as number[] }))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [index, { server }] of servers.entries()) {
      const lines = [
        'POST /notes/mcp HTTP/1.1',
        'Host: mcp.example.com',
        'Accept: application/json, text/event-stream',
        `Authorization: Bearer ${server.tokens.warm}`,
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(CALL)}`,
      ]
      const request = Buffer.from(`${lines.join('\r\n')}\r\n\r\n${CALL}`)
      const before = await server.usage()
      const { perSecond, status } = await flood(
        { port: server.port, request },
        { count: REQUESTS, connections: CONNECTIONS },
      )
      const after = await server.usage()
      if (status !== 200) throw new Error(`pass-through answered ${status}`)
      if (round < 0) continue
      measured[index]?.cpu.push((after.cpu - before.cpu) / REQUESTS)
      measured[index]?.rate.push(perSecond)
    }
  }
  const bare = median(measured[0]?.cpu ?? [])
  table(
    ['proxied call', 'CPU µs', '÷ bare', 'requests/s'],
    servers.map(({ name }, index) => {
      const cpu = median(measured[index]?.cpu ?? [])
      const rate = Math.round(median(measured[index]?.rate ?? [])).toLocaleString('en')
      return [name, cpu.toFixed(1), (cpu / bare).toFixed(2), rate]
    }),
  )
  for (const { server } of servers) server.stop()
  upstream.close()
}
