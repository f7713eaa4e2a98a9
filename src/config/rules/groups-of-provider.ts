/**
 * Checks that the provider knows groups where the lists name some: Google states none.
 *
 * @module
 */
import type { ProviderConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** A list of groups alone lets nobody in there, which is a problem; beside other entries it is a warning. */
export function checkGroupsOfProvider(
  parts: Pick<Chosen, 'given'> & {
    provider: ProviderConfig | undefined
    resources: readonly ResourceConfig[]
    report: Report
  },
): void {
  const { provider, resources, given, report } = parts
  // Another claim, such as `hd`, can stand for groups.
  if (provider?.type !== 'google' || provider.directory || given.has('groups_claim')) return
  for (const { id, allow } of resources) {
    if (allow.anyone || allow.groups.length === 0) continue
    const label = given.get('allowed_groups')?.written ?? `resources.${id}.allow`
    const text = 'names groups, but without GOOGLE_SERVICE_ACCOUNT Google states none'
    if (allow.emails.length + allow.domains.length === 0) {
      report.problem(label, `${text}, so nobody may pass. List e-mails or domains.`)
    } else {
      report.warning(label, `${text}. Remove them.`)
    }
  }
}
