/**
 * Decision to HTTP answer: the one table of decision K20. A proxy family that cannot pass an answer on changes it
 * in its contract.
 *
 * @module
 */

import { isLikeApiKey } from '../credentials/api-keys/key-form.ts'
import type { Source, Verified } from '../credentials/credential.ts'
import { presentedCredential } from '../credentials/presented.ts'
import type { CallerAssertion } from '../oauth/tokens/caller-assertion.ts'
import { OUTAGE_WORDS } from '../pages/error-page.ts'
import { OWN_PATHS } from '../paths.ts'
import type { Resource } from '../resources/resource-table.ts'
import type { Answer, AnswerContext, AnswerRules, Asker } from './answer.ts'
import { type ChallengeError, challenge, describeRefusal } from './challenge.ts'
import type { Anonymous, Decision } from './decide.ts'
import { callerAt, identityHeaderLines } from './identity-headers.ts'
import { errorAnswer, mcpServerPage, refusal, signIn } from './pages-for-people.ts'
import { refusalReason } from './refusal-reason.ts'
import { withoutCookies } from './strip-cookies.ts'

/** Never cached, and different for every credential. */
const COMMON = ['Cache-Control', 'no-store', 'Vary', 'Authorization, Cookie'] as const
/** The headers that a caller got last, for the resource that they are about. */
const allowHeaders = new WeakMap<
  Verified,
  {
    readonly resource: Resource
    readonly scopes: Resource['scopes']
    readonly headers: readonly string[]
    readonly assertion: CallerAssertion | undefined
  }
>()

export function answerFor(
  decision: Decision | Anonymous,
  context: AnswerContext,
  rules: AnswerRules,
): Answer {
  switch (decision.kind) {
    case 'allow':
      return context.match.resource.isMcpOnly && isPageOfPerson(decision.verified, context)
        ? mcpServerPage(403, context, { ...rules, caller: decision.verified })
        : allow(decision.verified, context, rules)
    case 'anonymous':
      return allowAnonymous(decision, context, rules)
    case 'challenge':
      return (decision.error === undefined || decision.source === 'cookie') &&
        context.reader() !== 'program'
        ? signIn(context, rules)
        : refuse(401, context, decision.error)
    case 'malformed':
      return refuse(400, context, 'invalid_request')
    case 'insufficient-scope':
      return isPersonAtBrowser(decision.verified, context)
        ? refusal(context, rules, refusalReason(decision))
        : refuse(403, context, 'insufficient_scope')
    case 'forbid':
      return isPersonAtBrowser(decision.verified, context)
        ? refusal(context, rules, refusalReason(decision))
        : forbidden(decision.reason)
  }
}

const isPageOfPerson = ({ source }: { source: Source }, { reader }: AnswerContext) =>
  source === 'cookie' && reader() === 'page'

const isPersonAtBrowser = ({ source }: { source: Source }, { reader }: AnswerContext) =>
  source === 'cookie' && reader() !== 'program'

/**
 * 403 without a challenge: no other token would help.
 * @param asker the requester, who may be a person; without it the answer is JSON
 */
export function forbidden(reason: string, asker?: Asker): Answer {
  if (asker && asker.reader() !== 'program') {
    return errorAnswer(403, asker.reader(), [], {
      kind: 'retry',
      title: 'Nothing can be opened at this address',
      text: 'Check the address for mistakes. If it is right, tell whoever runs this server the request number below; the log says what to look at.',
      requestId: asker.requestId,
    })
  }
  return json(403, [], { error: 'access_denied', error_description: reason })
}

/** 403 when a check asks about our own addresses on a protected host: its proxy does not route them to us. */
export function unrouted(context: AnswerContext, rules: AnswerRules): Answer {
  return context.reader() !== 'program'
    ? refusal(context, rules, { kind: 'unrouted', path: OWN_PATHS })
    : forbidden(`the operator of this server must route ${OWN_PATHS} of this host to Gatewarden`)
}

/**
 * 404 for an `Mcp-Session-Id` of somebody else, as a server answers one that it does not know: the client begins a new
 * session (MCP 2025-11-25, Streamable HTTP, session management), and a caller who guesses ids learns nothing.
 */
export function sessionUnknown(): Answer {
  return json(404, [], {
    error: 'not_found',
    error_description: 'no such MCP session of yours: begin a new one',
  })
}

/** 400 before any resource is known: the proxy or the client sent one header twice. */
export function malformedRequest(reason: string): Answer {
  return json(400, [], { error: 'invalid_request', error_description: reason })
}

/** 503: never an allow, and never a statement about the token. */
export function unavailable(retryAfterSeconds: number, asker: Asker): Answer {
  const retryAfter = ['Retry-After', String(retryAfterSeconds)]
  if (asker.reader() !== 'program') {
    return errorAnswer(503, asker.reader(), retryAfter, {
      ...OUTAGE_WORDS,
      requestId: asker.requestId,
    })
  }
  return json(503, retryAfter, {
    error: 'temporarily_unavailable',
    error_description: 'try again in a moment',
  })
}

/** 429 for an address with too many refused requests; it says nothing about this one (decision K39). */
export function tooManyRefused(retryAfterSeconds: number, asker: Asker): Answer {
  const retryAfter = ['Retry-After', String(retryAfterSeconds)]
  if (asker.reader() !== 'program') {
    return errorAnswer(429, asker.reader(), retryAfter, {
      kind: 'retry',
      title: 'Too many attempts',
      text: `Many requests that could not be let in came from your network. Wait ${retryAfterSeconds} seconds, then reload this page.`,
      requestId: asker.requestId,
    })
  }
  return json(429, retryAfter, {
    error: 'temporarily_unavailable',
    error_description: 'too many refused requests from this address',
  })
}

/**
 * 200 without a body. The answer omits a bearer token and an API key, so that a proxy that copies `Authorization` and the
 * header for keys removes them. The application still gets an `Authorization`, a key and cookies of its own.
 */
function allow(verified: Verified, context: AnswerContext, rules: AnswerRules): Answer {
  const headers = headersAt(context.match.resource, verified, rules)
  return allowWith(headers, isOfApplication(verified, context), context, rules)
}

/** 200 that names nobody: each identity header is empty, so that a proxy removes the client's own. */
function allowAnonymous(
  { keepsAuthorization }: Anonymous,
  context: AnswerContext,
  rules: AnswerRules,
): Answer {
  const lines = Object.keys(rules.identityHeaders).flatMap((name) => [name, ''])
  const headers = [...allowed(rules), ...lines]
  return allowWith(headers, keepsAuthorization, context, rules)
}

function allowWith(
  headers: readonly string[],
  keepsAuthorization: boolean,
  { authorization, apiKey, cookie }: AnswerContext,
  rules: AnswerRules,
): Answer {
  const kept = cookie === undefined ? undefined : withoutCookies(cookie, rules.isOwnCookie)
  const passed = keepsAuthorization ? authorization : undefined
  const passedKey = apiKey === undefined || isLikeApiKey(apiKey) ? undefined : apiKey
  if (passed === undefined && kept === undefined && passedKey === undefined) {
    return { status: 200, headers }
  }
  return {
    status: 200,
    headers: [
      ...headers,
      ...(passed === undefined ? [] : ['Authorization', passed]),
      ...(kept === undefined ? [] : ['Cookie', kept]),
      ...(passedKey === undefined ? [] : [rules.apiKeyHeader, passedKey]),
    ],
  }
}

/** True if the `Authorization` is the application's own: the credential is a cookie, or an API key in its header. */
function isOfApplication(
  { source }: Verified,
  { authorization, apiKey, match }: AnswerContext,
): boolean {
  if (source === 'cookie' || match.resource.hasApplicationBearer) return true
  const isByHeader = apiKey !== undefined && isLikeApiKey(apiKey)
  return isByHeader && presentedCredential(authorization).kind === 'none'
}

/** The first lines of an allow. */
const allowed = ({ apiKeyHeader }: AnswerRules) => [
  'Cache-Control',
  'no-store',
  'Vary',
  `Authorization, Cookie, ${apiKeyHeader}`,
  'Content-Length',
  '0',
]

function headersAt(resource: Resource, verified: Verified, rules: AnswerRules): readonly string[] {
  const { assertions } = rules
  const made = allowHeaders.get(verified)
  const { scopes } = resource
  if (
    made?.resource === resource &&
    made.scopes === scopes &&
    (!made.assertion || assertions?.isFresh(made.assertion))
  ) {
    return made.headers
  }
  const caller = callerAt(verified, resource, rules.userNames)
  const assertion = assertions?.current(verified, resource, caller)
  const lines = identityHeaderLines(
    { ...caller, assertion: assertion?.token },
    rules.identityHeaders,
  )
  const headers = [...allowed(rules), ...lines]
  allowHeaders.set(verified, { resource, scopes, headers, assertion })
  return headers
}

/** Refusals at a resource's own URL, where clients call. Each is made once for each error, and anew for other scopes. */
const refusals = new WeakMap<
  Resource,
  { readonly scopes: Resource['defaultScopes']; readonly made: Map<string | undefined, Answer> }
>()

function refuse(status: number, { match }: AnswerContext, error?: ChallengeError): Answer {
  const { resource, path, viaAlso } = match
  const make = () =>
    json(status, ['WWW-Authenticate', challenge(match, error)], {
      error: error ?? 'invalid_token',
      error_description: describeRefusal(error),
    })
  // A whole host has an empty path, and clients call `/` there.
  if (viaAlso || path !== (resource.path || '/')) return make()
  const scopes = resource.defaultScopes
  const known = refusals.get(resource)
  const { made } =
    known?.scopes === scopes ? known : { made: new Map<string | undefined, Answer>() }
  refusals.set(resource, { scopes, made })
  const answer = made.get(error) ?? make()
  made.set(error, answer)
  return answer
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
