/**
 * The decision about one request. Pure: it maps a resource and a credential to a decision.
 *
 * @module
 */

import type { Credential, RefusedFacts, Source, Verified } from '../credentials/credential.ts'
import type { Resource } from '../resources/resource-table.ts'

export type Decision =
  | { readonly kind: 'allow'; readonly verified: Verified }
  /** 401; `error` only when a credential was sent (RFC 6750 section 3.1). */
  | {
      readonly kind: 'challenge'
      readonly error?: 'invalid_token'
      readonly reason: string
      /** The source of the refused credential. */
      readonly source?: Source
      /** Facts that the refused credential proves, for events. */
      readonly about?: RefusedFacts
    }
  | { readonly kind: 'malformed' }
  /** 403 naming every scope the resource requires at once (MCP 2026-07-28, SEP-2350). */
  | { readonly kind: 'insufficient-scope'; readonly verified: Verified }
  | { readonly kind: 'forbid'; readonly reason: string; readonly verified: Verified }

/** At an open path: a caller without a good credential passes, and the server learns of nobody. */
export interface Anonymous {
  readonly kind: 'anonymous'
  /** The caller's `Authorization` belongs to the application. */
  readonly keepsAuthorization: boolean
}

/** Decisions that never vary. */
const NO_CREDENTIAL: Decision = { kind: 'challenge', reason: 'no token' }
const OTHER_AUDIENCE: Readonly<Record<Source, Decision>> = {
  bearer: otherAudience('bearer', 'the token is for another server'),
  cookie: otherAudience('cookie', 'the cookie is for another server'),
}

function otherAudience(source: Source, reason: string): Decision {
  return { kind: 'challenge', error: 'invalid_token', reason, source }
}

/** @param resource the resource of the request; the caller has checked origin and path */
export function decide(resource: Resource, credential: Credential): Decision {
  switch (credential.kind) {
    case 'none':
      return NO_CREDENTIAL
    case 'malformed':
      return credential
    case 'refused': {
      const { reason, source, about } = credential
      const facts = about && { about }
      return { kind: 'challenge', error: 'invalid_token', reason, source, ...facts }
    }
    case 'verified': {
      const { verified } = credential
      if (!verified.isFor(resource)) return OTHER_AUDIENCE[verified.source]
      if (verified.isPerson && !resource.policy(verified.person)) {
        return { kind: 'forbid', reason: 'the person is not on the list', verified }
      }
      for (const scope of resource.requiredScopes) {
        if (!verified.scopes.includes(scope)) return { kind: 'insufficient-scope', verified }
      }
      return { kind: 'allow', verified }
    }
  }
}

/**
 * The decision at an open path (setting `public`). A malformed credential is refused as everywhere.
 * @param credential undefined if nobody could tell
 */
export function decideAtOpenPath(credential: Credential | undefined): Anonymous {
  switch (credential?.kind) {
    case 'none':
      return { kind: 'anonymous', keepsAuthorization: true }
    case 'refused':
      return { kind: 'anonymous', keepsAuthorization: credential.source === 'cookie' }
    case 'verified':
      return { kind: 'anonymous', keepsAuthorization: credential.verified.source === 'cookie' }
    case 'malformed':
    case undefined:
      return { kind: 'anonymous', keepsAuthorization: false }
  }
}

/** The reason of a refusal in words; undefined for an allow. */
export function reasonOf(decision: Decision): string | undefined {
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
