/**
 * One check, from a located request to an answer. Synchronous for everything known: only a token that was not seen
 * before is awaited.
 *
 * @module
 */
import type { compileOrigins } from '../http/origins.ts'
import { type HeaderValue, headerReader } from '../http/raw-headers.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import { type Answer, type AnswerRules, answerFor, forbidden, unavailable } from './answer.ts'
import type { ForwardedRequest } from './contracts/contract.ts'
import type { Credentials } from './credentials.ts'
import { type Credential, type Decision, decide, type Verified } from './decide.ts'
import type { Resource, ResourceMatch, ResourceTable } from './resource.ts'

export interface CheckDeps extends AnswerRules {
  readonly resources: ResourceTable
  readonly credentials: Credentials
  readonly originAllowed: ReturnType<typeof compileOrigins>
}

/** The outcome of a check: the answer, and what the log and a proxy of our own want to know. */
export interface Checked {
  readonly answer: Answer
  /** In words, for the log; undefined when allowed. */
  readonly reason?: string
  readonly verified?: Verified
  readonly match?: ResourceMatch
  /** Of the request that was asked about. */
  readonly method?: string
}

/**
 * @param rawHeaders of the request that carries the credential
 * @param pinned the id of the only resource this may be about
 */
export type Check = (request: {
  readonly located: ForwardedRequest
  readonly rawHeaders: readonly string[]
  readonly requestId: string
  readonly pinned?: string
}) => Checked | Promise<Checked>

const OUTAGE_RETRY_SECONDS = 2
const read = headerReader(['authorization', 'cookie', 'origin', 'accept', 'sec-fetch-mode'])

export function createCheck(deps: CheckDeps): Check {
  const { resources, credentials, originAllowed } = deps

  // A credential that was not verified anew is the same input, so its decision at a resource is the same.
  const decided = new WeakMap<Verified, { resource: Resource; decision: Decision }>()
  function decideOnce(resource: Resource, credential: Credential): Decision {
    if (credential.kind !== 'verified') return decide(resource, credential)
    const before = decided.get(credential.verified)
    if (before?.resource === resource) return before.decision
    const decision = decide(resource, credential)
    decided.set(credential.verified, { resource, decision })
    return decision
  }

  return ({ located, rawHeaders, requestId, pinned }) => {
    const match = resources.match(located.host, located.target)
    if (match === 'unknown') return deny('no protected server is configured at this address')
    if (match === 'ambiguous') return deny('the path can be read in more than one way')
    if (pinned !== undefined && match.resource.id !== pinned) {
      return deny('the request is for another server than this middleware is pinned to')
    }
    const [authorization, cookie, origin, accept, mode] = read(rawHeaders)
    if (!originAllowed(origin, match.resource)) {
      return deny('the web page that made this request is of a foreign origin')
    }
    const context = {
      match,
      target: located.target,
      requestId,
      navigation: isNavigation(located.method, accept, mode),
      cookie: typeof cookie === 'string' ? cookie : undefined,
    }
    const conclude = (credential: Credential): Checked => {
      const decision = decideOnce(match.resource, credential)
      const verified = 'verified' in decision ? decision.verified : undefined
      const reason = reasonOf(decision)
      return {
        answer: answerFor(decision, context, deps),
        match,
        method: located.method,
        ...(reason !== undefined && { reason }),
        ...(verified && { verified }),
      }
    }
    try {
      const credential = credentials({ authorization, cookie }, match.resource)
      return credential instanceof Promise
        ? credential.then(conclude).catch(outage)
        : conclude(credential)
    } catch (error) {
      return outage(error)
    }
  }
}

const deny = (reason: string): Checked => ({ answer: forbidden(reason), reason })

function outage(error: unknown): Checked {
  if (!(error instanceof StorageUnavailable)) throw error
  return { answer: unavailable(OUTAGE_RETRY_SECONDS), reason: 'the store does not answer' }
}

/** A page load of a person; mcp-remote's first request is a GET, too, but asks for an event stream. */
function isNavigation(method: string, accept: HeaderValue, mode: HeaderValue): boolean {
  return (
    (method === 'GET' || method === 'HEAD') &&
    typeof accept === 'string' &&
    accept.includes('text/html') &&
    (mode === undefined || mode === 'navigate')
  )
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
      return 'the token lacks a required scope'
  }
}
