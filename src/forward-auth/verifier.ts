/**
 * Turns a presented token into a verified credential. A token seen before costs a look-up and a synchronous read
 * of its grant; no promise, no network (decision K29).
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { sha256 } from '../crypto.ts'
import type { AccessTokens } from '../oauth/access-token.ts'
import type { Identity } from '../providers/provider.ts'
import type { Grant, Records } from '../storage/records.ts'
import type { Presented } from './credential.ts'
import type { Credential, Verified } from './decide.ts'

/** Verified tokens kept, about 2 kB each. */
const MAX_VERIFIED = 10_000

export interface Verifier {
  /** Rejects or throws with StorageUnavailable when the store does not answer: an outage, never a refusal. */
  verify(presented: Presented): Credential | Promise<Credential>
}

export interface VerifierDeps {
  readonly accessTokens: AccessTokens
  readonly records: Records
  /** The person behind a grant as known now, or undefined if they are gone (decision K12). */
  readonly personOf: (grant: Grant) => Identity | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Entry {
  readonly credential: Credential
  readonly verified: Verified
  readonly grant: Grant
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason })
const NOT_OURS = refused('the token is not one of ours')
const EXPIRED = refused('the token has expired')
const REVOKED = refused('the grant was revoked or has ended')

export function createVerifier({ accessTokens, records, personOf, now }: VerifierDeps): Verifier {
  // The whole token is the key, so that two tokens can never share an entry.
  const known = new LRUCache<string, Entry>({ max: MAX_VERIFIED })
  const { peek } = records.grants

  async function verifyCold(token: string): Promise<Credential> {
    const verification = await accessTokens.verify(token)
    if (!verification.ok) return verification.reason === 'expired' ? EXPIRED : NOT_OURS
    const { claims } = verification
    const grant = await records.grants.find(claims.gid)
    const person = grant && personOf(grant)
    if (!grant || !person) return REVOKED
    const verified: Verified = {
      grantId: grant.id,
      audience: claims.aud,
      person,
      sub: claims.sub,
      scopes: claims.scope.split(' '),
      clientHash: sha256(claims.client_id),
      expiresAt: claims.exp * 1000,
    }
    const credential: Credential = { kind: 'verified', verified }
    if (peek) known.set(token, { credential, verified, grant })
    return credential
  }

  return {
    verify(presented) {
      if (presented.kind !== 'bearer') return presented
      const { token } = presented
      const entry = known.get(token)
      if (!entry || !peek) {
        return accessTokens.looksLikeOurs(token) ? verifyCold(token) : NOT_OURS
      }
      if (now() >= entry.verified.expiresAt) {
        known.delete(token)
        return EXPIRED
      }
      if (!peek(entry.grant.id)) {
        known.delete(token)
        return REVOKED
      }
      if (personOf(entry.grant) !== entry.verified.person) {
        known.delete(token)
        return verifyCold(token)
      }
      return entry.credential
    },
  }
}
