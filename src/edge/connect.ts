/**
 * `GET /auth/connect?callback_port&code`: a command line opens it in the browser of its user, who signs in, compares
 * the code, and hands the session over by a click (decisions K8, K24).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { decide } from '../check/decide.ts'
import type { Verified } from '../credentials/credential.ts'
import { isOpened, isPageLoad, siteOf } from '../http/browser-request.ts'
import { answerPerson, answerProgram } from '../http/errors.ts'
import { allowOnly } from '../http/methods.ts'
import { cutFromOpeners } from '../http/own-pages.ts'
import { rawQuery } from '../http/raw-query.ts'
import { sendOn } from '../login/responses.ts'
import type { Brand } from '../pages/brand.ts'
import { CONNECT_PATH, originOf } from '../paths.ts'
import type { ConnectProofs } from '../sessions/connect-proof.ts'
import { loginUrl, type SessionRules, type SessionTarget, signOutUrl } from '../sessions/target.ts'
import type { SessionVerifier } from '../sessions/verifier.ts'
import { connectQuery, parseConnect } from './connect-parameters.ts'
import { refuse, sendConnectPage, sendRefusedPage } from './connect-responses.ts'
import { connectTarget } from './connect-target.ts'

export interface ConnectDeps {
  readonly rules: SessionRules
  readonly sessions: Pick<SessionVerifier, 'find'>
  readonly connectProofs: Pick<ConnectProofs, 'holds'>
  /** The name of a person, as `X-Forwarded-User` has it. */
  readonly userOfVerified: (verified: Verified) => string
  readonly brand: Pick<Brand, 'askForAccess'>
}

export function connectRoute(app: FastifyInstance, deps: ConnectDeps): void {
  app.setErrorHandler((error, request, reply) => {
    if (isPageLoad(request)) answerPerson(error, request, reply)
    else answerProgram(error, request, reply)
  })
  const { issuer, resources } = deps.rules
  cutFromOpeners(app, { issuer, isShared: resources.isOurHostShared })
  app.get(CONNECT_PATH, async (request, reply) => {
    await answerConnect(request, reply, deps)
    return reply
  })
  allowOnly(app, CONNECT_PATH, ['GET'])
}

async function answerConnect(
  request: FastifyRequest,
  reply: FastifyReply,
  { rules, sessions, connectProofs, userOfVerified, brand }: ConnectDeps,
): Promise<void> {
  const query = rawQuery(request)
  const parsed = parseConnect(query)
  if (!parsed.ok) return refuse(reply, { status: 400, error: parsed.error, why: 'malformed' })
  const target = connectTarget(request, rules, connectQuery(parsed.parameters))
  const refuseWebPage = () => {
    const error = 'a person must open this address, not a web page'
    refuse(reply, { status: 403, error, why: 'not-opened' })
  }
  // A script or service worker of the application on this origin could read the answer (decision K8).
  if (!isOpened(request.raw.rawHeaders)) return refuseWebPage()
  if (!target) {
    const error = 'there is not exactly one protected server at this host'
    return refuse(reply, { status: 404, error, why: 'nowhere' })
  }
  const { resource } = target
  const { cookie = '' } = request.headers
  const { credential, token } = await sessions.find(cookie, resource, request.raw.rawHeaders)
  // The login leads here from its own page; on a host that it shares with an application, only with a proof.
  const isLedHere = token !== undefined && connectProofs.holds(request, query, token)
  if (!isLedHere && mayBeOpenedByApplication(request, target, rules)) return refuseWebPage()
  const decision = decide(resource, credential)
  if (decision.kind === 'allow' && token !== undefined) {
    const { parameters } = parsed
    const { verified } = decision
    const userOf = userOfVerified
    return sendConnectPage(reply, { parameters, target, token, verified, userOf })
  }
  if (decision.kind !== 'forbid' && decision.kind !== 'insufficient-scope') {
    sendOn(reply.header('vary', 'Cookie'), loginUrl(target, rules))
    return
  }
  const { origin } = new URL(target.returnTo)
  sendRefusedPage(reply, {
    decision,
    resource,
    signOutUrl: signOutUrl({ origin }, rules),
    brand,
  })
}

/**
 * True for a tab that a page of this host opened, where the host is the application's too. Such a page keeps a reference
 * to the tab if it sends the same `Cross-Origin-Opener-Policy` as we do.
 */
function mayBeOpenedByApplication(
  { raw }: FastifyRequest,
  { returnTo }: SessionTarget,
  { issuer, resources }: SessionRules,
): boolean {
  const isOursAlone = new URL(returnTo).origin === originOf(issuer) && !resources.isOurHostShared
  return siteOf(raw.rawHeaders) === 'same-origin' && !isOursAlone
}
