/**
 * `GET /.gatewarden/callback?code=`: the end of a sign-in for a host that has to set its own cookie (decision K24). The
 * code dies at the first sight of its host, and no refusal is a page of that host's origin, whose scripts could read the
 * code in the address (threat T37).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sha256 } from '../crypto.ts'
import { OAuthError, PageError } from '../errors.ts'
import { answerPerson } from '../http/errors.ts'
import { allowOnly } from '../http/methods.ts'
import { RateLimited } from '../http/rate-limit.ts'
import { rawQuery } from '../http/raw-query.ts'
import { sendOn } from '../login/responses.ts'
import { shortGrant } from '../oauth/grant-facts.ts'
import { SESSION_CALLBACK_PATH } from '../paths.ts'
import type { Grant } from '../records/records.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { parseParameters, single } from '../url/parameters.ts'
import { type AskedHost, askedHost, type SessionRoutes } from './asked-host.ts'
import { holdsNonce } from './host-nonce.ts'
import { refusedUrl, withoutOpener } from './refused-route.ts'
import { setSession } from './reply.ts'

type Redeemed =
  | { readonly ok: true; readonly grant: Grant; readonly returnTo: string }
  /** `reason` in words, for the log; `grant`: what it calls the grant of the code. */
  | { readonly ok: false; readonly reason: string; readonly grant?: string }

export function sessionCallbackRoute(app: FastifyInstance, deps: SessionRoutes): void {
  const errorHandler = (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    answerFailure(error, request, reply, deps)
  // No HEAD: a request that only looks must not redeem the code.
  const options = { exposeHeadRoute: false, errorHandler }
  app.get(SESSION_CALLBACK_PATH, options, async (request, reply) => {
    const asked = askedHost(request, deps)
    const code = single(parseParameters(rawQuery(request)), 'code')
    const redeemed = await redeem(code, request, asked, deps)
    if (!redeemed.ok) {
      const { reason, grant } = redeemed
      request.report({ event: 'sign-in-failed', reason, grant, host: asked.host })
      sendToRefusal(reply, asked.host, deps)
      return reply
    }
    const { grant, returnTo } = redeemed
    const identity = await deps.records.grants.findIdentity(grant.id)
    const session = await deps.issue(grant, identity?.email)
    setSession(reply, session, { ...asked, scope: { kind: 'host' } })
    sendOn(reply, returnTo)
    return reply
  })
  allowOnly(app, SESSION_CALLBACK_PATH, ['GET'])
}

/**
 * Redeems a code. Nobody can guess one, so a browser that brings one without the nonce was sent here by whoever began
 * the sign-in: the code and its grant end.
 */
async function redeem(
  code: string | undefined,
  request: FastifyRequest,
  { host, secure }: AskedHost,
  { records }: SessionRoutes,
): Promise<Redeemed> {
  const hash = sha256(code ?? '')
  const found = await records.sessionCodes.find(hash)
  if (!found) return { ok: false, reason: 'the code is unknown, expired or used already' }
  if (found.host !== host) return { ok: false, reason: 'the code is for another host' }
  const taken = await records.sessionCodes.take(hash)
  if (!taken) return { ok: false, reason: 'the code was used at the same time' }
  if (!holdsNonce(request, taken.nonceHash, secure)) {
    await records.grants.revoke(taken.grantId)
    return {
      ok: false,
      reason: 'the sign-in was not begun in this browser at this host, so it was ended',
      grant: shortGrant(taken.grantId),
    }
  }
  const grant = await records.grants.find(taken.grantId)
  if (!grant) return { ok: false, reason: 'the session has ended' }
  return { ok: true, grant, returnTo: taken.returnTo }
}

/** Answers an error before or after the code was looked at: its page, too, would show the address to scripts. */
function answerFailure(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  deps: SessionRoutes,
): void {
  // No code is for a host that we do not know.
  if (error instanceof PageError && error.status === 404) {
    answerPerson(error, request, reply)
    return
  }
  const { method } = request
  const refused = (reason: string) => request.report({ event: 'request-refused', reason, method })
  if (error instanceof PageError) refused(error.details ?? error.title)
  else if (error instanceof OAuthError) refused(error.description)
  else if (error instanceof RateLimited) refused('rate limit')
  else if (error instanceof StorageUnavailable) {
    request.report({ event: 'unavailable', reason: error.message, method })
  } else request.report({ event: 'request-failed', err: error })
  sendToRefusal(reply, request.headers.host ?? '', deps)
}

function sendToRefusal(reply: FastifyReply, host: string, deps: SessionRoutes): void {
  withoutOpener(reply)
  sendOn(reply, refusedUrl(host, deps.rules))
}
