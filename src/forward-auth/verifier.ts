/**
 * Turns an access token of ours into a verified credential. A token seen before costs a look-up and a synchronous
 * read of its grant; no promise, no network (decision K29).
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { sha256 } from '../crypto.ts'
import type { AccessTokenClaims, AccessTokens } from '../oauth/access-token.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Persons } from '../storage/persons.ts'
import type { Grant, Records } from '../storage/records.ts'
import type { Credential, Verified } from './decide.ts'

/** Verified tokens kept, about 2 kB each. */
const MAX_VERIFIED = 10_000
/** A header padded beyond any token of ours is verified each time, not kept. */
const MAX_KEPT_LENGTH = 4096

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
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Entry {
  /** The whole header, compared before the entry is used. */
  readonly authorization: string
  /** Of the signing keys when the signature was checked. */
  readonly generation: number
  readonly credential: Credential
  readonly verified: Verified
  readonly grant: Grant
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'bearer' })
const NOT_OURS = refused('the token is not one of ours')
const EXPIRED = refused('the token has expired')
const REVOKED = refused('the grant was revoked or has ended')

export function createVerifier({ accessTokens, records, persons, now }: VerifierDeps): Verifier {
  // By the end of the signature: hashing a whole token costs as much as the rest of a check.
  const known = new LRUCache<string, Entry>({ max: MAX_VERIFIED })
  const { isLive } = records.grants

  async function verifyCold(authorization: string, token: string): Promise<Credential> {
    const generation = accessTokens.keyGeneration()
    const verification = await accessTokens.verify(token)
    if (!verification.ok) return verification.reason === 'expired' ? EXPIRED : NOT_OURS
    const { claims } = verification
    const grant = await records.grants.find(claims.gid)
    const person = grant && (await persons.find(grant))
    if (!grant || !person) return REVOKED
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
    const credential: Credential = { kind: 'verified', verified }
    if (isLive && authorization.length <= MAX_KEPT_LENGTH) {
      known.set(keyOf(authorization), { authorization, generation, credential, verified, grant })
    }
    return credential
  }

  return {
    known(authorization) {
      const entry = known.get(keyOf(authorization))
      // The whole of it is compared, so two credentials never share an entry.
      if (entry?.authorization !== authorization || !isLive) return undefined
      const stale = staleness(entry, isLive)
      if (stale === undefined) return entry.credential
      known.delete(keyOf(authorization))
      return stale === 'changed' ? undefined : stale
    },
    verify: (authorization, token) =>
      accessTokens.looksLikeOurs(token) ? verifyCold(authorization, token) : NOT_OURS,
  }

  /** What happened to a credential since it was verified; undefined if nothing did. */
  function staleness(
    { verified, grant, generation }: Entry,
    isLive: (grantId: string) => boolean,
  ): Credential | 'changed' | undefined {
    if (now() >= verified.expiresAt) return EXPIRED
    if (!isLive(grant.id)) return REVOKED
    if (generation !== accessTokens.keyGeneration()) return 'changed'
    return persons.isCurrent(grant, verified.person) ? undefined : 'changed'
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

const KEY_LENGTH = 48

const keyOf = (authorization: string) => authorization.slice(-KEY_LENGTH)
