/**
 * Decides whether a located request may pass, and makes the answer. This folder owns decisions and answers; it verifies
 * no credential, which `credentials/` and `sessions/` do. A check awaits only a token that was not seen before.
 *
 * @module
 */

import type { Logger } from 'pino'
import type { Credential, Verified } from '../credentials/credential.ts'
import type { Carrier, Credentials } from '../credentials/credentials.ts'
import { isFromOwnPage, isOwnForm, readerOf } from '../http/browser-request.ts'
import { OUTAGE_RETRY_SECONDS } from '../http/errors.ts'
import type { compileOrigins } from '../http/origins.ts'
import { headerReader } from '../http/raw-headers.ts'
import { createThrottledWarning } from '../http/throttled-warning.ts'
import { OWN_PATHS } from '../paths.ts'
import { ProviderFailure } from '../providers/provider.ts'
import type {
  MatchResult,
  Resource,
  ResourceMatch,
  ResourceTable,
} from '../resources/resource-table.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import type { Answer, AnswerContext, AnswerRules, Asker } from './answer.ts'
import { answerFor, forbidden, unavailable, unrouted } from './answer-table.ts'
import { type Decision, decide, decideAtOpenPath } from './decide.ts'
import { FOREIGN_PAGE, foreignOrigin } from './foreign-origin.ts'
import { UNKNOWN_ADDRESS, type UnknownAddress, unknownAddress } from './unknown-address.ts'

export interface CheckDeps extends AnswerRules {
  readonly resources: ResourceTable
  readonly credentials: Credentials
  readonly originAllowed: ReturnType<typeof compileOrigins>
  /** True for an address whose service worker could answer in our place. */
  readonly refusesWorker: (match: ResourceMatch) => boolean
  readonly log: Logger
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number
}

/** The outcome of a check: the answer, and facts for the log and for our own proxy. */
export interface Checked {
  readonly answer: Answer
  /** The reason of a refusal in words, for the log; undefined if allowed. */
  readonly reason?: string
  readonly verified?: Verified
  readonly match?: ResourceMatch
  /** The method of the request that the proxy asks about. */
  readonly method?: string
  /** The address of a request for no resource. */
  readonly unknown?: UnknownAddress
}

/**
 * @param rawHeaders the headers of the request that carries the credential
 * @param carrier the request itself, for limits by address
 * @param pinned the id of the only resource that the request may be for
 * @param matched the result of the resource table, if the caller has it already
 */
export type Check = (request: {
  readonly located: ForwardedRequest
  readonly rawHeaders: readonly string[]
  readonly requestId: string
  readonly carrier?: Carrier
  readonly pinned?: string | undefined
  readonly matched?: MatchResult
}) => Checked | Promise<Checked>

const readReferer = headerReader(['referer'])

export function createCheck(deps: CheckDeps): Check {
  const { resources, credentials, originAllowed, refusesWorker, log, now } = deps
  const keyHeader = deps.apiKeyHeader.toLowerCase()
  const read = headerReader(['authorization', 'cookie', 'origin', 'service-worker', keyHeader])

  // The same verified credential at the same resource leads to the same decision.
  const decided = new WeakMap<Verified, { resource: Resource; decision: Decision }>()
  function decideOnce(resource: Resource, credential: Credential): Decision {
    if (credential.kind !== 'verified') return decide(resource, credential)
    const before = decided.get(credential.verified)
    if (before?.resource === resource) return before.decision
    const decision = decide(resource, credential)
    decided.set(credential.verified, { resource, decision })
    return decision
  }

  const warnOfMissingRoute = createThrottledWarning({
    log,
    message: `no browser can sign in: route ${OWN_PATHS} of this host to Gatewarden, without the login in front`,
    now,
  })
  function denyUnrouted(context: AnswerContext): Checked {
    const { match } = context
    warnOfMissingRoute({ host: new URL(match.resource.origin).host })
    const reason = `${OWN_PATHS} of this host is not routed to Gatewarden`
    return { answer: unrouted(context, deps), reason, match }
  }

  return (request) => {
    const { located, rawHeaders, requestId, carrier, pinned, matched } = request
    const match = matched ?? resources.match(located.host, located.target)
    if (match === 'unknown') {
      return { ...deny(UNKNOWN_ADDRESS, request), unknown: unknownAddress(located, resources) }
    }
    if (match === 'ambiguous') {
      return deny('the path can be read in more than one way', request)
    }
    if (pinned !== undefined && match.resource.id !== pinned) {
      return deny('this middleware is pinned to another server', request)
    }
    const { method } = located
    const [authorization, cookie, origin, worker, apiKey] = read(rawHeaders)
    if (!originAllowed(origin, match.resource) && !isOwnForm(origin, rawHeaders)) {
      // No setting lets a page use a cookie from elsewhere.
      const byCookie = authorization === undefined && cookie !== undefined
      return deny(byCookie ? FOREIGN_PAGE : foreignOrigin(origin), request)
    }
    if (worker !== undefined && refusesWorker(match)) {
      return deny('a service worker here could answer in the place of the login', request)
    }
    const context: AnswerContext = {
      match,
      target: located.target,
      requestId,
      reader: () => readerOf(method, rawHeaders),
      referer: () => refererOf(rawHeaders),
      authorization: typeof authorization === 'string' ? authorization : undefined,
      apiKey: typeof apiKey === 'string' ? apiKey : undefined,
      cookie: typeof cookie === 'string' ? cookie : undefined,
    }
    if (match.path.startsWith(OWN_PATHS)) return denyUnrouted(context)
    const anonymous = (credential: Credential | undefined): Checked => ({
      answer: answerFor(decideAtOpenPath(credential), context, deps),
      match,
      method,
    })
    const failed = (error: unknown): Checked => {
      const refused = outage(error, context)
      return match.isOpen ? anonymous(undefined) : refused
    }
    const conclude = (credential: Credential): Checked => {
      if (
        credential.kind === 'verified' &&
        credential.verified.source === 'cookie' &&
        !isFromOwnPage({ method, origin, rawHeaders }, match.resource)
      ) {
        if (match.isOpen) return anonymous(credential)
        return { ...deny(FOREIGN_PAGE, request), match, method, verified: credential.verified }
      }
      const decision = decideOnce(match.resource, credential)
      if (match.isOpen && decision.kind !== 'allow' && decision.kind !== 'malformed') {
        return anonymous(credential)
      }
      const verified = 'verified' in decision ? decision.verified : undefined
      const answer = answerFor(decision, context, deps)
      const reason = reasonOf(decision) ?? (answer.status === 200 ? undefined : FOR_CLIENTS)
      return {
        answer,
        match,
        method,
        ...(reason !== undefined && { reason }),
        ...(verified && { verified }),
      }
    }
    try {
      const credential = credentials(
        { authorization, apiKey, cookie, rawHeaders },
        match.resource,
        carrier,
      )
      return credential instanceof Promise
        ? credential.then(conclude).catch(failed)
        : conclude(credential)
    } catch (error) {
      return failed(error)
    }
  }
}

/** A person at a server that has nothing for browsers gets a page, which is no passage. */
const FOR_CLIENTS = 'a browser opened an address for MCP clients'

function refererOf(rawHeaders: readonly string[]): string | undefined {
  const [referer] = readReferer(rawHeaders)
  return typeof referer === 'string' ? referer : undefined
}

/** Refuses a request for a reason other than its credential. */
function deny(reason: string, { located, rawHeaders, requestId }: Parameters<Check>[0]): Checked {
  const asker = { requestId, reader: () => readerOf(located.method, rawHeaders) }
  return { answer: forbidden(reason, asker), reason }
}

/** 503 if the store or the provider did not answer, which says nothing about the credential. Rethrows other errors. */
function outage(error: unknown, asker: Asker): Checked {
  const reason =
    error instanceof StorageUnavailable
      ? 'the store does not answer'
      : error instanceof ProviderFailure && error.kind === 'unavailable'
        ? 'the provider does not answer'
        : undefined
  if (reason === undefined) throw error
  return { answer: unavailable(OUTAGE_RETRY_SECONDS, asker), reason }
}

function reasonOf(decision: Decision): string | undefined {
  switch (decision.kind) {
    case 'allow':
      return undefined
    case 'challenge':
    case 'forbid':
      return decision.reason
    case 'malformed':
      return 'the Authorization header is malformed or doubled'
    case 'insufficient-scope':
      return `the ${decision.verified.source === 'cookie' ? 'session' : 'token'} lacks a required scope`
  }
}

/** The request that a proxy asks about. */
export interface ForwardedRequest {
  readonly host: string
  /** The request target as the proxy received it, with its query. */
  readonly target: string
  readonly method: string
}
