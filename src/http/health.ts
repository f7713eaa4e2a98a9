/**
 * `/healthz`: the process answers. `/readyz`: it can serve. Neither says anything about a request, and neither
 * fails for a store that went away later, or every replica would be taken out at once (decision K28).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { sendJson } from './json.ts'

/** Whoever probes us gives up soon too: a second is what Kubernetes waits for if it is not told otherwise. */
const PROBE_MS = 500

/** @param probeStore resolves if the store answers; counts as if it did not when it takes half a second */
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
