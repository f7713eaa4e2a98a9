/**
 * The cost of the store: known tokens, unseen tokens, refreshes, codes and introspection, on each kind of store, with one process and with
 * two that share it.
 *
 * @module
 */
import { join } from 'node:path'
import { startRedis } from '../scripts/lib/redis.ts'
import { checkRequest } from './checks.ts'
import { type PublishedClient, publishClient } from './document.ts'
import { INTROSPECTOR, VERIFIER } from './fixtures.ts'
import { flood, floodEach } from './load.ts'
import { type ServerUnderTest, startServer, table } from './under-test.ts'

const CONNECTIONS = 16
const WARM = 20_000
/** The number of grants, each with an access token and a refresh token of its own. */
const COLD = 9000
/** The first of them warm up the compiler. */
const WARMING = 6000

export async function benchStores(folder: string): Promise<void> {
  const redis = await startRedis({
    binary: 'redis-server',
    folder: join(folder, 'redis'),
    settings: ['--appendonly', 'yes'],
  }).catch((error: unknown) => {
    console.error(`Redis is left out: ${String(error)}`)
    return undefined
  })
  const stores = ['memory', 'lmdb', ...(redis ? ['redis'] : [])]
  const published = await publishClient()
  const rows: string[][] = []
  for (const store of stores) {
    const options = {
      kind: 'gatewarden',
      store,
      dataDir: join(folder, `stores-${store}`),
      redisPort: redis?.port ?? 0,
    }
    for (const count of store === 'memory' ? [1] : [1, 2]) {
      const first = await startServer({
        ...options,
        grants: COLD,
        cold: COLD,
        documentUrl: published.id,
      })
      const second = count === 2 ? [await startServer(options)] : []
      const servers = [first, ...second]
      rows.push([
        `${store}, ${count === 1 ? '1 process' : '2 processes'}`,
        ...(await measure(servers, published)),
      ])
      for (const server of servers) server.stop()
    }
  }
  table(
    [
      'store',
      'warm check, CPU µs',
      'unseen token, CPU µs',
      'refresh, CPU µs',
      'refreshes/s',
      'code, CPU µs',
      'codes/s',
      'code of a client with a document, CPU µs',
      'documents fetched while warm',
      'introspection, CPU µs',
      'introspections/s',
    ],
    rows,
  )
  published.stop()
  await redis?.stop()
}

async function measure(
  servers: readonly ServerUnderTest[],
  published: PublishedClient,
): Promise<string[]> {
  const [first] = servers
  if (!first) return []
  const { tokens } = first
  const ports = servers.map(({ port }) => port)
  const ask = (token: string) => checkRequest({ name: '', server: first, token }).request
  let fetchedWarming = 0
  const each = async (requests: readonly Buffer[]) => {
    await floodEach(requests.slice(0, WARMING), { ports, connections: CONNECTIONS })
    fetchedWarming = published.fetches()
    return timed(requests.slice(WARMING))
  }
  const timed = async (requests: readonly Buffer[]) => {
    const before = await cpuOf(servers)
    const { perSecond, statuses } = await floodEach(requests, { ports, connections: CONNECTIONS })
    if (statuses.size !== 1 || !statuses.has(200)) {
      throw new Error(`answered ${[...statuses].join(', ')}`)
    }
    return { cpu: ((await cpuOf(servers)) - before) / requests.length, perSecond }
  }
  const warm = ask(tokens.warm)
  // Warms up the compiler; every process has seen this token afterwards.
  for (const port of ports) {
    await flood({ port, request: warm }, { count: WARM, connections: CONNECTIONS })
  }
  const seen = await timed(Array.from({ length: WARM }, () => warm))
  const unseen = await each(tokens.cold.slice(1).map(ask))
  const refresh = await each(
    tokens.refresh.map((token) =>
      tokenRequest({
        grant_type: 'refresh_token',
        refresh_token: token,
        client_id: tokens.clientId,
      }),
    ),
  )
  const redemption = (client_id: string) => (code: string) =>
    tokenRequest({
      grant_type: 'authorization_code',
      code,
      code_verifier: VERIFIER,
      client_id,
    })
  const code = await each(tokens.codes.map(redemption(tokens.clientId)))
  const documented = await each(tokens.documentedCodes.map(redemption(published.id)))
  const fetched = published.fetches() - fetchedWarming
  const introspection = await each(tokens.cold.map(introspectionRequest))
  return [
    seen.cpu.toFixed(1),
    unseen.cpu.toFixed(1),
    refresh.cpu.toFixed(1),
    Math.round(refresh.perSecond).toLocaleString('en'),
    code.cpu.toFixed(1),
    Math.round(code.perSecond).toLocaleString('en'),
    documented.cpu.toFixed(1),
    String(fetched),
    introspection.cpu.toFixed(1),
    Math.round(introspection.perSecond).toLocaleString('en'),
  ]
}

async function cpuOf(servers: readonly ServerUnderTest[]): Promise<number> {
  let sum = 0
  for (const server of servers) sum += (await server.usage()).cpu
  return sum
}

const tokenRequest = (parameters: Readonly<Record<string, string>>) => post('/token', parameters)

function introspectionRequest(token: string): Buffer {
  const { id, secret } = INTROSPECTOR
  const basic = Buffer.from(`${id}:${secret}`).toString('base64')
  return post('/introspect', { token }, [`Authorization: Basic ${basic}`])
}

function post(
  path: string,
  parameters: Readonly<Record<string, string>>,
  headers: readonly string[] = [],
): Buffer {
  const body = new URLSearchParams(parameters).toString()
  const lines = [
    `POST ${path} HTTP/1.1`,
    'Host: auth.example.com',
    ...headers,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
