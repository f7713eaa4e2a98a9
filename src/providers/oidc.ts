/**
 * Any OpenID Connect provider, by discovery: authorization code with state, nonce and PKCE, and a person from the
 * verified ID token (OpenID Connect Core section 3.1) and, for claims that it leaves out, from userinfo.
 *
 * @module
 */
import {
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildAuthorizationUrlWithPAR,
} from 'openid-client'
import { type Keyring, sha256 } from '../crypto.ts'
import { claimAt } from './claim-path.ts'
import { formsOfSecret } from './client-authentication.ts'
import {
  type ConnectionOptions,
  createOidcConnection,
  type Discovered,
  type OidcConnection,
  translateFailures,
} from './oidc-connection.ts'
import type { ProviderStep } from './oidc-failure.ts'
import { identityFromClaims } from './oidc-identity.ts'
import { createOidcRechecks, offlineRequest, type Refreshed } from './oidc-recheck.ts'
import { createOidcRelay, tokenSetOf } from './oidc-relay.ts'
import { createOidcTokens } from './oidc-tokens.ts'
import { offersAccounts, signOutAddress } from './other-account.ts'
import { personTokenOf } from './person-token.ts'
import { keysAsGroups, type Preset } from './presets.ts'
import {
  type Account,
  type Claims,
  type Identification,
  type Identity,
  ProviderFailure,
  type RedirectProvider,
  type SignInWishes,
} from './provider.ts'
import { ORIGINAL_ID_TOKEN } from './token-answer.ts'
import { withUserinfo } from './userinfo.ts'

export interface OidcOptions extends ConnectionOptions {
  readonly id: string
  /** Shown to people. */
  readonly name: string
  /** See {@link RedirectProvider.uniqueUsernames}. Default: false. */
  readonly uniqueUsernames?: boolean
  /** Default: `openid email profile`. */
  readonly scopes?: readonly string[]
  readonly groupsClaim: string
  /** True if its sign-out works without an ID token: it then asks the person (RP-Initiated Logout 1.0 section 2). */
  readonly asksBeforeSignOut?: true
  /** See {@link Preset.groupsAreKeys}. */
  readonly groupsAreKeys?: true | undefined
  /** Our redirect URI, as registered at the provider. */
  readonly redirectUri: string
  readonly keyring: Keyring
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** True if people are asked about again at each refresh. */
  readonly rechecks?: boolean
  /** True if the provider gives a refresh token only with `prompt=consent` (OpenID Connect Core section 11). */
  readonly offlineNeedsConsent?: boolean
}

/** The points in which a provider differs from the standard. */
interface Differences {
  /** More parameters of the authorization request. */
  readonly parameters: (wishes: SignInWishes) => Readonly<Record<string, string>>
  /** False if its ID tokens never say when the person signed in, so that `max_age` cannot be sent or checked. */
  readonly saysAuthTime: boolean
  /** Throws ProviderFailure for people who are not let in, by the claims of their verified ID token. */
  readonly admit: (claims: Claims) => void
  /** False if userinfo knows nothing more of people than the ID token says. */
  readonly asksUserinfo: boolean
  /** Asks for the groups elsewhere, by the subject. Rejects with ProviderFailure. */
  readonly groupsOf?: (subject: string) => Promise<readonly string[]>
  /** Reads the person in a way of its own, by the claims as the provider signed them. Rejects with ProviderFailure. */
  readonly identify?: (signed: Claims, accessToken: string) => Promise<Identification>
}

type Redeemed = Awaited<ReturnType<typeof authorizationCodeGrant>>

const SCOPES = ['openid', 'email', 'profile']
export const STANDARD: Differences = {
  parameters: ({ prompt, loginHint, maxAge, acrValues, uiLocales, display }) => ({
    ...(prompt !== undefined && { prompt }),
    ...(loginHint !== undefined && { login_hint: loginHint }),
    ...(maxAge !== undefined && { max_age: String(maxAge) }),
    ...(acrValues !== undefined && { acr_values: acrValues }),
    ...(uiLocales !== undefined && { ui_locales: uiLocales }),
    ...(display !== undefined && { display }),
  }),
  saysAuthTime: true,
  admit: () => undefined,
  asksUserinfo: true,
}

/** RFC 9126 section 5: such a provider takes no request that comes with the browser. What was pushed ends soon. */
const takesPushedOnly = (metadata: Discovered['metadata']) =>
  metadata.require_pushed_authorization_requests === true

/** As the provider signed it. */
const idTokenOf = (tokens: Redeemed) => String(tokens[ORIGINAL_ID_TOKEN])

export function createOidcProvider(options: OidcOptions): RedirectProvider {
  const connection = createOidcConnection(options)
  return {
    ...createOidcLogin(connection, options),
    tokens: createOidcTokens(connection, options),
    relay: createOidcRelay(connection, options),
  }
}

/** A provider without {@link RedirectProvider.tokens} and {@link RedirectProvider.relay}. */
export function createOidcLogin(
  connection: OidcConnection,
  options: OidcOptions,
  { parameters, saysAuthTime, admit, asksUserinfo, groupsOf, identify }: Differences = STANDARD,
): RedirectProvider {
  const { clientId, clientSecret, groupsClaim, keyring, tolerated, scopes = SCOPES } = options
  const { rechecks = false, offlineNeedsConsent: needsConsent = false } = options
  const { discovered, isIssuer, createKeys, usable, refusePlain } = connection
  const keys = createKeys(0)
  const nonceOf = (flowId: string) => keyring.mac('provider', `nonce|${flowId}`)
  const verifierOf = (flowId: string) => keyring.mac('provider', `pkce|${flowId}`)

  const provider: RedirectProvider = {
    id: options.id,
    name: options.name,
    uniqueUsernames: options.uniqueUsernames ?? false,
    kind: 'redirect',
    speaksFor: isIssuer,

    authorizationUrl({ flowId, state, wishes = {} }) {
      const step: ProviderStep = {
        about: 'the sign-in',
        secrets: [...formsOfSecret(clientId, clientSecret), state],
      }
      return translateFailures(step, async () => {
        const { configuration, metadata, withSecret } = await discovered.get()
        refusePlain(metadata.authorization_endpoint, 'authorization_endpoint')
        const request = {
          redirect_uri: options.redirectUri,
          scope: scopes.join(' '),
          state,
          nonce: nonceOf(flowId),
          code_challenge: sha256(verifierOf(flowId)),
          code_challenge_method: 'S256',
          ...parameters(wishes),
          ...(rechecks && {
            ...offlineRequest({
              scopes,
              metadata,
              needsConsent,
              prompt: parameters(wishes).prompt,
            }),
          }),
        }
        return takesPushedOnly(metadata)
          ? withSecret({
              endpoint: 'pushed_authorization_request_endpoint',
              run: (authenticated) => buildAuthorizationUrlWithPAR(authenticated, request),
            })
          : buildAuthorizationUrl(configuration, request)
      })
    },

    async otherAccount({ flowId, state, signedOutState, laterState, idToken, wishes }) {
      const step: ProviderStep = { about: 'the sign-in', secrets: [state] }
      const { metadata } = await translateFailures(step, () => discovered.get())
      const { redirectUri } = options
      const away = signOutAddress(
        metadata,
        { clientId, redirectUri, idToken, state: signedOutState },
        connection,
        { asks: options.asksBeforeSignOut },
      )
      if (away) return { url: away, showsSameAccount: false }
      const asked = offersAccounts(metadata) ? { ...wishes, prompt: 'select_account' } : wishes
      const showsSameAccount = parameters(asked).prompt === 'login'
      if (laterState !== undefined && takesPushedOnly(metadata)) {
        const url = new URL(redirectUri)
        url.searchParams.set('state', laterState)
        return { url, showsSameAccount }
      }
      const url = await provider.authorizationUrl({ flowId, state, wishes: asked })
      return { url, showsSameAccount }
    },

    async identify(callback, { flowId, state, maxAge }) {
      const asked = options.now()
      const pkceCodeVerifier = verifierOf(flowId)
      const code = callback.searchParams.get('code') ?? ''
      const step: ProviderStep = {
        about: 'the code',
        secrets: [...formsOfSecret(clientId, clientSecret), pkceCodeVerifier, code, state],
      }
      const { found, tokens } = await translateFailures(step, async () => {
        const found = await discovered.get()
        const tokens = await found.withSecret({
          endpoint: 'token_endpoint',
          run: (configuration) =>
            authorizationCodeGrant(configuration, callback, {
              expectedState: state,
              expectedNonce: nonceOf(flowId),
              pkceCodeVerifier,
              idTokenExpected: true,
              ...(saysAuthTime && maxAge !== undefined && { maxAge }),
            }),
        })
        return { found, tokens }
      })
      const person = await translateFailures(step, () => personOf(found, tokens)).catch(
        (error: unknown) => {
          if (!(error instanceof ProviderFailure)) throw error
          throw new ProviderFailure(error.kind, error.message, { cause: error, codeIsSpent: true })
        },
      )
      return {
        ...person,
        idToken: idTokenOf(tokens),
        tokens: tokenSetOf(tokens),
        ...(rechecks && { ...heldOf(tokens), token: personTokenOf(tokens, asked) }),
      }
    },

    ...(rechecks && {
      rechecks: createOidcRechecks(connection, { ...options, readPerson: personAgain }),
    }),
  }
  return provider

  function heldOf({ refresh_token: held }: Redeemed): { held?: string } {
    if (held !== undefined) return { held }
    tolerated?.(
      'RECHECK_AT_REFRESH is on, and the answer has no refresh token: people have to sign in again at each refresh. Let the provider give refresh tokens to this client',
    )
    return {}
  }

  async function personAgain(
    found: Discovered,
    tokens: Refreshed,
    { issuer, subject }: Account,
  ): Promise<Identity | undefined> {
    if (tokens.id_token !== undefined) return (await personOf(found, tokens)).person
    // A provider may leave it out (OpenID Connect Core section 12.2).
    if (!asksUserinfo || found.metadata.userinfo_endpoint === undefined) return undefined
    const claims = { iss: issuer, sub: subject }
    return (await personBy(claims, { found, accessToken: tokens.access_token })).person
  }

  async function personOf(found: Discovered, tokens: Redeemed): Promise<Identification> {
    // openid-client has compared the claims; only the signature proves that they are the provider's.
    const { claims: signed = {} } = await keys.verify(idTokenOf(tokens))
    const claims: Claims = tokens.claims() ?? {}
    if (claims.azp !== undefined && claims.azp !== clientId) {
      throw new ProviderFailure('failed', 'the ID token was issued to another client (azp)')
    }
    admit(claims)
    const accessToken = tokens.access_token
    return identify ? identify(signed, accessToken) : personBy(claims, { found, accessToken })
  }

  async function personBy(
    claims: Claims,
    { found, accessToken }: { readonly found: Discovered; readonly accessToken: string },
  ): Promise<Identification> {
    const stated = asksUserinfo
      ? await withUserinfo(claims, { found, usable, accessToken, groupsClaim })
      : groupsOf
        ? { ...claims, [groupsClaim]: await groupsOf(String(claims.sub)) }
        : claims
    const readable = options.groupsAreKeys ? keysAsGroups(stated, groupsClaim) : stated
    const person = identityFromClaims(readable, groupsClaim, tolerated)
    const isAbsent = claimAt(stated, groupsClaim) === undefined
    return { person, ...(isAbsent && { absentClaim: groupsClaim }) }
  }
}
