/**
 * Access tokens: JWTs by RFC 9068, ES256, bound to one resource, with no personal data (decision K13).
 *
 * @module
 */
import { z } from 'zod'
import type { Keyring } from '../../crypto.ts'
import { createSignedTokens, type SignedTokens } from './signed-token.ts'
import type { SigningKeys } from './signing-keys.ts'

const Claims = z.object({
  sub: z.string(),
  aud: z.string(),
  client_id: z.string(),
  scope: z.string(),
  gid: z.string(),
  exp: z.number(),
})

/** What a verified access token says. */
export type AccessTokenClaims = Readonly<z.infer<typeof Claims>>

export type AccessTokens = SignedTokens<AccessTokenClaims>

/** @param deps `issuer`: our origin; `keys`: ES256 keys; `now` in milliseconds since the epoch */
export function createAccessTokens(deps: {
  issuer: string
  keys: SigningKeys
  keyring: Keyring
  now: () => number
}): AccessTokens {
  return createSignedTokens({ ...deps, type: 'at+jwt', claims: Claims })
}
