/**
 * Compiles an allow list into a policy. Pure: the policy takes a person and says whether they may use the resource.
 *
 * @module
 */

import { lowerCase, statedAddress } from '../identifiers.ts'
import type { Identity } from '../providers/provider.ts'

/** True if the person may use the resource. */
export type Policy = (person: Identity) => boolean

/**
 * A person who matches any entry of any list passes. `email` on an identity is verified by definition, and a person
 * without an e-mail can match only a group, a user name or an entry of `persons`.
 */
export function compilePolicy(allow: AllowList): Policy {
  const listed = compileLists(allow)
  return allow.verifiedEmail ? (person) => person.email !== undefined && listed(person) : listed
}

function compileLists(allow: AllowList): Policy {
  if (allow.anyone) return () => true
  const emails = new Set(allow.emails)
  const isWildcard = (domain: string) => domain.startsWith('*.')
  // A wildcard is no domain of anybody, whatever a provider states.
  const domains = new Set(allow.domains.filter((domain) => !isWildcard(domain)))
  const parents = allow.domains.filter(isWildcard).map((it) => it.slice(1))
  const groups = new Set(allow.groups)
  const users = new Set(allow.users)
  const persons = new Set(allow.persons?.map(keyOf))
  return ({ issuer, subject, email, preferredUsername, groups: memberships }) => {
    if (persons.has(keyOf({ issuer, subject }))) return true
    if (preferredUsername !== undefined && users.has(lowerCase(preferredUsername))) return true
    if (memberships.some((group) => groups.has(group))) return true
    if (email === undefined) return false
    const address = statedAddress(email)
    if (address === undefined) return false
    const domain = address.slice(address.indexOf('@') + 1)
    return emails.has(address) || domains.has(domain) || parents.some((it) => isBelow(domain, it))
  }
}

/**
 * True if the domain is labels before `suffix`, which begins with a dot. A provider may state text that is no domain, and
 * ends in one.
 */
const isBelow = (domain: string, suffix: string) =>
  domain.endsWith(suffix) && /^[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(domain.slice(0, -suffix.length))

const keyOf = ({ issuer, subject }: Pick<Identity, 'issuer' | 'subject'>) => `${issuer}\0${subject}`

/** Domains and groups that a description names. */
const MAX_NAMED = 20

/** The list in words, for events. It counts addresses and does not name them: they are other people's. */
export function describeAllowList(allow: AllowList): string {
  const whom = describeLists(allow)
  return allow.verifiedEmail ? `${whom}; all of them with a verified e-mail` : whom
}

function describeLists(allow: AllowList): string {
  const { anyone, emails, domains, groups, users = [], persons = [] } = allow
  if (anyone) return 'anyone'
  const named = (kind: string, names: readonly string[]) =>
    names.length === 0 ? [] : [`${kind} ${names.slice(0, MAX_NAMED).join(', ')}`]
  return [
    ...named('groups', groups),
    ...named('domains', domains),
    ...named('users', users),
    ...(emails.length === 0 ? [] : [`addresses: ${emails.length}`]),
    ...(persons.length === 0 ? [] : [`accounts: ${persons.length}`]),
  ].join('; ')
}

/** The people who may use a resource: a person needs to match one entry of one list. */
export interface AllowList {
  /** True for `*`: every person who can log in. */
  readonly anyone: boolean
  /** E-mail addresses in normal form (`src/identifiers.ts`); only verified addresses match. */
  readonly emails: readonly string[]
  /** Mail domains as A-labels, without `@`; with `*.` before it, all subdomains of one. */
  readonly domains: readonly string[]
  readonly groups: readonly string[]
  /**
   * User names of the provider in lower case. The configuration takes them only with a provider that gives each name, in
   * any case of its letters, to one person.
   */
  readonly users?: readonly string[]
  /** True if nobody passes without a verified e-mail, whatever list names them. */
  readonly verifiedEmail?: boolean
  /** Accounts of a provider, whatever their e-mail is. */
  readonly persons?: readonly Pick<Identity, 'issuer' | 'subject'>[]
}
