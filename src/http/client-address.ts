/**
 * Finds the address of a client for rate limits. A client cannot choose this address.
 *
 * @module
 */
import { isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'

/**
 * If the peer is a trusted proxy: the rightmost address of `X-Forwarded-For` that is no trusted proxy. Else the peer.
 * The client wrote every entry to the left of it. IPv6 counts by /64, the block of one subscriber.
 */
export function createClientAddress(
  isTrustedProxy: (address: string | undefined) => boolean,
): (request: FastifyRequest) => string {
  return (request) => {
    const peer = request.socket.remoteAddress ?? ''
    if (!isTrustedProxy(peer)) return bucketOf(peer)
    const chain = [request.headers['x-forwarded-for'] ?? []].flat().join(',').split(',')
    const stranger = chain
      .map((address) => address.trim())
      .findLast((address) => address !== '' && !isTrustedProxy(address))
    return bucketOf(stranger ?? peer)
  }
}

function bucketOf(address: string): string {
  if (!isIPv6(address)) return address
  // The URL parser writes every form of an address the same way.
  const canonical = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/.exec(canonical)
  if (mapped) {
    const [high, low] = [mapped[1], mapped[2]].map((word) => Number.parseInt(word ?? '', 16))
    return [(high ?? 0) >> 8, (high ?? 0) & 255, (low ?? 0) >> 8, (low ?? 0) & 255].join('.')
  }
  const [head = '', tail] = canonical.split('::')
  const first = head === '' ? [] : head.split(':')
  const last = tail ? tail.split(':') : []
  const zeros = tail === undefined ? 0 : 8 - first.length - last.length
  return `${[...first, ...Array(zeros).fill('0'), ...last].slice(0, 4).join(':')}::/64`
}
