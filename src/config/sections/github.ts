/**
 * Builds GitHub as a provider from the settings that belong together.
 *
 * @module
 */
import type { GithubProviderConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { Chosen } from '../sources/precedence.ts'
import type { Report } from '../values/problem.ts'
import { parseBaseUrl } from '../values/urls.ts'
import { checkBaseUrl } from './base-url.ts'
import { DISCOVERY_KEYS, refuseSettings } from './only-elsewhere.ts'

interface Parts extends Chosen {
  readonly id: string | undefined
  readonly clientId: string | undefined
  readonly clientSecret: string | undefined
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

const GITHUB = 'https://github.com'
const GITHUB_API = 'https://api.github.com'
/** GitHub, or undefined if it has a problem; problems go to the report. */
export function buildGithub(parts: Parts): GithubProviderConfig | undefined {
  const { settings, given, broken, id, clientId, clientSecret, resources, report } = parts
  refuseSettings([...DISCOVERY_KEYS, 'token_endpoint_auth_method'], parts, {
    issuer_url: 'GITHUB_URL for a GitHub Enterprise',
  })
  const site = settings.github_url ?? parseBaseUrl(GITHUB)
  if (site.href !== new URL(site.href).origin) {
    report.problem(
      given.get('github_url')?.written ?? 'GITHUB_URL',
      'has a path. Write the origin alone, like https://github.example.com; the API is GITHUB_API_URL.',
    )
  }
  const api = settings.github_api_url ?? parseBaseUrl(apiOf(site.href))
  checkBaseUrl('github_url', site, parts)
  checkBaseUrl('github_api_url', api, parts)
  if (broken.has('github_url') || broken.has('github_api_url')) return undefined
  if (clientId === undefined || clientSecret === undefined) return undefined
  const organisations = organisationsOf(resources)
  const usual = ['user:email', ...(organisations.length > 0 ? ['read:org'] : [])]
  checkScopes(organisations, parts)
  return {
    type: 'github',
    id: id ?? 'github',
    issuerUrl: site.href,
    apiUrl: api.href,
    clientId,
    clientSecret,
    ...(settings.recheck_at_refresh && { rechecks: true }),
    scopes: given.has('provider_scopes') ? settings.provider_scopes : usual,
    organisations,
  }
}

/** The organisations that the lists name, alone or with a team. */
function organisationsOf(resources: readonly ResourceConfig[]): readonly string[] {
  const groups = resources.flatMap(({ allow }) => allow.groups)
  return [...new Set(groups.map((group) => group.replace(/\/.*$/, '')))]
}

/** Scopes of the operator's own replace ours, and then have to suffice. */
function checkScopes(organisations: readonly string[], { settings, given, report }: Parts): void {
  const stated = given.get('provider_scopes')
  if (!stated) return
  const has = (pattern: RegExp) => settings.provider_scopes.some((scope) => pattern.test(scope))
  if (!has(/^user(?::email)?$/)) {
    report.problem(
      stated.written,
      'lacks user:email, without which GitHub shows no e-mail. Add it.',
    )
  }
  if (organisations.length > 0 && !has(/^(?:read|write|admin):org$/)) {
    report.problem(
      stated.written,
      'lacks read:org, without which GitHub shows no organisation, and the lists name some. Add it.',
    )
  }
}

/** GitHub.com, GitHub Enterprise Cloud with data residency, and GitHub Enterprise Server each have another one. */
function apiOf(site: string): string {
  if (site === GITHUB) return GITHUB_API
  const { protocol, host, hostname } = new URL(site)
  return hostname.endsWith('.ghe.com') ? `${protocol}//api.${host}` : `${site}/api/v3`
}

/** True for a name that only a client or a list of GitHub has, such as `GITHUB_CLIENT_ID`. */
export const isOfGithub = (written: string): boolean =>
  /^(?:--)?(?:allowed[_-])?github/i.test(written)

/** Settings of GitHub beside another provider. Runners of GitHub Actions set `GITHUB_API_URL` for every program. */
export function checkStrayGithub({ settings, given, report }: Chosen & { report: Report }): void {
  const { provider } = settings
  const keys = ['github_url', 'client_id', 'client_secret', 'allowed_users'] as const
  for (const key of keys) {
    const written = given.get(key)?.written
    if (written === undefined) continue
    if (key === 'github_url' ? provider === 'builtin' : !isOfGithub(written)) continue
    report.problem(
      written,
      `applies only to PROVIDER=github, and PROVIDER is ${provider}. Set PROVIDER=github, or remove it.`,
    )
  }
  const api = given.get('github_api_url')
  if (api && settings.github_api_url?.href !== GITHUB_API) {
    report.warning(api.written, 'has no effect without PROVIDER=github.')
  }
}
