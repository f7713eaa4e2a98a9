/**
 * Splits the top level of `gatewarden.yaml` into settings of the flat list and the sections that only the file has.
 *
 * @module
 */

import type { Report } from '../values/problem.ts'
import { didYouMean } from '../values/suggest.ts'
import type { Entry } from './layer.ts'
import { knownNames, meaningOf } from './names.ts'
import { readProviders } from './providers-section.ts'
import { isRecord } from './yaml.ts'

type Section = Readonly<Record<string, unknown>>

export interface FileContents {
  readonly entries: readonly Entry[]
  /** `resources` as a map. */
  readonly resources?: Section
  readonly users?: Section
  readonly clients?: readonly unknown[]
  readonly staticTokens?: Section
  /** The name of the provider under `providers`. */
  readonly providerId?: string
}

const SECTIONS = ['allow', 'brand', 'clients', 'providers', 'static_tokens', 'users']
const KNOWN = [...knownNames.map((name) => name.toLowerCase()), ...SECTIONS]
const ALLOW: Readonly<Record<string, string>> = {
  emails: 'ALLOWED_EMAILS',
  domains: 'ALLOWED_DOMAINS',
  groups: 'ALLOWED_GROUPS',
  users: 'ALLOWED_USERS',
}

const BRAND: Readonly<Record<string, string>> = {
  name: 'BRAND_NAME',
  logo: 'BRAND_LOGO',
  color: 'BRAND_COLOR',
  support: 'BRAND_SUPPORT',
  login_help: 'BRAND_LOGIN_HELP',
}

/** A name without a value counts as unset. */
export function readFileSettings(file: Section, report: Report): FileContents {
  const entries: Entry[] = []
  let resources: Section | undefined
  let users: Section | undefined
  let clients: readonly unknown[] | undefined
  let staticTokens: Section | undefined
  let providerId: string | undefined
  for (const [written, value] of Object.entries(file)) {
    const meaning = written === written.toLowerCase() ? meaningOf(written.toUpperCase()) : undefined
    // Compose's place for anchors.
    if (written.startsWith('x-')) continue
    if (written === 'allow') {
      entries.push(...readGroup(written, value, ALLOW_GROUP, report))
    } else if (written === 'brand') {
      entries.push(...readGroup(written, value, BRAND_GROUP, report))
    } else if (written === 'providers') {
      const provider = readProviders(value, report)
      providerId = provider?.id
      entries.push(...(provider?.entries ?? []))
    } else if (written === 'users') {
      if (isRecord(value)) users = value
      else if (value !== null)
        report.problem(written, 'must be a map. Write each as `name: { ... }`.')
    } else if (written === 'static_tokens') {
      if (isRecord(value)) staticTokens = value
      else if (value !== null)
        report.problem(written, 'must be a map. Write each as `name: { token_file: ... }`.')
    } else if (written === 'clients') {
      if (Array.isArray(value)) clients = value
      else if (value !== null)
        report.problem(written, 'must be a list. Write each as `- { client_id: ..., ... }`.')
    } else if (written === 'resources' && isRecord(value)) {
      resources = value
    } else if (meaning) {
      if (value !== null) entries.push({ written, meaning, value })
    } else {
      report.problem(
        written,
        `is not a setting. ${didYouMean(written, KNOWN, 'Remove it; docs/configuration.md lists all settings.')}`,
      )
    }
  }
  return {
    entries,
    ...(resources && { resources }),
    ...(users && { users }),
    ...(clients && { clients }),
    ...(staticTokens && { staticTokens }),
    ...(providerId !== undefined && { providerId }),
  }
}

interface Group {
  /** Names in the group, and the settings that they are. */
  readonly names: Readonly<Record<string, string>>
  readonly example: string
}
const ALLOW_GROUP: Group = { names: ALLOW, example: '{ emails: ["*"] }' }
const BRAND_GROUP: Group = { names: BRAND, example: '{ name: Example Inc. }' }

/** A map that is another way to write settings of the flat list: `allow` and `brand`. */
function readGroup(
  group: string,
  value: unknown,
  { names, example }: Group,
  report: Report,
): Entry[] {
  if (value === null) return []
  if (!isRecord(value)) {
    report.problem(group, `must be a map. Write it like \`${group}: ${example}\`.`)
    return []
  }
  const known = Object.keys(names)
  return Object.entries(value).flatMap(([key, given]) => {
    const meaning = Object.hasOwn(names, key) ? meaningOf(names[key] ?? '') : undefined
    const written = `${group}.${key}`
    if (meaning) return given === null ? [] : [{ written, meaning, value: given }]
    const advice = `Use ${known.slice(0, -1).join(', ')} or ${known.at(-1)}.`
    report.problem(written, `is not a setting. ${didYouMean(key, known, advice)}`)
    return []
  })
}
