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
  // The application on this origin, by a script or its service worker, could read the answer (decision K8).
  if (!isOpened(request) || (target && isOpenedByApplication(request, target, rules))) {
    const error = 'a person opens this address, not a page'
    return refuse(reply, { status: 403, error, why: 'not-opened' })
  }
  if (!target) {
    const error = 'there is not exactly one protected server at this host'
    return refuse(reply, { status: 404, error, why: 'nowhere' })
  }
  const { resource } = target
  const { credential, token } = await sessions.find(request.headers.cookie ?? '', resource)
  const decision = decide(resource, credential)
  if (decision.kind === 'allow' && token !== undefined) {
    const { parameters } = parsed
    return sendConnectPage(reply, { parameters, target, token, verified: decision.verified })
  }
  if (decision.kind === 'allow' || decision.kind === 'challenge') {
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
 * True unless the browser says that something else than a person's tab asks: a script, a frame, a worker. A worker that
 * has navigations preloaded reads what looks like a tab's in all but one header, which it can change and not remove.
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
 * True for a tab that a page of the application opened: `Cross-Origin-Opener-Policy` parts the two only while they do
 * not send the same one. The way back from the login comes from another origin, but for the gateway's own host, whose
 * pages are ours.
 */
function isOpenedByApplication(
  { headers }: FastifyRequest,
  { returnTo }: SessionTarget,
  { issuer }: SessionRules,
): boolean {
  return headers['sec-fetch-site'] === 'same-origin' && new URL(returnTo).origin !== issuer
}
