/**
 * Access tokens: JWTs by RFC 9068, bound to one resource, with no personal data (decision K13).
 *
 * @module
 */
import { z } from 'zod'
import { type Keyring, sha256 } from '../../crypto.ts'
import type { Grant } from '../../records/records.ts'
import { subjectOf } from '../subject.ts'
import { createSignedTokens, type SignedTokens } from './signed-token.ts'
import type { SigningKeys } from './signing-keys.ts'

const Claims = z.object({
  sub: z.string(),
  aud: z.string(),
  client_id: z.string(),
  scope: z.string(),
  gid: z.string(),
  iat: z.number(),
  exp: z.number(),
})

/** The content of a verified access token. */
export type AccessTokenClaims = Readonly<z.infer<typeof Claims>>

export type AccessTokens = SignedTokens<AccessTokenClaims>

/** @param deps `issuer`: our origin; `keys`: ES256 keys, or the operator's RSA key; `now` in milliseconds since the epoch */
export function createAccessTokens(deps: {
  issuer: string
  keys: SigningKeys
  keyring: Keyring
  now: () => number
}): AccessTokens {
  return createSignedTokens({ ...deps, type: 'at+jwt', claims: Claims })
}

/** True if the token says what its grant says: somebody who has a signing key, but no grant, made any other token. */
export function agreesWithGrant(claims: AccessTokenClaims, grant: Grant): boolean {
  return (
    claims.sub === subjectOf(grant) &&
    claims.aud === grant.resource &&
    sha256(claims.client_id) === grant.clientHash &&
    claims.scope.split(' ').every((scope) => grant.scopes.includes(scope))
  )
}
