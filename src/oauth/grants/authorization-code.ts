/**
 * Redeems an authorization code (OAuth 2.1 section 4.1.3) exactly once (decision K14).
 *
 * @module
 */
import { sha256 } from '../../crypto.ts'
import { OAuthError } from '../../errors.ts'
import type { CodeRecord, Grant } from '../../records/records.ts'
import { required, several, single } from '../../url/parameters.ts'
import { clientFacts, shortGrant } from '../grant-facts.ts'
import { verifyChallenge } from '../pkce.ts'
import { sameRedirectUri } from '../redirect-uri.ts'
import { requireResource } from '../resource-indicator.ts'
import { startRefresh } from './first-refresh.ts'
import type { GrantDeps, GrantType, TokenRequest } from './grant-type.ts'

/** Seconds in which a code must be redeemed: people whose browser is on another machine carry it over by hand. */
const CODE_LIFETIME = 300

const invalidGrant = () =>
  new OAuthError('invalid_grant', 'the authorization code is unknown, expired or already used')

export const authorizationCode: GrantType = {
  grantType: 'authorization_code',
  registration: 'default',

  async redeem(request, deps) {
    const { parameters } = request
    const presented: Presented = {
      hash: sha256(required(parameters, 'code')),
      redirectUri: single(parameters, 'redirect_uri'),
      verifier: required(parameters, 'code_verifier'),
      indicators: several(parameters, 'resource'),
    }
    const attempt = deps.randomToken()
    for (;;) {
      const { code, grant, remaining } = await findRedeemable(presented, request, deps)
      const spent: CodeRecord = { ...code, spentBy: attempt }
      try {
        // Another attempt was faster and spent the code or gave it back: read again.
        if (!(await deps.records.codes.replace(presented.hash, code, spent))) continue
        const refresh = await startRefresh(request.client, { id: grant.id, remaining }, deps)
        return await deps.tokens.issue(grant, request.client, { scopes: code.scopes, refresh })
      } catch (error) {
        // Nothing was sent: the client may try again with the same code. The first error says more than a second one.
        await giveBack(presented.hash, { code, spent }, deps).catch(() => {})
        throw error
      }
    }
  },
}

/** The parameters that the client presents. */
interface Presented {
  readonly hash: string
  readonly redirectUri: string | undefined
  readonly verifier: string
  readonly indicators: readonly string[]
}

/**
 * Makes every check.
 * @returns the code, its grant, and the seconds that the grant has left
 */
async function findRedeemable(
  { hash, redirectUri, verifier, indicators }: Presented,
  { client, report }: TokenRequest,
  deps: GrantDeps,
): Promise<{ code: CodeRecord; grant: Grant; remaining: number }> {
  const code = await deps.records.codes.find(hash)
  // A stranger's guess at the verifier, client or redirect neither consumes nor revokes (threat T18).
  if (!code || code.clientHash !== client.hash) throw invalidGrant()
  if (redirectUri !== undefined && redirectUri !== code.redirectUri) {
    throw new OAuthError('invalid_grant', 'redirect_uri differs from the authorization request')
  }
  // The operator may have narrowed the redirect URIs since the person was asked (threat T5).
  if (!client.redirectUris.some((uri) => sameRedirectUri(code.redirectUri, uri))) {
    throw invalidGrant()
  }
  verifyChallenge(verifier, code.codeChallenge)
  requireResource(indicators, code.resource, deps.resources)

  if (code.spentBy !== undefined) {
    // RFC 6749 section 4.1.2: a code used twice ends what was issued from it.
    report({
      event: 'code-reused',
      grant: shortGrant(code.grantId),
      ...clientFacts({ clientName: client.name, clientHash: client.hash }),
      resource: deps.resources.byAudience(code.resource)?.id,
    })
    await deps.records.grants.revokeForSure(code.grantId)
    throw invalidGrant()
  }
  const now = Math.floor(deps.now() / 1000)
  if (now >= code.issuedAt + CODE_LIFETIME) throw invalidGrant()
  const grant = await deps.records.grants.find(code.grantId)
  if (!grant || now >= grant.expiresAt || !(await deps.personExists(grant))) throw invalidGrant()
  return { code, grant, remaining: grant.expiresAt - now }
}

/**
 * Undoes a spent mark. A mark that missed its deadline may still arrive: it then finds another record than it expects.
 */
function giveBack(
  hash: string,
  { code, spent }: { readonly code: CodeRecord; readonly spent: CodeRecord },
  { records: { codes, retryUntilStored }, randomToken }: GrantDeps,
): Promise<void> {
  const freed: CodeRecord = { ...code, freedBy: randomToken() }
  return retryUntilStored(async () => {
    for (;;) {
      if (await codes.replace(hash, spent, freed)) return
      if (await codes.replace(hash, code, freed)) return
      // Our mark may have arrived between the two calls.
      const left = await codes.find(hash)
      if (left?.spentBy !== spent.spentBy) return
    }
  }, CODE_LIFETIME)
}
