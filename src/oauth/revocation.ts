/**
 * Revokes grants: the grant is the unit of revocation, and all its tokens end with it (decision K12).
 *
 * @module
 */
import type { Provider } from '../providers/provider.ts'
import type { Records } from '../records/records.ts'

/**
 * Revokes for good the grants of people whom the provider no longer knows: if the name comes back later, it is another
 * person. If the provider cannot tell, this revokes nothing.
 * @returns the number of revoked grants
 */
export async function revokeGrantsOfRemovedPeople(deps: {
  records: Records
  provider: Provider
}): Promise<number> {
  const { records, provider } = deps
  if (!provider.current) return 0
  let revoked = 0
  for await (const grant of records.grants.all()) {
    if (grant.provider !== provider.id) continue
    if (provider.current(grant.issuer, grant.subject)) continue
    await records.grants.revoke(grant.id)
    revoked += 1
  }
  return revoked
}
