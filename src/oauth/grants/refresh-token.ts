/**
 * Redeems a refresh token (OAuth 2.1 section 4.3): rotates it, repeats a lost answer, and revokes the grant on reuse.
 *
 * @module
 */

import { OAuthError } from '../../errors.ts'
import type { Report } from '../../events.ts'
import type { Grant } from '../../records/records.ts'
import { required, several, single } from '../../url/parameters.ts'
import { grantFacts } from '../grant-facts.ts'
import { requireAllowedResource, requireResource } from '../resource-indicator.ts'
import { limitedScopes, narrowedScopes, parseScope } from '../scope.ts'
import { decideRefresh, parseRefreshToken } from '../tokens/refresh-rotation.ts'
import type { GrantDeps, GrantType } from './grant-type.ts'

const invalidGrant = () =>
  new OAuthError('invalid_grant', 'the refresh token is unknown, expired or revoked')

export const refreshToken: GrantType = {
  grantType: 'refresh_token',
  registration: 'default',

  async redeem({ parameters, client, report }, deps) {
    const token = parseRefreshToken(required(parameters, 'refresh_token'), deps.keyring)
    const indicators = several(parameters, 'resource')
    const requested = parseScope(single(parameters, 'scope'))
    if (!token) throw invalidGrant()
    const grant = await deps.records.grants.find(token.grantId)
    if (!grant || grant.clientHash !== client.hash) throw invalidGrant()
    requireResource(indicators, grant.resource, deps.resources)
    // The operator may have limited the client since the grant was made.
    const granted = deps.resources.byAudience(grant.resource)
    if (granted) requireAllowedResource(client, granted)
    const allowed = limitedScopes(grant.scopes, client.scopes, { requiredScopes: [] })
    const scopes = narrowedScopes(requested, allowed, granted?.scopes ?? {})
    if (!(await deps.personExists(grant))) {
      await deps.records.grants.revoke(grant.id)
      report({
        event: 'grant-revoked',
        ...grantFacts(grant),
        by: 'configuration',
        reason: 'the person is gone, or has another password',
        resource: deps.resources.byAudience(grant.resource)?.id,
      })
      throw invalidGrant()
    }
    const refresh = await rotate(grant, token.n, { report, deps })
    return deps.tokens.issue(grant, client, { scopes, refresh })
  },
}

/** The number of the token to answer with. If `replace` loses, another request changed the state: decide again. */
async function rotate(
  grant: Grant,
  n: number,
  { report, deps }: { readonly report: Report; readonly deps: GrantDeps },
): Promise<number> {
  for (;;) {
    const now = Math.floor(deps.now() / 1000)
    const state = await deps.records.refresh.find(grant.id)
    // The store may keep a grant for the rest of its last second.
    if (!state || now >= grant.expiresAt) throw invalidGrant()
    const decision = decideRefresh(state, n, now, deps.lifetimes.refreshGrace)
    switch (decision.kind) {
      case 'repeat':
        return state.current
      case 'revoke':
        report({
          event: 'refresh-reused',
          ...grantFacts(grant),
          resource: deps.resources.byAudience(grant.resource)?.id,
        })
        await deps.records.grants.revokeForSure(grant.id)
        throw invalidGrant()
      case 'rotate': {
        // A replayed answer stands on the check before it (decision K30).
        await deps.recheck?.(grant, report)
        const ttl = Math.min(deps.lifetimes.grantIdle, grant.expiresAt - now)
        if (await deps.records.refresh.replace(grant.id, state, decision.state, ttl)) {
          return decision.state.current
        }
      }
    }
  }
}
