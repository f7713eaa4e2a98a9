/**
 * The settings of mcpauth that mean nothing here, each with what to do instead. Its other names are aliases in
 * `schema.ts`.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'

/** A name without a meaning, as somebody gave it. */
export interface Retired {
  readonly written: string
  readonly instead: string
}

const PATHS = 'every path is checked, at /auth; list the servers in RESOURCES'
const USERS =
  'list people under users in gatewarden.yaml, with hashes from gatewarden hash-password'

/** By names as `PROTECTED_PATH`. Of the environment only that one was its alone. */
export const RETIRED: Readonly<Record<string, string>> = {
  PROTECTED_PATH: PATHS,
  PATH: PATHS,
  BASE_DOMAIN: 'set PUBLIC_URL to the address of the login',
  ADMIN_USERNAME: USERS,
  ADMIN_EMAIL: USERS,
  ADMIN_PASSWORD: USERS,
  USE_INTERNAL_AUTH: 'the built-in login is PROVIDER=builtin, the default',
}

/** Those that stand without a value. */
export const RETIRED_SWITCHES: ReadonlySet<string> = new Set(['USE_INTERNAL_AUTH'])

/** All of them in one line, so that whoever moves here reads it once. */
export function warnOfRetired(names: readonly Retired[], report: Report): void {
  if (names.length === 0) return
  const byMend = new Map<string, string[]>()
  for (const { written, instead } of names) {
    byMend.set(instead, [...(byMend.get(instead) ?? []), written])
  }
  const parts = [...byMend].map(([instead, written]) => `${written.join(', ')} (${instead})`)
  report.warning('mcpauth', `of its settings these mean nothing any more: ${parts.join('; ')}.`)
}
