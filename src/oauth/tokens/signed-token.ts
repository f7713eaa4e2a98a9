/**
 * Tokens that this server signs and verifies itself: JWTs, RS256, each kind under a `typ` of its own, so that one is
 * never taken for another (RFC 8725 section 3.11).
 *
 * @module
 */
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose'
import type { z } from 'zod'
import { randomToken } from '../../crypto.ts'
import type { SigningKeys } from './signing-keys.ts'

/** What every kind says besides its own claims. Seconds since the epoch. */
interface Times {
  readonly iat: number
  readonly exp: number
}

export type Verification<Claims> =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly reason: 'expired' | 'invalid' }

export interface SignedTokens<Claims> {
  issue(claims: Claims & Times): Promise<string>
  /** Changes when a key is removed before its time: what was verified before has to be verified again. */
  keyGeneration(): number
  /** Checks type, algorithm, signature, issuer and expiry. The audience is the caller's to compare. */
  verify(token: string): Promise<Verification<Claims>>
}

/** @param deps `claims`: the shape of this kind; `now` in milliseconds since the epoch */
export function createSignedTokens<Claims extends object>(deps: {
  type: string
  claims: z.ZodType<Claims>
  issuer: string
  keys: SigningKeys
  now: () => number
}): SignedTokens<Claims> {
  const { type, issuer, keys, now } = deps
  return {
    issue({ iat, exp, ...claims }) {
      const { kid, privateKey } = keys.current()
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'RS256', typ: type, kid })
        .setIssuer(issuer)
        .setJti(randomToken(12))
        .setIssuedAt(iat)
        .setExpirationTime(exp)
        .sign(privateKey)
    },
    keyGeneration: () => keys.generation(),
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
          { issuer, typ: type, algorithms: ['RS256'], currentDate: new Date(now()) },
        )
        const claims = deps.claims.safeParse(payload)
        return claims.success ? { ok: true, claims: claims.data } : { ok: false, reason: 'invalid' }
      } catch (error) {
        if (error instanceof errors.JWTExpired) return { ok: false, reason: 'expired' }
        if (error instanceof errors.JOSEError) return { ok: false, reason: 'invalid' }
        throw error
      }
    },
  }
}
