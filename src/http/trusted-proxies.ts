/**
 * The proxies whose forwarded headers count (decision K22).
 *
 * @module
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { parseIpAddress } from '../url/ip-address.ts'

/** Maximum of remembered peers: proxies are few, and addresses of strangers must not fill the memory. */
const MAX_REMEMBERED = 4096

/**
 * Compiles addresses and CIDRs into a test for a peer address as the socket reports it.
 * @param entries `10.0.0.1`, `10.0.0.0/8`, `::1`, `fd00::/8`; an IPv4 peer on an IPv6 socket counts as IPv4
 * @throws TypeError for an entry that is neither an address nor a CIDR
 */
export function compileTrustedProxies(
  entries: readonly string[],
): (address: string | undefined) => boolean {
  const list = new BlockList()
  for (const entry of entries) {
    const [address = '', prefix] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
    if (!family) throw new TypeError(`${entry} is neither an address nor a CIDR`)
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  const remembered = new Map<string, boolean>()
  return (peer) => {
    if (peer === undefined) return false
    const known = remembered.get(peer)
    if (known !== undefined) return known
    const address = parseIpAddress(peer)
    const trusted = address !== undefined && list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(peer, trusted)
    return trusted
  }
}

/** Networks in which clients live as well as proxies: pods, colleagues, other containers. */
const isPrivate = compileTrustedProxies([
  '10.0.0.0/8',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  'fc00::/7',
  'fe80::/10',
])
/** A network with a shorter prefix may hold one of these. */
const WIDEST_PUBLIC_PREFIX = 8

/**
 * The entries that name proxies and nothing else: single addresses, loopback, and public networks. A private network
 * holds clients too, and such a client would be believed about the address that it forwards for.
 */
export function entriesOfProxiesOnly(entries: readonly string[]): readonly string[] {
  return entries.filter((entry) => {
    const [network = '', length] = entry.split('/')
    if (length === undefined) return true
    const address = parseIpAddress(network) ?? network
    const isMapped = isIPv4(address) && !isIPv4(network)
    const prefix = Number(length) - (isMapped ? 96 : 0)
    if (prefix === (isIPv4(address) ? 32 : 128)) return true
    return prefix >= WIDEST_PUBLIC_PREFIX && !isPrivate(address)
  })
}
