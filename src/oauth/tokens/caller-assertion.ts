/**
 * Our signed word to a protected server about who calls (features A6): a JWT of its own type, which opens nothing here or
 * elsewhere. It says what the identity headers say, and a server proves it by our public keys.
 *
 * @module
 */
import { signAtOnce } from './signature.ts'
import type { SigningKeys } from './signing-keys.ts'

/** No token that we accept has this type (RFC 8725 section 3.11). */
export const ASSERTION_TYPE = 'assertion+jwt'

/** In milliseconds: long enough for a server's clock to be off by a minute. */
const LIFETIME_MS = 300_000
/** A server gets one with at least half of its life left, unless the credential ends before. */
const RENEW_MS = LIFETIME_MS / 2

/** The caller, as the server of `audience` learns of them. */
export interface Asserted {
  readonly sub: string
  /** Verified. */
  readonly email: string | undefined
  readonly name: string | undefined
  readonly groups: readonly string[]
  readonly scopes: readonly string[]
  /** The URL of the server. */
  readonly audience: string
  /** When the credential ends; milliseconds since the epoch, or infinite. */
  readonly expiresAt: number
}

export interface CallerAssertion {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly renewAt: number
  /** That of the signing keys, which changes when a key is removed. */
  readonly generation: number
}

export interface CallerAssertions {
  make(asserted: Asserted): CallerAssertion
  /** True while servers may still get this one. */
  isFresh(assertion: CallerAssertion): boolean
}

/** @param deps `issuer`: our origin; `keys`: those of access tokens; `now` in milliseconds since the epoch */
export function createCallerAssertions(deps: {
  readonly issuer: string
  readonly keys: SigningKeys
  readonly now: () => number
}): CallerAssertions {
  const { issuer, keys, now } = deps
  return {
    make({ sub, email, name, groups, scopes, audience, expiresAt }) {
      const { kid, privateKey } = keys.current()
      const time = now()
      const iat = Math.floor(time / 1000)
      const header = { alg: keys.algorithm, typ: ASSERTION_TYPE, kid }
      const claims = {
        iss: issuer,
        aud: audience,
        sub,
        // Absent if unknown: `JSON.stringify` leaves undefined members out.
        email,
        name,
        groups,
        scope: scopes.join(' '),
        iat,
        exp: Math.ceil(Math.min(iat * 1000 + LIFETIME_MS, expiresAt) / 1000),
      }
      const signed = `${encode(header)}.${encode(claims)}`
      const signature = signAtOnce(keys.algorithm, signed, privateKey)
      return {
        token: `${signed}.${signature.toString('base64url')}`,
        renewAt: time + RENEW_MS,
        generation: keys.generation(),
      }
    },
    isFresh: ({ renewAt, generation }) => now() < renewAt && generation === keys.generation(),
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
