/**
 * Warns of groups that look like one LDAP name, cut at its commas.
 *
 * @module
 */
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

const PART = /^(?:CN|OU|DC|UID|O|L|ST|C)=[^,]+$/i

export function warnOfLdapNames({ settings, given, report }: Chosen & { report: Report }): void {
  const entry = given.get('allowed_groups')
  const groups = settings.allowed_groups ?? []
  if (!entry || typeof entry.value !== 'string' || /^\s*\[/.test(entry.value)) return
  if (!groups.some((group, index) => PART.test(group) && PART.test(groups[index + 1] ?? ''))) return
  report.warning(
    entry.written,
    `lists ${groups.length} groups that look like one LDAP name. Write \\, for a comma inside a name, or a JSON list: ["CN=staff,OU=Groups,DC=corp"].`,
  )
}
