/**
 * Edge auth: sign-in for command lines. This folder owns `/auth/connect` and `/auth/oidc-config`, which people and
 * command lines open, and `/_ws_tunnel`, which proxies ask beside the other checks. It does not own the session itself
 * (`sessions/`).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { scoped } from '../http/surface.ts'
import { type ConnectDeps, connectRoute } from './connect.ts'
import { oidcConfigRoute } from './oidc-config.ts'

export function edgeRoutes(app: FastifyInstance, deps: ConnectDeps): void {
  scoped(app, (scope) => connectRoute(scope, deps))
  scoped(app, (scope) => oidcConfigRoute(scope, deps.rules))
}
