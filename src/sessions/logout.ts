/**
 * Ends the session of this browser: `/logout` on the gateway's own host, `/.gatewarden/logout` on every host here.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isFetchedAhead } from '../http/browser-request.ts'
import { refuseCrossSite } from '../http/cross-site.ts'
import { onHost } from '../http/host-constraint.ts'
import { allowOnly } from '../http/methods.ts'
import { reportSignedOut } from '../login/sign-in-events.ts'
import { shortGrant } from '../oauth/grant-facts.ts'
import { signedOutPage, signOutPage } from '../pages/sign-out-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import { LOGOUT_PATH, ownPath, SESSION_LOGOUT_PATH } from '../paths.ts'
import { type AskedHost, askedHost, type SessionRoutes } from './asked-host.ts'
import { domainCookieName, presentedSessions } from './cookies.ts'
import { clearSessions } from './reply.ts'
import { AS_SOMEONE_ELSE, gatewayLoginUrl, type SessionRules } from './target.ts'

/** `Sec-Fetch-Site` of our own sites and of a typed address. A browser that does not send it gets a question first. */
const OWN_SITES: ReadonlySet<unknown> = new Set(['same-origin', 'same-site', 'none'])

export function logoutRoutes(app: FastifyInstance, deps: SessionRoutes): void {
  const { issuer } = deps.flow
  // On other hosts this path may be the application's own.
  const own = onHost(deps.flow.host)
  for (const [url, constraints] of [
    [LOGOUT_PATH, own],
    [SESSION_LOGOUT_PATH, {}],
  ] as const) {
    // No HEAD: a request that only looks must not end anything.
    app.get(url, { exposeHeadRoute: false, constraints }, async (request, reply) => {
      const asked = askedHost(request, deps)
      if (isIntended(request)) await signOut(request, reply, asked, deps)
      else
        send(
          reply,
          signOutPage({
            action: asked.isOwn ? ownPath(issuer, url) : url,
            host: nameOf(asked, deps.rules),
          }),
        )
      return reply
    })
    app.post(url, { constraints }, async (request, reply) => {
      const asked = askedHost(request, deps)
      refuseCrossSite(request, asked.origin)
      await signOut(request, reply, asked, deps)
      return reply
    })
    allowOnly(app, url, ['GET', 'POST'], constraints)
  }
}

/** False for a link of another site and for a prefetch: neither signs anybody out. */
function isIntended({ headers, raw }: FastifyRequest): boolean {
  return OWN_SITES.has(headers['sec-fetch-site']) && !isFetchedAhead(raw.rawHeaders)
}

/** Ends the sessions that the cookies of this browser prove, and none that they merely name. */
async function signOut(
  request: FastifyRequest,
  reply: FastifyReply,
  asked: AskedHost,
  { flow, rules, records, tokens, userOfGrant }: SessionRoutes,
): Promise<void> {
  const { own, domain, byHand } = presentedSessions(request.headers.cookie ?? '', {
    secure: asked.secure,
    domain: domainCookieName(asked.issuer),
  })
  for (const token of [...own, ...domain, ...byHand]) {
    const verification = await tokens.verify(token)
    if (!verification.ok) continue
    const { gid, sub, aud } = verification.claims
    const grant = await records.grants.find(gid)
    await records.grants.revoke(gid)
    // Else the next page would sign the person in again by itself.
    if (grant?.signIn !== undefined) await flow.signIns.endById(grant.signIn)
    request.report({
      event: 'signed-out',
      grant: shortGrant(gid),
      user: grant && (await userOfGrant(grant)),
      userId: sub,
      by: 'person',
      resource: rules.resources.byAudience(aud)?.id,
      host: asked.host,
    })
  }
  // Absent where a session above belonged to the same sign-in.
  const left = asked.isOwn ? await flow.signIns.end(request, reply) : undefined
  if (left) reportSignedOut(request, left, flow)
  clearSessions(reply, asked)
  const home = rules.resources.onlyOneAt(asked.host)
  const page = signedOutPage({
    host: nameOf(asked, rules),
    ...(flow.provider.kind === 'redirect' && { provider: flow.provider.name }),
    ...(home && { again: gatewayLoginUrl(flow.issuer, home.url) + AS_SOMEONE_ELSE }),
  })
  send(reply, page)
}

/** The host or the whole domain that a person is signed in at. */
const nameOf = ({ host, isOwn }: AskedHost, { cookieDomain }: SessionRules) =>
  isOwn && cookieDomain !== undefined ? cookieDomain : host

function send(reply: FastifyReply, page: string): void {
  void reply.headers(pageHeaders({ navigatesAway: true })).send(page)
}
