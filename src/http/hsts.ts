/**
 * Tells browsers to open the gateway's own host by https alone (RFC 6797). Only our own answers say so, and only there:
 * another host is its application's, and a policy counts for every port of a host.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { isOwnHost } from '../url/host.ts'

/** A year, in seconds; without subdomains, which may be somebody else's. */
const POLICY = 'max-age=31536000'

/**
 * Adds the header to every answer that Fastify sends. An answer of a server behind us never passes through Fastify.
 * @param issuer our origin; nothing is added if it is plain http, where browsers ignore the header (section 8.1)
 */
export function demandHttps(app: FastifyInstance, issuer: string): void {
  if (!issuer.startsWith('https:')) return
  app.addHook('onRequest', (request, reply, done) => {
    if (isOwnHost(request.headers.host ?? '', issuer)) {
      reply.header('strict-transport-security', POLICY)
    }
    done()
  })
}
