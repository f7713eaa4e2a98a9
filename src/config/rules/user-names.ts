/**
 * Checks that the provider gives each user name to one person where a list of people names some (threat T39): elsewhere
 * anybody can take the name of a person on the list.
 *
 * @module
 */
import { isPreset } from '../../providers/presets.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** A list of user names with another provider is a problem. */
export function checkUserNames({
  settings: { provider, unique_usernames: unique },
  given,
  resources,
  report,
}: Chosen & { readonly resources: readonly ResourceConfig[]; readonly report: Report }): void {
  const none = provider === 'google' ? 'Google' : provider === 'entra' ? 'Entra' : undefined
  if (none === undefined && !((provider === 'oidc' || isPreset(provider)) && !unique)) return
  const entry = given.get('allowed_users')
  const naming = resources.filter(({ allow }) => allow.users !== undefined)
  const label = entry?.written ?? (naming[0] ? `resources.${naming[0].id}.allow.users` : undefined)
  if (label === undefined || naming.length === 0) return
  report.problem(
    label,
    none !== undefined
      ? `names users, but ${none} has no user names that stay with a person. List e-mails, domains or groups.`
      : `names users, but PROVIDER=${provider} may give one user name to several people. If it does not, set UNIQUE_USERNAMES=true; else list e-mails or groups.`,
  )
}
