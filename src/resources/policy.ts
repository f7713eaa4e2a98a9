/**
 * Compiles an allow list into a policy. Pure: the policy takes a person and says whether they may use the resource.
 *
 * @module
 */

import type { Identity } from '../providers/provider.ts'

/** True if the person may use the resource. */
export type Policy = (person: Identity) => boolean

/**
 * A person who matches any entry of any list passes. `email` on an identity is verified by definition, and a person
 * without an e-mail can match only a group.
 */
export function compilePolicy(allow: AllowList): Policy {
  if (allow.anyone) return () => true
  const emails = new Set(allow.emails)
  const domains = new Set(allow.domains)
  const groups = new Set(allow.groups)
  return ({ email, groups: memberships }) => {
    if (memberships.some((group) => groups.has(group))) return true
    if (email === undefined) return false
    const address = email.toLowerCase()
    if (emails.has(address)) return true
    // Exactly one `@`: `a@evil.test@good.test` belongs to no domain (GHSA-c5c4-8r6x-56w3).
    const [local, domain, ...rest] = address.split('@')
    return Boolean(local && domain && rest.length === 0 && domains.has(domain))
  }
}

/** The people who may use a resource: a person needs to match one entry of one list. */
export interface AllowList {
  /** True for `*`: every person who can log in. */
  readonly anyone: boolean
  /** Lower-cased e-mail addresses; only verified addresses match. */
  readonly emails: readonly string[]
  /** Lower-cased mail domains, without `@`. */
  readonly domains: readonly string[]
  readonly groups: readonly string[]
}
