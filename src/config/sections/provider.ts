/**
 * Builds the provider that people sign in at from the settings that belong together.
 *
 * @module
 */

import { isPreset, PRESETS, type Preset } from '../../providers/presets.ts'
import type {
  ProviderConfig,
  RedirectProviderConfig,
  RemoteProviderConfig,
  WayToProvider,
} from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { SettingKey, Settings } from '../schema.ts'
import { keysOf, OF_PROVIDER, PROVIDER_SETTINGS } from '../settings/providers.ts'
import { type Disk, readCertificates } from '../sources/disk.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import { attempt, type Report } from '../values/problem.ts'
import { type IssuerUrl, parseDiscoveryUrl, parseIssuerUrl } from '../values/urls.ts'
import { buildEntra } from './entra.ts'
import { buildGithub, checkStrayGithub } from './github.ts'
import { buildDirectory } from './google.ts'
import { outerIssuerLine, warnOfInnerHost } from './keycloak-outside.ts'
import { refuseOthersSettings } from './only-elsewhere.ts'

interface Parts extends Chosen {
  readonly file: FileContents
  /** False if a file that may hold more settings could not be read. */
  readonly complete: boolean
  readonly disk: Disk
  readonly resources: readonly ResourceConfig[]
  readonly report: Report
}

const KEYCLOAK_KEYS = keysOf(OF_PROVIDER.keycloak)
const INNER_KEYS = KEYCLOAK_KEYS.filter((key) => key !== 'keycloak_realm')
const REDIRECT_KEYS: readonly SettingKey[] = [
  'issuer_url',
  'discovery_url',
  'client_id',
  'client_secret',
  'provider_ca',
  'provider_proxy',
  'token_endpoint_auth_method',
  'provider_scopes',
  'groups_claim',
  'unique_usernames',
  'recheck_at_refresh',
  'provider_token_clients',
  // Runners of GitHub Actions set that one for every program.
  ...keysOf(PROVIDER_SETTINGS).filter((key) => key !== 'github_api_url'),
]

/** The providers that are more than OpenID Connect with a discovery document, a line each. */
const BUILDERS = { github: buildGithub, entra: buildEntra } as const

/** The provider, or undefined if it has a problem; problems go to the report. */
export function buildProvider(parts: Parts): ProviderConfig | undefined {
  const { settings, given, file, complete, report } = parts
  const type = settings.provider
  const described = Object.keys(file.users ?? {}).length
  const listed = given.get('users')
  if (type !== 'github') checkStrayGithub(parts)
  if (type !== 'builtin') {
    for (const place of [described > 0 ? 'users' : undefined, listed?.written]) {
      if (place !== undefined) {
        report.warning(place, `has no effect, because PROVIDER is ${type}. Remove it.`)
      }
    }
    checkPresets(type, parts)
    if (type !== 'github') checkOpenid(parts)
    const way = wayThere(parts)
    const built = buildRemote(type, parts)
    return built && way ? { ...built, way } : built
  }
  const users = described + (listed ? 1 : 0)
  for (const key of REDIRECT_KEYS) {
    const stray = given.get(key)
    if (stray)
      report.warning(
        stray.written,
        'has no effect, because PROVIDER is builtin. Remove it, or set PROVIDER.',
      )
  }
  if (complete && users === 0 && !parts.broken.has('provider')) {
    report.problem(
      'users',
      'PROVIDER is builtin, but no users are listed, so nobody can log in. Name people in USERS=ann@example.com, and Gatewarden makes their passwords; or run gatewarden hash-password and add to gatewarden.yaml: users: { ann: { email: ann@example.com, password_hash: "..." } }.',
    )
  }
  return { type }
}

function buildRemote(
  type: RemoteProviderConfig['type'],
  parts: Parts,
): RemoteProviderConfig | undefined {
  if (!hasBuilder(type)) return buildRedirectProvider(type, parts)
  return BUILDERS[type]({ ...parts, id: parts.file.providerId, ...credentials(type, parts) })
}

const hasBuilder = (type: RemoteProviderConfig['type']): type is keyof typeof BUILDERS =>
  Object.hasOwn(BUILDERS, type)

/** How our calls get to the provider, if not directly. */
function wayThere({ settings, given, disk, report }: Parts): WayToProvider | undefined {
  const { provider_ca: path, provider_proxy: proxy } = settings
  const label = given.get('provider_ca')?.label ?? 'PROVIDER_CA'
  const authorities =
    path === undefined ? undefined : attempt(report, label, () => readCertificates(path, disk))
  if (authorities === undefined && proxy === undefined) return undefined
  return {
    ...(authorities !== undefined && { authorities }),
    ...(proxy !== undefined && { proxy }),
  }
}

function buildRedirectProvider(
  type: RedirectProviderConfig['type'],
  parts: Parts,
): RedirectProviderConfig | undefined {
  const { settings, given, file, report } = parts
  const issuer = findIssuer(type, parts)
  if (issuer?.secure && type === 'keycloak') warnOfInnerHost(parts)
  if (issuer) checkTransport(issuer, parts)
  const inner = findDiscovery(type, parts)
  if (inner && !inner.secure && !inner.loopback) {
    report.warning(
      innerLabel(parts),
      'is plain http: everyone on the network between Gatewarden and the provider can log in as anyone.',
    )
  }
  const preset = isPreset(type) ? PRESETS[type] : undefined
  const fault = issuer && !inner ? preset?.faultOf?.(new URL(issuer.href)) : undefined
  if (fault !== undefined) report.problem(given.get('issuer_url')?.written ?? 'ISSUER_URL', fault)
  const { clientId, clientSecret } = credentials(type, parts)
  const directory = type === 'google' ? buildDirectory(parts) : undefined
  if (!issuer || clientId === undefined || clientSecret === undefined) return undefined
  return {
    type,
    id: file.providerId ?? type,
    issuerUrl: issuer.href,
    ...(inner && { discoveryUrl: inner.href }),
    clientId,
    clientSecret,
    ...(settings.token_endpoint_auth_method && {
      tokenEndpointAuthMethod: settings.token_endpoint_auth_method,
    }),
    ...scopesOf(preset, issuer, parts),
    groupsClaim:
      (given.has('groups_claim') ? undefined : preset?.groupsClaim) ?? settings.groups_claim,
    ...(settings.unique_usernames && { uniqueUsernames: true }),
    ...(settings.recheck_at_refresh && { rechecks: true }),
    hostedDomains: settings.google_hosted_domain ?? [],
    ...(directory && { directory }),
    tokenClients: settings.provider_token_clients ?? [],
    allowInsecure: !issuer.secure || inner?.secure === false,
  }
}

/** The scopes of the operator, else those of the preset; without either, the provider's own default. */
function scopesOf(
  preset: Preset | undefined,
  issuer: IssuerUrl,
  { settings, given }: Parts,
): { scopes?: readonly string[] } {
  if (given.has('provider_scopes')) return { scopes: settings.provider_scopes }
  const more = preset?.scopes?.(new URL(issuer.href)) ?? []
  return more.length > 0 ? { scopes: [...settings.provider_scopes, ...more] } : {}
}

/** Our client there; a part that is missing is a problem. */
const credentials = (type: RemoteProviderConfig['type'], parts: Parts) => ({
  clientId: parts.settings.client_id ?? missing('client_id', type, parts),
  clientSecret: parts.settings.client_secret ?? missing('client_secret', type, parts),
})

/** Scopes of the operator's own replace ours. GitHub does not speak OpenID Connect. */
function checkOpenid({ settings, given, broken, report }: Parts): void {
  const scopes = given.get('provider_scopes')
  if (scopes && !broken.has('provider_scopes') && !settings.provider_scopes.includes('openid')) {
    report.problem(
      scopes.written,
      'lacks openid, without which the provider does not say who somebody is. Add it.',
    )
  }
}

/** Settings that only some providers have. */
function checkPresets(type: RemoteProviderConfig['type'], parts: Parts): void {
  const { settings, given, report } = parts
  refuseOthersSettings(parts)
  const hosted = given.get('google_hosted_domain')
  if (hosted && settings.google_hosted_domain?.length === 0) {
    report.problem(
      hosted.written,
      'lists no domain. Add one; without the setting, any Google account can sign in.',
    )
  }
  const unique = given.get('unique_usernames')
  if (unique && type !== 'oidc' && !isPreset(type)) {
    report.problem(unique.written, 'applies only to PROVIDER=oidc and its presets. Remove it.')
  }
}

function findIssuer(type: RedirectProviderConfig['type'], parts: Parts): IssuerUrl | undefined {
  const { settings, given, broken, report } = parts
  const first = KEYCLOAK_KEYS.map((key) => given.get(key)).find((entry) => entry !== undefined)
  if (first && type !== 'keycloak') {
    report.problem(
      first.written,
      'applies only to PROVIDER=keycloak. Use ISSUER_URL, or remove it.',
    )
  } else if (first && given.has('issuer_url')) {
    if (!INNER_KEYS.some((key) => given.has(key))) {
      report.problem(first.written, 'conflicts with ISSUER_URL. Remove one of the two.')
    }
  } else if (first) {
    if (KEYCLOAK_KEYS.some((key) => broken.has(key))) return undefined
    return attempt(report, first.written, () => parseIssuerUrl(keycloakIssuer(settings)))
  }
  return settings.issuer_url ?? hostedIssuer(type) ?? missing('issuer_url', type, parts)
}

/** The issuer of a service that has a single one. */
function hostedIssuer(type: RedirectProviderConfig['type']): IssuerUrl | undefined {
  const known = type === 'google' ? GOOGLE : isPreset(type) ? PRESETS[type].issuerUrl : undefined
  return known === undefined ? undefined : parseIssuerUrl(known)
}

/** Beside `ISSUER_URL`, Keycloak's own settings are the address by which we reach it. */
function findDiscovery(
  type: RedirectProviderConfig['type'],
  { settings, given, broken, report }: Parts,
): IssuerUrl | undefined {
  const inner = INNER_KEYS.map((key) => given.get(key)).find((entry) => entry !== undefined)
  if (type !== 'keycloak' || !inner || !given.has('issuer_url')) return settings.discovery_url
  if (given.has('discovery_url')) {
    report.problem(inner.written, 'conflicts with DISCOVERY_URL. Remove one of the two.')
  }
  if (KEYCLOAK_KEYS.some((key) => broken.has(key))) return undefined
  const [, realm] = /\/realms\/([^/]+)$/.exec(settings.issuer_url?.href ?? '') ?? []
  const named = given.has('keycloak_realm') ? undefined : realm
  return attempt(report, inner.written, () => parseDiscoveryUrl(keycloakIssuer(settings, named)))
}

/** The setting that says where the discovery document is. */
const innerLabel = ({ given }: Parts) =>
  (given.get('discovery_url') ?? given.get('keycloak_auth_protocol') ?? given.get('issuer_url'))
    ?.written ?? 'DISCOVERY_URL'

/** Builds the issuer as mcpauth does: it leaves out the default port of the scheme. */
function keycloakIssuer(settings: Settings, realm = settings.keycloak_realm): string {
  const host = settings.keycloak_auth_host ?? 'localhost'
  const { keycloak_auth_protocol: scheme, keycloak_auth_port: port } = settings
  const isDefault = port === (scheme === 'https' ? 443 : 80)
  return `${scheme}://${host}${isDefault ? '' : `:${port}`}/realms/${realm}`
}

/** Plain http shows codes and our client secret to the network, so beyond this machine it requires `DEV_MODE`. */
function checkTransport(issuer: IssuerUrl, parts: Parts): void {
  const { settings, given, broken, report } = parts
  if (issuer.secure || issuer.loopback) return
  const label = (given.get('issuer_url') ?? given.get('keycloak_auth_protocol'))?.written
  const outer = outerIssuerLine(parts)
  if (settings.dev_mode) {
    report.warning(
      label ?? 'ISSUER_URL',
      'is plain http: everyone on the network can log in as anyone.',
    )
  } else if (!broken.has('dev_mode')) {
    report.problem(
      label ?? 'ISSUER_URL',
      `is plain http beyond this machine. Use https, or set DEV_MODE=true to try it out on a network you trust.${
        outer === undefined
          ? ''
          : ` If Gatewarden alone goes there, add the address that people have: ${outer}`
      }`,
    )
  }
}

const GOOGLE = 'https://accounts.google.com'
const REMEDIES = {
  client_id: 'Register a client at your provider and set this to its client id.',
  client_secret: 'Copy it from the client at your provider, or name a file in CLIENT_SECRET_FILE.',
}

function issuerRemedy(type: RemoteProviderConfig['type']): string {
  const example = isPreset(type)
    ? PRESETS[type].issuerExample
    : 'https://id.example.com/realms/main'
  const other = type === 'keycloak' ? ', or set KEYCLOAK_AUTH_HOST' : ''
  return `Set it to the issuer, such as ${example}${other}.`
}

function missing(
  key: keyof typeof REMEDIES | 'issuer_url',
  type: RemoteProviderConfig['type'],
  { complete, broken, report }: Parts,
): undefined {
  if (!complete || broken.has(key)) return
  const remedy = key === 'issuer_url' ? issuerRemedy(type) : REMEDIES[key]
  report.problem(key.toUpperCase(), `is missing, and PROVIDER=${type} needs it. ${remedy}`)
}
