/**
 * The blocks of addresses that are counted together, because one subscriber may use all of a block.
 *
 * @module
 */
import { dotted, wordsOf } from './ip-address.ts'

/** A block of addresses, and how many times the limit of a single address it may use. */
export interface AddressBucket {
  readonly key: string
  readonly share: number
}

/** A device has a /64, a household a /56, a site a /48: the wider block gets more, not as much as its parts together. */
const IPV6_BUCKETS = [
  { bits: 64, share: 1 },
  { bits: 56, share: 2 },
  { bits: 48, share: 4 },
] as const

/**
 * The buckets of an address that `parseIpAddress` wrote, from the narrowest to the widest. An IPv4 address is a bucket
 * of its own, also where 6to4 or NAT64 wrapped it. Text that is no address is a bucket as it stands.
 */
export function bucketsOf(address: string): readonly AddressBucket[] {
  if (!address.includes(':')) return [{ key: address, share: 1 }]
  const words = wordsOf(address)
  const v4 = wrappedIPv4(words)
  if (v4 !== undefined) return [{ key: v4, share: 1 }]
  return IPV6_BUCKETS.map(({ bits, share }) => ({ key: blockOf(words, bits), share }))
}

/** The widest bucket of an address. */
export function widestBucketOf(address: string): string {
  return bucketsOf(address).at(-1)?.key ?? address
}

/** The IPv4 address of a 6to4 site (RFC 3056) or of a host behind NAT64 (RFC 6052). */
function wrappedIPv4(words: readonly number[]): string | undefined {
  if (words[0] === 0x2002) return dotted(words[1], words[2])
  const isNat64 =
    words[0] === 0x64 && words[1] === 0xff9b && words.slice(2, 6).every((word) => word === 0)
  return isNat64 ? dotted(words[6], words[7]) : undefined
}

function blockOf(words: readonly number[], bits: number): string {
  const kept = words.slice(0, Math.ceil(bits / 16)).map((word, i) => {
    const left = Math.min(16, bits - i * 16)
    return word & (0xffff << (16 - left)) & 0xffff
  })
  return `${kept.map((word) => word.toString(16)).join(':')}::/${bits}`
}
