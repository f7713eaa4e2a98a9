/**
 * Turns the cookie of a signed-in browser into a verified credential (decision K24). A cookie seen before costs a
 * look-up, and the question whether its grant still stands; no promise, no network (decision K29).
 *
 * @module
 */
import type { CookieSource } from '../forward-auth/credentials.ts'
import type { Credential, Verified } from '../forward-auth/decide.ts'
import { createKeptCredentials } from '../forward-auth/kept-credentials.ts'
import type { Resource } from '../forward-auth/resource.ts'
import { normalizeHost } from '../http/host.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Persons } from '../storage/persons.ts'
import type { Grant, Records } from '../storage/records.ts'
import type { Standings } from '../storage/standing.ts'
import { StorageUnavailable } from '../storage/storage.ts'
import type { SessionActivity } from './session-activity.ts'
import { type PresentedSession, presentedSession } from './session-cookies.ts'
import { domainAudience, isUnder } from './session-target.ts'
import type { SessionClaims, SessionTokens } from './session-token.ts'

/** What a `Cookie` header says, and the token it says it with. */
export interface FoundSession {
  readonly credential: Credential
  /** Undefined where there is none, or more than one. */
  readonly token: string | undefined
}

export interface SessionVerifier extends CookieSource {
  /**
   * The same with the raw token, for whoever hands it on. Rejects with StorageUnavailable.
   * @param cookie the value of `Cookie`
   */
  find(cookie: string, resource: Resource): Promise<FoundSession>
}

export interface SessionVerifierDeps {
  readonly tokens: SessionTokens
  readonly records: Records
  /** The people behind grants as known now (decision K12). */
  readonly persons: Persons
  /** Whether what was read of a grant still holds. */
  readonly standings: Standings
  readonly activity: SessionActivity
  readonly cookieDomain: string | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'cookie' })
const NONE: Credential = { kind: 'none' }
const DOUBLED: Credential = { kind: 'malformed', source: 'cookie' }
const NOT_OURS = refused('the cookie is not one of ours')
const EXPIRED = refused('the session has expired')
const REVOKED = refused('the session was ended')
const IDLE = refused('the session was idle for too long')

export function createSessionVerifier(deps: SessionVerifierDeps): SessionVerifier {
  const { tokens, records, persons, standings, activity, cookieDomain, now } = deps
  const kept = createKeptCredentials({
    standings,
    keyGeneration: () => tokens.keyGeneration(),
    expired: EXPIRED,
    revoked: REVOKED,
    now,
  })

  function verifyToken(token: string): Credential | Promise<Credential> {
    const known = kept.find(token)
    if (!known) return verifyOrBridge(token)
    if (known.credential.kind === 'verified') {
      // Other processes may have seen it in use: the store knows.
      if (!activity.isKnown(known.grant)) return verifyOrBridge(token)
      activity.renew(known.grant)
    }
    return known.credential
  }

  async function verifyOrBridge(token: string): Promise<Credential> {
    try {
      return await verifyCold(token)
    } catch (error) {
      const known = error instanceof StorageUnavailable ? kept.findInOutage(token) : undefined
      if (known && activity.isKnown(known.grant)) return known.credential
      throw error
    }
  }

  async function verifyCold(token: string): Promise<Credential> {
    const generation = tokens.keyGeneration()
    const verification = await tokens.verify(token)
    if (!verification.ok) return verification.reason === 'expired' ? EXPIRED : NOT_OURS
    const { claims } = verification
    const watch = standings.begin(claims.gid)
    const grant = await records.grants.find(claims.gid)
    const person = grant && (await persons.find(grant))
    if (!grant || !person) {
      // What was read before a silence may not outlive it.
      kept.forget(token)
      return REVOKED
    }
    // A token says what its grant says; anything else was signed by someone who has the key and no grant.
    if (!agrees(claims, grant)) return NOT_OURS
    const expiresAt = Math.min(claims.exp, grant.expiresAt) * 1000
    if (now() >= expiresAt) return EXPIRED
    if (!(await records.sessions.isActive(grant.id))) {
      kept.forget(token)
      return IDLE
    }
    activity.renew(grant)
    const verified: Verified = {
      source: 'cookie',
      isFor: audienceOf(claims.aud, cookieDomain),
      isPerson: true,
      person,
      sub: claims.sub,
      scopes: scopesOf(claims),
      clientHash: grant.clientHash,
      expiresAt,
    }
    kept.keep({ token, verified, generation, reading: { grant, person, watch } })
    return { kind: 'verified', verified }
  }

  function credentialOf(presented: PresentedSession): Credential | Promise<Credential> {
    switch (presented.kind) {
      case 'none':
        return NONE
      case 'doubled':
        return DOUBLED
      case 'one':
        return verifyToken(presented.token)
    }
  }

  const present = (cookie: string, resource: Resource) =>
    presentedSession(cookie, resource.origin.startsWith('https:'))

  return {
    verify: (cookie, resource) => credentialOf(present(cookie, resource)),
    async find(cookie, resource) {
      const presented = present(cookie, resource)
      return {
        credential: await credentialOf(presented),
        token: presented.kind === 'one' ? presented.token : undefined,
      }
    },
  }
}

/** Where a session counts: at its own resource, or everywhere under the domain it is for (decision K24). */
function audienceOf(
  audience: string,
  cookieDomain: string | undefined,
): (resource: Resource) => boolean {
  if (cookieDomain === undefined || audience !== domainAudience(cookieDomain)) {
    return (resource) => resource.audience === audience
  }
  return (resource) => {
    const host = normalizeHost(new URL(resource.origin).host)
    return host !== undefined && isUnder(host, cookieDomain)
  }
}

const scopesOf = ({ scope }: SessionClaims): string[] => scope.split(' ').filter(Boolean)

function agrees(claims: SessionClaims, grant: Grant): boolean {
  return (
    claims.sub === subjectOf(grant) &&
    claims.aud === grant.resource &&
    scopesOf(claims).every((scope) => grant.scopes.includes(scope))
  )
}
