/**
 * The provider that other settings imply where `PROVIDER` is not set: an issuer means any OpenID Connect provider, as users
 * of babs have it, and a client alone means Google, as users of mcpauth have it, unless its name says
 * GitHub, as users of atrawog have it. People that the configuration lists mean
 * the built-in login.
 *
 * @module
 */

import { isOfGithub } from '../sections/github.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'

const KEYCLOAK = [
  'keycloak_auth_host',
  'keycloak_auth_port',
  'keycloak_auth_protocol',
  'keycloak_realm',
] as const

/** The same settings with the provider that they imply. */
export function withImpliedProvider<
  Parts extends Chosen & { readonly file: FileContents; readonly report: Report },
>(parts: Parts): Parts {
  const { settings, given, file, report } = parts
  const hasUsers = given.has('users') || Object.keys(file.users ?? {}).length > 0
  const client = given.get('client_id') ?? given.get('client_secret')
  if (given.has('provider') || hasUsers) return parts
  if (given.has('issuer_url')) return { ...parts, settings: { ...settings, provider: 'oidc' } }
  if (!client) return parts
  const keycloak = KEYCLOAK.map((key) => given.get(key)).find((found) => found)
  const provider = keycloak ? 'keycloak' : isOfGithub(client.written) ? 'github' : 'google'
  report.warning(
    'PROVIDER',
    `is not set; ${(keycloak ?? client).written} is there, so people sign in at ${provider}. Add PROVIDER=${provider} to say so.`,
  )
  return { ...parts, settings: { ...settings, provider } }
}
