/**
 * Decides whether a located request may pass, and makes the answer. This folder owns decisions and answers; it verifies
 * no credential, which `credentials/` and `sessions/` do. A check awaits only a token that was not seen before.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import type { Credential, RefusedFacts, Source, Verified } from '../credentials/credential.ts'
import type { Carrier, Credentials } from '../credentials/credentials.ts'
import type { Events } from '../events.ts'
import { isFromOwnPage, isOwnForm, readerOf } from '../http/browser-request.ts'
import { OUTAGE_RETRY_SECONDS } from '../http/errors.ts'
import type { compileOrigins } from '../http/origins.ts'
import { DOUBLED, headerReader } from '../http/raw-headers.ts'
import { OWN_PATHS } from '../paths.ts'
import { ProviderFailure } from '../providers/provider.ts'
import type { McpSessionOwners } from '../records/mcp-session-owners.ts'
import type {
  MatchResult,
  Resource,
  ResourceMatch,
  ResourceTable,
} from '../resources/resource-table.ts'
import { allowedTools } from '../resources/tool-choices.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import type { Answer, AnswerContext, AnswerRules, Asker } from './answer.ts'
import { answerFor, forbidden, sessionUnknown, unavailable, unrouted } from './answer-table.ts'
import { type Decision, decide, decideAtOpenPath, reasonOf } from './decide.ts'
import { FOREIGN_PAGE, foreignOrigin } from './foreign-origin.ts'
import { UNKNOWN_ADDRESS, type UnknownAddress, unknownAddress } from './unknown-address.ts'
import { createUses } from './uses.ts'

const NEEDS_OUR_PROXY =
  'the person allowed some tools alone, which only Gatewarden as the proxy itself can enforce'

const isLimited = ({ scopes }: Verified, { hasToolChoices, scopeTools }: Resource): boolean =>
  hasToolChoices && allowedTools(scopes, scopeTools) !== undefined

export interface CheckDeps extends AnswerRules {
  readonly resources: ResourceTable
  readonly credentials: Credentials
  readonly originAllowed: ReturnType<typeof compileOrigins>
  /** True for an address whose service worker could answer in our place. */
  readonly refusesWorker: (match: ResourceMatch) => boolean
  /** True for an address of ours, which the proxy should have sent to us. */
  readonly isOwnPath: (match: Pick<ResourceMatch, 'resource' | 'path'>) => boolean
  readonly mcpSessions: McpSessionOwners
  readonly events: Events
  /** Milliseconds on a clock that is never set back. */
  readonly now: () => number
}

/** The outcome of a check. `challenged`: the request had no credential. `unavailable`: nothing could be decided. */
export type CheckedKind =
  | 'allowed'
  | 'challenged'
  | 'token-refused'
  | 'person-refused'
  | 'address-unknown'
  | 'request-refused'
  | 'unavailable'

/** The outcome of a check: the answer, and facts for events and for our own proxy. */
export interface Checked {
  readonly kind: CheckedKind
  readonly answer: Answer
  /** The reason of a refusal in words, for events; undefined if allowed. */
  readonly reason?: string
  /** The facts and the source of a refused credential. */
  readonly about?: RefusedFacts
  readonly source?: Source
  /** True for the first use of a credential at a resource within an hour. */
  readonly isNewUse?: boolean
  readonly verified?: Verified
  readonly match?: ResourceMatch
  /** The method of the request that the proxy asks about. */
  readonly method?: string
  /** The address of a request for no resource. */
  readonly unknown?: UnknownAddress
}

/** A check that was answered. */
export interface AnsweredCheck {
  /** The request that carried the credential. */
  readonly request: IncomingMessage
  readonly requestId: string
  readonly checked: Checked
  /** `performance.now()` when the request arrived. */
  readonly started: number
  /** The kind of proxy that asked. */
  readonly family: string
}

export type ReportCheck = (answered: AnsweredCheck) => void

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
  /** The asker reads bodies, and lets no call pass of a tool that the person did not allow. Absent: false. */
  readonly limitsTools?: boolean
}) => Checked | Promise<Checked>

const readReferer = headerReader(['referer'])

export function createCheck(deps: CheckDeps): Check {
  const { resources, credentials, originAllowed, refusesWorker, mcpSessions, events, now } = deps
  const keyHeader = deps.apiKeyHeader.toLowerCase()
  const read = headerReader([
    'authorization',
    'cookie',
    'origin',
    'service-worker',
    'mcp-session-id',
    keyHeader,
  ])

  // The same verified credential at the same resource leads to the same decision, while the resource has the same scopes.
  const decided = new WeakMap<
    Verified,
    { resource: Resource; scopes: Resource['scopes']; decision: Decision }
  >()
  function decideOnce(resource: Resource, credential: Credential): Decision {
    if (credential.kind !== 'verified') return decide(resource, credential)
    const { scopes } = resource
    const before = decided.get(credential.verified)
    if (before?.resource === resource && before.scopes === scopes) return before.decision
    const decision = decide(resource, credential)
    decided.set(credential.verified, { resource, scopes, decision })
    return decision
  }

  const uses = createUses({ now })

  function denyUnrouted(context: AnswerContext): Checked {
    const { match, requestId } = context
    const { host } = new URL(match.resource.origin)
    events.emit({ event: 'login-route-missing', requestId, host, path: OWN_PATHS })
    const reason = `${OWN_PATHS} of this host is not routed to Gatewarden`
    return { kind: 'request-refused', answer: unrouted(context, deps), reason, match }
  }

  return (request) => {
    const { located, rawHeaders, requestId, carrier, pinned, matched, limitsTools } = request
    const match = matched ?? resources.match(located.host, located.target)
    if (match === 'unknown') {
      const unknown = unknownAddress(located, resources)
      return { ...deny(UNKNOWN_ADDRESS, request), kind: 'address-unknown', unknown }
    }
    if (match === 'ambiguous') {
      return deny('the path can be read in more than one way', request)
    }
    if (pinned !== undefined && match.resource.id !== pinned) {
      return deny('this middleware is pinned to another server', request)
    }
    const { method } = located
    const [authorization, cookie, origin, worker, mcpSession, apiKey] = read(rawHeaders)
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
    if (deps.isOwnPath(match)) return denyUnrouted(context)
    const anonymous = (credential: Credential | undefined): Checked => ({
      kind: 'allowed',
      answer: answerFor(decideAtOpenPath(credential), context, deps),
      match,
      method,
    })
    const failed = (error: unknown): Checked => {
      const refused = outage(error, context)
      return match.isOpen ? anonymous(undefined) : refused
    }
    if (mcpSession === DOUBLED) return deny('the Mcp-Session-Id header is doubled', request)
    const guarded = (
      found: Pick<Checked, 'answer' | 'match' | 'method'> & { readonly verified: Verified },
    ): Checked | Promise<Checked> => {
      const allowed = (): Checked => {
        const isNewUse = uses.isNew(found.verified, match.resource)
        return { kind: 'allowed', ...found, isNewUse }
      }
      if (!mcpSession) return allowed()
      const judge = (mine: boolean): Checked =>
        mine
          ? allowed()
          : { kind: 'request-refused', ...found, answer: sessionUnknown(), reason: FOREIGN_SESSION }
      const { audience } = match.resource
      const isOwner = mcpSessions.isOwner(audience, mcpSession, found.verified.sub)
      return typeof isOwner === 'boolean' ? judge(isOwner) : isOwner.then(judge)
    }
    const conclude = (credential: Credential): Checked | Promise<Checked> => {
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
      if (
        decision.kind === 'allow' &&
        !limitsTools &&
        isLimited(decision.verified, match.resource)
      ) {
        return { ...deny(NEEDS_OUR_PROXY, request), match, method, verified: decision.verified }
      }
      if (decision.kind === 'allow' && answer.status === 200) {
        return guarded({ answer, match, method, verified: decision.verified })
      }
      const reason = reasonOf(decision) ?? FOR_CLIENTS
      return {
        kind: decision.kind === 'allow' ? 'allowed' : kindOf(decision),
        answer,
        match,
        method,
        ...(reason !== undefined && { reason }),
        ...(verified && { verified }),
        ...(decision.kind === 'challenge' && refusedCredential(decision)),
      }
    }
    try {
      const credential = credentials(
        { authorization, apiKey, cookie, rawHeaders },
        match.resource,
        carrier,
      )
      const checked =
        credential instanceof Promise ? credential.then(conclude) : conclude(credential)
      return checked instanceof Promise ? checked.catch(failed) : checked
    } catch (error) {
      return failed(error)
    }
  }
}

/** A person at a server that has nothing for browsers gets a page, which is no passage. */
const FOR_CLIENTS = 'a browser opened an address for MCP clients'
const FOREIGN_SESSION = 'the Mcp-Session-Id belongs to another caller'

function refererOf(rawHeaders: readonly string[]): string | undefined {
  const [referer] = readReferer(rawHeaders)
  return typeof referer === 'string' ? referer : undefined
}

/** Refuses a request for a reason other than its credential. */
function deny(reason: string, { located, rawHeaders, requestId }: Parameters<Check>[0]): Checked {
  const asker = { requestId, reader: () => readerOf(located.method, rawHeaders) }
  return {
    kind: 'request-refused',
    answer: forbidden(reason, asker),
    reason,
    method: located.method,
  }
}

function kindOf(decision: Exclude<Decision, { kind: 'allow' }>): CheckedKind {
  switch (decision.kind) {
    case 'challenge':
      return decision.error === undefined ? 'challenged' : 'token-refused'
    case 'malformed':
    case 'insufficient-scope':
      return 'token-refused'
    case 'forbid':
      return 'person-refused'
  }
}

const refusedCredential = ({ about, source }: Extract<Decision, { kind: 'challenge' }>) => ({
  ...(about && { about }),
  ...(source && { source }),
})

/** 503 if the store or the provider did not answer, which says nothing about the credential. Rethrows other errors. */
function outage(error: unknown, asker: Asker): Checked {
  const reason =
    error instanceof StorageUnavailable
      ? 'the store does not answer'
      : error instanceof ProviderFailure && error.kind === 'unavailable'
        ? 'the provider does not answer'
        : undefined
  if (reason === undefined) throw error
  return { kind: 'unavailable', answer: unavailable(OUTAGE_RETRY_SECONDS, asker), reason }
}

/** The request that a proxy asks about. */
export interface ForwardedRequest {
  readonly host: string
  /** The request target as the proxy received it, with its query. */
  readonly target: string
  readonly method: string
}
