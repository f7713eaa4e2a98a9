/**
 * Signed-in browsers. This folder owns the target, token, cookie, verifier and logout of a session; it does not own
 * logging in (`src/login/`). This file turns the cookie of a session into a verified credential (decision K24).
 *
 * @module
 */
import type { Credential, RefusedFacts } from '../credentials/credential.ts'
import type { CookieSource } from '../credentials/credentials.ts'
import { createGrantCredentials, type GrantCredentialsDeps } from '../credentials/grant-tokens.ts'
import { isByProgram } from '../http/browser-request.ts'
import { shortGrant } from '../oauth/grant-facts.ts'
import { subjectOf } from '../oauth/subject.ts'
import type { Grant } from '../records/records.ts'
import type { Resource } from '../resources/resource-table.ts'
import { isUnder, normalizeHost } from '../url/host.ts'
import type { SessionActivity } from './activity.ts'
import type { SessionClaims, SessionTokens } from './cookie-token.ts'
import { domainCookieName, presentedSessions } from './cookies.ts'
import { domainAudience } from './target.ts'

/** The credential of a `Cookie` header, and the token that it came from. */
export interface FoundSession {
  readonly credential: Credential
  /** Undefined if the header has no token that counts. */
  readonly token: string | undefined
}

export interface SessionVerifier extends CookieSource {
  /**
   * As `verify`, with the raw token for a caller that passes it on. Rejects with StorageUnavailable.
   * @param cookie the value of `Cookie`
   * @param rawHeaders all headers of the request
   */
  find(cookie: string, resource: Resource, rawHeaders: readonly string[]): Promise<FoundSession>
}

export interface SessionVerifierDeps extends GrantCredentialsDeps {
  readonly tokens: SessionTokens
  readonly activity: SessionActivity
  /** Our origin. */
  readonly issuer: string
  readonly cookieDomain: string | undefined
}

const refused = (reason: string): Credential => ({ kind: 'refused', reason, source: 'cookie' })
const NONE: Credential = { kind: 'none' }
const SEVERAL_PEOPLE = refused('the browser sent sessions of different people')
const IDLE = refused('the session was idle for too long')
const ANSWERS = {
  notOurs: refused('the cookie is not one of ours'),
  expired: (about: RefusedFacts): Credential => ({
    kind: 'refused',
    reason: 'the session has expired',
    source: 'cookie',
    about,
  }),
  revoked: refused('the session was ended'),
}

export function createSessionVerifier(deps: SessionVerifierDeps): SessionVerifier {
  const { tokens, records, activity, issuer, cookieDomain } = deps
  const domain = cookieDomain === undefined ? undefined : domainCookieName(issuer)
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
      clientName: grant.clientName,
      grant: shortGrant(grant.id),
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

  /** The tokens of a request in groups: those of the first count before those of the next. */
  function present(cookie: string, resource: Resource, rawHeaders: readonly string[]): Groups {
    const secure = resource.origin.startsWith('https:')
    const found = presentedSessions(cookie, { secure, domain })
    // Under a domain its hosts can set any of these cookies (decision K24), so this one is no worse than the others.
    const mayCount = domain !== undefined || (found.byHand.length > 0 && isByProgram(rawHeaders))
    // A sign-in sets the same token under both names.
    const byHand = mayCount ? found.byHand.filter((token) => !found.domain.includes(token)) : []
    return [found.own, found.domain, byHand]
  }

  /** Of several sessions the one that is good here (decision K44). */
  async function choose(groups: Groups, resource: Resource): Promise<FoundSession> {
    const judged = await Promise.all(
      groups.map((group) =>
        Promise.all(group.map(async (token) => ({ token, credential: await verifyToken(token) }))),
      ),
    )
    return chosen(judged, resource)
  }

  return {
    verify(cookie, resource, rawHeaders) {
      const groups = present(cookie, resource, rawHeaders)
      const [own, ofDomain, byHand] = groups
      if (own.length + ofDomain.length + byHand.length > 1) {
        return choose(groups, resource).then(({ credential }) => credential)
      }
      const token = own[0] ?? ofDomain[0] ?? byHand[0]
      return token === undefined ? NONE : verifyToken(token)
    },
    find: (cookie, resource, rawHeaders) => choose(present(cookie, resource, rawHeaders), resource),
  }
}

type Groups = readonly [readonly string[], readonly string[], readonly string[]]

/**
 * The session that counts: in the first group that has one, a session that is good at the resource, unless the group has
 * good ones of different people. Without any, the refusal of the first.
 */
function chosen(
  groups: readonly (readonly { readonly token: string; readonly credential: Credential }[])[],
  resource: Resource,
): FoundSession {
  for (const group of groups) {
    const good = group.flatMap(({ token, credential }) =>
      credential.kind === 'verified' && credential.verified.isFor(resource)
        ? [{ token, credential, sub: credential.verified.sub }]
        : [],
    )
    const [first] = good
    if (!first) continue
    return good.every(({ sub }) => sub === first.sub)
      ? first
      : { credential: SEVERAL_PEOPLE, token: undefined }
  }
  return groups.flat()[0] ?? { credential: NONE, token: undefined }
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
