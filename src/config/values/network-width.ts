/**
 * How much of the Internet a network covers.
 *
 * @module
 */
import { BlockList, isIPv4 } from 'node:net'

export interface NetworkWidth {
  /** The family of the peers that it covers: an IPv6 form of an IPv4 address counts as that address. */
  readonly family: 4 | 6
  readonly prefix: number
  /** True for a network of addresses that no stranger on the Internet has. */
  readonly isPrivate: boolean
}

/** The /96 networks of IPv6 that stand for all of IPv4: IPv4-mapped (RFC 4291) and translated (RFC 6052). */
const FORMS_OF_IPV4 = ['::ffff:0:0', '64:ff9b::']

/** @param network an address or a CIDR, as `parseNetwork` accepts it */
export function widthOf(network: string): NetworkWidth {
  const [address = '', bits] = network.split('/')
  if (isIPv4(address)) return { family: 4, prefix: Number(bits ?? 32), isPrivate: false }
  const prefix = Number(bits ?? 128)
  for (const base of FORMS_OF_IPV4) {
    if (prefix <= 96 && covers(address, prefix, base)) {
      return { family: 4, prefix: 0, isPrivate: false }
    }
    if (covers(base, 96, address)) return { family: 4, prefix: prefix - 96, isPrivate: false }
  }
  return { family: 6, prefix, isPrivate: prefix >= 7 && covers('fc00::', 7, address) }
}

function covers(network: string, prefix: number, address: string): boolean {
  const list = new BlockList()
  list.addSubnet(network, prefix, 'ipv6')
  return list.check(address, 'ipv6')
}
