/**
 * The errors of the protocol, as values. Only `http/errors.ts` and the authorization endpoint turn them into answers.
 *
 * @module
 */

export type OAuthErrorCode =
  | 'access_denied'
  | 'authorization_pending'
  | 'expired_token'
  | 'insufficient_scope'
  | 'interaction_required'
  | 'invalid_client'
  | 'invalid_client_metadata'
  | 'invalid_grant'
  | 'invalid_redirect_uri'
  | 'invalid_request'
  | 'invalid_scope'
  | 'invalid_target'
  | 'invalid_token'
  | 'server_error'
  | 'slow_down'
  | 'temporarily_unavailable'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unauthorized_client'

/**
 * The client's fault, or a defined protocol answer. `description` is a sentence for the client's developer, in the
 * characters that RFC 6749 section 5.2 allows: printable ASCII without quotes and backslashes.
 */
export class OAuthError extends Error {
  override readonly name: string = 'OAuthError'
  readonly code: OAuthErrorCode
  readonly description: string

  constructor(code: OAuthErrorCode, description: string, options?: ErrorOptions) {
    super(description, options)
    this.code = code
    this.description = description
  }
}

/** No client may register itself here: nothing is wrong with the request. */
export class RegistrationClosed extends OAuthError {
  override readonly name = 'RegistrationClosed'

  constructor() {
    super('access_denied', 'no client may register here: ask the operator for a client_id')
  }
}

/**
 * An error of the authorization endpoint that may be redirected to the client, because its redirect URI was verified:
 * the constructor requires a verified redirect URI.
 */
export class AuthorizationError extends OAuthError {
  override readonly name = 'AuthorizationError'
  readonly redirect: VerifiedRedirect

  constructor(code: OAuthErrorCode, description: string, redirect: VerifiedRedirect) {
    super(code, description)
    this.redirect = redirect
  }
}

/** A redirect URI that matches the registration of the client, with the `state` that must return with it. */
export interface VerifiedRedirect {
  readonly redirectUri: string
  readonly state?: string
  /** True if loopback or configured: the browser may be sent there without asking a person (decision K10). */
  readonly trusted: boolean
}

/** An error for a person when no client may be told: a page with a sentence and the next step. */
export class PageError extends Error {
  override readonly name = 'PageError'
  readonly kind: 'retry' | 'client' | 'forbidden'
  readonly title: string
  readonly details: string | undefined
  readonly status: number

  /** `details` is for the author of the program that sent the person here. */
  constructor(options: {
    kind: 'retry' | 'client' | 'forbidden'
    title: string
    text: string
    details?: string
    status?: number
  }) {
    super(options.text)
    this.kind = options.kind
    this.title = options.title
    this.details = options.details
    this.status = options.status ?? (options.kind === 'forbidden' ? 403 : 400)
  }
}
