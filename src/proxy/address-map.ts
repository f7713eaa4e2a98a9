/**
 * The addresses of a server behind us and the addresses that its clients know, each as the other. The path of the
 * upstream URL stands for the path of the resource URL (decision K31); an address inside the network never gets to a
 * client. Pure.
 *
 * @module
 */
import type { Resource } from '../resources/resource-table.ts'
import { normalizeHost } from '../url/host.ts'
import { depthOf, splitAfter, withoutQuery } from '../url/path.ts'

/** A resource that we are the reverse proxy of. */
export type ProxiedResource = Resource & { readonly upstream: NonNullable<Resource['upstream']> }

export interface AddressMap {
  /** The host name of the upstream, without port. */
  readonly innerName: string
  /**
   * The target of a request as the upstream gets it; the rest of the path and the query stay verbatim.
   * @param viaAlso true for a path of the `also` list, which the upstream knows by the same name
   */
  readonly toUpstream: (target: string, viaAlso: boolean) => string
  /**
   * An address in an answer of the upstream, as the client has to see it.
   * @param address absolute or relative, as received
   * @param from the request target at the upstream that it answers
   * @returns `address` itself if it leads to another server; undefined if it is no address
   */
  readonly toClient: (address: string, from: string) => string | undefined
  /** The request target at the upstream that a redirect leads to; undefined if it leads elsewhere. */
  readonly redirectTarget: (address: string, from: string) => string | undefined
  /** The public path for a path of the upstream, such as that of a cookie; undefined if it lies outside the resource. */
  readonly publicPath: (path: string) => string | undefined
}

const covers = (prefix: string, path: string) =>
  path === prefix || (path.startsWith(prefix) && (prefix === '' || path[prefix.length] === '/'))

/**
 * @param isElsewhere true for a path of the resource's host that belongs to another resource
 */
export function createAddressMap(
  resource: ProxiedResource,
  isElsewhere: (path: string) => boolean,
): AddressMap {
  const { upstream, origin, path: own, also } = resource
  const base = upstream.path.replace(/\/$/, '')
  const innerHost = normalizeHost(new URL(upstream.origin).host)
  const publicHost = normalizeHost(new URL(origin).host)

  /** True for a path that is public already: some servers know the address at which clients reach them. */
  const isPublic = (path: string) => base === '' && own !== '' && covers(own, path)

  function publicPath(path: string): string | undefined {
    const [longest = ''] = also
      .filter((other) => covers(other, path))
      .sort((a, b) => b.length - a.length)
    if (longest.length > base.length || isPublic(path)) return path
    return covers(base, path) ? own + path.slice(base.length) || '/' : undefined
  }

  function toUpstream(target: string, viaAlso: boolean): string {
    const raw = withoutQuery(target)
    // An escaped spelling of the resource's own path is replaced like the plain one; it has as many segments.
    const [, rest] = splitAfter(raw, depthOf(own))
    // `/` of a whole host is the resource's own URL, which clients write with and without the slash.
    const isOwnUrl = own === '' && rest === '/'
    // Keep the final slash of the upstream URL if nothing follows: some servers answer only there.
    const mapped = rest === '' || isOwnUrl ? upstream.path : base + rest
    return (viaAlso ? raw : mapped) + target.slice(raw.length)
  }

  /** @returns the place of an address, by every name that the upstream was told it has */
  function locate(address: string, from: string): 'no address' | 'another server' | Place {
    const url = urlOf(address, upstream.origin + from)
    if (!url) return 'no address'
    if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'another server'
    const host = normalizeHost(url.host)
    const path = url.pathname
    const place = { path, rest: url.search + url.hash, isAbsolute: ABSOLUTE.test(address) }
    // The scheme says nothing: a server that knows that TLS ends in front writes https for its inner name as well.
    if (host === innerHost) return place
    if (host !== publicHost || isElsewhere(path)) return 'another server'
    return publicPath(path) === undefined ? 'another server' : place
  }

  function toClient(address: string, from: string): string | undefined {
    const place = locate(address, from)
    if (place === 'no address') return undefined
    if (place === 'another server') return address
    const path = publicPath(place.path) ?? place.path
    return (place.isAbsolute ? origin : '') + withoutAuthority(path) + place.rest
  }

  function redirectTarget(address: string, from: string): string | undefined {
    const place = locate(address, from)
    if (typeof place === 'string' || publicPath(place.path) === undefined) return undefined
    const path = isPublic(place.path) ? toUpstream(place.path, false) : place.path
    return path + place.rest.replace(/#.*$/s, '')
  }

  const innerName = new URL(upstream.origin).hostname
  return { innerName, toUpstream, toClient, redirectTarget, publicPath }
}

interface Place {
  readonly path: string
  /** Query and fragment. */
  readonly rest: string
  readonly isAbsolute: boolean
}

/** Also `//host`, which a browser reads with backslashes as well. */
const ABSOLUTE = /^\s*(?:[a-z][a-z0-9+.-]*:|[/\\]{2})/i

/** A path that begins with two slashes would name a host. */
const withoutAuthority = (path: string) => (path.startsWith('//') ? `/.${path}` : path)

/** @param address in Latin-1, as Node reads headers; browsers read such bytes as UTF-8 */
function urlOf(address: string, base: string): URL | undefined {
  try {
    return new URL(Buffer.from(address, 'latin1').toString('utf8'), base)
  } catch {
    return undefined
  }
}
