/**
 * `GET /auth/oidc-config` tells a command line the issuer and the audience of the tokens that this host accepts.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { allowAnyOrigin, preflight } from '../http/cors.ts'
import { sendJson } from '../http/json.ts'
import { allowOnly } from '../http/methods.ts'
import type { SessionRules } from '../sessions/target.ts'
import { connectTarget } from './connect-target.ts'

export const OIDC_CONFIG_PATH = '/auth/oidc-config'

export function oidcConfigRoute(app: FastifyInstance, rules: SessionRules): void {
  app.get(OIDC_CONFIG_PATH, (request, reply) => {
    const target = connectTarget(request, rules)
    allowAnyOrigin(reply).header('cache-control', 'no-store')
    void (target
      ? sendJson(reply, { issuer: rules.issuer, audience: target.audience })
      : sendJson(reply.code(404), { error: 'no protected server is configured at this host' }))
  })
  preflight(app, OIDC_CONFIG_PATH, ['GET', 'HEAD'])
  allowOnly(app, OIDC_CONFIG_PATH, ['GET', 'OPTIONS'])
}
