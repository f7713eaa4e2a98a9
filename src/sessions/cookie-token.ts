/**
 * The token in the cookie of a signed-in browser: a JWT of its own type, so that it never passes for an access token,
 * and no access token passes for it (decision K24).
 *
 * @module
 */
import { z } from 'zod'
import type { Keyring } from '../crypto.ts'
import { createSignedTokens, type SignedTokens } from '../oauth/tokens/signed-token.ts'
import type { SigningKeys } from '../oauth/tokens/signing-keys.ts'

const Claims = z.object({
  sub: z.string(),
  aud: z.string(),
  scope: z.string(),
  gid: z.string(),
  iat: z.number(),
  exp: z.number(),
  /** For programs that read it from the cookie, as mcpauth's did; no check uses it. */
  email: z.string().optional(),
})

/** The claims of a verified session token. Times in seconds since the epoch. */
export type SessionClaims = Readonly<z.infer<typeof Claims>>

export type SessionTokens = SignedTokens<SessionClaims>

/** @param deps `issuer`: our origin; `keys`: RS256 keys, which the programs that read this cookie expect; `now` in milliseconds since the epoch */
export function createSessionTokens(deps: {
  issuer: string
  keys: SigningKeys
  keyring: Keyring
  now: () => number
}): SessionTokens {
  return createSignedTokens({ ...deps, type: 'session+jwt', claims: Claims })
}
