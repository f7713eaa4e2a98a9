/**
 * Tells addresses of the public Internet from all others: those of this machine, of private networks, of protocols, and
 * those that wrap an IPv4 address which a gateway on the way would unwrap (RFC 6890 and the IANA registries that it
 * began, threat T9).
 *
 * @module
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { parseIpAddress, wordsOf } from './ip-address.ts'

/** Every block of the IPv4 registry, and multicast (RFC 5771). */
const IPV4: readonly (readonly [network: string, prefix: number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]

/** Only 2000::/3 is global unicast (RFC 4291 section 2.4). These blocks in it are special all the same. */
const IPV6_GLOBAL = ['2000::', 3] as const
const IPV6: readonly (readonly [network: string, prefix: number])[] = [
  // Protocol assignments, with Teredo (2001::/32), ORCHID and benchmarking.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4: a relay unwraps the IPv4 address (RFC 3056).
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3ffe::', 16],
  ['3fff::', 20],
]

const special = new BlockList()
for (const [network, prefix] of IPV4) special.addSubnet(network, prefix, 'ipv4')
for (const [network, prefix] of IPV6) special.addSubnet(network, prefix, 'ipv6')
const global = new BlockList()
global.addSubnet(...IPV6_GLOBAL, 'ipv6')

/** ISATAP puts an IPv4 address behind these 32 bits, below any prefix (RFC 5214 section 6.1). */
function isIsatap(address: string): boolean {
  const words = wordsOf(address)
  return (words[4] === 0 || words[4] === 0x200) && words[5] === 0x5efe
}

/**
 * True unless the address is one of the public Internet. IPv4-mapped IPv6 (`::ffff:192.0.2.1`) counts as its IPv4
 * address; NAT64 (`64:ff9b::/96`, `64:ff9b:1::/48`) is special whatever it wraps, and so is text that is no address.
 */
export function isSpecialUse(address: string): boolean {
  const canonical = parseIpAddress(address)
  if (canonical === undefined) return true
  if (isIPv4(canonical)) return special.check(canonical, 'ipv4')
  if (!isIPv6(canonical) || !global.check(canonical, 'ipv6')) return true
  return isIsatap(canonical) || special.check(canonical, 'ipv6')
}

/** True for an address of this machine: 127.0.0.0/8 or ::1, also IPv4-mapped. */
export function isLoopbackAddress(address: string): boolean {
  const canonical = parseIpAddress(address) ?? ''
  return canonical === '::1' || /^127\.\d+\.\d+\.\d+$/.test(canonical)
}

/** True for the host name of a URL that means this machine without a question to a name server (RFC 6761 section 6.3). */
export function isLoopbackName(hostname: string): boolean {
  return /^(?:.+\.)?localhost$/.test(hostname) || isLoopbackAddress(hostname)
}
