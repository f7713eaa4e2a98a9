/**
 * Sorts the top level of `gatewarden.yaml` into settings of the flat list and the sections that only the file has.
 *
 * @module
 */
import type { Entry } from './layer.ts'
import { knownNames, meaningOf } from './names.ts'
import type { Report } from './problem.ts'
import { didYouMean } from './suggest.ts'
import { isRecord } from './yaml-file.ts'

type Section = Readonly<Record<string, unknown>>

export interface FileContents {
  readonly entries: readonly Entry[]
  /** The map form of `resources`. */
  readonly resources?: Section
  readonly users?: Section
}

/** Sections that other versions have; given here they are refused. */
const UNBUILT_SECTIONS = new Set(['providers', 'clients', 'static_tokens'])
const KNOWN = [...knownNames.map((name) => name.toLowerCase()), 'allow', 'users']
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
  for (const [written, value] of Object.entries(file)) {
    const meaning = written === written.toLowerCase() ? meaningOf(written.toUpperCase()) : undefined
    if (UNBUILT_SECTIONS.has(written)) {
      report.problem(written, 'this version does not have it yet. Remove it.')
    } else if (written === 'allow') {
      entries.push(...readAllow(value, report))
    } else if (written === 'users') {
      if (isRecord(value)) users = value
      else if (value !== null)
        report.problem(written, 'must be a map. Write each as `name: { ... }`.')
    } else if (written === 'resources' && isRecord(value)) {
      resources = value
    } else if (meaning) {
      if (value !== null) entries.push({ written, meaning, value })
    } else {
      report.problem(
        written,
        `is not a setting. ${didYouMean(written, KNOWN, 'Remove it; docs/configuration.md lists all there are.')}`,
      )
    }
  }
  return { entries, ...(resources && { resources }), ...(users && { users }) }
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
