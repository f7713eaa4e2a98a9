/**
 * `GET /.gatewarden/login?rd=<page>`: begins a sign-in for a page, which leads back to it (features A9, decision K24).
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { randomToken } from '../crypto.ts'
import { PageError } from '../errors.ts'
import { isByBrowser } from '../http/browser-request.ts'
import { allowOnly } from '../http/methods.ts'
import { rawQuery } from '../http/raw-query.ts'
import { identifyUrl, otherAccountUrl } from '../login/flow.ts'
import { answerOutcome } from '../login/identification.ts'
import { INTERACTION_LIFETIME, type SessionInteraction } from '../login/interaction.ts'
import { orAnswerFailure } from '../login/provider-failure.ts'
import { saveFragment, sendOn } from '../login/responses.ts'
import { SESSION_LOGIN_PATH } from '../paths.ts'
import { normalizeHost } from '../url/host.ts'
import { parseParameters, single } from '../url/parameters.ts'
import { readPath } from '../url/path.ts'
import { type AskedHost, askedHost, type SessionRoutes } from './asked-host.ts'
import { findOrSetNonce, isNonceHash } from './host-nonce.ts'
import { showLoop } from './loop-page.ts'
import {
  AS_SOMEONE_ELSE,
  gatewayLoginUrl,
  isOwnPath,
  keptFragment,
  loginUrl,
  type SessionRules,
  type SessionTarget,
  sessionTarget,
} from './target.ts'

export function sessionLoginRoute(app: FastifyInstance, deps: SessionRoutes): void {
  // No HEAD: a request that only looks must not begin anything.
  app.get(SESSION_LOGIN_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const asked = askedHost(request, deps)
    const query = parseParameters(rawQuery(request))
    const target = targetOf(single(query, 'rd'), asked, deps)
    const exchange = {
      request,
      reply,
      forceLogin: single(query, 'prompt') === 'login',
      fragment: single(query, 'fragment'),
    }
    if (asked.isOwn) await beginHere(target, single(query, 'nonce'), exchange, deps)
    else beginAtHost(target, asked, exchange, deps)
    return reply
  })
  allowOnly(app, SESSION_LOGIN_PATH, ['GET'])
}

/**
 * The target that `rd` names: on a protected host only a page of that host, or this would be an open redirect.
 * @throws PageError for an address that is not a page behind our login
 */
function targetOf(
  rd: string | undefined,
  asked: AskedHost,
  { rules }: SessionRoutes,
): SessionTarget {
  // To a browser `//host` is another host: no path may look like it.
  const target = rd && sessionTarget(/^\/(?!\/)/.test(rd) ? asked.origin + rd : rd, rules)
  if (target && !isOwnPage(target, rules) && (asked.isOwn || hostOf(target) === asked.host))
    return target
  throw new PageError({
    kind: 'client',
    title: 'There is no such page here',
    text: 'The link asks you to sign in for a page that is not behind this login. Go back and open the page again.',
    details: 'rd must be the address of a page of a configured resource',
  })
}

const hostOf = ({ returnTo }: SessionTarget) => normalizeHost(new URL(returnTo).host)

/** True for a page of our own: to come back to our own steps would be a loop. */
function isOwnPage({ returnTo, resource }: SessionTarget, rules: SessionRules): boolean {
  const path = readPath(new URL(returnTo).pathname)?.canonical
  return path === undefined || isOwnPath({ resource, path }, rules)
}

interface Exchange {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  /** The provider asks the person to sign in, even if it knows them. */
  readonly forceLogin: boolean
  /** The name under which the browser keeps the fragment, or another word where it keeps none; undefined before that. */
  readonly fragment: string | undefined
}

const keyOf = ({ fragment }: Exchange) =>
  fragment !== undefined && /^[A-Za-z0-9_-]{22}$/.test(fragment) ? fragment : undefined

/** The rest of a login URL, for another step of the same sign-in. */
const carried = (exchange: Exchange) =>
  (exchange.forceLogin ? AS_SOMEONE_ELSE : '') + keptFragment(keyOf(exchange))

/** On a protected host: sends the browser on to the gateway, with a nonce if this host has to set the cookie. */
function beginAtHost(
  target: SessionTarget,
  { secure }: AskedHost,
  exchange: Exchange,
  { flow }: SessionRoutes,
): void {
  const { request, reply } = exchange
  const login = gatewayLoginUrl(flow.issuer, target.returnTo) + carried(exchange)
  if (target.cookie.kind === 'host') {
    sendOn(reply, `${login}&nonce=${findOrSetNonce(request, reply, secure)}`)
  } else {
    sendOn(reply, login)
  }
}

async function beginHere(
  target: SessionTarget,
  nonce: string | undefined,
  exchange: Exchange,
  deps: SessionRoutes,
): Promise<void> {
  const { request, reply, forceLogin } = exchange
  const { flow, rounds, rules } = deps
  if (target.isShortened) {
    request.report({ event: 'return-shortened', host: new URL(target.returnTo).host })
  }
  // Only a person asks to sign in once more: a loop repeats by itself.
  if (!forceLogin && (await rounds.isLoop(request, target))) {
    showLoop(reply, target, rules)
    return
  }
  const isElsewhere = target.cookie.kind === 'host'
  if (isElsewhere && !isNonceHash(nonce)) {
    sendOn(reply, loginUrl(target, rules) + carried(exchange))
    return
  }
  // A provider elsewhere loses the fragment of the page, so the browser keeps it first.
  const isFragmentAtRisk =
    flow.provider.kind === 'redirect' && exchange.fragment === undefined && isByBrowser(request)
  const keepFragment = () => {
    const page = gatewayLoginUrl(flow.issuer, target.returnTo) + carried(exchange)
    const to = `${page}${isElsewhere ? `&nonce=${nonce}` : ''}${keptFragment('')}`
    saveFragment(reply, { to, key: randomToken(16) })
  }
  const key = keyOf(exchange)
  const interaction: SessionInteraction = {
    purpose: 'session',
    id: randomToken(16),
    returnTo: target.returnTo,
    ...(isElsewhere && { nonceHash: nonce }),
    ...(key !== undefined && { fragment: key }),
    provider: flow.provider.id,
    expiresAt: Math.floor(flow.now() / 1000) + INTERACTION_LIFETIME,
  }
  const known = forceLogin ? undefined : await flow.signIns.find(request)
  if (known) {
    const outcome = await flow.complete(interaction, known, async () => known)
    // A refused person may sign in as somebody else.
    if (outcome.kind === 'refused') {
      if (isFragmentAtRisk) return keepFragment()
      flow.browsers.approve(reply, interaction, INTERACTION_LIFETIME)
    }
    await answerOutcome(outcome, reply, interaction, flow)
    return
  }
  if (isFragmentAtRisk) return keepFragment()
  flow.browsers.approve(reply, interaction, INTERACTION_LIFETIME)
  await orAnswerFailure(reply, interaction, flow, async () => {
    const href = forceLogin
      ? (await otherAccountUrl(interaction, flow, {})).href
      : await identifyUrl(interaction, flow)
    sendOn(reply, href)
  })
}
