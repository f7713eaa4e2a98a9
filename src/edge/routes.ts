/**
 * The addresses of edge auth that people and command lines open; `/_ws_tunnel` is asked by proxies, beside the other
 * checks.
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
