/**
 * The parts of an OpenID Connect provider that a login and the check of a token share: its discovery document, its
 * keys, and our credentials there.
 *
 * @module
 */
import type { JSONWebKeySet } from 'jose'
import {
  allowInsecureRequests,
  type ClientAuth,
  Configuration,
  customFetch,
  discovery,
  type ServerMetadata,
} from 'openid-client'
import { z } from 'zod'
import { type Cached, createCached } from './cached.ts'
import {
  type ClientAuthentication,
  createClientAuthentication,
  type SecretCall,
  waysToAuthenticate,
} from './client-authentication.ts'
import { tidyDiscovery } from './discovery-document.ts'
import { kindOf, type ReportOddity } from './oddities.ts'
import { type ProviderStep, printable, providerFailure } from './oidc-failure.ts'
import { ProviderFailure } from './provider.ts'
import { createProviderAddresses, type ProviderAddresses } from './provider-addresses.ts'
import type { TokenEndpointAuthMethod } from './provider-config.ts'
import { PROVIDER_TIMEOUT, type ProviderFetch } from './provider-fetch.ts'
import { ALGORITHMS, createProviderKeys, type ProviderKeys } from './provider-keys.ts'
import { tidyTokenAnswers } from './token-answer.ts'

export interface ConnectionOptions {
  /** Without a slash at its end. */
  readonly issuerUrl: string
  /** The address of the discovery document, if it is not below the issuer. */
  readonly discoveryUrl?: string
  /** Another spelling of the issuer that the provider's tokens may have. */
  readonly issuerAlias?: string
  /** True for the `iss` of ID tokens of a provider with many issuers, whose document has a placeholder instead. */
  isIssuerOfTenant?(issuer: unknown): boolean
  /** False for a key of the key set that does not sign for this `iss`. */
  signsFor?(key: Readonly<Record<string, unknown>>, issuer: unknown): boolean
  readonly clientId: string
  readonly clientSecret: string
  /** The only way to authenticate there; without it the discovery document decides. */
  readonly tokenEndpointAuthMethod?: TokenEndpointAuthMethod
  /** Speak plain http to the provider, which shows codes and secrets to the network. */
  readonly allowInsecure: boolean
  /** Gets what is off in an answer and does not matter. */
  readonly tolerated?: ReportOddity
  readonly outbound: ProviderFetch
  /** Milliseconds on a clock that is never set back, for spans. */
  readonly elapsed: () => number
}

/** The result of discovery. */
export interface Discovered {
  /** For everything but calls with our secret. */
  readonly configuration: Configuration
  readonly metadata: Readonly<ServerMetadata>
  /** Makes a call with our secret, twice if the provider refuses the first way to present it. */
  withSecret<T>(call: SecretCall<T>): Promise<T>
}

export interface OidcConnection extends ProviderAddresses {
  /** At most an hour old; rejects with an error of openid-client, or ProviderFailure. */
  readonly discovered: Cached<Discovered>
  /** As `discovered`, for the check of a token: an older document serves while the provider does not answer. */
  discoveredOrStale(): Promise<Discovered>
  /** True for the issuer that people of this provider are keyed by, with or without a slash at its end. */
  isIssuer(issuer: unknown): boolean
  /**
   * The provider's keys with a cool-down of their own, so that a flood of made-up tokens does not slow a login down.
   * @param graceMs how long known keys serve beyond their age while the provider does not answer
   */
  createKeys(graceMs: number): ProviderKeys
}

const DISCOVERY_MAX_AGE_MS = 60 * 60_000
/** Endpoints and issuer hardly ever change; keys do, and have less. */
const DISCOVERY_GRACE_MS = 60 * 60_000
const RETRY_AFTER_MS = 3_000
const KeySet = z.object({ keys: z.array(z.unknown()) })
const Key = z.looseObject({ kty: z.string() })

/** Asks the provider nothing before a caller needs it, so that a provider that is down does not stop our start. */
export function createOidcConnection(options: ConnectionOptions): OidcConnection {
  const { issuerUrl, issuerAlias, elapsed } = options
  const addresses = createProviderAddresses(options)
  const { usable } = addresses
  const authentication = createClientAuthentication(options.tokenEndpointAuthMethod)
  const discovered = createCached({
    load: () => discover(options, { authentication, usable }),
    maxAgeMs: DISCOVERY_MAX_AGE_MS,
    retryAfterMs: RETRY_AFTER_MS,
    elapsed,
  })
  const discoveredOrStale = () => discovered.getOrStale(DISCOVERY_GRACE_MS)
  return {
    discovered,
    discoveredOrStale,
    ...addresses,
    isIssuer: (issuer) =>
      typeof issuer === 'string' &&
      (withoutSlash(issuer) === issuerUrl || (issuerAlias !== undefined && issuer === issuerAlias)),
    // openid-client's own check waits up to 60 s for a key it does not know, and the code is spent by then.
    createKeys: (graceMs) =>
      createProviderKeys({
        load: async () => {
          const { metadata } = await discoveredOrStale()
          return fetchKeys(usable(metadata.jwks_uri, 'jwks_uri'), options)
        },
        graceMs,
        signsFor: options.signsFor,
        elapsed,
      }),
  }
}

/** @throws an error of openid-client; ProviderFailure for another issuer's document */
async function discover(
  options: ConnectionOptions,
  deps: { authentication: ClientAuthentication; usable: OidcConnection['usable'] },
): Promise<Discovered> {
  const { issuerUrl, allowInsecure, clientId } = options
  const found = await discovery(
    new URL(options.discoveryUrl ?? `${issuerUrl}/.well-known/openid-configuration`),
    clientId,
    undefined,
    undefined,
    {
      timeout: PROVIDER_TIMEOUT,
      [customFetch]: options.outbound.document,
      execute: allowInsecure ? [allowInsecureRequests] : [],
    },
  )
  const { tolerated = ignore } = options
  const metadata = tidyDiscovery(found.serverMetadata(), { algorithms: ALGORITHMS, tolerated })
  // Given the document's own address, openid-client leaves this comparison to us. Some issuers end in a slash.
  if (withoutSlash(metadata.issuer) !== issuerUrl) {
    throw new ProviderFailure(
      'failed',
      `the discovery document is for another issuer: ${printable(metadata.issuer)}, and ISSUER_URL is ${issuerUrl}`,
    )
  }
  const ways = waysToAuthenticate(clientId, options.clientSecret)
  const configurations = {
    client_secret_basic: configure(metadata, ways.client_secret_basic, options),
    client_secret_post: configure(metadata, ways.client_secret_post, options),
  }
  return {
    configuration: configurations.client_secret_basic,
    metadata,
    async withSecret(call) {
      deps.usable(metadata[call.endpoint], call.endpoint)
      return deps.authentication.call({ metadata, configurations }, call)
    },
  }
}

function configure(
  metadata: Readonly<ServerMetadata>,
  authenticate: ClientAuth,
  {
    clientId,
    issuerAlias,
    isIssuerOfTenant,
    allowInsecure,
    outbound,
    tolerated = ignore,
  }: ConnectionOptions,
): Configuration {
  const configuration = new Configuration(metadata, clientId, undefined, authenticate)
  configuration.timeout = PROVIDER_TIMEOUT
  configuration[customFetch] = tidyTokenAnswers({
    issuer: metadata.issuer,
    isAlias: (iss) =>
      (issuerAlias !== undefined && iss === issuerAlias) || (isIssuerOfTenant?.(iss) ?? false),
    fetch: outbound.send,
    tolerated,
  })
  if (allowInsecure) allowInsecureRequests(configuration)
  return configuration
}

async function fetchKeys(
  address: URL,
  { outbound, tolerated = ignore }: ConnectionOptions,
): Promise<JSONWebKeySet> {
  const answer = await outbound.document(address.href, {
    headers: { accept: 'application/json' },
    signal: AbortSignal.timeout(PROVIDER_TIMEOUT * 1000),
  })
  const set = KeySet.safeParse(await answer.json().catch(() => undefined))
  const stated = set.data?.keys ?? []
  const keys = stated.flatMap((key) => Key.safeParse(key).data ?? [])
  if (!answer.ok || !set.success || (keys.length === 0 && stated.length > 0)) {
    throw new ProviderFailure('failed', `the provider's keys cannot be read (${answer.status})`)
  }
  const odd = stated.find((key) => !Key.safeParse(key).success)
  if (odd !== undefined) tolerated(`the keys: an entry is no key, but ${kindOf(odd)}`)
  return { keys }
}

/** Runs a step; an error of the libraries becomes a {@link ProviderFailure} without any secret in it. */
export async function translateFailures<T>(step: ProviderStep, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw providerFailure(error, step)
  }
}

const ignore: ReportOddity = () => undefined

const withoutSlash = (issuer: string) => issuer.replace(/\/$/, '')
