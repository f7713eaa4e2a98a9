/**
 * Normalizes a host, so that two spellings of one host can never have two policies (CVE-2026-48794).
 *
 * @module
 */
import { isIPv6 } from 'node:net'

/**
 * Lower case, no trailing dot, no default port, an IPv6 address as RFC 5952 writes it. The scheme is unknown here (TLS may
 * end earlier), so both default ports go (decision K18).
 * @param host the value of a Host-like header
 * @returns undefined for anything that is not one host: empty, a list, userinfo, spaces, non-ASCII, two ports
 */
export function normalizeHost(host: string): string | undefined {
  const parts = HOST.exec(host)
  if (!parts) return undefined
  const [, name, address = '', port] = parts
  const value = name?.toLowerCase() ?? oneSpelling(address)
  if (value === undefined) return undefined
  return port === undefined || port === '80' || port === '443' ? value : `${value}:${port}`
}

/** The URL parser writes every form of an address the same way. */
const oneSpelling = (bracketed: string): string | undefined =>
  isIPv6(bracketed.slice(1, -1)) ? new URL(`http://${bracketed}`).hostname : undefined

export const HOST =
  /^(?:([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)\.?|(\[[0-9a-f:.]+\]))(?::(\d{1,5}))?$/i

/**
 * True for the host of `PUBLIC_URL`, port included: the origin of our own pages. Each part of the program that treats
 * our own host differently asks this function (threat T36).
 * @param publicUrl our origin
 */
export function isOwnHost(host: string, publicUrl: string): boolean {
  if (latest.publicUrl !== publicUrl) {
    latest = { publicUrl, own: normalizeHost(new URL(publicUrl).host) }
  }
  const { own } = latest
  return own !== undefined && (host === own || normalizeHost(host) === own)
}

/** Every request asks about the same origin, and the URL parser takes longer than all the rest of the answer. */
let latest: { readonly publicUrl: string; readonly own: string | undefined } = {
  publicUrl: '',
  own: undefined,
}

/**
 * True for the host of `PUBLIC_URL` on any port, where a browser sends our cookies: they know no ports (RFC 6265 section
 * 8.5). No wildcard covers such a host.
 * @param publicUrl our origin
 */
export function isOwnName(host: string, publicUrl: string): boolean {
  return isOwnHost(withoutPort(host), withoutPort(new URL(publicUrl).origin))
}

const withoutPort = (host: string) => host.replace(/:\d+$/, '')

/** True if `host` (normalized, with or without port) is the domain or below it. */
export function isUnder(host: string, domain: string): boolean {
  const name = withoutPort(host)
  return name === domain || name.endsWith(`.${domain}`)
}
