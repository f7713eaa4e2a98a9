/**
 * A client as the authorization server knows it: its metadata (RFC 7591 section 2), whether it registered itself or the operator
 * configured it.
 *
 * @module
 */

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post'

/** What registration decides about a client. */
export interface ClientMetadata {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly string[]
  readonly authMethod: ClientAuthMethod
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

export interface Client extends Omit<ClientMetadata, 'issuedAt'> {
  readonly id: string
  /** SHA-256 of the id, by which records name the client. */
  readonly hash: string
  /** Known from the operator's configuration, not by its own word. */
  readonly configured: boolean
  /** All it may be granted; absent: whatever a resource offers. */
  readonly scopes?: readonly string[]
}

/** A client known beforehand. */
export interface ClientConfig {
  readonly id: string
  readonly name: string
  /** Absent: a public client. */
  readonly secret?: string
  readonly redirectUris: readonly string[]
  /** All it may be granted; absent: whatever a resource offers. */
  readonly scopes?: readonly string[]
  readonly grantTypes: readonly ('authorization_code' | 'refresh_token')[]
  readonly authMethod: 'none' | 'client_secret_basic' | 'client_secret_post'
}
