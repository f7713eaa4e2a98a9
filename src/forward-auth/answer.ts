/**
 * Decision to HTTP answer: the one table of decision K20. A proxy family that cannot pass an answer on changes it
 * in its contract.
 *
 * @module
 */

import type { Config } from '../config/config.ts'
import { signInNeededPage } from '../pages/sign-in-needed-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import { type ChallengeError, challenge } from './challenge.ts'
import { withoutCookies } from './cookies.ts'
import type { Decision, Verified } from './decide.ts'
import { identityHeaderLines } from './identity-headers.ts'
import type { Resource, ResourceMatch } from './resource.ts'

/** An answer ready to be written. `headers` is a flat list of names and values. */
export interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly body?: string
}

/** What of the request an answer depends on. */
export interface AnswerContext {
  readonly match: ResourceMatch
  /** The request target as sent, query and all. */
  readonly target: string
  readonly requestId: string
  /** A person opened the address in a browser. */
  readonly navigation: boolean
  readonly cookie: string | undefined
}

/** Never cached, and different for every credential. */
const COMMON = ['Cache-Control', 'no-store', 'Vary', 'Authorization, Cookie'] as const
const allowHeaders = new WeakMap<Verified, readonly string[]>()

/** What every answer of a process has in common. */
export interface AnswerRules {
  readonly identityHeaders: Config['identityHeaders']
  /** True for cookies that must not reach the server. */
  readonly isOwnCookie: (name: string) => boolean
  /** Where a browser signs in for a page, and comes back to it; undefined if that would lead nowhere. */
  readonly signInUrl: (match: ResourceMatch, target: string) => string | undefined
}

export function answerFor(decision: Decision, context: AnswerContext, rules: AnswerRules): Answer {
  switch (decision.kind) {
    case 'allow':
      return allow(decision.verified, context, rules)
    case 'challenge':
      return context.navigation && (decision.error === undefined || decision.source === 'cookie')
        ? signIn(context, rules)
        : refuse(401, context, decision.error)
    case 'malformed':
      return refuse(400, context, 'invalid_request')
    case 'insufficient-scope':
      return refuse(403, context, 'insufficient_scope')
    case 'forbid':
      return forbidden(decision.reason)
  }
}

/** 403 without a challenge: no other token would help. */
export function forbidden(reason: string): Answer {
  return json(403, [], { error: 'access_denied', error_description: reason })
}

/** 400 before any resource is known: the proxy or the client sent one header twice. */
export function malformedRequest(reason: string): Answer {
  return json(400, [], { error: 'invalid_request', error_description: reason })
}

/** 503: never an allow, and never a statement about the token. */
export function unavailable(retryAfterSeconds: number): Answer {
  return json(503, ['Retry-After', String(retryAfterSeconds)], {
    error: 'temporarily_unavailable',
    error_description: 'try again in a moment',
  })
}

/**
 * 200 without a body. `Authorization` is absent, so that a proxy that copies it removes the token; cookies of the
 * application go on.
 */
function allow(
  verified: Verified,
  { cookie }: AnswerContext,
  { identityHeaders, isOwnCookie }: AnswerRules,
): Answer {
  let headers = allowHeaders.get(verified)
  if (!headers) {
    headers = [...COMMON, 'Content-Length', '0', ...identityHeaderLines(verified, identityHeaders)]
    allowHeaders.set(verified, headers)
  }
  const kept = cookie === undefined ? undefined : withoutCookies(cookie, isOwnCookie)
  return { status: 200, headers: kept === undefined ? headers : [...headers, 'Cookie', kept] }
}

/** Refusals at a resource's own URL, which is where clients call: made once, by what is wrong. */
const refusals = new WeakMap<Resource, Map<ChallengeError | undefined, Answer>>()

function refuse(status: number, { match }: AnswerContext, error?: ChallengeError): Answer {
  const { resource, path, viaAlso } = match
  const make = () =>
    json(status, ['WWW-Authenticate', challenge(match, error)], {
      error: error ?? 'invalid_token',
    })
  if (viaAlso || path !== resource.path) return make()
  const made = refusals.get(resource) ?? new Map<ChallengeError | undefined, Answer>()
  refusals.set(resource, made)
  const answer = made.get(error) ?? make()
  made.set(error, answer)
  return answer
}

/** A person in a browser goes to the login and comes back to the very page (features A9). */
function signIn(context: AnswerContext, { signInUrl }: AnswerRules): Answer {
  const location = signInUrl(context.match, context.target)
  if (location === undefined) return challengePage(context)
  return {
    status: 302,
    headers: [
      'Cache-Control',
      'no-store',
      'Vary',
      'Authorization, Cookie, Accept',
      'Referrer-Policy',
      'no-referrer',
      'WWW-Authenticate',
      challenge(context.match),
      'Location',
      location,
      'Content-Length',
      '0',
    ],
  }
}

function challengePage({ match, requestId }: AnswerContext): Answer {
  const page = signInNeededPage({
    resourceName: match.resource.name,
    resourceUrl: match.resource.audience,
    requestId,
  })
  return {
    status: 401,
    headers: [
      ...Object.entries({ ...pageHeaders(), 'WWW-Authenticate': challenge(match) }).flat(),
      'Vary',
      'Authorization, Cookie, Accept',
      'Content-Length',
      String(Buffer.byteLength(page)),
    ],
    body: page,
  }
}

function json(status: number, headers: readonly string[], value: object): Answer {
  const body = JSON.stringify(value)
  return {
    status,
    headers: [
      ...COMMON,
      'Content-Type',
      'application/json',
      'Content-Length',
      String(Buffer.byteLength(body)),
      ...headers,
    ],
    body,
  }
}
