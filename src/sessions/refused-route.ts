/**
 * `GET /.gatewarden/refused?rd=`, on the gateway's own host: the page for a person whose sign-in did not arrive at the
 * host it was for. It is no page of that host, whose scripts could read it and its address (threat T37).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply } from 'fastify'
import { sendErrorPage } from '../http/errors.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { rawQuery } from '../http/raw-query.ts'
import { SESSION_REFUSED_PATH } from '../paths.ts'
import { parseParameters, single } from '../url/parameters.ts'
import type { SessionRoutes } from './asked-host.ts'
import { gatewayLoginUrl, type SessionRules, sessionTarget } from './target.ts'

export function sessionRefusedRoute(app: FastifyInstance, { flow, rules }: SessionRoutes): void {
  const constraints = onHost(flow.host)
  app.get(SESSION_REFUSED_PATH, { exposeHeadRoute: false, constraints }, (request, reply) => {
    const target = sessionTarget(single(parseParameters(rawQuery(request)), 'rd') ?? '', rules)
    withoutOpener(reply)
    sendErrorPage(reply, 400, {
      kind: 'retry',
      title: 'You are not signed in here yet',
      text: 'This took too long, was done already, or was begun in another browser. Nothing was shared. Open the page you wanted again.',
      actions: target
        ? [{ label: 'Sign in again', href: gatewayLoginUrl(rules.issuer, target.returnTo) }]
        : [],
    })
  })
  allowOnly(app, SESSION_REFUSED_PATH, ['GET'], constraints)
}

/** The address of the page, with a way to sign in again if the host has only one server. */
export function refusedUrl(host: string, { issuer, resources }: SessionRules): string {
  const home = resources.onlyOneAt(host)
  const query = home ? `?rd=${encodeURIComponent(home.url)}` : ''
  return issuer + SESSION_REFUSED_PATH + query
}

/** Cuts the window off from the page that opened it, so that this page cannot watch where the window goes. */
export function withoutOpener(reply: FastifyReply): void {
  void reply.header('cross-origin-opener-policy', 'same-origin')
}
