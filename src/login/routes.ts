/**
 * The routes that take a person from the client and back to it. Only the issuer's own host shows pages (decision K8).
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { PageError } from '../errors.ts'
import { acceptForms } from '../http/bodies.ts'
import { answerPerson } from '../http/errors.ts'
import { cutFromOpeners, refuseUnlessOpened } from '../http/own-pages.ts'
import { isOwnHost } from '../url/host.ts'
import { authorizeRoute } from './authorize.ts'
import { callbackRoute } from './callback.ts'
import { consentRoute } from './consent.ts'
import { type LoginFlow, pageHostOf } from './flow.ts'
import { loginRoute } from './login.ts'

/** @param app a scope with @fastify/cookie */
export function loginRoutes(app: FastifyInstance, flow: LoginFlow): void {
  app.setErrorHandler(answerPerson)
  acceptForms(app)
  cutFromOpeners(app, pageHostOf(flow))
  app.addHook('onRequest', async (request) => refuseUnlessOpened(request))
  app.addHook('onRequest', async (request, reply) => {
    if (isOwnHost(request.headers.host ?? '', flow.issuer)) return
    // Here the browser would give our cookies and the person's password to another origin.
    const target = request.raw.url ?? '/'
    if (/^(?:GET|HEAD)$/.test(request.method) && target.startsWith('/')) {
      return reply.redirect(flow.issuer + target, 302)
    }
    throw new PageError({
      kind: 'client',
      status: 404,
      title: 'Not at this address',
      text: 'Go back to the program you want to connect and start again from there.',
      details: `pages are at ${flow.issuer}`,
    })
  })
  authorizeRoute(app, flow)
  consentRoute(app, flow)
  if (flow.passwordLogin) loginRoute(app, flow, flow.passwordLogin)
  if (flow.provider.kind === 'redirect') callbackRoute(app, flow, flow.provider)
}
