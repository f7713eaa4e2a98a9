/**
 * Credentials. This folder owns each kind of bearer token, from the header to a verified caller, and the cache of them;
 * it does not own whether the caller may pass (`src/check/`). This file finds the credential of a request: a bearer
 * token of any kind, else an API key in its own header, else the cookie of a signed-in browser. A bad token or key counts
 * too: the next one is not a second try.
 *
 * @module
 */
import type { ClientAddress } from '../http/client-address.ts'
import type { HeaderValue } from '../http/raw-headers.ts'
import type { Resource } from '../resources/resource-table.ts'
import type { Verifier } from './access-tokens.ts'
import type { ApiKeySource } from './api-keys/api-keys.ts'
import { API_KEY_START, isLikeApiKey } from './api-keys/key-form.ts'
import type { HoldsOwnToken } from './application-bearer.ts'
import type { Credential } from './credential.ts'
import { presentedCredential } from './presented.ts'

/** The request that brought a credential, for limits by address. */
export type Carrier = Parameters<ClientAddress>[0]

/** Bearer tokens of one kind that are not our access tokens. */
export interface BearerSource {
  /**
   * The credential, or undefined if the token is of another kind. May reject with StorageUnavailable.
   * @param carrier the request that carried the token, if it came with one
   */
  verify(
    token: string,
    resource: Resource,
    carrier?: Carrier,
  ): Credential | Promise<Credential> | undefined
}

/** Cookies as credentials. */
export interface CookieSource {
  /**
   * The credential of a `Cookie` header; `none` if no cookie in it is ours. May reject with StorageUnavailable.
   * @param rawHeaders all headers of the request, which tell a browser from a program
   */
  verify(
    cookie: string,
    resource: Resource,
    rawHeaders: readonly string[],
  ): Credential | Promise<Credential>
}

/** Throws, or rejects with, StorageUnavailable when the store does not answer. */
export type Credentials = (
  presented: {
    readonly authorization: HeaderValue
    /** The header for API keys. */
    readonly apiKey: HeaderValue
    readonly cookie: HeaderValue
    readonly rawHeaders: readonly string[]
  },
  resource: Resource,
  carrier?: Carrier,
) => Credential | Promise<Credential>

const BEARER = 'Bearer '
const BEARER_API_KEY = BEARER + API_KEY_START
const NONE: Credential = { kind: 'none' }
const MALFORMED: Credential = { kind: 'malformed' }
const NOT_HERE: Credential = {
  kind: 'refused',
  reason: "bearer tokens of this server are the application's own",
  source: 'bearer',
}

/**
 * @param deps `bearers`: asked in this order before a token is treated as our own; `holdsOwnToken`: for resources whose
 *   application has bearer tokens of its own
 */
export function createCredentials(deps: {
  verifier: Verifier
  apiKeys: ApiKeySource
  bearers: readonly BearerSource[]
  cookies: CookieSource
  holdsOwnToken: HoldsOwnToken
}): Credentials {
  const { verifier, apiKeys, bearers, cookies, holdsOwnToken } = deps
  /** The credential of a request without a bearer token of ours. */
  const withoutBearer = (
    { apiKey, cookie, rawHeaders }: Parameters<Credentials>[0],
    resource: Resource,
  ) => {
    if (apiKey !== undefined) {
      if (typeof apiKey !== 'string') return MALFORMED
      // A value of another form is the application's own.
      if (isLikeApiKey(apiKey)) return apiKeys.verify(apiKey)
    }
    return typeof cookie === 'string' ? cookies.verify(cookie, resource, rawHeaders) : NONE
  }
  return (presentedHeaders, resource, carrier) => {
    const { authorization } = presentedHeaders
    if (resource.hasApplicationBearer && authorization !== undefined) {
      if (typeof authorization !== 'string') return MALFORMED
      if (holdsOwnToken(authorization, resource)) return NOT_HERE
      return withoutBearer(presentedHeaders, resource)
    }
    if (typeof authorization === 'string') {
      const known = authorization.startsWith(BEARER_API_KEY)
        ? apiKeys.known(authorization.slice(BEARER.length))
        : verifier.known(authorization)
      if (known) return known
    }
    const presented = presentedCredential(authorization)
    switch (presented.kind) {
      case 'malformed':
        return presented
      case 'none':
        return withoutBearer(presentedHeaders, resource)
      case 'bearer': {
        const { token } = presented
        if (isLikeApiKey(token)) return apiKeys.verify(token)
        for (const source of bearers) {
          const credential = source.verify(token, resource, carrier)
          if (credential) return credential
        }
        return verifier.verify(String(authorization), token)
      }
    }
  }
}
