/**
 * Finds what a token stands for, as the endpoints that end or describe a token need it: a token of ours whose grant is
 * alive. It says nothing about who may ask.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { Grant, Records } from '../../records/records.ts'
import { type AccessTokenClaims, type AccessTokens, agreesWithGrant } from './access-token.ts'
import { parseRefreshToken } from './refresh-rotation.ts'

/** A token of ours, and its grant. */
export type IssuedToken =
  | { readonly kind: 'access'; readonly grant: Grant; readonly claims: AccessTokenClaims }
  /** The `n`th refresh token of the grant, which need not be a current one. */
  | { readonly kind: 'refresh'; readonly grant: Grant; readonly n: number }

/** Rejects with StorageUnavailable: an outage says nothing about a token. */
export type FindIssuedToken = (token: string) => Promise<IssuedToken | undefined>

export function createIssuedTokens(deps: {
  readonly accessTokens: AccessTokens
  readonly records: Records
  readonly keyring: Keyring
}): FindIssuedToken {
  const { accessTokens, records, keyring } = deps
  return async (token) => {
    const refresh = parseRefreshToken(token, keyring)
    if (refresh) {
      const grant = await records.grants.find(refresh.grantId)
      return grant && { kind: 'refresh', grant, n: refresh.n }
    }
    const verification = await accessTokens.verify(token)
    if (!verification.ok) return undefined
    const { claims } = verification
    const grant = await records.grants.find(claims.gid)
    return grant && agreesWithGrant(claims, grant) ? { kind: 'access', grant, claims } : undefined
  }
}
