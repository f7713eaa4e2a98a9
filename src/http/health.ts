/**
 * `/healthz` says that the process answers, `/readyz` that it can serve. Neither says anything about a request, and
 * neither fails if the store goes away later: every replica would be taken out at once (decision K28).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { sendJson } from './json.ts'

/** Time for the store to answer. A probe does not wait long: Kubernetes gives up after a second by default. */
const PROBE_MS = 500

/** @param probeStore resolves if the store answers; after half a second the store counts as down */
export function healthRoutes(
  app: FastifyInstance,
  { probeStore }: { probeStore: () => Promise<unknown> },
): void {
  app.get('/healthz', async (_request, reply) => sendJson(reply, { status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
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
