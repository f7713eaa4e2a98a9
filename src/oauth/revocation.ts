/**
 * Ends grants: the unit of revocation is the grant, and with it go its tokens (decision K12).
 *
 * @module
 */
import type { Provider } from '../providers/provider.ts'
import type { Records } from '../records/records.ts'

/**
 * Ends the grants of people whom the provider knows to be gone, for good: a name that comes back later is somebody
 * else. Providers that cannot say keep theirs.
 * @returns how many ended
 */
export async function revokeGrantsOfTheGone(deps: {
  records: Records
  provider: Provider
}): Promise<number> {
  const { records, provider } = deps
  if (!provider.current) return 0
  let ended = 0
  for await (const grant of records.grants.all()) {
    if (grant.provider !== provider.id) continue
    if (provider.current(grant.issuer, grant.subject)) continue
    await records.grants.revoke(grant.id)
    ended += 1
  }
  return ended
}
