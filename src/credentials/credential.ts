/**
 * The outcome of verifying a credential, as a value: none, malformed, refused or verified.
 *
 * @module
 */
import type { Identity, PersonToken } from '../providers/provider.ts'
import type { Resource } from '../resources/resource-table.ts'

/** How a credential came: browsers add a cookie to the request of any page, but no bearer token. */
export type Source = 'bearer' | 'cookie'

/** A credential that was verified: signature, issuer, expiry, live grant. */
export interface Verified extends Caller {
  readonly source: Source
  /** True for the resources it was issued for (RFC 8707 section 2). */
  readonly isFor: (resource: Resource) => boolean
  /** False for a static token: only people are subject to the rules about who may pass (decision K33). */
  readonly isPerson: boolean
  /** True for a session of several resources: at each of them it has only the default scopes there. */
  readonly isShared?: boolean
  /** True for a token of the provider: it may have scopes for other servers, which only the configuration tells apart. */
  readonly isOfProvider?: boolean
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** The provider's access token of the person, for the server that gets it. A secret. */
  readonly personToken?: PersonToken
}

export type Credential =
  | { readonly kind: 'none' }
  /** An `Authorization` that is doubled or cannot be read. */
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'refused'
      readonly reason: string
      readonly source: Source
      /** Facts for events. */
      readonly about?: RefusedFacts
    }
  | { readonly kind: 'verified'; readonly verified: Verified }

/** The facts that a refused credential proves all the same: its MAC was good. */
export interface RefusedFacts {
  /** Our name for the person. */
  readonly sub?: string | undefined
  /** The short id of its grant. */
  readonly grant?: string | undefined
  /** How long ago it ended. */
  readonly expiredSeconds?: number | undefined
}

/** The caller, as a verified credential names it. */
export interface Caller {
  readonly person: Identity
  /** Our own name for the person. */
  readonly sub: string
  readonly scopes: readonly string[]
  /** SHA-256 of the client_id. */
  readonly clientHash: string
  /** The name that the client gave itself, where it is known. */
  readonly clientName?: string
  /** The short id of the grant behind the credential, for events. */
  readonly grant?: string
}
