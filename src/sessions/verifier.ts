/**
 * Signed-in browsers. This folder owns the target, token, cookie, verifier and logout of a session; it does not own
 * logging in (`src/login/`). This file turns the cookie of a session into a verified credential (decision K24).
 *
 * @module
 */
import type { Credential } from '../credentials/credential.ts'
import type { CookieSource } from '../credentials/credentials.ts'
import { createGrantCredentials, type GrantCredentialsDeps } from '../credentials/grant-tokens.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Grant } from '../records/records.ts'
import type { Resource } from '../resources/resource-table.ts'
import { isUnder, normalizeHost } from '../url/host.ts'
import type { SessionActivity } from './activity.ts'
import type { SessionClaims, SessionTokens } from './cookie-token.ts'
import { type PresentedSession, presentedSession } from './cookies.ts'
import { domainAudience } from './target.ts'

/** The credential of a `Cookie` header, and the token that it came from. */
export interface FoundSession {
  readonly credential: Credential
  /** Undefined if the header has no token, or more than one. */
  readonly token: string | undefined
}

export interface SessionVerifier extends CookieSource {
  /**
   * As `verify`, with the raw token for a caller that passes it on. Rejects with StorageUnavailable.
   * @param cookie the value of `Cookie`
   */
  find(cookie: string, resource: Resource): Promise<FoundSession>
}

export interface SessionVerifierDeps extends GrantCredentialsDeps {
  readonly tokens: SessionTokens
  readonly activity: SessionActivity
  readonly cookieDomain: string | undefined
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'cookie' })
const NONE: Credential = { kind: 'none' }
const DOUBLED: Credential = { kind: 'malformed', source: 'cookie' }
const IDLE = refused('the session was idle for too long')
const ANSWERS = {
  notOurs: refused('the cookie is not one of ours'),
  expired: refused('the session has expired'),
  revoked: refused('the session was ended'),
}

export function createSessionVerifier(deps: SessionVerifierDeps): SessionVerifier {
  const { tokens, records, activity, cookieDomain } = deps
  const credentials = createGrantCredentials(deps, {
    tokens,
    answers: ANSWERS,
    agrees,
    async refusal(grant) {
      if (!(await records.sessions.isActive(grant.id))) return IDLE
      activity.renew(grant)
      return undefined
    },
    mayBridge: (grant) => activity.isKnown(grant),
    verified: ({ claims, grant, person, expiresAt }) => ({
      source: 'cookie',
      isFor: audienceOf(claims.aud, cookieDomain),
      isPerson: true,
      isShared: cookieDomain !== undefined && claims.aud === domainAudience(cookieDomain),
      person,
      sub: claims.sub,
      scopes: scopesOf(claims),
      clientHash: grant.clientHash,
      expiresAt,
    }),
  })

  function verifyToken(token: string): Credential | Promise<Credential> {
    const known = credentials.find(token)
    if (!known) return credentials.verify(token, token)
    if (known.credential.kind === 'verified') {
      // Another process may have renewed the session: only the store knows.
      if (!activity.isKnown(known.grant)) return credentials.verify(token, token)
      activity.renew(known.grant)
    }
    return known.credential
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

/** The resources where a session counts: its own, or all under the domain that it is for (decision K24). */
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
