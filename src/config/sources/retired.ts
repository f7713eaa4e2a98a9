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

const PATHS = 'every path is checked, at /auth; list the servers in RESOURCES'
const USERS =
  'list people under users in gatewarden.yaml, with hashes from gatewarden hash-password'

/** By the name of a flag. In the environment, none of them is certain to come from mcpauth. */
export const RETIRED: Readonly<Record<string, string>> = {
  PATH: PATHS,
  BASE_DOMAIN: 'set PUBLIC_URL to the address of the login',
  ADMIN_USERNAME: USERS,
  ADMIN_EMAIL: USERS,
  ADMIN_PASSWORD: USERS,
  USE_INTERNAL_AUTH: 'the built-in login is PROVIDER=builtin, the default',
}

/** The retired flags that take no value. */
export const RETIRED_SWITCHES: ReadonlySet<string> = new Set(['USE_INTERNAL_AUTH'])

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
