/**
 * The common setup of the endpoints for OAuth clients: they answer on every host that is routed to them (decision K8),
 * to browsers of any origin, with OAuth's errors.
 *
 * @module
 */
import type { FastifyInstance, RouteOptions } from 'fastify'
import { allowAnyOrigin, preflight } from './cors.ts'
import { answerProgram } from './errors.ts'
import { allowOnly } from './methods.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'

/**
 * Prepares a scope and a URL in it; the caller adds the route of each `method`.
 * @param app a scope of its own
 * @param constraints those of the route
 */
export function clientEndpoint(
  app: FastifyInstance,
  url: string,
  method: Method | readonly Method[],
  constraints: NonNullable<RouteOptions['constraints']> = {},
): void {
  app.setErrorHandler(answerProgram)
  // This hook runs before any limit or check, so that a browser can read the refusals too.
  app.addHook('onRequest', async (_request, reply) => {
    allowAnyOrigin(reply)
  })
  // Fastify answers HEAD beside GET (RFC 9110 section 9.3.2).
  const methods = [method].flat().flatMap((name) => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
  preflight(app, url, methods, constraints)
  allowOnly(app, url, [...methods, 'OPTIONS'], constraints)
}
