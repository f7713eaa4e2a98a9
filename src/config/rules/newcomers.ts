/**
 * Lines for people who come from another system whose defaults are others: they are printed only where its names are there.
 *
 * @module
 */

import type { ProviderConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { ownedDomainOf } from '../values/public-suffix.ts'

/** Where the libraries of Google find a service account; users of matheuscscp have it for groups (case sx4). */
const GOOGLE_CREDENTIALS = 'GOOGLE_APPLICATION_CREDENTIALS'

interface Parts extends Pick<Chosen, 'settings' | 'given'> {
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

export function adviseNewcomers(parts: Parts): void {
  const written = parts.given.get('public_url')?.written ?? ''
  if (written === 'PROXY_BASE_URL') {
    adviseProdMode(parts)
    adviseVerifiedEmail(parts)
  }
  if (/oauth_?domain/i.test(written)) adviseCookieDomain(parts)
}

/** babs/mcp-auth-proxy has it on (case sb2). */
function adviseProdMode({ given, report }: Parts): void {
  if (given.has('prod_mode')) return
  report.warning(
    'PROD_MODE',
    'is off unless you set it, and on in babs/mcp-auth-proxy. Write PROD_MODE=true once the start accepts it, or PROD_MODE=false.',
  )
}

/** babs refuses people with an address that is not verified; here they may pass by a group or by `*` (case sb5). */
function adviseVerifiedEmail({ given, settings, resources, report }: Parts): void {
  if (given.has('require_verified_email') || settings.provider === 'builtin') return
  if (!resources.some(({ allow }) => allow.anyone || allow.groups.length > 0)) return
  report.warning(
    'REQUIRE_VERIFIED_EMAIL',
    'is off unless you set it, so people whose e-mail address is not verified pass by ALLOWED_GROUPS or by *, and babs/mcp-auth-proxy refuses them. Write REQUIRE_VERIFIED_EMAIL=true, or REQUIRE_VERIFIED_EMAIL=false.',
  )
}

/** mcpauth's cookie counts at every host below the one of the login (case sa9). */
function adviseCookieDomain({ settings, resources, report }: Parts): void {
  const { cookie_domain: domain, public_url: publicUrl, enable_edge_auth: isOn } = settings
  if (!isOn || domain !== undefined || !publicUrl) return
  const shared = ownedDomainOf(new URL(publicUrl.origin).hostname)
  const isElsewhere = resources.some(({ url }) => new URL(url).host !== publicUrl.host)
  const areBelow = resources.every(({ url }) => new URL(url).hostname.endsWith(`.${shared}`))
  if (!isElsewhere || !areBelow) return
  report.warning(
    'ENABLE_EDGE_AUTH',
    `gives a command line a session of one server alone. For one that opens all of them, as in mcpauth, add COOKIE_DOMAIN=${shared}.`,
  )
}

/**
 * matheuscscp refuses suspended people and knows groups by it. Other programs of Google's users have it, too, so the line
 * is for `PROVIDER=google` alone.
 */
export function adviseGoogleDirectory(parts: {
  readonly provider: ProviderConfig
  readonly environments: readonly Readonly<Record<string, string | undefined>>[]
  readonly report: Report
}): void {
  const { provider, environments, report } = parts
  if (provider.type !== 'google' || provider.directory !== undefined) return
  if (!environments.some((env) => (env[GOOGLE_CREDENTIALS] ?? '').trim() !== '')) return
  report.warning(
    GOOGLE_CREDENTIALS,
    'has no effect. For groups and suspended people of Google Workspace, write the path of a key file in GOOGLE_SERVICE_ACCOUNT_FILE, and set GOOGLE_ADMIN_SUBJECT and GOOGLE_HOSTED_DOMAIN.',
  )
}
