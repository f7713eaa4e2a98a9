/**
 * Revokes grants: the grant is the unit of revocation, and all its tokens end with it (decision K12).
 *
 * @module
 */
import { OAuthError } from '../errors.ts'
import type { Events } from '../events.ts'
import type { Account, Provider } from '../providers/provider.ts'
import type { Grant, Records } from '../records/records.ts'
import type { RevokedBefore } from '../records/revoked-before.ts'
import type { ResourceTable } from '../resources/resource-table.ts'
import type { Client } from './clients/client.ts'
import type { Machines } from './clients/machines.ts'
import { grantFacts } from './grant-facts.ts'
import { isMachine } from './subject.ts'
import type { FindIssuedToken } from './tokens/issued-tokens.ts'

type Dated = Account & { readonly provider: string; readonly createdAt: number }

/**
 * Revokes for good the grants that checks refuse already, and the sign-ins by which browsers know people, so that no later
 * configuration revives them: those from before `REVOKE_BEFORE`, those of people whom the provider no longer knows, or
 * knows by another password, and those of programs that the configuration has changed. If a name comes back later, it is
 * another person. Of people the provider cannot tell about, this revokes nothing.
 * @param deps `now` in milliseconds since the epoch
 * @returns the number of revoked grants
 */
export async function revokeEndedGrants(deps: {
  readonly records: Records
  readonly provider: Provider
  readonly machines: Machines
  readonly revokedBefore: RevokedBefore
  readonly resources: Pick<ResourceTable, 'byAudience'>
  readonly events: Events
  readonly now: () => number
}): Promise<number> {
  const { records, provider, machines, revokedBefore, resources, events, now } = deps
  const isTooOld = ({ createdAt }: Dated) =>
    createdAt < revokedBefore.current() ||
    // It was made under a clock that ran ahead, so nobody knows whether it is older: it ends with the others.
    (revokedBefore.isRaised && createdAt > now() / 1000)
  const isGone = (account: Dated) =>
    isMachine(account)
      ? machines.current(account) === undefined
      : provider.current !== undefined &&
        account.provider === provider.id &&
        !provider.current(account)

  let revoked = 0
  for await (const grant of records.grants.all()) {
    const isOld = isTooOld(grant)
    if (!isOld && !isGone(grant)) continue
    await records.grants.revoke(grant.id)
    events.emit({
      event: 'grant-revoked',
      ...grantFacts(grant),
      by: isOld ? 'operator' : 'configuration',
      reason: isOld
        ? 'it is from before REVOKE_BEFORE'
        : 'the person left the configuration, or has another password',
      resource: resources.byAudience(grant.resource)?.id,
    })
    revoked += 1
  }
  for await (const signIn of records.signIns.all()) {
    if (isTooOld(signIn) || isGone(signIn)) await records.signIns.end(signIn.id)
  }
  return revoked
}

/**
 * Ends the grant of a token, and with it every token of that grant (RFC 7009 section 2.1). A token that is unknown,
 * expired or revoked already is no error (section 2.2). Rejects with StorageUnavailable: the token may live on.
 * @throws OAuthError `unauthorized_client` for the token of another client, which stays as it is (threat T21)
 */
export async function revokeToken(
  token: string,
  client: Client,
  deps: { readonly findIssued: FindIssuedToken; readonly records: Records },
): Promise<Grant | undefined> {
  const issued = await deps.findIssued(token)
  if (!issued) return undefined
  if (issued.grant.clientHash !== client.hash) {
    throw new OAuthError('unauthorized_client', 'the token was issued to another client')
  }
  await deps.records.grants.revoke(issued.grant.id)
  return issued.grant
}
