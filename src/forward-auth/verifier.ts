/**
 * Turns an access token of ours into a verified credential. A token seen before costs a look-up, and the question
 * whether its grant still stands; no promise, no network (decision K29).
 *
 * @module
 */
import { sha256 } from '../crypto.ts'
import type { AccessTokenClaims, AccessTokens } from '../oauth/access-token.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Persons } from '../storage/persons.ts'
import type { Grant, Records } from '../storage/records.ts'
import type { Standings } from '../storage/standing.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import type { Credential, Verified } from './decide.ts'
import { createKeptCredentials } from './kept-credentials.ts'

export interface Verifier {
  /**
   * The credential of an `Authorization` header that was verified before, without a promise; undefined if it was not,
   * or has to be verified anew. Throws StorageUnavailable.
   */
  known(authorization: string): Credential | undefined
  /**
   * The credential of the bearer token in an `Authorization` header. Rejects with StorageUnavailable when the store
   * does not answer: an outage, never a refusal.
   */
  verify(authorization: string, token: string): Credential | Promise<Credential>
}

export interface VerifierDeps {
  readonly accessTokens: AccessTokens
  readonly records: Records
  /** The people behind grants as known now (decision K12). */
  readonly persons: Persons
  /** Whether what was read of a grant still holds. */
  readonly standings: Standings
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'bearer' })
const NOT_OURS = refused('the token is not one of ours')
const EXPIRED = refused('the token has expired')
const REVOKED = refused('the grant was revoked or has ended')

export function createVerifier(deps: VerifierDeps): Verifier {
  const { accessTokens, records, persons, standings, now } = deps
  // Kept by the whole header: that is what is at hand before anything of it is parsed.
  const kept = createKeptCredentials({
    standings,
    keyGeneration: () => accessTokens.keyGeneration(),
    expired: EXPIRED,
    revoked: REVOKED,
    now,
  })

  async function verifyCold(authorization: string, token: string): Promise<Credential> {
    const generation = accessTokens.keyGeneration()
    const verification = await accessTokens.verify(token)
    if (!verification.ok) return verification.reason === 'expired' ? EXPIRED : NOT_OURS
    const { claims } = verification
    const watch = standings.begin(claims.gid)
    const grant = await records.grants.find(claims.gid)
    const person = grant && (await persons.find(grant))
    if (!grant || !person) {
      // What was read before a silence may not outlive it.
      kept.forget(authorization)
      return REVOKED
    }
    // A token says what its grant says; anything else was signed by someone who has the key and no grant.
    if (!agrees(claims, grant)) return NOT_OURS
    const verified: Verified = {
      source: 'bearer',
      isFor: (resource) => resource.audience === claims.aud,
      isPerson: true,
      person,
      sub: claims.sub,
      scopes: claims.scope.split(' '),
      clientHash: grant.clientHash,
      expiresAt: Math.min(claims.exp, grant.expiresAt) * 1000,
    }
    kept.keep({ token: authorization, verified, generation, reading: { grant, person, watch } })
    return { kind: 'verified', verified }
  }

  async function verifyOrBridge(authorization: string, token: string): Promise<Credential> {
    try {
      return await verifyCold(authorization, token)
    } catch (error) {
      const known =
        error instanceof StorageUnavailable ? kept.findInOutage(authorization) : undefined
      if (known) return known.credential
      throw error
    }
  }

  return {
    known: (authorization) => kept.find(authorization)?.credential,
    verify: (authorization, token) =>
      accessTokens.looksLikeOurs(token) ? verifyOrBridge(authorization, token) : NOT_OURS,
  }
}

function agrees(claims: AccessTokenClaims, grant: Grant): boolean {
  return (
    claims.sub === subjectOf(grant) &&
    claims.aud === grant.resource &&
    sha256(claims.client_id) === grant.clientHash &&
    claims.scope.split(' ').every((scope) => grant.scopes.includes(scope))
  )
}
