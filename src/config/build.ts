/**
 * Builds the configuration from parsed settings, and applies the rules that involve several of them.
 *
 * @module
 */

import type { BrandOptions } from '../pages/brand.ts'
import type { Config } from './config.ts'
import { checkAuthorizationServers } from './rules/authorization-servers.ts'
import { checkClientTokens } from './rules/client-tokens.ts'
import { warnOfClosedResources } from './rules/closed-resources.ts'
import { checkHeaderMutations } from './rules/forged-headers.ts'
import { withGroupNames } from './rules/group-names.ts'
import { checkGroupsOfProvider } from './rules/groups-of-provider.ts'
import { withImpliedProvider } from './rules/implied-provider.ts'
import { warnOfLdapNames } from './rules/ldap-names.ts'
import { adviseNewcomers } from './rules/newcomers.ts'
import { warnOfOtherPort } from './rules/other-port.ts'
import { checkOwnAddresses } from './rules/own-addresses.ts'
import { checkPersonTokens } from './rules/person-tokens.ts'
import { warnOfPlainResources } from './rules/plain-resources.ts'
import { checkProdMode } from './rules/prod-mode.ts'
import { checkPublicSuffixes } from './rules/public-suffixes.ts'
import { checkSharedHost } from './rules/shared-host.ts'
import { checkSharedNames } from './rules/shared-names.ts'
import { warnOfTakenPath } from './rules/taken-protected-path.ts'
import { checkUpstreams } from './rules/upstream-loops.ts'
import { checkUserNames } from './rules/user-names.ts'
import { warnOfWeakSecret } from './rules/weak-secret.ts'
import { buildClientMetadata } from './sections/client-metadata.ts'
import { buildClients } from './sections/clients.ts'
import { buildProvider } from './sections/provider.ts'
import { checkProviderTokens } from './sections/provider-tokens.ts'
import { buildRedis } from './sections/redis.ts'
import { buildResources } from './sections/resources.ts'
import { buildStaticTokens } from './sections/static-tokens.ts'
import { buildUsers } from './sections/users.ts'
import type { Disk } from './sources/disk.ts'
import type { FileContents } from './sources/file.ts'
import type { Chosen } from './sources/precedence.ts'
import { cookieDomainProblem } from './values/cookie-domain.ts'
import { toIdentityHeaders } from './values/identity-headers.ts'
import { widthOf } from './values/network-width.ts'
import type { Report } from './values/problem.ts'
import { rateLimitsOf } from './values/rate-limits.ts'
import { toRegistration } from './values/registration.ts'
import type { PublicUrl } from './values/urls.ts'

interface Parts extends Chosen {
  readonly file: FileContents
  /** False if a file that may hold more settings could not be read. */
  readonly complete: boolean
  readonly disk: Disk
  readonly report: Report
  /** The address of the login that other settings make likely, for a problem that has to name one. */
  readonly login?: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** @returns the configuration, or undefined if a required part is missing; problems go to the report */
export function buildConfig(given: Parts): Config | undefined {
  const parts = withImpliedProvider(given)
  const { settings, disk, report } = parts
  const publicUrl = checkPublicUrl(parts)
  if (publicUrl) checkCookieDomain(parts, publicUrl)
  warnOfOpenProxies(parts)
  warnOfLdapNames(parts)
  const resources = withGroupNames(buildResources(parts), parts)
  checkPublicSuffixes({ ...parts, resources, prodMode: settings.prod_mode })
  const { users, newUsers } = buildUsers({
    described: parts.file.users ?? {},
    listed: settings.provider === 'builtin' ? (settings.users ?? []) : [],
    disk,
    report,
  })
  const everyone = [...users, ...newUsers]
  const provider = buildProvider({ ...parts, resources })
  if (provider?.type === 'builtin') warnOfClosedResources({ users: everyone, resources, report })
  checkGroupsOfProvider({ ...parts, resources, provider })
  checkUserNames({ ...parts, resources })
  const clients = buildClients({ ...parts, resources })
  const clientMetadata = buildClientMetadata({ ...parts, resources })
  const staticTokens = buildStaticTokens({ ...parts, resources })
  if (provider?.type === 'builtin') checkSharedNames({ users: everyone, staticTokens, report })
  checkProviderTokens({ ...parts, resources })
  checkClientTokens({ ...parts, resources })
  checkAuthorizationServers({ ...parts, resources, provider })
  checkSharedHost({ ...parts, resources })
  checkOwnAddresses({ ...parts, resources })
  warnOfTakenPath({ ...parts, resources })
  checkUpstreams({ ...parts, resources })
  warnOfPlainResources({ ...parts, resources })
  adviseNewcomers({ ...parts, resources })
  if (!settings.prod_mode) warnOfWeakSecret(parts)
  warnOfOtherPort(parts)
  const identityHeaders = toIdentityHeaders(settings.identity_headers, {
    apiKeyHeader: settings.api_key_header,
    assertionHeader: settings.assertion_header,
    report,
  })
  checkHeaderMutations({
    resources,
    identityHeaders: Object.keys(identityHeaders),
    apiKeyHeader: settings.api_key_header,
    report,
  })
  checkPersonTokens({
    ...parts,
    resources,
    provider,
    identityHeaders: Object.keys(identityHeaders),
  })
  checkRevokeBefore(parts)
  checkCallbackPath(parts)
  const redis = buildRedis(parts)
  if (redis) refuseNewUsers(newUsers, report)
  if (settings.prod_mode)
    checkProdMode({ ...parts, resources, users, provider, clients, staticTokens })
  if (!publicUrl || !provider) return undefined
  const { origin, host, secure } = publicUrl
  return {
    publicUrl: { origin, host, secure },
    ...(settings.callback_path !== undefined && { callbackPath: settings.callback_path }),
    ...(settings.path_prefix !== undefined && { pathPrefix: settings.path_prefix }),
    listen: { host: settings.host, port: settings.port },
    dataDir: disk.absolute(settings.data_dir),
    ...(redis && { redis }),
    maxStale: settings.max_stale,
    upstreamIdle: settings.upstream_idle_timeout,
    upstreamLimits: {
      body: settings.upstream_body_limit,
      headers: settings.upstream_header_limit,
      perPerson: {
        requests: settings.mcp_per_subject_concurrency,
        streams: settings.mcp_per_subject_streams,
      },
    },
    ...(settings.secret !== undefined && { secret: settings.secret }),
    secretPrevious: settings.secret_previous ?? [],
    ...(settings.signing_key !== undefined && { signingKey: settings.signing_key }),
    resources,
    protectedPath: settings.protected_path,
    discoveryAt: settings.discovery_at,
    directChecks: !settings.prod_mode,
    trustedProxies: settings.trusted_proxies,
    provider,
    users,
    newUsers,
    ...(settings.client_tokens === 'provider' && { clientTokens: 'provider' as const }),
    lifetimes: {
      accessToken: settings.access_token_lifetime,
      grant: settings.grant_lifetime,
      grantIdle: settings.grant_idle,
      refreshGrace: settings.refresh_grace,
      session: settings.session_lifetime,
      sessionIdle: settings.session_idle,
    },
    ...(settings.cookie_domain !== undefined && { cookieDomain: settings.cookie_domain }),
    hsts: settings.hsts,
    edgeAuth: settings.enable_edge_auth,
    allowedOrigins: settings.allowed_origins.includes('*') ? '*' : settings.allowed_origins,
    clients: clients.map(({ client }) => client),
    staticTokens: staticTokens.map((placed) => placed.config),
    registration: toRegistration(settings.client_registration, report),
    clientMetadata,
    ...(settings.client_lifetime !== 'never' && { clientLifetime: settings.client_lifetime }),
    ...(settings.revoke_before !== undefined && { revokeBefore: settings.revoke_before }),
    apiKeyHeader: settings.api_key_header,
    identityHeaders,
    shutdown: { delay: settings.shutdown_delay, timeout: settings.shutdown_timeout },
    rateLimit: settings.rate_limit,
    rateLimits: rateLimitsOf(settings),
    brand: brandOf(parts, publicUrl),
    logLevel: settings.log_level,
    ...(settings.log_format !== undefined && { logFormat: settings.log_format }),
  }
}

/** Plain http shows tokens to the network, so beyond this machine it requires `DEV_MODE` (decision K7). */
function checkPublicUrl(parts: Parts): PublicUrl | undefined {
  const { settings, given, complete, broken, report, login = 'https://auth.example.com' } = parts
  const label = given.get('public_url')?.label ?? 'PUBLIC_URL'
  const publicUrl = settings.public_url
  if (!publicUrl) {
    if (complete && !broken.has('public_url')) {
      report.problem(
        label,
        `is not set. Set it to the address at which people reach Gatewarden, such as ${login}.`,
      )
    }
    return undefined
  }
  if (!publicUrl.secure && !publicUrl.loopback) {
    if (settings.dev_mode) {
      report.warning(label, 'is plain http: everyone on the network can read the tokens.')
    } else if (!broken.has('dev_mode')) {
      report.problem(
        label,
        'is plain http beyond this machine. Use https, or set DEV_MODE=true to try it out on a network you trust.',
      )
    }
  }
  return publicUrl
}

function checkCookieDomain({ settings, report }: Parts, publicUrl: PublicUrl): void {
  const domain = settings.cookie_domain
  const problem = domain === undefined ? undefined : cookieDomainProblem(domain, publicUrl)
  if (problem !== undefined) report.problem('COOKIE_DOMAIN', problem)
}

function brandOf({ settings, report }: Parts, { origin }: PublicUrl): BrandOptions {
  const { brand_name: name, brand_logo: logo, brand_color: color } = settings
  const { brand_support: support, brand_login_help: loginHelp } = settings
  if (logo !== undefined && name === undefined) {
    report.problem(
      'BRAND_LOGO',
      'needs BRAND_NAME, for people who cannot see the logo. Set both, or remove it.',
    )
  }
  return {
    ...(name !== undefined && { name }),
    // Pages of ours also stand on other hosts.
    ...(logo !== undefined && { logo: logo.startsWith('/') ? origin + logo : logo }),
    ...(color !== undefined && { color }),
    ...(support !== undefined && { support }),
    ...(loginHelp !== undefined && { loginHelp }),
  }
}

/** The check answers its own address before any page does. */
function checkCallbackPath({ settings, report }: Parts): void {
  if (settings.callback_path !== undefined && settings.callback_path === settings.protected_path) {
    report.problem(
      'CALLBACK_PATH',
      `${settings.callback_path} is PROTECTED_PATH as well. Write another path for one of the two.`,
    )
  }
}

/** Milliseconds by which the clock of the person who wrote the setting may be ahead of ours. */
const CLOCK_SKEW_MS = 60_000

/** The data directory belongs to one replica, so each would make another password. */
function refuseNewUsers(newUsers: Config['newUsers'], report: Report): void {
  for (const { name } of newUsers) {
    report.problem(
      'USERS',
      `${name} has no password hash, and with REDIS_URL each replica would make a password of its own. Write ${name}:HASH, with a hash from gatewarden hash-password.`,
    )
  }
}

/** A time in the future would also end every grant made until then. */
function checkRevokeBefore({ settings, report, now }: Parts): void {
  if (settings.revoke_before !== undefined && settings.revoke_before * 1000 > now + CLOCK_SKEW_MS) {
    report.problem(
      'REVOKE_BEFORE',
      'is in the future. Set it to now or a past time; if it is a number, write seconds, not milliseconds.',
    )
  }
}

function warnOfOpenProxies({ settings, given, report }: Parts): void {
  const label = given.get('trusted_proxies')?.label ?? 'TRUSTED_PROXIES'
  for (const network of settings.trusted_proxies.filter((entry) => widthOf(entry).prefix === 0)) {
    report.warning(label, `${network} lets everyone forge forwarded headers.`)
  }
}
