/**
 * Cross-origin access to the endpoints that clients in browsers call without cookies: any origin may call them
 * (mcp-oauth 3.7). Pages and the authorization endpoint are not among them.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify'
import { allowedHeaders, PREFLIGHT_VARY } from './requested-headers.ts'

const ALLOWED_HEADERS = ['Authorization', 'Content-Type', 'MCP-Protocol-Version', 'DPoP']

/** Marks an answer as readable by any origin. */
export function allowAnyOrigin(reply: FastifyReply): FastifyReply {
  return reply
    .header('access-control-allow-origin', '*')
    .header('access-control-expose-headers', 'WWW-Authenticate, Retry-After')
}

/** Answers a preflight for an address with these methods. */
export function answerPreflight(reply: FastifyReply, methods: readonly string[]): FastifyReply {
  const requested = reply.request.headers['access-control-request-headers']
  return allowAnyOrigin(reply)
    .code(204)
    .header('access-control-allow-methods', [...methods, 'OPTIONS'].join(', '))
    .header('access-control-allow-headers', allowedHeaders(ALLOWED_HEADERS, requested))
    .header('vary', PREFLIGHT_VARY)
    .header('access-control-max-age', '86400')
    .send()
}

/** Answers the preflight of a URL. */
export function preflight(
  app: FastifyInstance,
  url: string,
  methods: readonly string[],
  constraints: NonNullable<RouteOptions['constraints']> = {},
): void {
  app.options(url, { constraints }, (_request, reply) => answerPreflight(reply, methods))
}
