/**
 * The identity providers, one file each. This folder owns the answer to who a person is; it does not own whether the
 * person may pass (`src/check/`, `src/resources/`). This file is the interface of a provider to the rest of the
 * program. A new provider is a file beside this one and a line in `index.ts`.
 *
 * @module
 */

/** A person, as the provider states them. (issuer, subject) is the account's key, never the e-mail. */
export interface Identity {
  readonly issuer: string
  readonly subject: string
  /** Present only when the provider verified it. */
  readonly email?: string
  readonly preferredUsername?: string
  readonly name?: string
  readonly groups: readonly string[]
}

/** The account behind a grant. */
export interface Account {
  readonly issuer: string
  readonly subject: string
  /** What {@link ProviderBase.credentialOf} said when the person signed in. */
  readonly credential?: string
}

/** Claims as a provider states them, not parsed yet. */
export type Claims = Readonly<Record<string, unknown>>

/** A provider's statement about a token that somebody presents as its access token. */
export type TokenStatement =
  /** `header` is that of a signed token. `claims.iss` is the issuer that people are keyed by. */
  | { readonly kind: 'claims'; readonly claims: Claims; readonly header?: Claims }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Tells a provider's own access tokens from others. It reads tokens and decides nothing: `credentials/provider-tokens/`
 * judges which resources a token is good for. Both readers reject with {@link ProviderFailure} for a failure that says
 * nothing about the token: an outage, or a refusal of our credentials.
 */
export interface TokenAuthority {
  /** False, without I/O, for the `iss` of a JWT that this provider would never sign. */
  isIssuer(issuer: unknown): boolean
  /** Reads a JWT by the provider's published keys. A provider whose access tokens are not JWTs leaves it out. */
  readSigned?(token: string): Promise<TokenStatement>
  /**
   * Asks the provider about a token, which never goes into a URL.
   * @param beforeRetry runs before a second call, which it prevents by rejecting
   */
  inspect(token: string, beforeRetry?: () => Promise<void>): Promise<TokenStatement>
}

/**
 * What a client asks about the sign-in (OpenID Connect Core section 3.1.2.1); absent members were not asked. A provider
 * takes those that it knows.
 */
export interface SignInWishes {
  /** Values with a space between two. */
  readonly prompt?: string
  readonly loginHint?: string
  /** Seconds since the person signed in at the provider. */
  readonly maxAge?: number
  readonly acrValues?: string
  readonly uiLocales?: string
  readonly display?: string
}

interface ProviderBase {
  readonly id: string
  /** Shown to people where there is a choice. */
  readonly name: string
  /** True if it gives each user name to one person only, so that the name can stand for the person. */
  readonly uniqueUsernames: boolean
  /**
   * The person as the provider knows them at this moment, for providers that can say without I/O; undefined when the
   * person is gone or has another credential, which ends their grants (decision K12). A provider that cannot say leaves
   * it out.
   */
  current?(account: Account): Identity | undefined
  /** A mark that changes with the person's password; it tells nothing about the password (threat T46). */
  credentialOf?(person: Identity): string | undefined
}

/** Whoever asks for a password check, as far as it decides who goes first. */
export interface Applicant {
  /** True for a browser that signed in as this name before. */
  readonly isKnown: boolean
  /** The groups that share turns, such as a block of addresses; `share` is how many times one address's part it gets. */
  readonly buckets: readonly { readonly key: string; readonly share: number }[]
}

/** A provider for which people type a name and a password on our own login page. */
export interface PasswordProvider extends ProviderBase {
  readonly kind: 'password'
  /** The name of the user whose name or e-mail this is, for the log alone. */
  userNamed(typed: string): string | undefined
  /** The person, or undefined for a wrong name or password alike. Rejects with {@link ProviderBusy} when overloaded. */
  verify(
    credentials: { name: string; password: string },
    applicant: Applicant,
  ): Promise<Identity | undefined>
}

/** The tokens that the provider gave us for a person. */
export interface ProviderTokenSet {
  readonly accessToken: string
  /** Absent if the provider gave none: the person signs in again when the access token ends. */
  readonly refreshToken?: string
}

export type Renewal =
  | { readonly kind: 'renewed'; readonly tokens: ProviderTokenSet }
  /** The refresh token is good no longer. `reason` is for the log. */
  | { readonly kind: 'ended'; readonly reason: string }

/** Keeps a person's tokens of the provider fresh, for clients that get them. */
export interface TokenRelay {
  /** Redeems a refresh token (RFC 6749 section 6). Rejects with {@link ProviderFailure} for any failure but its end. */
  renew(refreshToken: string): Promise<Renewal>
  /**
   * Ends a refresh token (RFC 7009); nothing happens at a provider without the endpoint. Rejects with
   * {@link ProviderFailure}.
   */
  revoke(refreshToken: string): Promise<void>
}

/** An access token that the provider gave us for a person, as far as a server behind us may get it. A secret. */
export interface PersonToken {
  readonly value: string
  /** Seconds since the epoch. Absent if the provider did not say. */
  readonly until?: number
}

/** A person who came back. */
export interface Identification {
  readonly person: Identity
  /** Names the account to the provider when the person leaves it. */
  readonly idToken?: string
  /** The claim for groups, if the provider stated nothing there. */
  readonly absentClaim?: string
  /** Present if the provider issues OAuth tokens of its own. */
  readonly tokens?: ProviderTokenSet
  /** What {@link Rechecks.ask} needs of this sign-in: a secret of the person, to be stored sealed. */
  readonly held?: string
  /** The person's access token there. Present if the provider has {@link Rechecks} that renew it. */
  readonly token?: PersonToken
}

/** What the provider says of a person whom it was asked about again. */
export interface AnswerAboutPerson {
  /** The person as the provider knows them now; absent if it says only that the account is still good. */
  readonly person?: Identity | undefined
  /** The person's new access token there. */
  readonly token?: PersonToken
}

/**
 * Asks the provider about a person again, some time after they signed in (decision K30). Present where the operator wants
 * it.
 */
export interface Rechecks {
  /** True if nothing can be asked without {@link Identification.held}. */
  readonly needsHeld: boolean
  /**
   * Rejects with {@link ProviderFailure}: `gone`, `other-organisation` and `too-many-groups` are about the person, any
   * other kind says nothing about them.
   * @param held what the sign-in left, or `keep` got last
   * @param keep stores what replaces `held`, before anything else is asked: the provider may take it only once
   */
  ask(
    account: Account,
    given: { readonly held: string | undefined; keep(held: string): Promise<void> },
  ): Promise<AnswerAboutPerson>
}

export interface OtherAccount {
  readonly url: URL
  /** True if the provider may show the same account again, so that the person has to look for a way to another. */
  readonly showsSameAccount: boolean
}

/** A provider that people are sent to, and come back from with a code. */
export interface RedirectProvider extends ProviderBase {
  readonly kind: 'redirect'
  /** True for the issuer that its people are keyed by; grants of an issuer configured before have ended. */
  speaksFor(issuer: string): boolean
  /**
   * The address to send the person to. `flowId` names the attempt: nonce and PKCE verifier derive from it (decision
   * K5). Rejects with {@link ProviderFailure}.
   */
  authorizationUrl(flow: { flowId: string; state: string; wishes?: SignInWishes }): Promise<URL>
  /**
   * The person who came back. `callback` is the full URL of that request; `maxAge` the wish that was sent. Rejects with
   * {@link ProviderFailure}, also for a person who signed in longer ago than that.
   */
  identify(
    callback: URL,
    flow: { flowId: string; state: string; maxAge?: number | undefined },
  ): Promise<Identification>
  /**
   * The way to another account for a person whom the provider remembers. Rejects with {@link ProviderFailure}.
   * @param flow as for {@link authorizationUrl}; `signedOutState` comes back instead of `state` if the way leads
   *   through a sign-out there, without a code; `laterState` is given for a link, and comes back instead from a provider
   *   whose addresses end soon, to be asked again then
   */
  otherAccount(flow: {
    flowId: string
    state: string
    signedOutState: string
    laterState?: string
    idToken: string | undefined
    wishes: SignInWishes
  }): Promise<OtherAccount>
  /** Present if the provider's own access tokens may be accepted as bearers. */
  readonly tokens?: TokenAuthority
  /** Present if the provider's own tokens may be handed to clients. */
  readonly relay?: TokenRelay
  readonly rechecks?: Rechecks
}

export type Provider = PasswordProvider | RedirectProvider

/**
 * Why a provider did not identify a person: the person refused there (`denied`), the provider does not answer
 * (`unavailable`), it states more groups than we take (`too-many-groups`), the account belongs to no organisation that
 * is let in (`other-organisation`), the account is disabled, deleted or no longer lets us ask about it (`gone`), or the
 * answer cannot be believed or used (`failed`).
 */
export type ProviderFailureKind =
  | 'denied'
  | 'unavailable'
  | 'too-many-groups'
  | 'other-organisation'
  | 'gone'
  | 'failed'

/** The message is for the log: it holds no code, token or secret. */
export class ProviderFailure extends Error {
  override readonly name = 'ProviderFailure'
  readonly kind: ProviderFailureKind
  /** True once the code has been redeemed: to redeem it again ends the person's session at some providers. */
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

/** The provider cannot be asked about a person at this moment; not a statement about the person (decision K30). */
export class PersonUnchecked extends Error {
  override readonly name = 'PersonUnchecked'
  readonly retryAfterSeconds: number
  constructor(reason: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(reason, options)
    this.retryAfterSeconds = retryAfterSeconds
  }
}
