/**
 * The routes that take a person from the client and back to it. Only the issuer's own host shows pages (decision K8).
 *
 * @module
 */
import '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { PageError } from '../errors.ts'
import { acceptForms } from '../http/bodies.ts'
import { isFetchOfProgram } from '../http/browser-request.ts'
import { answerPerson } from '../http/errors.ts'
import { cutFromOpeners, refuseUnlessOpened } from '../http/own-pages.ts'
import { ASKED_HOST } from '../oauth/authorization-request.ts'
import { ENDPOINTS } from '../paths.ts'
import { isOwnHost } from '../url/host.ts'
import { authorizeRoute } from './authorize.ts'
import { callbackRoute } from './callback.ts'
import { consentRoute } from './consent.ts'
import { deviceRoutes } from './device.ts'
import { type LoginFlow, pageHostOf } from './flow.ts'
import { loginRoute } from './login.ts'

/** @param app a scope with @fastify/cookie */
export function loginRoutes(app: FastifyInstance, flow: LoginFlow): void {
  app.setErrorHandler(answerPerson)
  acceptForms(app)
  cutFromOpeners(app, pageHostOf(flow))
  app.addHook('onRequest', async (request) => {
    // The route refuses it, too, but later: a program that tries requests out reads which of them are wrong.
    const isTrial = request.routeOptions.url === ENDPOINTS.authorization
    if (!(isTrial && isFetchOfProgram(request.raw.rawHeaders))) refuseUnlessOpened(request)
  })
  app.addHook('onRequest', async (request, reply) => {
    if (isOwnHost(request.headers.host ?? '', flow.issuer)) return
    // Here the browser would give our cookies and the person's password to another origin.
    const target = request.raw.url ?? '/'
    if (/^(?:GET|HEAD)$/.test(request.method) && target.startsWith('/')) {
      return reply.redirect(
        flow.issuer + withAskedHost(target, request.headers.host ?? '', flow),
        302,
      )
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
  deviceRoutes(app, flow)
  if (flow.passwordLogin) loginRoute(app, flow, flow.passwordLogin)
  if (flow.provider.kind === 'redirect') callbackRoute(app, flow, flow.provider)
}

/** The target of an authorization request that names no resource, with the protected host it was sent to. */
function withAskedHost(target: string, host: string, { resources }: LoginFlow): string {
  const [path, query = ''] = target.split('?', 2)
  const says = (name: string) => query.split('&').some((pair) => pair.startsWith(`${name}=`))
  const isOurs = path === ENDPOINTS.authorization && resources.hasHost(host)
  if (!isOurs || says('resource') || says(ASKED_HOST)) return target
  return `${target}${target.includes('?') ? '&' : '?'}${ASKED_HOST}=${encodeURIComponent(host)}`
}
