/**
 * What an address says to methods it does not have: 405 with `Allow` (RFC 9110 section 15.5.6), not 404.
 *
 * @module
 */
import { METHODS } from 'node:http'
import type { FastifyInstance } from 'fastify'

/** Lets the server route every method Node can parse; a proxy may ask with any of them. */
export function routeEveryMethod(app: FastifyInstance): void {
  for (const method of METHODS) {
    if (!app.supportedMethods.includes(method)) app.addHttpMethod(method, { hasBody: true })
  }
}

/** Refuses every method but these at a URL. `OPTIONS` is refused too unless listed. */
export function allowOnly(app: FastifyInstance, url: string, allowed: readonly string[]): void {
  const others = app.supportedMethods.filter(
    // Fastify answers HEAD wherever there is a GET.
    (method) => !allowed.includes(method) && !(method === 'HEAD' && allowed.includes('GET')),
  )
  app.route({
    method: others,
    url,
    // Refused whatever the body is, so the body is not looked at.
    onRequest: (_request, reply) => {
      reply.header('allow', allowed.join(', '))
      throw Object.assign(new Error('method not allowed'), { statusCode: 405 })
    },
    handler: () => undefined,
  })
}
