/**
 * `GET /auth/connect?callback_port&code`: a command line opens it in the browser of its user, who signs in, compares
 * the code, and hands the session over by a click (decisions K8, K24).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { decide } from '../check/decide.ts'
import { isPageLoad } from '../http/browser-request.ts'
import { answerPerson, answerProgram } from '../http/errors.ts'
import { allowOnly } from '../http/methods.ts'
import { CONNECT_PATH } from '../paths.ts'
import { loginUrl, type SessionRules, type SessionTarget, signOutUrl } from '../sessions/target.ts'
import type { SessionVerifier } from '../sessions/verifier.ts'
import { connectQuery, parseConnect } from './connect-parameters.ts'
import { refuse, sendConnectPage, sendRefusedPage } from './connect-responses.ts'
import { connectTarget } from './connect-target.ts'

export interface ConnectDeps {
  readonly rules: SessionRules
  readonly sessions: Pick<SessionVerifier, 'find'>
}

export function connectRoute(app: FastifyInstance, deps: ConnectDeps): void {
  app.setErrorHandler((error, request, reply) => {
    if (isPageLoad(request)) answerPerson(error, request, reply)
    else answerProgram(error, request, reply)
  })
  app.get(CONNECT_PATH, async (request, reply) => {
    await answerConnect(request, reply, deps)
    return reply
  })
  allowOnly(app, CONNECT_PATH, ['GET'])
}

async function answerConnect(
  request: FastifyRequest,
  reply: FastifyReply,
  { rules, sessions }: ConnectDeps,
): Promise<void> {
  const [, query = ''] = /^[^?]*\?(.*)$/.exec(request.raw.url ?? '') ?? []
  const parsed = parseConnect(query)
  if (!parsed.ok) return refuse(reply, { status: 400, error: parsed.error, why: 'malformed' })
  const target = connectTarget(request, rules, connectQuery(parsed.parameters))
  // A script or service worker of the application on this origin could read the answer (decision K8).
  if (!isOpened(request) || (target && isOpenedByApplication(request, target, rules))) {
    const error = 'a person must open this address, not a web page'
    return refuse(reply, { status: 403, error, why: 'not-opened' })
  }
  if (!target) {
    const error = 'there is not exactly one protected server at this host'
    return refuse(reply, { status: 404, error, why: 'nowhere' })
  }
  const { resource } = target
  const { cookie = '' } = request.headers
  const { credential, token } = await sessions.find(cookie, resource, request.raw.rawHeaders)
  const decision = decide(resource, credential)
  if (decision.kind === 'allow' && token !== undefined) {
    const { parameters } = parsed
    return sendConnectPage(reply, { parameters, target, token, verified: decision.verified })
  }
  if (decision.kind !== 'forbid' && decision.kind !== 'insufficient-scope') {
    void reply
      .headers({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        vary: 'Cookie',
      })
      .redirect(loginUrl(target, rules), 302)
    return
  }
  const { origin } = new URL(target.returnTo)
  sendRefusedPage(reply, { decision, resource, signOutUrl: signOutUrl({ origin }, rules) })
}

/**
 * True unless the browser says that a script, a frame or a worker makes the request, and not a person's tab. A service
 * worker with navigation preload gets a request that differs from a tab's in one header, which the worker can change
 * but not remove.
 */
function isOpened({ headers }: FastifyRequest): boolean {
  const { 'sec-fetch-mode': mode = 'navigate', 'sec-fetch-dest': destination = 'document' } =
    headers
  return (
    mode === 'navigate' &&
    destination === 'document' &&
    headers['service-worker-navigation-preload'] === undefined
  )
}

/**
 * True for a tab that a page of the application opened: `Cross-Origin-Opener-Policy` separates the two only if the
 * application does not send the same policy. The redirect from the login comes from another origin, except on the
 * gateway's own host, whose pages are ours.
 */
function isOpenedByApplication(
  { headers }: FastifyRequest,
  { returnTo }: SessionTarget,
  { issuer }: SessionRules,
): boolean {
  return headers['sec-fetch-site'] === 'same-origin' && new URL(returnTo).origin !== issuer
}
