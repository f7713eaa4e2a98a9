/**
 * The decision about one request. Pure: what is known goes in, what to answer comes out.
 *
 * @module
 */
import type { Caller } from './identity-headers.ts'
import type { Resource } from './resource.ts'

/** A credential that was verified: signature, issuer, expiry, live grant. */
export interface Verified extends Caller {
  readonly grantId: string
  /** The resource the token was issued for. */
  readonly audience: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'verified'; readonly verified: Verified }

export type Decision =
  | { readonly kind: 'allow'; readonly verified: Verified }
  /** 401; `error` only when a credential was sent (RFC 6750 section 3.1). */
  | { readonly kind: 'challenge'; readonly error?: 'invalid_token'; readonly reason: string }
  | { readonly kind: 'malformed' }
  /** 403 naming every scope the resource requires at once (MCP 2026-07-28, SEP-2350). */
  | { readonly kind: 'insufficient-scope'; readonly verified: Verified }
  | { readonly kind: 'forbid'; readonly reason: string; readonly verified?: Verified }

/** Shapes of {@link Decision} that never vary. */
const NO_CREDENTIAL: Decision = { kind: 'challenge', reason: 'no token' }
const MALFORMED: Decision = { kind: 'malformed' }
const OTHER_AUDIENCE: Decision = {
  kind: 'challenge',
  error: 'invalid_token',
  reason: 'the token is for another server',
}

/** @param resource the one the request is for; origin and path have been judged before */
export function decide(resource: Resource, credential: Credential): Decision {
  switch (credential.kind) {
    case 'none':
      return NO_CREDENTIAL
    case 'malformed':
      return MALFORMED
    case 'refused':
      return { kind: 'challenge', error: 'invalid_token', reason: credential.reason }
    case 'verified': {
      const { verified } = credential
      // RFC 8707: a token is good at the one resource it was issued for.
      if (verified.audience !== resource.audience) return OTHER_AUDIENCE
      if (!resource.policy(verified.person)) {
        return { kind: 'forbid', reason: 'the person is not on the list', verified }
      }
      for (const scope of resource.requiredScopes) {
        if (!verified.scopes.includes(scope)) return { kind: 'insufficient-scope', verified }
      }
      return { kind: 'allow', verified }
    }
  }
}
