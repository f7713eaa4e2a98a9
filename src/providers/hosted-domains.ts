/**
 * The Google Workspace domains whose people are let in, by the `hd` claim and never by the domain of the e-mail:
 * anybody can open a Google account with an address of another domain.
 *
 * @module
 */
import { statedDomain } from '../identifiers.ts'
import { type Claims, ProviderFailure } from './provider.ts'

export interface HostedDomains {
  /** True if only some domains are let in. */
  readonly isLimited: boolean
  /** Parameters of the authorization request: they choose the accounts that Google offers. People can remove them. */
  readonly parameters: Readonly<Record<string, string>>
  /** Throws ProviderFailure `other-organisation`. */
  admit(claims: Claims): void
  /**
   * {@link admit} for the primary address of an account in the directory, which names no `hd`: an administrator can give
   * one in a domain of the Workspace alone. Throws ProviderFailure `other-organisation`.
   */
  admitManaged(primaryEmail: string): void
}

/** @param domains as A-labels; empty admits everyone */
export function createHostedDomains(domains: readonly string[]): HostedDomains {
  const [first, ...others] = domains
  function admitDomain(named: string | undefined): void {
    if (first === undefined) return
    const stated = named === undefined ? undefined : statedDomain(named)
    if (stated !== undefined && domains.includes(stated)) return
    const whose = named === undefined ? 'no organisation' : 'another organisation'
    throw new ProviderFailure(
      'other-organisation',
      `the account is managed by ${whose}; GOOGLE_HOSTED_DOMAIN is ${domains.join(', ')}`,
    )
  }
  return {
    isLimited: first !== undefined,
    // The parameter takes one domain, or `*` for any Workspace.
    parameters: first === undefined ? {} : { hd: others.length > 0 ? '*' : first },
    admit: ({ hd }) => admitDomain(typeof hd === 'string' ? hd : undefined),
    admitManaged: (email) => admitDomain(email.slice(email.indexOf('@') + 1)),
  }
}
