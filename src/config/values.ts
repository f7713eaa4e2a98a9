/**
 * Parsers for the remaining kinds of value in the settings table.
 *
 * @module
 */
import { isIP } from 'node:net'
import type { LogLevel } from './config.ts'
import { quote, Wrong } from './problem.ts'

/** @throws Wrong unless `value` is a TCP port; 0 lets the system choose one */
export function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : Number.NaN
  if (!(port <= 65_535)) {
    throw new Wrong(`${quote(value)} is not a port. Write a number from 0 to 65535.`)
  }
  return port
}

/** @throws Wrong unless `value` is an address or a host name to listen on */
export function parseListenHost(value: string): string {
  const host = value.replace(/^\[(.*)\]$/, '$1')
  if (isIP(host) === 0 && !/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/i.test(host)) {
    throw new Wrong(
      `${quote(value)} is not an address to listen on. Write 0.0.0.0 for every address, or 127.0.0.1.`,
    )
  }
  return host
}

/** @throws Wrong unless `value` is an IP address or a CIDR */
export function parseNetwork(value: string): string {
  const [address = '', prefix, ...rest] = value.split('/')
  const version = address.includes('%') ? 0 : isIP(address)
  const bits = version === 4 ? 32 : 128
  const prefixFits = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits)
  if (version === 0 || !prefixFits || rest.length > 0) {
    throw new Wrong(
      `${quote(value)} is neither an address nor a CIDR. Write it like 172.18.0.5 or 172.18.0.0/16.`,
    )
  }
  return value.toLowerCase()
}

/** Levels by name, and S0's numbers: 0 debug, 1 info, any other warn. */
export function parseLogLevel(value: string): LogLevel {
  const level = value.toLowerCase()
  if (level === 'debug' || level === 'info' || level === 'warn' || level === 'error') return level
  if (/^\d+$/.test(level)) {
    const number = Number(level)
    return number === 0 ? 'debug' : number === 1 ? 'info' : 'warn'
  }
  throw new Wrong(`${quote(value)} is not a log level. Write debug, info, warn or error.`)
}

/** @throws Wrong for every provider but the built-in one */
export function parseProvider(value: string): 'builtin' {
  if (value === 'builtin') return value
  if (value === 'internal') {
    throw new Wrong('"internal" has another name here. Write builtin.')
  }
  throw new Wrong(
    `${quote(value)} is not a provider that this version has. Write builtin, and list people under users in gatewarden.yaml.`,
  )
}

/** @throws Wrong for a root secret that could be guessed; never says what it is */
export function parseSecret(value: string): string {
  if (value.length < 32) {
    throw new Wrong(
      `is ${value.length} characters long, and 32 are the least. Make one with: openssl rand -base64 32.`,
    )
  }
  return value
}

/** @throws Wrong for a path that no file system takes */
export function parsePath(value: string): string {
  if (value === '' || value.includes('\0')) {
    throw new Wrong('is not a path. Write a folder, such as ./data.')
  }
  return value
}

/** @throws Wrong for a text that cannot be shown to people on one line */
export function parseDisplayName(value: string): string {
  if (value === '' || value.length > 200 || /\p{Cc}/u.test(value)) {
    throw new Wrong('cannot be shown on one line. Write 1 to 200 characters without line breaks.')
  }
  return value
}
