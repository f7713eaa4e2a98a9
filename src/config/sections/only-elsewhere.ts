/**
 * Settings that one provider has and another has not.
 *
 * @module
 */
import type { SettingKey } from '../schema.ts'
import { keysOf, OF_PROVIDER } from '../settings/providers.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

/** Where people sign in and who they are, for providers that are found by discovery. */
export const DISCOVERY_KEYS = [
  'issuer_url',
  'discovery_url',
  'groups_claim',
  'provider_token_clients',
  ...keysOf(OF_PROVIDER.keycloak),
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

/** Those of a provider that its own builder judges, because they are elsewhere for other reasons, too. */
const JUDGED_ELSEWHERE: ReadonlySet<string> = new Set(['github', 'keycloak'])

/** Each setting that another provider alone has is a problem. */
export function refuseOthersSettings({
  settings: { provider },
  given,
  report,
}: Chosen & { readonly report: Report }): void {
  for (const [owner, shape] of Object.entries(OF_PROVIDER)) {
    if (owner === provider || JUDGED_ELSEWHERE.has(owner)) continue
    for (const key of keysOf(shape)) {
      const stray = given.get(key)
      if (stray) report.problem(stray.written, `applies only to PROVIDER=${owner}. Remove it.`)
    }
  }
}
