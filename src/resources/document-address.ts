/**
 * Where the RFC 9728 document of a server is: on the server's own host, or on ours for operators whose proxy does not
 * bring the well-known paths of that host to us. Pure.
 *
 * @module
 */
import { DOCUMENTS_OF_OTHERS, PROTECTED_RESOURCE } from '../paths.ts'
import { HOST, isOwnHost } from '../url/host.ts'

/** The host whose documents challenges name: that of the server, or that of the gateway. */
export type DiscoveryAt = 'resource' | 'gateway'

/**
 * The address that a challenge names, without the path that the document is about.
 * @param origin scheme and host of the server
 * @param options.publicUrl our own origin
 */
export function documentAddress(
  origin: string,
  {
    publicUrl,
    discoveryAt = 'resource',
  }: { readonly publicUrl: string | undefined; readonly discoveryAt: DiscoveryAt | undefined },
): string {
  const { host } = new URL(origin)
  if (discoveryAt === 'resource' || publicUrl === undefined || isOwnHost(host, publicUrl)) {
    return origin + PROTECTED_RESOURCE
  }
  // RFC 3986 section 3.3: brackets of an IPv6 address cannot stand in a path.
  return `${publicUrl}${DOCUMENTS_OF_OTHERS}/${host.replace('[', '%5B').replace(']', '%5D')}`
}

/**
 * The server and path that an address on our own host is about.
 * @param path the path of the request, verbatim
 * @returns undefined if the path is none of {@link DOCUMENTS_OF_OTHERS}
 */
export function describedElsewhere(path: string): { host: string; path: string } | undefined {
  if (!path.startsWith(`${DOCUMENTS_OF_OTHERS}/`)) return undefined
  const rest = path.slice(DOCUMENTS_OF_OTHERS.length + 1)
  const end = rest.indexOf('/')
  const host = (end === -1 ? rest : rest.slice(0, end))
    .replace(/^%5B/i, '[')
    .replace(/%5D(?=$|:)/i, ']')
  return HOST.test(host) ? { host, path: end === -1 ? '' : rest.slice(end) } : undefined
}
