/**
 * The same endpoints as Fastify routes, for injected requests. Requests on the wire are answered before Fastify builds
 * a request and a reply, which costs as much as a check (`src/http/server.ts`).
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
  // This hook runs before Fastify looks at the body: Fastify refuses odd content types, and a QUERY without one.
  const onRequest = (request: FastifyRequest, reply: FastifyReply): void => {
    if (answerCheck(request.raw, reply.raw, request.id)) reply.hijack()
    // Fastify decodes an address before it finds the route; a check counts only at the exact address.
    else reply.callNotFound()
  }
  for (const { path, canPin } of endpoints) {
    app.all(path, { onRequest }, answeredBefore)
    // A wildcard, not a parameter: Fastify decodes `%2F` in parameters and refuses long ones.
    if (canPin) app.all(`${path}${PIN}*`, { onRequest }, answeredBefore)
  }
}

/** The handler of a route whose `onRequest` answers everything. */
const answeredBefore = () => undefined
