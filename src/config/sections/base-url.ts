/**
 * Addresses of providers that are not found by discovery.
 *
 * @module
 */
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import type { IssuerUrl } from '../values/urls.ts'

/** Plain http shows codes, tokens and our secret to the network, so beyond this machine it requires `DEV_MODE`. */
export function checkBaseUrl(
  key: 'github_url' | 'github_api_url' | 'entra_url' | 'entra_graph_url' | 'google_directory_url',
  { secure, loopback }: IssuerUrl,
  { settings, given, broken, report }: Chosen & { readonly report: Report },
): void {
  if (secure || loopback || !given.has(key)) return
  const label = given.get(key)?.written ?? key.toUpperCase()
  if (settings.dev_mode) {
    report.warning(label, 'is plain http: everyone on the network can log in as anyone.')
  } else if (!broken.has('dev_mode')) {
    report.problem(
      label,
      'is plain http beyond this machine. Use https, or set DEV_MODE=true to try it out on a network you trust.',
    )
  }
}
