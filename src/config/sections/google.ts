/**
 * Builds the directory of a Google Workspace from the settings that belong together.
 *
 * @module
 */
import type { GoogleDirectoryConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { SettingKey } from '../schema.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { parseBaseUrl } from '../values/urls.ts'
import { checkBaseUrl } from './base-url.ts'

interface Parts extends Chosen {
  readonly complete: boolean
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

const DIRECTORY = 'https://admin.googleapis.com'

const DIRECTORY_KEYS = [
  'google_service_account',
  'google_admin_subject',
  'google_directory_url',
] as const satisfies readonly SettingKey[]

/** The directory, or undefined if none is wanted or it has a problem; problems go to the report. */
export function buildDirectory(parts: Parts): GoogleDirectoryConfig | undefined {
  const { settings, given, broken, complete, resources, report } = parts
  const { google_service_account: account, google_admin_subject: subject } = settings
  const labelOf = (key: SettingKey) => given.get(key)?.written ?? key.toUpperCase()
  const base = settings.google_directory_url ?? parseBaseUrl(DIRECTORY)
  checkBaseUrl('google_directory_url', base, parts)
  const isWanted = DIRECTORY_KEYS.some((key) => given.has(key))
  if (!isWanted || !complete || DIRECTORY_KEYS.some((key) => broken.has(key))) return undefined
  if (!account) {
    report.problem(
      labelOf('google_service_account'),
      'is missing, and the directory of Google is read with it. Name its key file in GOOGLE_SERVICE_ACCOUNT_FILE.',
    )
  }
  if (subject === undefined) {
    report.problem(
      labelOf('google_admin_subject'),
      'is missing: the service account acts for an administrator who may read users and groups. Set it to their e-mail address.',
    )
  }
  if ((settings.google_hosted_domain ?? []).length === 0 && !broken.has('google_hosted_domain')) {
    report.problem(
      'GOOGLE_HOSTED_DOMAIN',
      'is missing: the directory knows the accounts of your Workspace alone. List its domains.',
    )
  }
  if (given.has('groups_claim')) {
    report.problem(
      labelOf('groups_claim'),
      'conflicts with GOOGLE_SERVICE_ACCOUNT, by which groups come from the directory. Remove one of the two.',
    )
  }
  if (account && subject === account.clientEmail.toLowerCase()) {
    report.problem(
      labelOf('google_admin_subject'),
      'is the service account itself. Write the address of an administrator of your Workspace, for whom it acts.',
    )
  }
  if (!account || subject === undefined) return undefined
  const namedGroups = [...new Set(resources.flatMap(({ allow }) => allow.groups))]
  return { ...account, url: base.href, subject, namedGroups }
}
