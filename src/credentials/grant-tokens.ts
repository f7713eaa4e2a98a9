/**
 * Credentials that stand for a grant: tokens that this server signed. A token seen before costs a look-up and a check
 * that its grant still holds; no promise, no network (decision K29).
 *
 * @module
 */
import { shortGrant } from '../oauth/grant-facts.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { AuthenticToken, SignedTokens } from '../oauth/tokens/signed-token.ts'
import type { Identity, PersonToken } from '../providers/provider.ts'
import type { WatchGrant } from '../records/grant-watch.ts'
import type { Persons } from '../records/persons.ts'
import type { Grant, HeldGrant, Records } from '../records/records.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import type { Credential, RefusedFacts, Verified } from './credential.ts'
import { createVerifiedCache, type Known } from './verified-cache.ts'

/** A kind of token, and the rules that only this kind has. */
export interface GrantToken<Claims extends GrantClaims> {
  readonly tokens: Pick<SignedTokens<Claims>, 'keyGeneration' | 'inspect' | 'verifySignature'>
  /** The answers for a token that is not good. */
  readonly answers: {
    readonly notOurs: Credential
    readonly expired: (about: RefusedFacts) => Credential
    readonly revoked: Credential
  }
  /** True if the token says what its grant says. */
  readonly agrees: (claims: Claims, grant: Grant) => boolean
  /** A further check that only the store can make: undefined lets the token pass. Rejects with StorageUnavailable. */
  readonly refusal?: (grant: Grant) => Promise<Credential | undefined>
  /** False if a credential that was verified before may not bridge an outage. */
  readonly mayBridge?: (grant: HeldGrant) => boolean
  /** The provider's access token for the server of the grant. Absent: no server gets it. Rejects with StorageUnavailable. */
  readonly personTokenOf?: (grant: Grant) => Promise<PersonToken | undefined>
  readonly verified: (found: {
    claims: Claims
    grant: Grant
    person: Identity
    /** When the token or its grant ends, milliseconds since the epoch. */
    expiresAt: number
    personToken: PersonToken | undefined
  }) => Verified
}

interface GrantClaims {
  /** The grant's id. */
  readonly gid: string
  /** Seconds since the epoch. */
  readonly exp: number
}

export interface GrantCredentials {
  /** The entry under `key`, without a promise; undefined if the token has to be verified. Throws StorageUnavailable. */
  find(key: string): Known | undefined
  /**
   * Verifies `token` and keeps the result under `key`. Rejects with StorageUnavailable when the store does not answer
   * and no entry bridges that: an outage, never a refusal.
   */
  verify(key: string, token: string): Credential | Promise<Credential>
}

export interface GrantCredentialsDeps {
  readonly records: Records
  /** The people behind grants, as they are known now (decision K12). */
  readonly persons: Persons
  readonly watchGrant: WatchGrant
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function createGrantCredentials<Claims extends GrantClaims>(
  deps: GrantCredentialsDeps,
  token: GrantToken<Claims>,
): GrantCredentials {
  const { records, persons, watchGrant, now } = deps
  const { tokens, answers } = token
  const kept = createVerifiedCache({
    keyGeneration: () => tokens.keyGeneration(),
    expired: ({ grant, verified: { sub, expiresAt } }) =>
      answers.expired(expiryFacts({ gid: grant.id, sub, expiresAt }, now())),
    revoked: answers.revoked,
    now,
  })

  async function verify(key: string, presented: AuthenticToken<Claims>): Promise<Credential> {
    const generation = tokens.keyGeneration()
    const verification = await tokens.verifySignature(presented)
    if (!verification.ok) return answers.notOurs
    const { claims } = verification
    const watch = watchGrant(claims.gid)
    const grant = await records.grants.find(claims.gid)
    const person = grant && (await persons.find(grant))
    if (!grant || !person) {
      // An entry from before a silence of the store must not outlive it.
      kept.forget(key)
      return answers.revoked
    }
    // A token says what its grant says; any other was signed by somebody who has the key but no grant.
    if (!token.agrees(claims, grant)) return answers.notOurs
    const expiresAt = Math.min(claims.exp, grant.expiresAt) * 1000
    if (now() >= expiresAt) {
      return answers.expired(
        expiryFacts({ gid: grant.id, sub: subjectOf(grant), expiresAt }, now()),
      )
    }
    const refusal = await token.refusal?.(grant)
    if (refusal) {
      kept.forget(key)
      return refusal
    }
    const personToken = await token.personTokenOf?.(grant)
    const verified = token.verified({ claims, grant, person, expiresAt, personToken })
    kept.keep({ token: key, verified, generation, reading: { grant: held(grant), person, watch } })
    return { kind: 'verified', verified }
  }

  return {
    find: (key) => kept.find(key),
    verify(key, presented) {
      const inspected = tokens.inspect(presented)
      // At once, and without the store: forged and expired tokens cost no more than garbage (decision K34).
      if (!inspected.ok) {
        return inspected.reason === 'expired'
          ? answers.expired(expiryFacts(inspected, now()))
          : answers.notOurs
      }
      return verify(key, inspected).catch((error: unknown) => {
        const known = error instanceof StorageUnavailable ? kept.findInOutage(key) : undefined
        if (known && (token.mayBridge?.(known.grant) ?? true)) return known.credential
        throw error
      })
    },
  }
}

/** @param now milliseconds since the epoch, as `expiresAt` */
const expiryFacts = (
  ended: { readonly gid?: string; readonly sub?: string; readonly expiresAt: number },
  now: number,
): RefusedFacts => ({
  sub: ended.sub,
  grant: ended.gid && shortGrant(ended.gid),
  expiredSeconds: Math.max(0, Math.round((now - ended.expiresAt) / 1000)),
})

const held = ({ id, provider, issuer, subject, credential, expiresAt }: Grant): HeldGrant => ({
  id,
  provider,
  issuer,
  subject,
  expiresAt,
  ...(credential !== undefined && { credential }),
})
