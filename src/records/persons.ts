/**
 * Finds the person behind a grant, as known now (decision K12): in the provider if it can answer without I/O, else in
 * the grant's identity record.
 *
 * @module
 */
import type { Account, Identity, Provider } from '../providers/provider.ts'
import type { Grant, HeldGrant, Records, SignIn } from './records.ts'

export interface Persons {
  /** True if persons are read from the store, false if from the provider. */
  readonly areStored: boolean
  /** The person; undefined if the person is gone, or came from a provider that is no longer configured. */
  find(grant: Grant): Promise<Identity | undefined>
  /**
   * True while {@link find} would return `person` for this grant, as far as the provider knows. The stored identity may
   * have changed.
   */
  isCurrent(grant: HeldGrant, person: Identity): boolean
  /** The person of a sign-in at the gateway; undefined as for {@link find}. */
  ofSignIn(signIn: SignIn): Identity | undefined
}

/** Tells the accounts of programs, which no provider knows. */
export interface Programs {
  /** True for the account of a program. */
  isProgram(account: Account): boolean
  /** The program as the configuration has it now; undefined if it is gone or changed. */
  current(account: Account): Identity | undefined
}

/** @param deps `provider`: the configured provider; `programs`: the callers that are no people */
export function createPersons(deps: {
  provider: Provider
  records: Records
  programs: Programs
}): Persons {
  const { programs } = deps
  const people = createPeople(deps)
  return {
    areStored: people.areStored,
    find: async (grant) =>
      programs.isProgram(grant) ? programs.current(grant) : people.find(grant),
    isCurrent: (grant, person) =>
      programs.isProgram(grant)
        ? programs.current(grant) === person
        : people.isCurrent(grant, person),
    ofSignIn: people.ofSignIn,
  }
}

function createPeople(deps: { provider: Provider; records: Records }): Persons {
  const { provider, records } = deps
  const isOurs = ({ provider: id, issuer }: Pick<HeldGrant, 'provider' | 'issuer'>) =>
    id === provider.id && (provider.kind === 'password' || provider.speaksFor(issuer))

  if (provider.current) {
    const current = provider.current
    const find = (account: Account & { readonly provider: string }) =>
      isOurs(account) ? current(account) : undefined
    return {
      areStored: false,
      find: async (grant) => find(grant),
      isCurrent: (grant, person) => find(grant) === person,
      ofSignIn: find,
    }
  }
  return {
    areStored: true,
    async find(grant) {
      const identity = isOurs(grant) ? await records.grants.findIdentity(grant.id) : undefined
      return identity && { ...identity, issuer: grant.issuer, subject: grant.subject }
    },
    isCurrent: isOurs,
    ofSignIn: (signIn) =>
      isOurs(signIn)
        ? { ...signIn.identity, issuer: signIn.issuer, subject: signIn.subject }
        : undefined,
  }
}
