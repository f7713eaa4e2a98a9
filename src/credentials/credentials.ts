/**
 * From the headers of a request to its credential: a bearer token of any kind, else the cookie of a signed-in
 * browser. A token that is there counts, even a bad one; the cookie is not a second try.
 *
 * @module
 */
import type { HeaderValue } from '../http/raw-headers.ts'
import type { Resource } from '../resources/resource-table.ts'
import type { Verifier } from './access-tokens.ts'
import type { Credential } from './credential.ts'
import { presentedCredential } from './presented.ts'

/** Bearer tokens of one kind that are not our access tokens. */
export interface BearerSource {
  /** The credential, or undefined if the token is of another kind. May reject with StorageUnavailable. */
  verify(token: string, resource: Resource): Credential | Promise<Credential> | undefined
}

/** Cookies as credentials. */
export interface CookieSource {
  /** The credential of a `Cookie` header; `none` if no cookie in it is ours. May reject with StorageUnavailable. */
  verify(cookie: string, resource: Resource): Credential | Promise<Credential>
}

/** Throws, or rejects with, StorageUnavailable when the store does not answer. */
export type Credentials = (
  presented: { readonly authorization: HeaderValue; readonly cookie: HeaderValue },
  resource: Resource,
) => Credential | Promise<Credential>

const NONE: Credential = { kind: 'none' }

/** @param deps `bearers`: asked in this order before a token is taken for one of ours */
export function createCredentials(deps: {
  verifier: Verifier
  bearers: readonly BearerSource[]
  cookies: CookieSource
}): Credentials {
  const { verifier, bearers, cookies } = deps
  return ({ authorization, cookie }, resource) => {
    if (typeof authorization === 'string') {
      const known = verifier.known(authorization)
      if (known) return known
    }
    const presented = presentedCredential(authorization)
    switch (presented.kind) {
      case 'malformed':
        return presented
      case 'none':
        return typeof cookie === 'string' ? cookies.verify(cookie, resource) : NONE
      case 'bearer': {
        const { token } = presented
        for (const source of bearers) {
          const credential = source.verify(token, resource)
          if (credential) return credential
        }
        return verifier.verify(String(authorization), token)
      }
    }
  }
}
