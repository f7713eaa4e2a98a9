/**
 * The first refresh token of a grant that a person gave.
 *
 * @module
 */
import type { Client } from '../clients/client.ts'
import { forgetHeld } from '../held-token.ts'
import { firstRefreshState } from '../tokens/refresh-rotation.ts'
import type { GrantDeps } from './grant-type.ts'

/**
 * Creates the grant's refresh record, unless the client uses no refresh tokens (decision K16).
 * @param remaining seconds that the grant has left
 * @returns the number of the token
 */
export async function startRefresh(
  client: Client,
  { id, remaining }: { readonly id: string; readonly remaining: number },
  {
    records,
    recheck,
    lifetimes,
    now,
  }: Pick<GrantDeps, 'records' | 'recheck' | 'lifetimes' | 'now'>,
): Promise<number | undefined> {
  if (!client.grantTypes.includes('refresh_token')) {
    // The provider will not be asked about the person of this grant.
    if (recheck) await forgetHeld(id, remaining, records)
    return undefined
  }
  const state = firstRefreshState(Math.floor(now() / 1000))
  const ttl = Math.min(lifetimes.grantIdle, remaining)
  // The record exists only if an earlier attempt with this code failed after creating it: nothing was issued from it.
  await records.refresh.create(id, state, ttl)
  return state.current
}
