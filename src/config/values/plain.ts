/**
 * Parsers for the remaining kinds of value in the settings table.
 *
 * @module
 */
import { isIP } from 'node:net'
import { writtenDomain } from '../../identifiers.ts'
import { isPreset, PRESETS } from '../../providers/presets.ts'
import type { ProviderConfig, TokenEndpointAuthMethod } from '../../providers/provider-config.ts'
import type { DiscoveryAt } from '../../resources/document-address.ts'
import type { LogFormat, LogLevel } from '../config.ts'
import { InvalidValue, quote } from './problem.ts'
import { splitList } from './split-list.ts'

/** @throws InvalidValue unless `value` is a TCP port; 0 lets the system choose one */
export function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (!(port <= 65_535)) {
    throw new InvalidValue(`${quote(value)} is not a port. Write a number from 0 to 65535.`)
  }
  return port
}

/** @throws InvalidValue unless `value` is an address or a host name to listen on */
export function parseListenHost(value: string): string {
  const host = value.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) {
    throw new InvalidValue(
      `${quote(value)} is not an address to listen on. Write :: for every address, or 127.0.0.1.`,
    )
  }
  return host
}

/** @throws InvalidValue unless `value` is an IP address or a CIDR */
export function parseNetwork(value: string): string {
  const [address = '', prefix, ...rest] = value.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  const bits = version === 4 ? 32 : 128
  const prefixFits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  if (version === 0 || !prefixFits || rest.length > 0) {
    throw new InvalidValue(
      `${quote(value)} is neither an address nor a CIDR. Write it like 172.18.0.5 or 172.18.0.0/16.`,
    )
  }
  if (/^(?:0\.0\.0\.0(?:\/32)?|::(?:\/128)?)$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is the address of no proxy. Write that of yours, like 172.18.0.5.`,
    )
  }
  return value.toLowerCase()
}

/** @throws InvalidValue unless `value` is a number of requests per minute */
export function parseRateLimit(value: string): number {
  if (!/^\d{1,7}$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a number of requests per minute. Write it like 600, or 0 for no limit.`,
    )
  }
  return Number(value)
}

/** The names of pino, logrus, zap and Python, and the numbers of pino. */
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'fatal',
  panic: 'fatal',
  dpanic: 'fatal',
  critical: 'fatal',
  notset: 'trace',
  silent: 'silent',
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Levels by name, by pino's numbers, or by mcpauth's: 0 is debug, 1 is info, any other single digit is warn. */
export function parseLogLevel(value: string): LogLevel {
  const written = value.toLowerCase()
  const level = Object.hasOwn(LOG_LEVELS, written) ? LOG_LEVELS[written] : undefined
  if (level) return level
  if (/^\d$/.test(written)) {
    return written === '0' ? 'debug' : written === '1' ? 'info' : 'warn'
  }
  throw new InvalidValue(
    `${quote(value)} is not a log level. Write debug, info, warn, error or silent.`,
  )
}

/** @throws InvalidValue unless `value` is `json` or `text` */
export function parseLogFormat(value: string): LogFormat {
  const format = value.toLowerCase()
  if (format === 'json' || format === 'text') return format
  throw new InvalidValue(`${quote(value)} is no format of the log. Write json or text.`)
}

const PROVIDERS: readonly ProviderConfig['type'][] = [
  'builtin',
  'keycloak',
  'google',
  'github',
  'entra',
  'oidc',
]

/** @throws InvalidValue for a provider that is not supported */
export function parseProvider(value: string): ProviderConfig['type'] {
  const provider = PROVIDERS.find((name) => name === value)
  if (provider) return provider
  if (isPreset(value)) return value
  // mcpauth's name for it.
  if (value === 'internal') return 'builtin'
  throw new InvalidValue(
    `${quote(value)} is not a supported provider. Write builtin, keycloak, google, github, entra, ${Object.keys(PRESETS).join(', ')}, or oidc for any other OpenID Connect provider.`,
  )
}

/** @throws InvalidValue unless `value` is the id of a tenant of Entra */
export function parseTenant(value: string): string {
  const tenant = value.toLowerCase()
  if (/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(tenant)) return tenant
  throw new InvalidValue(
    /^(?:common|organizations|consumers)$/.test(tenant)
      ? `${quote(value)} would let in people of any organisation. List the Directory (tenant) IDs of those you mean.`
      : `${quote(value)} is not the id of a tenant. Write the Directory (tenant) ID that Entra shows, not a domain.`,
  )
}

/** @throws InvalidValue unless `value` is a host alone, without scheme, port and path */
export function parseKeycloakHost(value: string): string {
  const host = writtenDomain(value) ?? value.toLowerCase()
  if (!/^(?:[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/.test(host)) {
    throw new InvalidValue(
      `${quote(value)} is not a host. Write it without scheme, port and path, like id.example.com.`,
    )
  }
  return host
}

/** @throws InvalidValue unless `value` is `http` or `https` */
export function parseHttpScheme(value: string): 'http' | 'https' {
  const scheme = value.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return scheme
  throw new InvalidValue(`${quote(value)} is neither http nor https. Write one of the two.`)
}

/** @throws InvalidValue unless `value` is a single segment of a path */
export function parseRealm(value: string): string {
  if (!/^[\w.~-]{1,255}$/.test(value) || /^\.+$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not the name of a realm. Copy it from the address of the realm: the part after /realms/.`,
    )
  }
  return value
}

/** @throws InvalidValue, without the value, unless it could be a client id, a client secret or a claim of a provider */
export function parseToken(value: string): string {
  if (!/^[\x20-\x7e]{1,1024}$/.test(value)) {
    throw new InvalidValue(
      'is empty, too long or not plain ASCII. Copy it from your provider again.',
    )
  }
  return value
}

/** @throws InvalidValue, without the value, unless it could be a client secret: one line, in any alphabet */
export function parseClientSecret(value: string): string {
  if (!/^(?:[^\p{C}\p{Z}]| ){1,1024}$/u.test(value)) {
    throw new InvalidValue(
      'is empty, too long or holds invisible characters. Copy it from your provider again.',
    )
  }
  return value
}

const AUTH_METHODS = ['client_secret_basic', 'client_secret_post'] as const

/** @throws InvalidValue unless `value` is a way to authenticate that we know */
export function parseTokenEndpointAuthMethod(value: string): TokenEndpointAuthMethod {
  const method = AUTH_METHODS.find((name) => name === value)
  if (method) return method
  throw new InvalidValue(
    `${quote(value)} is not a way to send the client secret. Write client_secret_basic or client_secret_post.`,
  )
}

/** @throws InvalidValue for any word but the two */
export function parseDiscoveryAt(value: string): DiscoveryAt {
  if (value === 'resource' || value === 'gateway') return value
  throw new InvalidValue(
    `${quote(value)} is neither resource (the host of each server) nor gateway (the host of PUBLIC_URL). Write one of the two.`,
  )
}

/** @throws InvalidValue */
export function parseClientTokens(value: string): 'own' | 'provider' {
  if (value === 'own' || value === 'provider') return value
  throw new InvalidValue(
    `${quote(value)} is neither own (tokens of Gatewarden) nor provider (the provider's own tokens). Write one of the two.`,
  )
}

/** In characters. */
const MIN_SECRET = 32

/** @throws InvalidValue, without the value, for a root secret that is short enough to guess */
export function parseSecret(value: string): string {
  if (value.length < MIN_SECRET) {
    throw new InvalidValue(
      `is ${value.length} characters long; the minimum is ${MIN_SECRET}. Make one with: openssl rand -base64 32.`,
    )
  }
  return value
}

/**
 * Splits former secrets: a JSON list, one per line, or separated by commas. A secret may itself hold a comma: if a piece is too
 * short to be a secret, the whole line counts as a secret, too.
 */
export function splitSecrets(text: string): string[] {
  if (/^\s*\["/.test(text)) return splitList(text)
  return text.split('\n').flatMap((line) => {
    const pieces = line.split(',').map((piece) => piece.trim())
    const long = pieces.filter((piece) => piece.length >= MIN_SECRET)
    return long.length === pieces.length ? long : [...long, line]
  })
}

/** @throws InvalidValue for a path that no file system accepts */
export function parsePath(value: string): string {
  if (value === '' || value.includes('\0')) {
    throw new InvalidValue('is not a path. Write a folder, such as ./data.')
  }
  if (/^~(?:\/|$)/.test(value)) {
    throw new InvalidValue('begins with ~, which only a shell fills in. Write the whole path.')
  }
  return value
}

/** @throws InvalidValue for a text that a page cannot show on one line */
export function parseDisplayName(value: string): string {
  if (value === '' || value.length > 200 || /\p{Cc}/u.test(value)) {
    throw new InvalidValue(
      'cannot be shown on one line. Write 1 to 200 characters without line breaks.',
    )
  }
  return value
}

/** @throws InvalidValue unless `value` is `pages` or `sandboxed` */
export function parseSharedHost(value: string): 'pages' | 'sandboxed' {
  if (value === 'pages' || value === 'sandboxed') return value
  throw new InvalidValue(`${quote(value)} is neither pages nor sandboxed. Write one of the two.`)
}

/** @throws InvalidValue unless `value` is `own` or `public` */
export function parseUpstreamHost(value: string): 'own' | 'public' {
  if (value === 'own' || value === 'public') return value
  throw new InvalidValue(`${quote(value)} is neither own nor public. Write one of the two.`)
}

/** @throws InvalidValue unless `value` is `ours` or `own` */
export function parseUpstreamChallenges(value: string): 'ours' | 'own' {
  if (value === 'ours' || value === 'own') return value
  throw new InvalidValue(`${quote(value)} is neither ours nor own. Write one of the two.`)
}

/** @throws InvalidValue, which does not quote the secret, unless `value` is a scheme and its credentials */
export function parseUpstreamAuthorization(value: string): string {
  if (!/^[A-Za-z][A-Za-z0-9-]* +[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
    throw new InvalidValue(
      'is not the value of an Authorization header. Write it with its scheme, like Bearer abc.',
    )
  }
  return value
}

/** @throws InvalidValue unless `value` is a number of things at once; 0 is no limit */
export function parseCap(value: string): number {
  if (!/^\d{1,6}$/.test(value)) {
    throw new InvalidValue(`${quote(value)} is not a number. Write one from 0 to 999999.`)
  }
  return Number(value)
}
