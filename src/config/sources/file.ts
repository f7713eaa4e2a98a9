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

const SECTIONS = ['allow', 'clients', 'providers', 'static_tokens', 'users']
const KNOWN = [...knownNames.map((name) => name.toLowerCase()), ...SECTIONS]
const ALLOW: Readonly<Record<string, string>> = {
  emails: 'ALLOWED_EMAILS',
  domains: 'ALLOWED_DOMAINS',
  groups: 'ALLOWED_GROUPS',
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
      entries.push(...readAllow(value, report))
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

/** The global `allow` is another way to write the three `ALLOWED_` lists. */
function readAllow(allow: unknown, report: Report): Entry[] {
  if (allow === null) return []
  if (!isRecord(allow)) {
    report.problem('allow', 'must be a map. Write it like `allow: { emails: ["*"] }`.')
    return []
  }
  return Object.entries(allow).flatMap(([key, value]) => {
    const meaning = Object.hasOwn(ALLOW, key) ? meaningOf(ALLOW[key] ?? '') : undefined
    const written = `allow.${key}`
    if (meaning) return value === null ? [] : [{ written, meaning, value }]
    report.problem(
      written,
      `is not a setting. ${didYouMean(key, Object.keys(ALLOW), 'Use emails, domains or groups.')}`,
    )
    return []
  })
}
