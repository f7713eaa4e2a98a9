/**
 * A client as the authorization server knows it: its metadata (RFC 7591 section 2), whether it registered itself or the
 * operator configured it.
 *
 * @module
 */

import type { JSONWebKeySet } from 'jose'
import { DEVICE_CODE } from '../grants/names.ts'

/** The methods of clients that register. The places never change: sealed client ids name a method by its place. */
export const REGISTERED_METHODS = ['none', 'client_secret_basic', 'client_secret_post'] as const
export type RegisteredMethod = (typeof REGISTERED_METHODS)[number]
/** Every method of the token endpoint. Keys of a client that registers would not fit into its id. */
export const AUTH_METHODS = [...REGISTERED_METHODS, 'private_key_jwt'] as const
export type ClientAuthMethod = (typeof AUTH_METHODS)[number]

/** The public keys of a client that signs assertions (RFC 7523): the keys themselves, or where to read them. */
export type ClientKeys =
  | { readonly kind: 'jwks'; readonly jwks: JSONWebKeySet }
  | { readonly kind: 'jwks_uri'; readonly uri: string }

/** The metadata that registration decides. */
export interface ClientMetadata {
  readonly name: string
  readonly redirectUris: readonly string[]
  readonly grantTypes: readonly string[]
  readonly authMethod: RegisteredMethod
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

export interface Client extends Omit<ClientMetadata, 'issuedAt' | 'authMethod'> {
  readonly id: string
  /** SHA-256 of the id; records name the client by it. */
  readonly hash: string
  /** True if the operator configured the client, false if it registered itself or has a metadata document. */
  readonly configured: boolean
  /** The host of the client's metadata document, which is its id; absent for other clients. */
  readonly documentHost?: string
  /** With `none`, an assertion is optional: one that is sent must be good. */
  readonly authMethod: ClientAuthMethod
  /** The keys of its assertions; always there with `private_key_jwt`. */
  readonly keys?: ClientKeys
  /** When it registered itself, seconds since the epoch. */
  readonly registeredAt?: number
  /** All scopes that the client may be granted; absent: those of each resource. */
  readonly scopes?: readonly string[]
  /** Ids of the resources that the client may use; absent: all. */
  readonly resources?: readonly string[]
  /** Ids of the resources whose access tokens the client may introspect, whoever they were issued to. */
  readonly introspects?: readonly string[]
  /** False if the configuration allowed the client in everybody's place (decision K38). */
  readonly needsConsent?: false
}

/** The grant types that a client of the configuration can have. */
export const CONFIGURED_GRANT_TYPES = [
  'authorization_code',
  'refresh_token',
  'client_credentials',
  DEVICE_CODE,
] as const
export type ConfiguredGrantType = (typeof CONFIGURED_GRANT_TYPES)[number]

/** A client that the operator configures. */
export interface ClientConfig {
  readonly id: string
  readonly name: string
  /** Absent: a public client. */
  readonly secret?: string
  readonly redirectUris: readonly string[]
  /** All scopes that the client may be granted; absent: those of each resource. */
  readonly scopes?: readonly string[]
  /** Ids of the resources that the client may use; absent: all. */
  readonly resources?: readonly string[]
  /** Ids of the resources whose access tokens the client may introspect, whoever they were issued to. */
  readonly introspects?: readonly string[]
  /** See {@link Client.needsConsent}. */
  readonly needsConsent?: false
  readonly grantTypes: readonly ConfiguredGrantType[]
  readonly authMethod: ClientAuthMethod
  /** The keys of its assertions; always there with `private_key_jwt`. */
  readonly keys?: ClientKeys
}
