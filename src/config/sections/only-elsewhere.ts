/**
 * Settings that one provider has and another has not.
 *
 * @module
 */
import type { SettingKey } from '../schema.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** Where people sign in and who they are, for providers that are found by discovery. */
export const DISCOVERY_KEYS = [
  'issuer_url',
  'discovery_url',
  'groups_claim',
  'provider_token_clients',
  'keycloak_auth_host',
  'keycloak_auth_port',
  'keycloak_auth_protocol',
  'keycloak_realm',
] as const satisfies readonly SettingKey[]

/** Each of these settings that is given is a problem. */
export function refuseSettings(
  keys: readonly SettingKey[],
  { settings, given, report }: Chosen & { readonly report: Report },
  instead: Partial<Record<SettingKey, string>> = {},
): void {
  for (const key of keys) {
    const stray = given.get(key)
    if (!stray) continue
    const remedy = instead[key] === undefined ? 'Remove it.' : `Use ${instead[key]}, or remove it.`
    report.problem(stray.written, `does not apply to PROVIDER=${settings.provider}. ${remedy}`)
  }
}
