/**
 * How Gatewarden passes requests on to a server that it is the reverse proxy of, beside the address of that server.
 *
 * @module
 */

export interface PassThroughRules {
  /** `Host` at the server: its own, or the one that the client asked for. */
  readonly host: 'own' | 'public'
  /** What a client gets in place of the server's own challenges: ours, or those very challenges. */
  readonly challenges: 'ours' | 'own'
  /** The `Authorization` that every request to the server has. A secret. */
  readonly authorization?: string
  /** The header in which the server gets the provider's access token of the person. Absent: it gets none. */
  readonly personTokenHeader?: string
  /** Changes of the request's headers, in order. */
  readonly mutations: readonly HeaderMutation[]
}

export type HeaderMutation =
  | { readonly action: 'remove'; readonly name: string }
  /** Replaces the header; without a value the request has none. */
  | { readonly action: 'add'; readonly name: string; readonly from: HeaderSource }
  | { readonly action: 'set-x-forwarded' }

export type HeaderSource =
  | { readonly kind: 'value'; readonly value: string }
  /** A header of the client. */
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  /** The bearer token that let the request pass. */
  | { readonly kind: 'bearer' }

export const DEFAULT_PASS_THROUGH: PassThroughRules = {
  host: 'own',
  challenges: 'ours',
  mutations: [],
}
