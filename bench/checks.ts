/**
 * The check: the cost of a request for each kind of token, compared with servers that only answer.
 *
 * @module
 */
import { join } from 'node:path'
import { type Load, steady } from './load.ts'
import { takeTurns } from './rounds.ts'
import { type ServerUnderTest, startServer, table } from './under-test.ts'

const REQUESTS = 5000
/** The case that the others are compared with: the warm bearer on LMDB. */
const WARM = 3
const STEADY = { perSecond: 3000, seconds: 5, connections: 64 }

export interface Case {
  readonly name: string
  readonly server: ServerUnderTest
  readonly token: string
  /** The request carries the token in a cookie. */
  readonly cookie?: true
}

/** The request that Traefik sends for a request of the TypeScript SDK. */
export function checkRequest({ server: { port }, token, cookie }: Case): Load {
  const lines = [
    'GET /auth/traefik HTTP/1.1',
    `Host: 127.0.0.1:${port}`,
    'User-Agent: node',
    'Accept: application/json, text/event-stream',
    'Accept-Encoding: gzip, deflate',
    'Accept-Language: *',
    ...(token === ''
      ? []
      : [
          cookie
            ? `Cookie: theme=dark; __Host-gw_session=${token}`
            : `Authorization: Bearer ${token}`,
        ]),
    'Content-Type: application/json',
    'Mcp-Protocol-Version: 2025-11-25',
    'Sec-Fetch-Mode: cors',
    'X-Forwarded-For: 192.0.2.7',
    'X-Forwarded-Host: mcp.example.com',
    'X-Forwarded-Method: POST',
    'X-Forwarded-Port: 443',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Uri: /notes/mcp',
  ]
  return { port, request: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`) }
}

export async function benchChecks(folder: string): Promise<void> {
  const gateway = (store: string, grants: number) =>
    startServer({ kind: 'gatewarden', store, grants, dataDir: join(folder, `${store}-${grants}`) })
  const node = await startServer({ kind: 'node' })
  const fastify = await startServer({ kind: 'fastify' })
  const memory = await gateway('memory', 1)
  const lmdb = await gateway('lmdb', 1)
  const lmdb10k = await gateway('lmdb', 10_000)
  const lmdb100k = await gateway('lmdb', 100_000)
  const provider = await startServer({ kind: 'gatewarden', store: 'memory', provider: true })
  const { tokens } = lmdb
  const cases: Case[] = [
    { name: 'bare node:http', server: node, token: tokens.warm },
    { name: 'bare Fastify route', server: fastify, token: tokens.warm },
    { name: 'warm bearer, memory', server: memory, token: memory.tokens.warm },
    { name: 'warm bearer, LMDB, 1 grant', server: lmdb, token: tokens.warm },
    { name: 'warm bearer, LMDB, 10,000 grants', server: lmdb10k, token: lmdb10k.tokens.warm },
    { name: 'warm bearer, LMDB, 100,000 grants', server: lmdb100k, token: lmdb100k.tokens.warm },
    { name: 'warm cookie, LMDB', server: lmdb, token: tokens.session, cookie: true },
    { name: "the provider's own token, warm", server: provider, token: provider.tokens.provider },
    { name: 'warm API key, LMDB', server: lmdb, token: tokens.apiKey },
    { name: 'no token', server: lmdb, token: '' },
    { name: 'garbage, 700 bytes', server: lmdb, token: tokens.garbage },
    { name: 'forged: our kid, bad MAC', server: lmdb, token: tokens.badMac },
    { name: 'good MAC, bad signature', server: lmdb, token: tokens.badSignature },
    { name: 'expired token', server: lmdb, token: tokens.expired },
  ]
  console.log(`token: ${tokens.warm.length} bytes\n`)

  const results = await takeTurns(
    cases.map((one) => ({ server: one.server, load: checkRequest(one) })),
    { bases: [cases.findIndex(({ server }) => server === node), WARM], requests: REQUESTS },
  )
  const rows: string[][] = []
  for (const [index, one] of cases.entries()) {
    const result = results[index]
    if (!result) continue
    const { p50, p99 } = await steady(checkRequest(one), STEADY)
    rows.push([
      one.name,
      String(result.status),
      result.cpu.toFixed(1),
      ...result.ratios.map((ratio) => ratio.toFixed(2)),
      Math.round(result.rate).toLocaleString('en'),
      p50.toFixed(2),
      p99.toFixed(2),
    ])
  }
  table(
    [
      'check',
      'status',
      'CPU µs',
      '÷ node:http',
      '÷ warm',
      'requests/s',
      'p50 ms at 3,000/s',
      'p99 ms',
    ],
    rows,
  )
  for (const server of [node, fastify, memory, lmdb, lmdb10k, lmdb100k, provider]) server.stop()
}
