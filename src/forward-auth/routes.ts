/**
 * The endpoints of the check as routes. On the wire they are answered before Fastify makes a request and a reply of its
 * own, which costs as much as a check (`src/http/server.ts`); these are for requests that are injected.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { EarlyHandler } from '../http/server.ts'
import type { Endpoint } from './endpoints.ts'
import { PIN } from './handler.ts'

export function forwardAuthRoutes(
  app: FastifyInstance,
  { endpoints, answerCheck }: { endpoints: readonly Endpoint[]; answerCheck: EarlyHandler },
): void {
  // Before Fastify looks at the body: it refuses odd content types by itself, and a QUERY without one.
  const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    if (answerCheck(request.raw, reply.raw, request.id)) reply.hijack()
    // Fastify decodes an address before it looks for its route; here only the very one counts.
    else reply.callNotFound()
  }
  for (const { path, canPin } of endpoints) {
    app.all(path, { onRequest }, answeredBefore)
    // Never a route parameter: Fastify decodes `%2F` in those and refuses long ones.
    if (canPin) app.all(`${path}${PIN}*`, { onRequest }, answeredBefore)
  }
}

/** The handler of a route whose `onRequest` answers everything. */
const answeredBefore = () => undefined
