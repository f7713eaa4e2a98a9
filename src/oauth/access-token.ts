/**
 * Access tokens: JWTs by RFC 9068, RS256, bound to one resource, with no personal data (decision K13).
 *
 * @module
 */
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { randomToken } from '../crypto.ts'
import type { SigningKeys } from './keys.ts'

const TYPE = 'at+jwt'
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

export type Verification =
  | { readonly ok: true; readonly claims: AccessTokenClaims }
  | { readonly ok: false; readonly reason: 'expired' | 'invalid' }

export interface AccessTokens {
  /** Signs a token. Times in seconds since the epoch. */
  issue(token: AccessTokenClaims & { iat: number }): Promise<string>
  /** False without any work for what cannot be one of ours by its form. */
  looksLikeOurs(token: string): boolean
  /** Changes when a key is removed before its time: what was verified before has to be verified again. */
  keyGeneration(): number
  /** Checks type, algorithm, signature, issuer and expiry (RFC 9068 section 4). The audience is the caller's to compare. */
  verify(token: string): Promise<Verification>
}

/** @param now milliseconds since the epoch */
export function createAccessTokens(deps: {
  issuer: string
  keys: SigningKeys
  now: () => number
}): AccessTokens {
  const { issuer, keys, now } = deps
  return {
    issue({ iat, exp, ...claims }) {
      const { kid, privateKey } = keys.current()
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: TYPE, kid })
        .setIssuer(issuer)
        .setJti(randomToken(12))
        .setIssuedAt(iat)
        .setExpirationTime(exp)
        .sign(privateKey)
    },
    keyGeneration: () => keys.generation(),
    // The dot first: most garbage has none.
    looksLikeOurs: (token) => token.includes('.') && COMPACT_JWS.test(token),
    async verify(token) {
      try {
        // Before the costly signature: what says of itself that it has expired is refused either way.
        const { exp } = decodeJwt(token)
        if (typeof exp === 'number' && exp * 1000 <= now()) return { ok: false, reason: 'expired' }
        const { payload } = await jwtVerify(
          token,
          // `jku`, `x5u` and an embedded `jwk` are never followed: the key is one of ours or none (threat T34).
          async ({ kid }) => {
            const key = kid === undefined ? undefined : await keys.find(kid)
            if (!key) throw new errors.JWKSNoMatchingKey()
            return key.publicKey
          },
          { issuer, typ: TYPE, algorithms: ['RS256'], currentDate: new Date(now()) },
        )
        const claims = Claims.safeParse(payload)
        return claims.success ? { ok: true, claims: claims.data } : { ok: false, reason: 'invalid' }
      } catch (error) {
        if (error instanceof errors.JWTExpired) return { ok: false, reason: 'expired' }
        if (error instanceof errors.JOSEError) return { ok: false, reason: 'invalid' }
        throw error
      }
    },
  }
}
