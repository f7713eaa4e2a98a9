/**
 * The latency that the check adds to a request through a real proxy: the same server behind the same proxy, with and
 * without Gatewarden.
 *
 * @module
 */
import { flood, steady } from './load.ts'
import { PATHS, proxiedRequest, startNginx, startTraefik, startUpstream } from './proxies.ts'
import { startServer, table } from './under-test.ts'

const STEADY = { perSecond: 500, seconds: 10, connections: 32 }
const WARM_UP = { count: 2000, connections: 8 }

export async function benchLatency(folder: string): Promise<void> {
  const server = await startUpstream()
  const gateway = await startServer({ kind: 'gatewarden', store: 'memory' })
  const places = { folder, upstream: server.address, port: gateway.port }
  const rows: string[][] = []
  for (const start of [startTraefik, startNginx]) {
    const proxy = await start(places)
    if (!proxy) continue
    for (const way of ['without', 'with'] as const) {
      const load = proxiedRequest(proxy.port, PATHS[way], gateway.tokens.warm)
      const { status } = await flood(load, WARM_UP)
      if (status !== 200) throw new Error(`${proxy.name} answered ${status}`)
      const { p50, p99 } = await steady(load, STEADY)
      rows.push([`${proxy.name}, ${way} Gatewarden`, p50.toFixed(2), p99.toFixed(2)])
    }
    await proxy.stop()
  }
  table(['through', `p50 ms at ${STEADY.perSecond}/s`, 'p99 ms'], rows)
  gateway.stop()
  server.stop()
}
