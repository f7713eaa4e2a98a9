/**
 * `GET /auth/oidc-config` tells a command line the issuer and the audience of the tokens that this host accepts.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { clientEndpoint } from '../http/client-endpoint.ts'
import { sendJson } from '../http/json.ts'
import type { SessionRules } from '../sessions/target.ts'
import { connectTarget } from './connect-target.ts'

const OIDC_CONFIG_PATH = '/auth/oidc-config'

/** @param app a scope of its own */
export function oidcConfigRoute(app: FastifyInstance, rules: SessionRules): void {
  clientEndpoint(app, OIDC_CONFIG_PATH, 'GET')
  app.get(OIDC_CONFIG_PATH, (request, reply) => {
    const target = connectTarget(request, rules)
    reply.header('cache-control', 'no-store')
    void (target
      ? sendJson(reply, { issuer: rules.issuer, audience: target.audience })
      : sendJson(reply.code(404), { error: 'no protected server is configured at this host' }))
  })
}
