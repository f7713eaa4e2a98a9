/**
 * The address of Keycloak for people, where the settings of mcpauth name one inside a network of containers (case sa5):
 * browsers go to the issuer to sign in.
 *
 * @module
 */
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { suggestResources } from './suggest-resources.ts'

/** The line to add for such a Keycloak, beside the host of the login; undefined where browsers may reach the host. */
export function outerIssuerLine({ settings, given }: Chosen): string | undefined {
  const { keycloak_auth_host: host, keycloak_auth_protocol: scheme, public_url: login } = settings
  if (host === undefined || given.has('issuer_url')) return undefined
  const isBare = /^[\w-]+$/.test(host) && host !== 'localhost'
  if (!isBare && scheme === 'https') return undefined
  const beside = suggestResources(login, undefined)
  const origin = beside?.replace(/^.*\*/, `https://${isBare ? host : 'keycloak'}`)
  return `ISSUER_URL=${origin ?? 'https://id.example.com'}/realms/${settings.keycloak_realm}`
}

/** Warns of a host that the name service of a few machines alone knows. */
export function warnOfInnerHost(parts: Chosen & { readonly report: Report }): void {
  const line = outerIssuerLine(parts)
  const entry = parts.given.get('keycloak_auth_host')
  if (line === undefined || !entry) return
  parts.report.warning(
    entry.written,
    `is a name that browsers may not know, and people sign in there. Add the address that they have: ${line}`,
  )
}
