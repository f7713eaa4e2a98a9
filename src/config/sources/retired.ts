/**
 * The settings of mcpauth that have no effect here, each with the setting or command to use instead. mcpauth's other
 * names are aliases in `schema.ts`.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'

/** A retired name, as written. */
export interface Retired {
  readonly written: string
  readonly instead: string
}

const USERS =
  'list people under users in gatewarden.yaml, with hashes from gatewarden hash-password'

/** By the name of a flag. In the environment, none of them is certain to come from mcpauth. */
export const RETIRED: Readonly<Record<string, string>> = {
  ADMIN_USERNAME: USERS,
  ADMIN_EMAIL: USERS,
  ADMIN_PASSWORD: USERS,
}

/** Warns of all retired names in one line, so that an operator who moves from mcpauth reads it once. */
export function warnOfRetired(names: readonly Retired[], report: Report): void {
  if (names.length === 0) return
  const byRemedy = new Map<string, string[]>()
  for (const { written, instead } of names) {
    byRemedy.set(instead, [...(byRemedy.get(instead) ?? []), written])
  }
  const parts = [...byRemedy].map(([instead, written]) => `${written.join(', ')} (${instead})`)
  report.warning('mcpauth', `these of its settings no longer have an effect: ${parts.join('; ')}.`)
}
