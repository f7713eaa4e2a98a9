/**
 * The routes of browser sessions: on the gateway's own host and, under `/.gatewarden/`, on every protected one.
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { acceptForms } from '../http/bodies.ts'
import { answerPerson } from '../http/errors.ts'
import { cutFromOpeners } from '../http/own-pages.ts'
import { pageHostOf } from '../login/flow.ts'
import { refuseUnlessNavigation, type SessionRoutes } from './asked-host.ts'
import { sessionCallbackRoute } from './callback-route.ts'
import { sessionLoginRoute } from './login-route.ts'
import { logoutRoutes } from './logout.ts'
import { sessionRefusedRoute } from './refused-route.ts'

/** @param app a scope with @fastify/cookie */
export function sessionRoutes(app: FastifyInstance, deps: SessionRoutes): void {
  app.setErrorHandler(answerPerson)
  acceptForms(app)
  cutFromOpeners(app, pageHostOf(deps.flow))
  app.addHook('onRequest', async (request) => refuseUnlessNavigation(request, deps))
  sessionLoginRoute(app, deps)
  sessionCallbackRoute(app, deps)
  sessionRefusedRoute(app, deps)
  logoutRoutes(app, deps)
}
