/**
 * Requests in absolute form (RFC 9112 section 3.2.2): `GET http://mcp.example.com/mcp HTTP/1.1`, as programs write them
 * that take a server for their proxy. Every part of the program reads the path alone and the `Host`.
 *
 * @module
 */
import type { IncomingMessage } from 'node:http'
import { normalizeHost } from '../url/host.ts'

const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/i
const SLASH = 0x2f

/**
 * Gives a request in absolute form the path as its target.
 * @returns false, and nothing is changed, if it names another host than `Host`: a proxy in front may have read the other
 *   one
 */
export function toOriginForm(request: Pick<IncomingMessage, 'url' | 'headers'>): boolean {
  const { url = '', headers } = request
  if (url.charCodeAt(0) === SLASH) return true
  const parts = ABSOLUTE.exec(url)
  if (!parts) return true
  const [, authority = '', rest = ''] = parts
  const host = normalizeHost(authority)
  if (host === undefined || host !== normalizeHost(headers.host ?? '')) return false
  request.url = rest.startsWith('/') ? rest : `/${rest}`
  return true
}
