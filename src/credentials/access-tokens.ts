/**
 * Turns an access token of ours into a verified credential.
 *
 * @module
 */
import { shortGrant } from '../oauth/grant-facts.ts'
import { isMachine } from '../oauth/subject.ts'
import { type AccessTokens, agreesWithGrant } from '../oauth/tokens/access-token.ts'
import type { PersonToken } from '../providers/provider.ts'
import type { Grant } from '../records/records.ts'
import type { Credential, RefusedFacts } from './credential.ts'
import { createGrantCredentials, type GrantCredentialsDeps } from './grant-tokens.ts'

export interface Verifier {
  /**
   * The credential of an `Authorization` header that was verified before, without a promise; undefined if it was not,
   * or has to be verified again. Throws StorageUnavailable.
   */
  known(authorization: string): Credential | undefined
  /**
   * The credential of the bearer token in an `Authorization` header. Rejects with StorageUnavailable when the store
   * does not answer: an outage, never a refusal.
   */
  verify(authorization: string, token: string): Credential | Promise<Credential>
}

export interface VerifierDeps extends GrantCredentialsDeps {
  readonly accessTokens: AccessTokens
  /** The provider's access token for the server of a grant. Rejects with StorageUnavailable. */
  readonly personTokenOf: (grant: Grant) => Promise<PersonToken | undefined>
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'bearer' })
const ANSWERS = {
  notOurs: refused('the token is not one of ours'),
  expired: (about: RefusedFacts): Credential => ({
    kind: 'refused',
    reason: 'the token has expired',
    source: 'bearer',
    about,
  }),
  revoked: refused('the grant was revoked or has ended'),
}

export function createVerifier(deps: VerifierDeps): Verifier {
  const { accessTokens } = deps
  // The key is the whole header, which is at hand before anything of it is parsed.
  const credentials = createGrantCredentials(deps, {
    tokens: accessTokens,
    answers: ANSWERS,
    agrees: agreesWithGrant,
    personTokenOf: deps.personTokenOf,
    verified({ claims: { aud, sub, scope }, grant, person, expiresAt, personToken }) {
      return {
        source: 'bearer',
        // Holds the audience alone: the claims are large, and thousands of these are kept.
        isFor: (resource) => resource.audience === aud,
        isPerson: !isMachine(grant),
        person,
        sub,
        scopes: scope.split(' '),
        clientHash: grant.clientHash,
        clientName: grant.clientName,
        grant: shortGrant(grant.id),
        expiresAt,
        ...(personToken && { personToken }),
      }
    },
  })
  return {
    known: (authorization) => credentials.find(authorization)?.credential,
    verify: (authorization, token) => credentials.verify(authorization, token),
  }
}
