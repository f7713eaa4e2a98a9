/**
 * This folder owns the rules across settings. It parses no value and builds no part of the configuration.
 *
 * `PROD_MODE` refuses settings that are fine only for trying things out, and secrets that can be guessed.
 *
 * @module
 */

import type { ProviderConfig, UserConfig } from '../../providers/provider-config.ts'
import type { ResourceConfig } from '../../resources/resource-table.ts'
import type { SettingKey } from '../schema.ts'
import type { PlacedClient } from '../sections/clients.ts'
import type { PlacedStaticToken } from '../sections/static-tokens.ts'
import type { FileContents } from '../sources/file.ts'
import type { Chosen } from '../sources/precedence.ts'
import { widthOf } from '../values/network-width.ts'
import type { Report } from '../values/problem.ts'
import { isLoopbackHost } from '../values/urls.ts'
import { checkRedisTransport } from './redis-transport.ts'
import { weakness } from './weak-secret.ts'

interface Parts extends Chosen {
  readonly file: FileContents
  readonly report: Report
  readonly resources: readonly ResourceConfig[]
  readonly users: readonly UserConfig[]
  readonly provider: ProviderConfig | undefined
  readonly clients: readonly PlacedClient[]
  readonly staticTokens: readonly PlacedStaticToken[]
}

const MAKE_ONE = 'Make one with: openssl rand -base64 32.'
const MIN_CLIENT_SECRET = 32
/** OWASP's recommendation for argon2id: 19 MiB, two passes. */
const MIN_ARGON2 = { memory: 19_456, passes: 2 }
/** By family: a network with a shorter prefix covers a large part of the Internet. */
const MIN_PREFIX = { 4: 8, 6: 32 }
/** Requests per minute and address; more is no limit for anybody. */
const MAX_RATE_LIMIT = 100_000
/** The limits of endpoints where a stranger can guess or cause work. Discovery and refusals are neither. */
const LIMITS = [
  'rate_limit',
  'rate_limit_register',
  'rate_limit_device',
  'rate_limit_token',
  'rate_limit_revoke',
  'rate_limit_introspect',
  'rate_limit_login',
] as const

/** Reports every unsafe setting, each with its fix. */
export function checkProdMode(parts: Parts): void {
  checkTransport(parts)
  checkRedisTransport(parts.settings.redis_url, parts.report)
  checkOpenness(parts)
  checkSecrets(parts)
  checkStaticTokens(parts)
  checkPasswords(parts)
}

function checkTransport({ settings, given, file, resources, provider, report }: Parts): void {
  if (settings.dev_mode) {
    report.problem('DEV_MODE', 'conflicts with PROD_MODE. Remove one of the two.')
  }
  if (settings.client_metadata_loopback) {
    report.problem('CLIENT_METADATA_LOOPBACK', 'conflicts with PROD_MODE. Remove one of the two.')
  }
  if (settings.public_url && !settings.public_url.secure) {
    const label = labelOf('public_url', given)
    report.problem(label, 'is plain http, which PROD_MODE refuses. Use https.')
  }
  for (const { id, url, aliases = [] } of resources) {
    const plain = (address: string) => address.startsWith('http:')
    const refused = (address: string) => `${address} is plain http, which PROD_MODE refuses.`
    const label = file.resources ? `resources.${id}.url` : 'RESOURCES'
    if (plain(url)) report.problem(label, `${refused(url)} Use https.`)
    for (const address of aliases.filter(plain)) {
      report.problem(`resources.${id}.aliases`, `${refused(address)} Use https, or remove it.`)
    }
  }
  if (!provider || provider.type === 'builtin') return
  if (provider.type === 'github' || provider.type === 'entra') {
    const addresses =
      provider.type === 'github'
        ? ({ github_url: provider.issuerUrl, github_api_url: provider.apiUrl } as const)
        : ({ entra_url: provider.baseUrl, entra_graph_url: provider.graphUrl } as const)
    for (const [key, url] of Object.entries(addresses)) {
      if (!url.startsWith('http:')) continue
      report.problem(key.toUpperCase(), 'is plain http, which PROD_MODE refuses. Use https.')
    }
    return
  }
  for (const [label, url] of [
    ['GOOGLE_DIRECTORY_URL', provider.directory?.url],
    ['GOOGLE_SERVICE_ACCOUNT', provider.directory?.tokenUrl],
  ] as const) {
    if (url?.startsWith('http:')) {
      report.problem(label, 'has a plain http address, which PROD_MODE refuses. Use https.')
    }
  }
  const { discoveryUrl } = provider
  if (discoveryUrl?.startsWith('http:') && !isLoopbackHost(new URL(discoveryUrl).hostname)) {
    const label = (given.get('discovery_url') ?? given.get('keycloak_auth_protocol'))?.written
    report.problem(
      label ?? 'DISCOVERY_URL',
      'is plain http beyond this machine, which PROD_MODE refuses. Use https, or reach the provider over loopback.',
    )
  }
  if (provider.issuerUrl.startsWith('http:')) {
    const label = (given.get('issuer_url') ?? given.get('keycloak_auth_protocol'))?.written
    report.problem(
      label ?? 'ISSUER_URL',
      'is plain http, which PROD_MODE refuses. Use an issuer with https.',
    )
  }
}

function checkOpenness({ settings, given, file, resources, report }: Parts): void {
  for (const key of [
    'allowed_emails',
    'allowed_domains',
    'allowed_groups',
    'allowed_users',
  ] as const) {
    if (!settings[key]?.includes('*')) continue
    report.problem(
      labelOf(key, given),
      '* lets in anyone who can log in, which PROD_MODE refuses. List who may pass.',
    )
  }
  for (const { id, allow } of file.resources ? resources : []) {
    const own = file.resources?.[id]
    if (allow.anyone && typeof own === 'object' && own !== null && 'allow' in own) {
      report.problem(
        `resources.${id}.allow`,
        '* lets in anyone who can log in, which PROD_MODE refuses. List who may pass.',
      )
    }
  }
  if (settings.allowed_origins.includes('*')) {
    report.problem(
      labelOf('allowed_origins', given),
      '* lets every web page call, which PROD_MODE refuses. List the origins.',
    )
  }
  for (const network of settings.trusted_proxies) {
    const { family, prefix, isPrivate } = widthOf(network)
    if (isPrivate || prefix >= MIN_PREFIX[family]) continue
    report.problem(
      labelOf('trusted_proxies', given),
      `${network} lets strangers forge forwarded headers, which PROD_MODE refuses. List your proxy alone.`,
    )
  }
  if (settings.cookie_domain !== undefined) {
    report.warning(
      labelOf('cookie_domain', given),
      `every host under ${settings.cookie_domain} receives the session, and can sign a browser in as somebody else. Remove it unless you run all of them.`,
    )
  }
  for (const key of LIMITS) {
    const limit = settings[key]
    if (limit === undefined || (limit > 0 && limit <= MAX_RATE_LIMIT)) continue
    report.problem(
      labelOf(key, given),
      `${limit} means no limit, which PROD_MODE refuses. Remove it to use the default.`,
    )
  }
}

function checkSecrets({ settings, provider, given, clients, report }: Parts): void {
  const check = (label: string, secret: string | undefined, remedy: string) => {
    const weak = secret === undefined ? undefined : weakness(secret)
    if (weak !== undefined) report.problem(label, `${weak}, which PROD_MODE refuses. ${remedy}`)
  }
  check(labelOf('secret', given), settings.secret, MAKE_ONE)
  for (const previous of settings.secret_previous ?? []) {
    check(
      labelOf('secret_previous', given),
      previous,
      'Remove it; everything sealed with it becomes invalid.',
    )
  }
  if (provider && provider.type !== 'builtin') {
    const label = labelOf('client_secret', given)
    check(label, provider.clientSecret, 'Make a new one at your provider.')
  }
  for (const { at, client } of clients) {
    if (client.secret === undefined) continue
    if (client.secret.length < MIN_CLIENT_SECRET) {
      report.problem(
        `${at}.client_secret`,
        `is ${client.secret.length} characters long; PROD_MODE requires ${MIN_CLIENT_SECRET}. ${MAKE_ONE}`,
      )
    } else {
      check(`${at}.client_secret`, client.secret, MAKE_ONE)
    }
  }
}

function checkStaticTokens({ staticTokens, report }: Parts): void {
  for (const { at, token } of staticTokens) {
    const weak = weakness(token)
    if (weak !== undefined) {
      report.problem(at, `a token ${weak}, which PROD_MODE refuses. ${MAKE_ONE}`)
    }
  }
}

function checkPasswords({ users, report }: Parts): void {
  for (const { name, passwordHash } of users) {
    const [memory = 0, passes = 0] = (/\$m=(\d+),t=(\d+),/.exec(passwordHash) ?? [])
      .slice(1)
      .map(Number)
    if (memory >= MIN_ARGON2.memory && passes >= MIN_ARGON2.passes) continue
    report.problem(
      `users.${name}.password_hash`,
      `was made with less than m=${MIN_ARGON2.memory},t=${MIN_ARGON2.passes},p=1, which PROD_MODE refuses. Make one with: gatewarden hash-password.`,
    )
  }
}

/** The name under which people set it, which may be another system's; else ours. */
const labelOf = (key: SettingKey, given: Chosen['given']): string =>
  given.get(key)?.label ?? key.toUpperCase()
