/**
 * The only reader of IP addresses: sockets, proxies and settings write the same address in many ways.
 *
 * @module
 */
import { isIPv4, isIPv6 } from 'node:net'

/** Longer than any address with brackets, zone and port. */
const MAX_LENGTH = 100

/**
 * The one spelling of an address: without brackets, zone and port, IPv6 as RFC 5952 writes it, and IPv4 on an IPv6
 * socket (`::ffff:192.0.2.1`) as IPv4. Other forms that hold an IPv4 address stay IPv6: they are other hosts.
 * @returns undefined for text that is no address
 */
export function parseIpAddress(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const trimmed = text.trim()
  const v4 = /^([\d.]+)(?::\d{1,5})?$/.exec(trimmed)?.[1]
  if (v4 !== undefined) return isIPv4(v4) ? v4 : undefined
  const v6 = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed)?.[1] ?? trimmed
  // An empty zone is none, and a zone without an address is no address.
  const bare = v6.replace(/%[\w.-]*$/, '')
  if (!isIPv6(bare)) return undefined
  // The URL parser writes every form of an address the same way.
  const canonical = new URL(`http://[${bare}]`).hostname.slice(1, -1)
  const words = canonical.startsWith('::ffff:') ? wordsOf(canonical) : []
  return words[5] === 0xffff ? dotted(words[6], words[7]) : canonical
}

/** The eight 16-bit words of a canonical IPv6 address. */
export function wordsOf(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16))
  const first = numbers(head)
  const last = numbers(tail ?? '')
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}

/** An IPv4 address from two 16-bit words. */
export function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** True for an address of this machine alone, as a socket reports it (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3). */
export function isLoopbackAddress(peer: string | undefined): boolean {
  const address = peer === undefined ? undefined : parseIpAddress(peer)
  return address === '::1' || (address?.startsWith('127.') ?? false)
}
