/**
 * Answers a method that an address does not have with 405 and `Allow` (RFC 9110 section 15.5.6), not with 404.
 *
 * @module
 */
import { METHODS } from 'node:http'
import type { FastifyInstance, RouteOptions } from 'fastify'

/** Lets the server route every method Node can parse; a proxy may ask with any of them. */
export function routeEveryMethod(app: FastifyInstance): void {
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
}

/**
 * Refuses every method but these at a URL. `OPTIONS` is refused too unless listed, `HEAD` unless the route answers it.
 * @param constraints the constraints of the route
 */
export function allowOnly(
  app: FastifyInstance,
  url: string,
  allowed: readonly string[],
  constraints: NonNullable<RouteOptions['constraints']> = {},
): void {
  const answersHead =
    !allowed.includes('HEAD') && app.hasRoute({ method: 'HEAD', url, constraints })
  const named = [...allowed, ...(answersHead ? ['HEAD'] : [])].join(', ')
  const others = app.supportedMethods.filter(
    (method) => !allowed.includes(method) && !app.hasRoute({ method, url, constraints }),
  )
  app.route({
    method: others,
    url,
    constraints,
    // The answer does not depend on the body, so this hook runs before the body is read.
    onRequest: (_request, reply) => {
      reply.header('allow', named)
      throw Object.assign(new Error('method not allowed'), { statusCode: 405 })
    },
    handler: () => undefined,
  })
}
