/**
 * The proxies whose forwarded headers count (decision K22).
 *
 * @module
 */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

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
    const address = peer.startsWith('::ffff:') && isIPv4(peer.slice(7)) ? peer.slice(7) : peer
    const trusted = list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(peer, trusted)
    return trusted
  }
}
