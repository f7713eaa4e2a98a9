/**
 * Our client's authentication at the provider: by Basic or by POST (RFC 6749 section 2.3.1). The discovery document
 * tells which, and is wrong often enough that a refusal is tried once the other way.
 *
 * @module
 */
import {
  type ClientAuth,
  type Configuration,
  ResponseBodyError,
  type ServerMetadata,
  WWWAuthenticateChallengeError,
} from 'openid-client'
import { ProviderFailure } from './provider.ts'
import type { TokenEndpointAuthMethod } from './provider-config.ts'

/** The endpoints that take our secret. */
export type SecretEndpoint =
  | 'token_endpoint'
  | 'introspection_endpoint'
  | 'revocation_endpoint'
  | 'pushed_authorization_request_endpoint'

export interface SecretCall<T> {
  readonly endpoint: SecretEndpoint
  /** Makes the call with the configuration that authenticates one way or the other. */
  run(configuration: Configuration): Promise<T>
  /** Runs before a second call; if it rejects, there is none. */
  beforeRetry?(): Promise<void>
}

export interface ClientAuthentication {
  /**
   * Makes a call with our secret. `invalid_client` is answered once by the other way, unless the document rules it out;
   * the way that worked comes first from then on.
   */
  call<T>(provider: KnownProvider, call: SecretCall<T>): Promise<T>
}

interface KnownProvider {
  readonly metadata: Readonly<ServerMetadata>
  /** Each authenticates in its own way. */
  readonly configurations: Readonly<Record<TokenEndpointAuthMethod, Configuration>>
}

/** The two ways, for the library. */
export function waysToAuthenticate(
  clientId: string,
  clientSecret: string,
): Readonly<Record<TokenEndpointAuthMethod, ClientAuth>> {
  const basic = `Basic ${basicCredentials(clientId, clientSecret)}`
  return {
    client_secret_basic: (_server, _client, _body, headers) => headers.set('authorization', basic),
    client_secret_post: (_server, _client, body) => {
      body.set('client_id', clientId)
      body.set('client_secret', clientSecret)
    },
  }
}

/** Every form in which our secret goes out, for the log to leave out. */
export function formsOfSecret(clientId: string, clientSecret: string): readonly string[] {
  return [clientSecret, formEncoded(clientSecret), basicCredentials(clientId, clientSecret)]
}

/** @param configured the only way there is; without it the document decides */
export function createClientAuthentication(
  configured: TokenEndpointAuthMethod | undefined,
): ClientAuthentication {
  const worked = new Map<SecretEndpoint, TokenEndpointAuthMethod>()
  return {
    async call({ metadata, configurations }, { endpoint, run, beforeRetry }) {
      const { first, other } = configured
        ? { first: configured }
        : preferring(worked.get(endpoint), waysOf(metadata, endpoint))
      try {
        return await run(configurations[first])
      } catch (refusal) {
        if (other === undefined || errorOf(refusal) !== 'invalid_client') throw refusal
        await beforeRetry?.()
        try {
          const answer = await run(configurations[other])
          worked.set(endpoint, other)
          return answer
        } catch (error) {
          // Both ways were refused. The first refusal tells more: that way was the more likely one.
          if (errorOf(error) === 'invalid_client' || errorOf(error) === 'invalid_request') {
            throw refusal
          }
          if (isAuthenticated(error)) worked.set(endpoint, other)
          throw error
        }
      }
    },
  }
}

interface Ways {
  readonly first: TokenEndpointAuthMethod
  /** Absent if the document rules it out. */
  readonly other?: TokenEndpointAuthMethod
}

const BASIC_FIRST: Ways = { first: 'client_secret_basic', other: 'client_secret_post' }

const preferring = (known: TokenEndpointAuthMethod | undefined, ways: Ways): Ways =>
  known !== undefined && known === ways.other ? { first: known, other: ways.first } : ways

/** RFC 8414 section 2: introspection and revocation may have a list of their own. */
function waysOf(metadata: Readonly<ServerMetadata>, endpoint: SecretEndpoint): Ways {
  const own = texts(metadata[`${endpoint}_auth_methods_supported`])
  const listed = own.length > 0 ? own : texts(metadata.token_endpoint_auth_methods_supported)
  const post = listed.includes('client_secret_post')
  if (listed.length === 0 || (post && listed.includes('client_secret_basic'))) return BASIC_FIRST
  return { first: post ? 'client_secret_post' : 'client_secret_basic' }
}

/** A document may state a single method as a string, or nonsense, which says nothing. */
function texts(stated: unknown): readonly unknown[] {
  const all: readonly unknown[] = Array.isArray(stated) ? stated : [stated]
  return all.filter((entry) => typeof entry === 'string' && entry !== '')
}

/** The error code of a refusal. */
function errorOf(error: unknown): string | undefined {
  if (error instanceof ResponseBodyError) return error.error
  if (error instanceof WWWAuthenticateChallengeError) return error.cause[0]?.parameters.error
  return undefined
}

/** False for an answer that was not about the request itself. A provider judges the code after the client. */
const isAuthenticated = (error: unknown) =>
  errorOf(error) === 'invalid_grant' ||
  !(
    error instanceof ProviderFailure ||
    error instanceof ResponseBodyError ||
    error instanceof WWWAuthenticateChallengeError
  )

/** Each part is form-encoded first, so that a colon in it does not end it (RFC 6749 section 2.3.1). */
const basicCredentials = (clientId: string, clientSecret: string) =>
  Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')

/** By the URL standard: it leaves `-._*` as they are, for providers that do not decode. */
const formEncoded = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
