/**
 * The person behind a grant as known at this moment (decision K12): from the provider where it can say without I/O,
 * else from the grant's identity record.
 *
 * @module
 */
import type { Identity, Provider } from '../providers/provider.ts'
import type { Grant, Records } from './records.ts'

export interface Persons {
  /** True if the store knows them, false if the provider does. */
  readonly areStored: boolean
  /** Undefined if they are gone, or came from a provider that is no longer configured. */
  find(grant: Grant): Promise<Identity | undefined>
  /**
   * True while `person` is what {@link find} says of this grant, as far as the provider knows; what is stored of them
   * may have changed.
   */
  isCurrent(grant: Grant, person: Identity): boolean
}

/** @param deps `provider`: the configured one */
export function createPersons(deps: { provider: Provider; records: Records }): Persons {
  const { provider, records } = deps
  const isOurs = ({ provider: id, issuer }: Grant) =>
    id === provider.id && (provider.kind === 'password' || provider.speaksFor(issuer))

  if (provider.current) {
    const current = provider.current
    const find = (grant: Grant) =>
      isOurs(grant) ? current(grant.issuer, grant.subject) : undefined
    return {
      areStored: false,
      find: async (grant) => find(grant),
      isCurrent: (grant, person) => find(grant) === person,
    }
  }
  return {
    areStored: true,
    async find(grant) {
      const identity = isOurs(grant) ? await records.grants.findIdentity(grant.id) : undefined
      return identity && { ...identity, issuer: grant.issuer, subject: grant.subject }
    },
    isCurrent: isOurs,
  }
}
