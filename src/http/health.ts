/**
 * `/healthz` says that the process answers, `/readyz` that it can serve. Neither says anything about a request, and
 * neither fails if the store goes away later: every replica would be taken out at once (decision K28).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { HEALTH_ALIAS, HEALTH_PATH } from '../paths.ts'
import { sendJson } from './json.ts'
import type { Lifecycle } from './lifecycle.ts'

/** Time for the store to answer. A probe does not wait long: Kubernetes gives up after a second by default. */
const PROBE_MS = 500

/**
 * @param deps `isProxied`: true for the path of a server behind us; `probeStore` resolves if the store answers, which counts as down after half a second; an ending process
 *   is not ready, so that proxies stop sending to it
 */
export function healthRoutes(
  app: FastifyInstance,
  {
    probeStore,
    lifecycle,
    isProxied,
  }: {
    probeStore: () => Promise<unknown>
    lifecycle: Pick<Lifecycle, 'isEnding'>
    isProxied: (path: string) => boolean
  },
): void {
  for (const path of [HEALTH_PATH, HEALTH_ALIAS]) {
    if (path === HEALTH_ALIAS && isProxied(path)) continue
    app.get(path, async (_request, reply) => sendJson(reply, { status: 'ok' }))
  }
  app.get('/readyz', async (_request, reply) => {
    if (lifecycle.isEnding) {
      return sendJson(reply.code(503).header('cache-control', 'no-store'), { status: 'ending' })
    }
    const store = await Promise.race([
      probeStore().then(
        () => 'up',
        () => 'down',
      ),
      delay(PROBE_MS, 'down', { ref: false }),
    ])
    return sendJson(reply.header('cache-control', 'no-store'), { status: 'ready', store })
  })
}
