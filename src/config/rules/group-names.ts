/**
 * Groups in the lists of people, in the form in which the provider states them: organisations and teams of GitHub, ids of
 * Entra, addresses in the directory of Google. Elsewhere a group is as it was written.
 *
 * @module
 */
import { lowerCase } from '../../identifiers.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import { quote, type Report } from '../values/problem.ts'

const TEAM = /^[a-z0-9][a-z0-9-]*(?:\/[a-z0-9._-]+)?$/
const GUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** The same resources with groups in that form; a name that the provider never states is a problem. */
export function withGroupNames(
  resources: readonly ResourceConfig[],
  { settings, given, report }: Chosen & { readonly report: Report },
): readonly ResourceConfig[] {
  const { provider, entra_tenant: tenants = [] } = settings
  const isInDirectory = provider === 'google' && settings.google_service_account !== undefined
  if (provider !== 'github' && provider !== 'entra' && !isInDirectory) return resources
  const impossible = new Map<string, string>()
  const nameOf = (written: string) => {
    const name = provider === 'entra' ? entraName(written) : lowerCase(written)
    const fault =
      provider === 'github'
        ? githubFault(name)
        : provider === 'entra'
          ? entraFault(name, tenants)
          : googleFault(name)
    if (fault !== undefined) impossible.set(written, fault)
    return name
  }
  const named = resources.map((resource) => ({
    ...resource,
    allow: { ...resource.allow, groups: resource.allow.groups.map(nameOf) },
  }))
  for (const [group, fault] of impossible) {
    report.problem(
      given.get('allowed_groups')?.written ?? 'allow.groups',
      `${quote(group)} ${fault}`,
    )
  }
  return named
}

const githubFault = (name: string) =>
  TEAM.test(name)
    ? undefined
    : "is no organisation or team of GitHub. Write my-org, or my-org/my-team as in the team's address."

const googleFault = (name: string) =>
  /^[^@\s,]+@[^@\s,]+$/.test(name)
    ? undefined
    : 'is no address of a group in your Workspace. Write it like staff@example.com.'

/** Ids are the same in any case, other names are not. */
const entraName = (written: string) =>
  written
    .split('/')
    .map((part) => (GUID.test(lowerCase(part)) ? lowerCase(part) : part))
    .join('/')

/** With several tenants each names its own groups, so the tenant is part of the name. */
const entraFault = (name: string, tenants: readonly string[]) =>
  tenants.length < 2 || tenants.some((tenant) => name.startsWith(`${tenant}/`))
    ? undefined
    : `lacks its tenant. With several tenants in ENTRA_TENANT, write ${tenants[0]}/${name}.`
