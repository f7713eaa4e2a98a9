/**
 * The hosts whose client metadata documents are read, or never read.
 *
 * @module
 */
import { lowerCase } from '../../identifiers.ts'
import { InvalidValue, quote } from './problem.ts'
import { isLoopbackHost, urlOf } from './urls.ts'

const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)+(?::\d{1,5})?$/

/** @throws InvalidValue unless `value` is `open`, `off`, a host, or `*.` before one */
export function parseMetadataHost(value: string): string {
  const entry = lowerCase(value)
  return entry === 'open' || entry === 'off' ? entry : parseHost(entry, value)
}

/** @throws InvalidValue unless `value` is a host, or `*.` before one */
export function parseDeniedHost(value: string): string {
  return parseHost(lowerCase(value), value).replace(/:\d+$/, '')
}

function parseHost(entry: string, value: string): string {
  const wildcard = entry.startsWith('*.') ? '*.' : ''
  const url = /[\s/?#@\\]/.test(entry)
    ? undefined
    : urlOf(`https://${entry.slice(wildcard.length)}`)
  const host = url && wildcard + url.host
  if (url && isLoopbackHost(url.hostname)) {
    throw new InvalidValue(
      `${quote(value)} is this machine. For development, set CLIENT_METADATA_LOOPBACK=true in its place.`,
    )
  }
  if (host === undefined || !HOST.test(host) || /^[\d.]+(?::\d+)?$/.test(host)) {
    throw new InvalidValue(
      `${quote(value)} is not a host of the Internet. Write it like claude.ai, *.example.com or clients.example.com:8443.`,
    )
  }
  return host
}
