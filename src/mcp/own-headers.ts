/**
 * The headers of our own requests to a protected server: those that the operator configured for every request to it, and
 * nothing of any person or client. Pure.
 *
 * @module
 */
import type { ResourceConfig } from '../resources/resource-table.ts'

/** Headers of the transport, which a configured value would break. */
const OF_TRANSPORT = /^(?:host|connection|content-.*|transfer-encoding|accept(?:-.*)?|mcp-.*)$/i

/**
 * @param address the address that is asked: an origin other than that of the `upstream` gets no credential of it
 */
export function headersFor(
  address: URL,
  { url, upstream, passThrough }: Pick<ResourceConfig, 'url' | 'upstream' | 'passThrough'>,
): Readonly<Record<string, string>> {
  if (upstream === undefined || new URL(upstream).origin !== address.origin || !passThrough) {
    return {}
  }
  const headers: Record<string, string> = {}
  const { authorization, host, mutations } = passThrough
  // A wildcard has no host until a client names one.
  if (host === 'public' && !url.includes('*')) headers.host = new URL(url).host
  if (authorization !== undefined) headers.authorization = authorization
  for (const mutation of mutations) {
    if (mutation.action !== 'add' || mutation.from.kind !== 'value') continue
    const name = mutation.name.toLowerCase()
    if (!OF_TRANSPORT.test(name)) headers[name] = mutation.from.value
  }
  return headers
}
