/**
 * What an identity provider is to the rest of the program. A provider says who somebody is; it never decides
 * whether they may pass. Adding one is a file beside this and a line in `index.ts`.
 *
 * @module
 */

/** A person as the provider vouches for them. (issuer, subject) is the account's key, never the e-mail. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** Present only when the provider verified it. */
  readonly email?: string
  readonly preferredUsername?: string
  readonly name?: string
  readonly groups: readonly string[]
}

/** What a provider states, not parsed yet. */
export type Claims = Readonly<Record<string, unknown>>

/** What is known of a token that somebody presents as an access token of a provider. */
export type TokenStatement =
  /** `header` of a signed one. `claims.iss` is the issuer that people are keyed by. */
  | { readonly kind: 'claims'; readonly claims: Claims; readonly header?: Claims }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * How a provider's own access tokens are told from others. It reads tokens and decides nothing: what a token is good
 * for is judged by `src/provider-tokens/`. Both reject with {@link ProviderFailure} for all that is no statement about
 * the token: an outage, or our credentials refused.
 */
export interface TokenAuthority {
  /** False, without I/O, for the `iss` of a JWT that this provider would never sign. */
  isIssuer(issuer: unknown): boolean
  /** By the provider's published keys. Left out by a provider whose access tokens are no JWTs. */
  readSigned?(token: string): Promise<TokenStatement>
  /** By asking the provider; the token never stands in an address. */
  inspect(token: string): Promise<TokenStatement>
}

interface ProviderBase {
  readonly id: string
  /** Shown to people where there is a choice. */
  readonly name: string
  /**
   * The person as the provider knows them at this moment, for providers that can say without I/O; undefined when
   * they are gone, which ends their grants (decision K12). Providers that cannot say leave it out.
   */
  current?(issuer: string, subject: string): Identity | undefined
}

/** A provider people type a name and a password into, on our own login page. */
export interface PasswordProvider extends ProviderBase {
  readonly kind: 'password'
  /** Who it is, or undefined for a wrong name or password alike. Rejects with {@link ProviderBusy} when overloaded. */
  verify(credentials: { name: string; password: string }): Promise<Identity | undefined>
}

/** A provider people are sent to, and come back from with a code. */
export interface RedirectProvider extends ProviderBase {
  readonly kind: 'redirect'
  /** True for the issuer its people are keyed by; grants of another one, configured before, have ended. */
  speaksFor(issuer: string): boolean
  /**
   * Where to send the person. `flowId` names the attempt: nonce and PKCE verifier derive from it (decision K5).
   * Rejects with {@link ProviderFailure}.
   */
  authorizationUrl(flow: { flowId: string; state: string; prompt?: 'login' }): Promise<URL>
  /** Who came back. `callback` is the full URL they came back to. Rejects with {@link ProviderFailure}. */
  identify(callback: URL, flow: { flowId: string; state: string }): Promise<Identity>
  /** Of a provider whose own tokens may be accepted as bearers. */
  readonly tokens?: TokenAuthority
}

export type Provider = PasswordProvider | RedirectProvider

/**
 * Why a provider did not say who somebody is: the person said no there (`denied`), it does not answer
 * (`unavailable`), it vouches for more groups than we take (`too-many-groups`), the account is of no organisation that
 * is let in (`other-organisation`), or what it said cannot be believed or used (`failed`).
 */
export type ProviderFailureKind =
  | 'denied'
  | 'unavailable'
  | 'too-many-groups'
  | 'other-organisation'
  | 'failed'

/** The message is for the log: it holds no code, token or secret. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly kind: ProviderFailureKind
  /** True once the code has been redeemed: to come back with it again ends the person's session at some providers. */
  readonly codeIsSpent: boolean
  constructor(
    kind: ProviderFailureKind,
    reason: string,
    options: ErrorOptions & { readonly codeIsSpent?: boolean } = {},
  ) {
    super(reason, options)
    this.kind = kind
    this.codeIsSpent = options.codeIsSpent ?? false
  }
}

/** Too many people are logging in at this moment; not a statement about the credentials (decision K29). */
export class ProviderBusy extends Error {
  override readonly name = 'ProviderBusy'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super('the provider is busy')
    this.retryAfterSeconds = retryAfterSeconds
  }
}
