/**
 * How Gatewarden passes requests on to a server that it is the reverse proxy of, beside the address of that server.
 *
 * @module
 */

export interface PassThroughRules {
  /** `Host` at the server: its own, or the one that the client asked for. */
  readonly host: 'own' | 'public'
}

export const DEFAULT_PASS_THROUGH: PassThroughRules = { host: 'own' }
