/**
 * Finds the address of a client for limits, lock-outs and the log. A client cannot choose this address.
 *
 * @module
 */
import type { IncomingHttpHeaders } from 'node:http'
import type { Events } from '../events.ts'
import { parseIpAddress } from '../url/ip-address.ts'
import { compileTrustedProxies, entriesOfProxiesOnly } from './trusted-proxies.ts'

/** More proxies than any request passes. */
const MAX_HOPS = 16

/** The address in its one spelling; empty when the peer is gone. */
export type ClientAddress = (request: {
  readonly headers: IncomingHttpHeaders
  readonly socket: { readonly remoteAddress?: string | undefined }
}) => string

/**
 * If the peer is a trusted proxy: the rightmost address of `X-Forwarded-For` that is no proxy. Else the peer. The
 * client wrote every entry to the left of it. An address that is trusted only as part of a private network counts as
 * the client, because it can be one; so does the last proxy before an entry that cannot be read.
 */
export function createClientAddress(deps: {
  readonly trustedProxies: readonly string[]
  readonly events: Events
}): ClientAddress {
  const isTrusted = compileTrustedProxies(deps.trustedProxies)
  const isProxy = compileTrustedProxies(entriesOfProxiesOnly(deps.trustedProxies))
  return ({ headers, socket }) => {
    const peer = parseIpAddress(socket.remoteAddress ?? '') ?? ''
    if (!isTrusted(peer)) return peer
    let client = peer
    for (const [hop, entry] of chainOf(headers['x-forwarded-for']).entries()) {
      const address = parseIpAddress(entry)
      if (address === undefined) return client
      // The peer is a proxy, since it speaks to us; any other address only says that it is one.
      if (hop > 0 && !isProxy(client)) {
        deps.events.emit({ event: 'proxy-unlisted', address: client })
        return client
      }
      if (!isTrusted(address)) return address
      client = address
    }
    return client
  }
}

/** The entries from the right, nearest first. */
function chainOf(header: string | readonly string[] | undefined): readonly string[] {
  const entries = [header ?? []].flat().join(',').split(',')
  return entries
    .filter((entry) => entry.trim() !== '')
    .slice(-MAX_HOPS)
    .reverse()
}
