/**
 * Gives a program a token of its own (RFC 6749 section 4.4), for a server that the configuration lets it use. There is no
 * refresh token (section 4.4.3): the program asks again with its credentials.
 *
 * A program has one grant a server at a time, however often it asks, so that it cannot fill the store. The grant is
 * replaced daily; each token lives on under the grant it was issued from.
 *
 * @module
 */
import { sha256 } from '../../crypto.ts'
import { OAuthError } from '../../errors.ts'
import type { Grant } from '../../records/records.ts'
import { several, single } from '../../url/parameters.ts'
import type { Client } from '../clients/client.ts'
import { requireAllowedResource, resolveResource } from '../resource-indicator.ts'
import { grantedScopes, limitedScopes, OFFLINE_ACCESS, parseScope } from '../scope.ts'
import type { GrantDeps, GrantType } from './grant-type.ts'

/** Seconds for which tokens are issued from the same grant. */
const PERIOD = 86_400

export const clientCredentials: GrantType = {
  grantType: 'client_credentials',
  registration: 'never',

  async redeem({ parameters, client }, deps) {
    // RFC 6749 section 4.4: only for confidential clients. Everybody can name the id of another one.
    if (client.authMethod === 'none') {
      throw new OAuthError('unauthorized_client', 'client_credentials needs a client with a secret')
    }
    const requested = parseScope(single(parameters, 'scope'))
    const resource = resolveResource(several(parameters, 'resource'), deps.resources, {
      host: undefined,
      scopes: requested,
    })
    requireAllowedResource(client, resource)
    await resource.freshScopes()
    const offered = Object.keys(resource.scopes)
    const allowed = offered.filter((scope) => client.scopes?.includes(scope) ?? true)
    // A program that names no scope gets those that the configuration names for it.
    const wanted = requested.length === 0 && client.scopes ? allowed : requested
    const scopes = limitedScopes(
      grantedScopes(wanted, resource).filter((scope) => scope !== OFFLINE_ACCESS),
      allowed,
      resource,
    )
    const grant = await findOrCreate(client, { resource: resource.audience, scopes: allowed }, deps)
    return deps.tokens.issue(grant, client, { scopes, refresh: undefined })
  },
}

/** The grant to issue from: the current one, unless it has ended or is about to. */
async function findOrCreate(
  client: Client,
  terms: Pick<Grant, 'resource' | 'scopes'>,
  deps: GrantDeps,
): Promise<Grant> {
  const { records, machines, lifetimes, randomToken } = deps
  const account = machines.accountOf(client.id)
  if (!account) throw new OAuthError('unauthorized_client', 'the client may not act for itself')
  const key = sha256(JSON.stringify([client.id, terms.resource]))
  for (;;) {
    const now = Math.floor(deps.now() / 1000)
    const known = await records.machineGrants.find(key)
    const current = known && (await records.grants.find(known.grantId))
    if (current && isUsable(current, terms, now, deps)) return current
    const grant: Grant = {
      id: randomToken(),
      provider: 'client_credentials',
      ...account,
      clientHash: client.hash,
      clientName: client.name,
      redirectHost: '',
      ...terms,
      createdAt: now,
      expiresAt: now + PERIOD + lifetimes.accessToken,
    }
    const { name } = machines.current(account) ?? {}
    await records.grants.create(grant, { groups: [], ...(name !== undefined && { name }) }, now)
    const next = { grantId: grant.id }
    if (await records.machineGrants.put(key, known, next, grant.expiresAt - now)) return grant
    // Another request of the same program was faster: its grant serves both.
    await records.grants.revoke(grant.id)
  }
}

/** @param now seconds since the epoch */
function isUsable(
  grant: Grant,
  terms: Pick<Grant, 'resource' | 'scopes'>,
  now: number,
  { machines, lifetimes }: GrantDeps,
): boolean {
  return (
    machines.current(grant) !== undefined &&
    grant.expiresAt - now > lifetimes.accessToken &&
    terms.scopes.every((scope) => grant.scopes.includes(scope))
  )
}
