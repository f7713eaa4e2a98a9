/**
 * Access tokens: JWTs by RFC 9068, RS256, bound to one resource, with no personal data (decision K13).
 *
 * @module
 */
import { z } from 'zod'
import { createSignedTokens, type SignedTokens } from './signed-token.ts'
import type { SigningKeys } from './signing-keys.ts'

const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/

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

export interface AccessTokens extends SignedTokens<AccessTokenClaims> {
  /** False without any work for what cannot be one of ours by its form. */
  looksLikeOurs(token: string): boolean
}

/** @param deps `issuer`: our origin; `now` in milliseconds since the epoch */
export function createAccessTokens(deps: {
  issuer: string
  keys: SigningKeys
  now: () => number
}): AccessTokens {
  return {
    ...createSignedTokens({ ...deps, type: 'at+jwt', claims: Claims }),
    // The dot first: most garbage has none.
    looksLikeOurs: (token) => token.includes('.') && COMPACT_JWS.test(token),
  }
}
