/**
 * Reads the `providers:` section of the file.
 *
 * @module
 */

import { Settings } from '../schema.ts'
import { keysOf, SECTION_SETTINGS } from '../settings/providers.ts'
import { fields, section, text } from '../values/fields.ts'
import { parsePath } from '../values/plain.ts'
import type { Report } from '../values/problem.ts'
import { didYouMean } from '../values/suggest.ts'
import type { Entry } from './layer.ts'
import { meaningOf } from './names.ts'
import { isRecord } from './yaml.ts'

/** `providers` in the file is another way to write the settings of the provider. */
export function readProviders(
  value: unknown,
  report: Report,
): { id: string; entries: readonly Entry[] } | undefined {
  if (value === null) return undefined
  const all = isRecord(value) ? Object.entries(value) : []
  const [id, provider] = all[0] ?? []
  if (id === undefined || !isRecord(provider)) {
    report.problem(
      'providers',
      'must be a map with one provider. Write it as `keycloak: { type: ... }`.',
    )
    return undefined
  }
  if (all.length > 1) {
    report.problem(
      'providers',
      'lists several providers, but only one is supported. Remove all but one.',
    )
    return undefined
  }
  if (!/^[\w.-]{1,64}$/.test(id)) {
    report.problem(
      'providers',
      'has a name with characters other than letters, digits and . _ -. Rename it.',
    )
    return undefined
  }
  if (provider.type === undefined || provider.type === null) {
    report.problem(
      `providers.${id}.type`,
      'is missing. Write oidc, or the name of a provider such as keycloak, google, github or entra.',
    )
  }
  const entries = Object.entries(provider).flatMap(([key, given]): Entry[] => {
    const written = `providers.${id}.${key}`
    const keys = Object.keys(ProviderSection.shape)
    const meaning = keys.includes(key)
      ? meaningOf(key === 'type' ? 'PROVIDER' : key.toUpperCase())
      : undefined
    if (meaning) return given === null ? [] : [{ written, meaning, value: given }]
    report.problem(written, `is not a setting. ${didYouMean(key, keys, 'Remove it.')}`)
    return []
  })
  return { id, entries }
}

const fileOf = (key: string) =>
  text(parsePath)
    .optional()
    .register(fields, { description: `File that holds \`${key}\`.` })

/** A secret can come from a file of its own. */
const SECRET_FILES = Object.fromEntries(
  keysOf(SECTION_SETTINGS)
    .filter((key) => fields.get(SECTION_SETTINGS[key])?.secret)
    .map((key) => [`${key}_file`, fileOf(key)]),
)

/** `providers.<id>` in the file. */
export const ProviderSection = section({
  type: Settings.shape.provider,
  issuer_url: Settings.shape.issuer_url,
  discovery_url: Settings.shape.discovery_url,
  client_id: Settings.shape.client_id,
  client_secret: Settings.shape.client_secret,
  client_secret_file: text(parsePath).optional().register(fields, {
    description: 'File that holds the client secret, instead of `client_secret`.',
  }),
  provider_ca: Settings.shape.provider_ca,
  provider_proxy: Settings.shape.provider_proxy,
  provider_proxy_file: fileOf('provider_proxy'),
  token_endpoint_auth_method: Settings.shape.token_endpoint_auth_method,
  provider_scopes: Settings.shape.provider_scopes,
  groups_claim: Settings.shape.groups_claim,
  ...SECTION_SETTINGS,
  ...SECRET_FILES,
  unique_usernames: Settings.shape.unique_usernames,
  recheck_at_refresh: Settings.shape.recheck_at_refresh,
})
