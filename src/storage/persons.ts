/**
 * The person behind a grant as known at this moment (decision K12): from the provider where it can say without I/O,
 * else from the grant's identity record.
 *
 * @module
 */
import type { Identity, Provider } from '../providers/provider.ts'
import type { Grant, GrantIdentity, Records } from './records.ts'

export interface Persons {
  /** Undefined if they are gone, or came from a provider that is no longer configured. */
  find(grant: Grant): Promise<Identity | undefined>
  /**
   * True while `person` is what {@link find} says of this grant, as far as that can be said without a promise: a store
   * that cannot peek announces changes instead. Throws StorageUnavailable.
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
      find: async (grant) => find(grant),
      isCurrent: (grant, person) => find(grant) === person,
    }
  }
  return {
    async find(grant) {
      const identity = isOurs(grant) ? await records.grants.findIdentity(grant.id) : undefined
      return identity && { ...identity, issuer: grant.issuer, subject: grant.subject }
    },
    isCurrent(grant, person) {
      const { peekIdentity } = records.grants
      if (!peekIdentity) return isOurs(grant)
      const identity = peekIdentity(grant.id)
      return identity !== undefined && isSame(identity, person)
    },
  }
}

function isSame(a: GrantIdentity, b: GrantIdentity): boolean {
  return (
    a.email === b.email &&
    a.name === b.name &&
    a.preferredUsername === b.preferredUsername &&
    a.groups.length === b.groups.length &&
    a.groups.every((group, index) => group === b.groups[index])
  )
}
