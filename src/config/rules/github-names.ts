/**
 * Names of GitHub in the lists of people: organisations and teams, in lower case as the provider states them.
 *
 * @module
 */
import { lowerCase } from '../../identifiers.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import { quote, type Report } from '../values/problem.ts'

const NAME = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9._-]+)?$/

/** With `PROVIDER=github`, the same resources with groups in lower case; a name that GitHub cannot have is a problem. */
export function withGithubNames(
  resources: readonly ResourceConfig[],
  { settings, given, report }: Chosen & { readonly report: Report },
): readonly ResourceConfig[] {
  if (settings.provider !== 'github') return resources
  const impossible = new Set<string>()
  const named = resources.map((resource) => {
    const groups = resource.allow.groups.map(lowerCase)
    for (const group of groups) if (!NAME.test(group)) impossible.add(group)
    return { ...resource, allow: { ...resource.allow, groups } }
  })
  for (const group of impossible) {
    report.problem(
      given.get('allowed_groups')?.written ?? 'allow.groups',
      `${quote(group)} is no organisation or team of GitHub. Write my-org, or my-org/my-team as in the team's address.`,
    )
  }
  return named
}
