/**
 * Parsers for the remaining kinds of value in the settings table.
 *
 * @module
 */
import { isIP } from 'node:net'
import type { ProviderConfig } from '../../providers/provider-config.ts'
import type { LogLevel } from '../config.ts'
import { InvalidValue, quote } from './problem.ts'

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
      `${quote(value)} is not an address to listen on. Write 0.0.0.0 for every address, or 127.0.0.1.`,
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
  return value.toLowerCase()
}

/** @throws InvalidValue unless `value` is a number of requests a minute */
export function parseRateLimit(value: string): number {
  if (!/^\d{1,7}$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a number of requests a minute. Write it like 600, or 0 for no limit.`,
    )
  }
  return Number(value)
}

/** Levels by name, and S0's numbers: 0 debug, 1 info, any other warn. */
export function parseLogLevel(value: string): LogLevel {
  const level = value.toLowerCase()
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level
  if (/^\d+$/.test(level)) {
    const number = Number(level)
    return number === 0 ? 'debug' : number === 1 ? 'info' : 'warn'
  }
  throw new InvalidValue(`${quote(value)} is not a log level. Write debug, info, warn or error.`)
}

const PROVIDERS: readonly ProviderConfig['type'][] = ['builtin', 'keycloak', 'google', 'oidc']

/** @throws InvalidValue for a provider that this version does not have */
export function parseProvider(value: string): ProviderConfig['type'] {
  const provider = PROVIDERS.find((name) => name === value)
  if (provider) return provider
  // As mcpauth calls it.
  if (value === 'internal') return 'builtin'
  throw new InvalidValue(
    `${quote(value)} is not a provider that this version has. Write builtin, keycloak, google, or oidc for any other with OpenID Connect.`,
  )
}

/** @throws InvalidValue for the host of a Keycloak that is more, or less, than a host */
export function parseKeycloakHost(value: string): string {
  if (!/^(?:[a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/i.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not a host. Write it without scheme, port and path, like id.example.com.`,
    )
  }
  return value.toLowerCase()
}

/** @throws InvalidValue for anything but a scheme */
export function parseHttpScheme(value: string): 'http' | 'https' {
  const scheme = value.toLowerCase()
  if (scheme === 'http' || scheme === 'https') return scheme
  throw new InvalidValue(`${quote(value)} is neither http nor https. Write one of the two.`)
}

/** @throws InvalidValue for a realm that would not be one segment of a path */
export function parseRealm(value: string): string {
  if (!/^[\w.~-]{1,255}$/.test(value) || /^\.+$/.test(value)) {
    throw new InvalidValue(
      `${quote(value)} is not the name of a realm. Write it as it stands in the address: the part after /realms/.`,
    )
  }
  return value
}

/** @throws InvalidValue for what no provider gives as an id of a client, a secret or a claim; never says what it is */
export function parseToken(value: string): string {
  if (!/^[\x20-\x7e]{1,1024}$/.test(value)) {
    throw new InvalidValue(
      'is empty, too long or not plain ASCII. Copy it from your provider once more.',
    )
  }
  return value
}

/** Characters. */
const MIN_SECRET = 32

/** @throws InvalidValue for a root secret that could be guessed; never says what it is */
export function parseSecret(value: string): string {
  if (value.length < MIN_SECRET) {
    throw new InvalidValue(
      `is ${value.length} characters long, and ${MIN_SECRET} are the least. Make one with: openssl rand -base64 32.`,
    )
  }
  return value
}

/**
 * Former secrets, one a line or separated by commas. A comma may also be part of one: where a piece is too short to have
 * been a secret, the line as a whole is meant as well.
 */
export function splitSecrets(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const pieces = line.split(',').map((piece) => piece.trim())
    const long = pieces.filter((piece) => piece.length >= MIN_SECRET)
    return long.length === pieces.length ? long : [...long, line]
  })
}

/** @throws InvalidValue for a path that no file system takes */
export function parsePath(value: string): string {
  if (value === '' || value.includes('\0')) {
    throw new InvalidValue('is not a path. Write a folder, such as ./data.')
  }
  return value
}

/** @throws InvalidValue for a text that cannot be shown to people on one line */
export function parseDisplayName(value: string): string {
  if (value === '' || value.length > 200 || /\p{Cc}/u.test(value)) {
    throw new InvalidValue(
      'cannot be shown on one line. Write 1 to 200 characters without line breaks.',
    )
  }
  return value
}
