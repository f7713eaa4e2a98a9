/**
 * The cost of the store: known tokens, unseen tokens and refreshes, on each kind of store, with one process and with
 * two that share it.
 *
 * @module
 */
import { join } from 'node:path'
import { startRedis } from '../scripts/lib/redis.ts'
import { checkRequest } from './checks.ts'
import { VERIFIER } from './fixtures.ts'
import { flood, floodEach } from './load.ts'
import { type ServerUnderTest, startServer, table } from './under-test.ts'

const CONNECTIONS = 16
const WARM = 20_000
/** The number of grants, each with an access token and a refresh token of its own. */
const COLD = 18_000
/** The first of them warm up the compiler. */
const WARMING = 15_000

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
  const rows: string[][] = []
  for (const store of stores) {
    const options = {
      kind: 'gatewarden',
      store,
      dataDir: join(folder, `stores-${store}`),
      redisPort: redis?.port ?? 0,
    }
    for (const count of store === 'memory' ? [1] : [1, 2]) {
      const first = await startServer({ ...options, grants: COLD, cold: COLD })
      const second = count === 2 ? [await startServer(options)] : []
      const servers = [first, ...second]
      rows.push([
        `${store}, ${count === 1 ? '1 process' : '2 processes'}`,
        ...(await measure(servers)),
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
    ],
    rows,
  )
  await redis?.stop()
}

async function measure(servers: readonly ServerUnderTest[]): Promise<string[]> {
  const [first] = servers
  if (!first) return []
  const { tokens } = first
  const ports = servers.map(({ port }) => port)
  const ask = (token: string) => checkRequest({ name: '', server: first, token }).request
  const each = async (requests: readonly Buffer[]) => {
    await floodEach(requests.slice(0, WARMING), { ports, connections: CONNECTIONS })
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
  const code = await each(
    tokens.codes.map((one) =>
      tokenRequest({
        grant_type: 'authorization_code',
        code: one,
        code_verifier: VERIFIER,
        client_id: tokens.clientId,
      }),
    ),
  )
  return [
    seen.cpu.toFixed(1),
    unseen.cpu.toFixed(1),
    refresh.cpu.toFixed(1),
    Math.round(refresh.perSecond).toLocaleString('en'),
    code.cpu.toFixed(1),
    Math.round(code.perSecond).toLocaleString('en'),
  ]
}

async function cpuOf(servers: readonly ServerUnderTest[]): Promise<number> {
  let sum = 0
  for (const server of servers) sum += (await server.usage()).cpu
  return sum
}

function tokenRequest(parameters: Readonly<Record<string, string>>): Buffer {
  const body = new URLSearchParams(parameters).toString()
  const lines = [
    'POST /token HTTP/1.1',
    'Host: auth.example.com',
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
