/**
 * A sign-in for a page in this browser: it ends in the cookie of a session, or, where another host has to set that
 * cookie, in a code for that host (decision K24).
 *
 * @module
 */
import { randomToken, sha256 } from '../crypto.ts'
import { resourceGone } from '../login/complete.ts'
import type { SessionInteraction } from '../login/interaction.ts'
import type { Purpose } from '../login/purpose.ts'
import { grantedScopes } from '../oauth/scope.ts'
import { SESSION_CALLBACK_PATH } from '../paths.ts'
import type { Grant, Records } from '../records/records.ts'
import { isUnder, normalizeHost } from '../url/host.ts'
import type { ConnectProofs } from './connect-proof.ts'
import { setSession } from './reply.ts'
import type { SignInRounds } from './sign-in-rounds.ts'
import {
  type CookieScope,
  gatewayLoginUrl,
  keptFragment,
  type SessionRules,
  type SessionTarget,
  sessionTarget,
} from './target.ts'
import type { IssueSession } from './token-issuer.ts'

/** mcpauth's `client_id` for the browser; grants and `X-Forwarded-Client` hold its hash. */
const BROWSER_CLIENT_ID = 'edge-auth-client'
const BROWSER_NAME = 'Browser'
const CLIENT_HASH = sha256(BROWSER_CLIENT_ID)

export interface BrowserPurposeDeps {
  readonly rules: SessionRules
  readonly records: Records
  readonly issue: IssueSession
  readonly rounds: SignInRounds
  readonly connectProofs: ConnectProofs
  /** Seconds. */
  readonly sessionLifetime: number
}

export function browserPurpose(interaction: SessionInteraction, deps: BrowserPurposeDeps): Purpose {
  const { rules, records, issue, rounds } = deps
  /** The target of the page's address now: the configuration may have changed since the sign-in began. */
  const target = (): SessionTarget & { place: Place } => {
    const found = sessionTarget(interaction.returnTo, rules)
    const place = found && placeOf(found.cookie, interaction.nonceHash)
    if (!place) throw resourceGone()
    return { ...found, place }
  }
  const again = (label: string) => ({
    label,
    href: gatewayLoginUrl(rules.issuer, interaction.returnTo) + keptFragment(interaction.fragment),
    carriesFragment: true,
  })

  return {
    resource: () => target().resource,
    terms(now) {
      const { returnTo, audience, ...goal } = target()
      return {
        clientHash: CLIENT_HASH,
        clientName: BROWSER_NAME,
        redirectHost: new URL(returnTo).host,
        resource: audience,
        scopes: scopesOf(goal, rules),
        expiresAt: now + deps.sessionLifetime,
      }
    },
    async finish(grant, person) {
      const goal = target()
      const { returnTo, place } = goal
      if (place.kind === 'host') {
        const code = await makeCode(grant, { returnTo, nonceHash: place.nonceHash }, records)
        return {
          location: `${new URL(returnTo).origin}${SESSION_CALLBACK_PATH}?code=${code}`,
          setCookies: (reply) => rounds.note(reply, goal, grant),
        }
      }
      const session = await issue(grant, person.email)
      const { issuer } = rules
      const { host, protocol } = new URL(issuer)
      return {
        location: returnTo,
        async setCookies(reply) {
          setSession(reply, session, { host, secure: protocol === 'https:', issuer, scope: place })
          if (rules.resources.isOurHostShared) {
            deps.connectProofs.set(reply, returnTo, session.token)
          }
          await rounds.note(reply, goal, grant)
        },
      }
    },
    restart: async () => again('Start again'),
    retry: async () => again('Try again'),
  }
}

/** The scope of the cookie; a host that sets its own knows the browser by a nonce. */
type Place =
  | Exclude<CookieScope, { kind: 'host' }>
  | { readonly kind: 'host'; readonly nonceHash: string }

function placeOf(cookie: CookieScope, nonceHash: string | undefined): Place | undefined {
  if (cookie.kind !== 'host') return cookie
  return nonceHash === undefined ? undefined : { kind: 'host', nonceHash }
}

/** The default scopes of every resource that the session is for. */
function scopesOf(
  { cookie, resource }: Pick<SessionTarget, 'cookie' | 'resource'>,
  { resources }: SessionRules,
): string[] {
  const covered =
    cookie.kind === 'domain'
      ? resources.everywhere.filter(({ origin }) => isUnder(new URL(origin).host, cookie.domain))
      : [resource]
  return [...new Set(covered.flatMap((one) => grantedScopes([], one)))]
}

async function makeCode(
  grant: Grant,
  { returnTo, nonceHash }: { returnTo: string; nonceHash: string },
  { sessionCodes }: Records,
): Promise<string> {
  const code = randomToken()
  const { host } = new URL(returnTo)
  await sessionCodes.create(sha256(code), {
    grantId: grant.id,
    host: normalizeHost(host) ?? host,
    nonceHash,
    returnTo,
  })
  return code
}
