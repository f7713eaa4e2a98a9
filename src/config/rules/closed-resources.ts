/**
 * Checks that somebody who can log in may pass: a mistyped domain would otherwise show only after a login.
 *
 * @module
 */

import { BUILTIN_ISSUER, builtinSubject, type NewUser } from '../../providers/provider-config.ts'
import { compilePolicy } from '../../resources/policy.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Report } from '../values/problem.ts'

/** Warns of servers that let in none of the users of the built-in login. */
export function warnOfClosedResources(parts: {
  users: readonly NewUser[]
  resources: readonly ResourceConfig[]
  report: Report
}): void {
  const { users, resources, report } = parts
  const people = users.map(({ name, email, groups }) => ({
    issuer: BUILTIN_ISSUER,
    subject: builtinSubject(name),
    preferredUsername: name,
    groups,
    ...(email !== undefined && { email }),
  }))
  if (people.length === 0 || resources.length === 0) return
  const closed = resources.filter(({ allow }) => !people.some(compilePolicy(allow)))
  if (closed.length === 0) return
  const where =
    closed.length === resources.length ? 'any server' : closed.map(({ id }) => id).join(', ')
  report.warning(
    'users',
    `none of them may use ${where}: ${closed.every(({ allow }) => allow.verifiedEmail) ? 'REQUIRE_VERIFIED_EMAIL refuses people without an e-mail, and the allow list names none of the others' : 'the allow list names none of their e-mails, domains or groups'}. Change the list or the users.`,
  )
}
