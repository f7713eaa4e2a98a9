/**
 * Keys in the YAML files of other systems (sn8 to sn11, sr4, sx5). Such a file is no file of Gatewarden: each key is a
 * problem that says our name, so that nobody believes that half of a file took effect.
 *
 * @module
 */
import type { Report } from '../values/problem.ts'
import { isRecord } from './yaml.ts'

const RISEDPHANTOM = 'risedphantom/mcp-oauth2-proxy'
const MATHEUSCSCP = 'matheuscscp/mcp-oauth2-proxy'

const TIMEOUT =
  'Remove it: Gatewarden has a time-out for requests of its own, and none for streams; see upstream_idle_timeout.'

/** The system that has the section's key, and our name for it. */
const KEYS: Readonly<Record<string, readonly [system: string, advice: string]>> = {
  'server.listenAddress': [RISEDPHANTOM, 'Write host and port.'],
  'server.readTimeout': [RISEDPHANTOM, TIMEOUT],
  'server.writeTimeout': [RISEDPHANTOM, TIMEOUT],
  'server.idleTimeout': [RISEDPHANTOM, TIMEOUT],
  'upstream.url': [RISEDPHANTOM, 'Write upstream in the map of the server, under resources.'],
  'headers.mutations': [
    RISEDPHANTOM,
    'Write header_mutations in the map of the server, under resources. The list stays as it is.',
  ],
  'auth.baseUrl': [RISEDPHANTOM, 'Write public_url.'],
  'auth.authorizationServers': [
    RISEDPHANTOM,
    'Remove it if it is public_url, else write authorization_servers in the map of the server, under resources.',
  ],
  'auth.scopesSupported': [RISEDPHANTOM, 'Write allowed_scopes.'],
  'auth.oidcScopes': [RISEDPHANTOM, 'Write provider_scopes.'],
  'auth.issuerUrl': [RISEDPHANTOM, 'Write issuer_url.'],
  'auth.clientId': [RISEDPHANTOM, 'Write client_id.'],
  'auth.clientSecret': [RISEDPHANTOM, 'Write client_secret.'],
  'auth.clientTtl': [RISEDPHANTOM, 'Write client_lifetime.'],
  'auth.sessionTtl': [RISEDPHANTOM, 'Remove it: a sign-in may take 30 minutes.'],
  'auth.codeTtl': [RISEDPHANTOM, 'Remove it: a code lives for 5 minutes.'],
  'server.addr': [MATHEUSCSCP, 'Write host and port.'],
  'provider.name': [MATHEUSCSCP, 'Write provider.'],
  'provider.clientID': [MATHEUSCSCP, 'Write client_id.'],
  'provider.clientSecret': [MATHEUSCSCP, 'Write client_secret.'],
  'provider.organization': [
    MATHEUSCSCP,
    'List the organisation, or teams of it, in allowed_groups.',
  ],
  'provider.allowedEmailDomains': [
    MATHEUSCSCP,
    'Write allowed_domains, with domains such as my-org.com in place of regular expressions.',
  ],
  'proxy.hosts': [
    MATHEUSCSCP,
    'Write resources, with the URL of each server, and its endpoint as scopes_endpoint.',
  ],
  'proxy.disableConsentScreen': [
    MATHEUSCSCP,
    'Remove it: consent is asked. Write consent: false at a program of your own, under clients.',
  ],
  'proxy.allowedRedirectURLs': [
    MATHEUSCSCP,
    'Write client_registration, with hosts such as claude.ai in place of regular expressions.',
  ],
  'proxy.cors': [MATHEUSCSCP, 'Write allowed_origins.'],
}

/** Their programs read keys in any case. */
const FOUND = new Map(Object.entries(KEYS).map(([name, found]) => [name.toLowerCase(), found]))

/** @returns false if no key of the section belongs to another system: nothing was reported then */
export function reportForeignKeys(section: string, value: unknown, report: Report): boolean {
  if (!isRecord(value)) return false
  const known = Object.keys(value).flatMap((key) => {
    const name = `${section}.${key}`
    const found = FOUND.get(name.toLowerCase())
    return found ? [{ name, found }] : []
  })
  for (const { name, found } of known) {
    const [system, advice] = found
    report.problem(name, `is a key of ${system}. ${advice}`)
  }
  return known.length > 0
}
