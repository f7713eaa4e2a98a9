/**
 * Redeems an authorization code (OAuth 2.1 section 4.1.3) exactly once (decision K14).
 *
 * @module
 */
import { sha256 } from '../../crypto.ts'
import type { CodeRecord } from '../../storage/records.ts'
import { OAuthError } from '../errors.ts'
import { required, several, single } from '../parameters.ts'
import { verifyChallenge } from '../pkce.ts'
import { sameRedirectUri } from '../redirect-uri.ts'
import { firstRefreshState } from '../refresh-token.ts'
import { requireResource } from '../resource-indicator.ts'
import type { GrantDeps, GrantType, TokenRequest } from './grant-type.ts'

/** Seconds a code may wait to be redeemed. */
const CODE_LIFETIME = 60

const dead = () =>
  new OAuthError('invalid_grant', 'the authorization code is unknown, expired or already used')

export const authorizationCode: GrantType = {
  grantType: 'authorization_code',

  async redeem(request, deps) {
    const { parameters, client } = request
    const hash = sha256(required(parameters, 'code'))
    const redirectUri = single(parameters, 'redirect_uri')
    const verifier = required(parameters, 'code_verifier')
    const indicators = several(parameters, 'resource')

    const code = await deps.records.codes.find(hash)
    // A stranger's guess at the verifier, client or redirect neither consumes nor revokes (threat T18).
    if (!code || code.clientHash !== client.hash) throw dead()
    if (redirectUri !== undefined && redirectUri !== code.redirectUri) {
      throw new OAuthError('invalid_grant', 'redirect_uri differs from the authorization request')
    }
    // The configuration may have been tightened since the person was asked (threat T5).
    if (!client.redirectUris.some((uri) => sameRedirectUri(code.redirectUri, uri))) throw dead()
    verifyChallenge(verifier, code.codeChallenge)
    requireResource(indicators, code.resource, deps.resources)

    if (code.spentBy !== undefined) return revokeReplayed(code, deps)
    const now = Math.floor(deps.now() / 1000)
    if (now >= code.issuedAt + CODE_LIFETIME) throw dead()
    const grant = await deps.records.grants.find(code.grantId)
    if (!grant || now >= grant.expiresAt || !(await deps.personExists(grant))) throw dead()

    const spent: CodeRecord = { ...code, spentBy: deps.randomToken() }
    if (!(await deps.records.codes.replace(hash, code, spent))) return revokeReplayed(code, deps)
    try {
      const refresh = await startRefresh(request, grant.id, grant.expiresAt - now, deps)
      return await deps.tokens.issue(grant, client, { scopes: code.scopes, refresh })
    } catch (error) {
      // Nothing was sent: the client may try again with the same code.
      await deps.records.codes.replace(hash, spent, code)
      throw error
    }
  },
}

/** Makes the grant's refresh record, unless the client does without (decision K16). */
async function startRefresh(
  { client }: TokenRequest,
  grantId: string,
  grantRemaining: number,
  deps: GrantDeps,
): Promise<number | undefined> {
  if (!client.grantTypes.includes('refresh_token')) return undefined
  const state = firstRefreshState(Math.floor(deps.now() / 1000))
  const ttl = Math.min(deps.lifetimes.grantIdle, grantRemaining)
  // Already there only if an earlier attempt with this code failed after making it: nothing was issued from it.
  await deps.records.refresh.create(grantId, state, ttl)
  return state.current
}

/** RFC 6749 section 4.1.2: a code used twice ends what was issued from it. */
async function revokeReplayed(code: CodeRecord, deps: GrantDeps): Promise<never> {
  await deps.records.grants.revoke(code.grantId)
  throw dead()
}
