/**
 * The token in the cookie of a signed-in browser: a JWT of its own type, so that it is never taken for an access
 * token, nor an access token for it (decision K24).
 *
 * @module
 */
import { decodeJwt, errors, jwtVerify, SignJWT } from 'jose'
import { z } from 'zod'
import { randomToken } from '../crypto.ts'
import type { SigningKeys } from '../oauth/keys.ts'

const TYPE = 'session+jwt'

const Claims = z.object({
  sub: z.string(),
  aud: z.string(),
  scope: z.string(),
  gid: z.string(),
  iat: z.number(),
  exp: z.number(),
  /** For the programs that read it there, as mcpauth's did; never what a check goes by. */
  email: z.string().optional(),
})

/** What a verified session token says. Times in seconds since the epoch. */
export type SessionClaims = Readonly<z.infer<typeof Claims>>

export type SessionVerification =
  | { readonly ok: true; readonly claims: SessionClaims }
  | { readonly ok: false; readonly reason: 'expired' | 'invalid' }

export interface SessionTokens {
  issue(claims: SessionClaims): Promise<string>
  /** Changes when a key is removed before its time: what was verified before has to be verified again. */
  keyGeneration(): number
  /** Checks type, algorithm, signature, issuer and expiry. The audience is the caller's to compare. */
  verify(token: string): Promise<SessionVerification>
}

/** @param deps `issuer`: our origin; `now` in milliseconds since the epoch */
export function createSessionTokens(deps: {
  issuer: string
  keys: SigningKeys
  now: () => number
}): SessionTokens {
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
    async verify(token) {
      try {
        const { exp } = decodeJwt(token)
        if (typeof exp === 'number' && exp * 1000 <= now()) return { ok: false, reason: 'expired' }
        const { payload } = await jwtVerify(
          token,
          // The key is one of ours or none: `jku`, `x5u` and an embedded `jwk` are never followed (threat T34).
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
