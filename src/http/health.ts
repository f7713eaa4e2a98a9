/**
 * `/healthz`: the process answers. `/readyz`: it can serve. Neither says anything about a request, and neither
 * fails for a store that went away later, or every replica would be taken out at once (decision K28).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { sendJson } from './json.ts'

/** @param probeStore resolves if the store answers */
export function healthRoutes(
  app: FastifyInstance,
  { probeStore }: { probeStore: () => Promise<unknown> },
): void {
  app.get('/healthz', async (_request, reply) => sendJson(reply, { status: 'ok' }))
  app.get('/readyz', async (_request, reply) => {
    const store = await probeStore().then(
      () => 'up',
      () => 'down',
    )
    return sendJson(reply.header('cache-control', 'no-store'), { status: 'ready', store })
  })
}
