/**
 * The check at the pace of an ordinary day: 700 requests a second through a real Traefik, beside a bare Fastify route that
 * answers the same. A process that is mostly idle pays for waking up, which a flood does not show.
 *
 * @module
 */
import { join } from 'node:path'
import { flood, steady } from './load.ts'
import { PATHS, proxiedRequest, type RunningProxy, startTraefik, startUpstream } from './proxies.ts'
import { median, type ServerUnderTest, startServer, table } from './under-test.ts'

const PACE = { perSecond: 700, seconds: 5, connections: 32 }
const WARM_UP = { count: 5000, connections: 8 }
const ROUNDS = 5

interface Case {
  readonly name: string
  readonly server: ServerUnderTest
  readonly proxy: RunningProxy
  /** Microseconds of processor time per request, of each round. */
  readonly rounds: number[]
}

export async function benchPaced(folder: string): Promise<void> {
  const upstream = await startUpstream()
  const servers = {
    'bare Fastify route': await startServer({ kind: 'fastify' }),
    'warm bearer, memory': await startServer({ kind: 'gatewarden', store: 'memory' }),
    'warm bearer, LMDB': await startServer({
      kind: 'gatewarden',
      store: 'lmdb',
      dataDir: join(folder, 'paced'),
    }),
  }
  const cases: Case[] = []
  for (const [name, server] of Object.entries(servers)) {
    const places = { folder: join(folder, name), upstream: upstream.address, port: server.port }
    const proxy = await startTraefik(places)
    if (proxy) cases.push({ name, server, proxy, rounds: [] })
  }
  const load = ({ proxy, server }: Case) =>
    proxiedRequest(proxy.port, PATHS.with, server.tokens.warm)
  for (const one of cases) {
    const { status } = await flood(load(one), WARM_UP)
    if (status !== 200) throw new Error(`${one.name} answered ${status}`)
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of cases) {
      const before = await one.server.usage()
      await steady(load(one), PACE)
      const after = await one.server.usage()
      one.rounds.push((after.cpu - before.cpu) / (PACE.perSecond * PACE.seconds))
    }
  }
  const [base] = cases
  table(
    [`${PACE.perSecond} a second through Traefik`, 'CPU µs', '÷ Fastify'],
    cases.map(({ name, rounds }) => [
      name,
      median(rounds).toFixed(1),
      median(rounds.map((cpu, round) => cpu / (base?.rounds[round] ?? Number.NaN))).toFixed(2),
    ]),
  )
  for (const { proxy } of cases) await proxy.stop()
  for (const server of Object.values(servers)) server.stop()
  upstream.stop()
}
