/**
 * `GET /.gatewarden/callback?code=`: the end of a sign-in for a host that has to set its own cookie (decision K24).
 * All checks come first, then the code is taken, once.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sha256 } from '../crypto.ts'
import { sendErrorPage } from '../http/errors.ts'
import { allowOnly } from '../http/methods.ts'
import { rawQuery } from '../http/raw-query.ts'
import { sendOn } from '../login/responses.ts'
import { SESSION_CALLBACK_PATH, SESSION_LOGIN_PATH } from '../paths.ts'
import type { Grant } from '../records/records.ts'
import { parseParameters, single } from '../url/parameters.ts'
import { type AskedHost, askedHost, type SessionRoutes } from './asked-host.ts'
import { holdsNonce } from './host-nonce.ts'
import { setSession } from './reply.ts'

type Redeemed =
  | { readonly ok: true; readonly grant: Grant; readonly returnTo: string }
  /** `reason` in words, for the log. */
  | { readonly ok: false; readonly reason: string }

export function sessionCallbackRoute(app: FastifyInstance, deps: SessionRoutes): void {
  // No HEAD: a request that only looks must not redeem the code.
  app.get(SESSION_CALLBACK_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const asked = askedHost(request, deps)
    const code = single(parseParameters(rawQuery(request)), 'code')
    const redeemed = await redeem(code, request, asked, deps)
    if (!redeemed.ok) {
      refuse(reply, redeemed.reason, asked, deps)
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
  if (!holdsNonce(request, found.nonceHash, secure)) {
    return { ok: false, reason: 'the sign-in was not begun in this browser at this host' }
  }
  const grant = await records.grants.find(found.grantId)
  if (!grant) return { ok: false, reason: 'the session has ended' }
  const taken = await records.sessionCodes.take(hash)
  if (!taken) return { ok: false, reason: 'the code was used at the same time' }
  return { ok: true, grant, returnTo: taken.returnTo }
}

function refuse(
  reply: FastifyReply,
  reason: string,
  { host }: AskedHost,
  { rules }: SessionRoutes,
): void {
  reply.log.info({ requestId: reply.request.id, reason }, 'sign-in refused')
  const home = rules.resources.onlyOneAt(host)
  sendErrorPage(reply, 400, {
    kind: 'retry',
    title: 'You are not signed in here yet',
    text: 'This took too long, was done already, or was begun in another browser. Nothing was shared. Open the page you wanted again.',
    actions: home
      ? [
          {
            label: 'Sign in again',
            href: `${SESSION_LOGIN_PATH}?rd=${encodeURIComponent(home.path || '/')}`,
          },
        ]
      : [],
  })
}
