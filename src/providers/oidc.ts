/**
 * Any OpenID Connect provider, by discovery: authorization code with state, nonce and PKCE, and a person from the
 * verified ID token (OpenID Connect Core section 3.1).
 *
 * @module
 */
import type { JSONWebKeySet } from 'jose'
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  customFetch,
  discovery,
} from 'openid-client'
import { z } from 'zod'
import { type Keyring, sha256 } from '../crypto.ts'
import { createCached } from './cached.ts'
import { providerFailure } from './oidc-failure.ts'
import { identityFromClaims } from './oidc-identity.ts'
import { ProviderFailure, type RedirectProvider } from './provider.ts'
import { fetchFromProvider, PROVIDER_TIMEOUT } from './provider-fetch.ts'
import { createProviderKeys } from './provider-keys.ts'

export interface OidcOptions {
  readonly id: string
  /** Shown to people. */
  readonly name: string
  /** Without a slash at its end. */
  readonly issuerUrl: string
  readonly clientId: string
  readonly clientSecret: string
  readonly groupsClaim: string
  /** Speak plain http to the provider, which shows codes and secrets to the network. */
  readonly allowInsecure: boolean
  /** Ours, as registered at the provider. */
  readonly redirectUri: string
  readonly keyring: Keyring
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const SCOPE = 'openid email profile'
const DISCOVERY_MAX_AGE_MS = 60 * 60_000
const RETRY_AFTER_MS = 3_000
const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })) })

/** Asks the provider nothing before somebody logs in, so that a provider that is down stops no start. */
export function createOidcProvider(options: OidcOptions): RedirectProvider {
  const { issuerUrl, clientId, clientSecret, keyring, now } = options
  const discovered = createCached({
    load: () => discover(options),
    maxAgeMs: DISCOVERY_MAX_AGE_MS,
    retryAfterMs: RETRY_AFTER_MS,
    now,
  })
  // openid-client's own check waits up to 60 s for a key it does not know, and the code is spent by then.
  const keys = createProviderKeys({
    load: async () => fetchKeys(await discovered.get(), options),
    now,
  })
  const nonceOf = (flowId: string) => keyring.mac('provider', `nonce|${flowId}`)
  const verifierOf = (flowId: string) => keyring.mac('provider', `pkce|${flowId}`)

  return {
    id: options.id,
    name: options.name,
    kind: 'redirect',
    speaksFor: (issuer) => withoutSlash(issuer) === issuerUrl,

    authorizationUrl: ({ flowId, state, prompt }) =>
      explained([clientSecret], async () =>
        buildAuthorizationUrl(await discovered.get(), {
          redirect_uri: options.redirectUri,
          scope: SCOPE,
          state,
          nonce: nonceOf(flowId),
          code_challenge: sha256(verifierOf(flowId)),
          code_challenge_method: 'S256',
          ...(prompt && { prompt }),
        }),
      ),

    identify(callback, { flowId, state }) {
      const pkceCodeVerifier = verifierOf(flowId)
      const code = callback.searchParams.get('code') ?? ''
      return explained([clientSecret, pkceCodeVerifier, code, state], async () => {
        const tokens = await authorizationCodeGrant(await discovered.get(), callback, {
          expectedState: state,
          expectedNonce: nonceOf(flowId),
          pkceCodeVerifier,
          idTokenExpected: true,
        })
        // openid-client has compared the claims; only this says that they are the provider's.
        await keys.verify(tokens.id_token ?? '')
        const claims: Readonly<Record<string, unknown>> = tokens.claims() ?? {}
        if (claims.azp !== undefined && claims.azp !== clientId) {
          throw new ProviderFailure('failed', 'the ID token was issued to another client (azp)')
        }
        return identityFromClaims(claims, options.groupsClaim)
      })
    },
  }
}

/** @throws whatever openid-client throws; ProviderFailure for another issuer's document */
async function discover(options: OidcOptions): Promise<Configuration> {
  const configuration = await discovery(
    new URL(`${options.issuerUrl}/.well-known/openid-configuration`),
    options.clientId,
    undefined,
    authenticateWith(options.clientSecret),
    {
      timeout: PROVIDER_TIMEOUT,
      [customFetch]: fetchFromProvider,
      execute: options.allowInsecure ? [allowInsecureRequests] : [],
    },
  )
  // Given the document's own address, openid-client leaves this comparison to us. Some issuers end in a slash.
  if (withoutSlash(configuration.serverMetadata().issuer) !== options.issuerUrl) {
    throw new ProviderFailure('failed', 'the discovery document is for another issuer')
  }
  return configuration
}

/** By POST where the provider says it can, since some decode the other way wrongly; Basic is the standard's default. */
function authenticateWith(clientSecret: string): ClientAuth {
  const [post, basic] = [ClientSecretPost(clientSecret), ClientSecretBasic(clientSecret)]
  return (server, ...rest) => {
    const methods = server.token_endpoint_auth_methods_supported
    return (methods?.includes('client_secret_post') ? post : basic)(server, ...rest)
  }
}

async function fetchKeys(
  configuration: Configuration,
  { allowInsecure }: OidcOptions,
): Promise<JSONWebKeySet> {
  const address = configuration.serverMetadata().jwks_uri ?? ''
  if (!URL.canParse(address) || !(allowInsecure || new URL(address).protocol === 'https:')) {
    throw new ProviderFailure('failed', 'the discovery document has no usable jwks_uri')
  }
  const answer = await fetchFromProvider(address, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
  })
  const keys = KeySet.safeParse(await answer.json().catch(() => undefined))
  if (!answer.ok || !keys.success) {
    throw new ProviderFailure('failed', `the provider's keys cannot be read (${answer.status})`)
  }
  return keys.data
}

/** Runs a step; what the libraries throw becomes a {@link ProviderFailure} without any of `secrets` in it. */
async function explained<T>(secrets: readonly string[], step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    throw providerFailure(error, secrets)
  }
}

const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '')
