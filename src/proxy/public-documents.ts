/**
 * Well-known documents of an application (RFC 8615), such as `security.txt` or `assetlinks.json`: whoever reads them
 * cannot sign in, so they pass without a check. Our own documents never come here.
 *
 * @module
 */
import type { FastifyRequest } from 'fastify'
import { headerReader } from '../http/raw-headers.ts'
import { isRootDocument, WELL_KNOWN_DOCUMENTS } from '../paths.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'
import { isPlain } from '../url/path.ts'

const BELOW = '/.well-known/'
const read = headerReader(['service-worker'])

/**
 * True for a request to read a document of the application, on a host that is all its own. The path must be one that
 * every server reads alike: `/.well-known/..;/admin` is another address to some.
 */
export function asksForPublicDocument(
  { method, raw }: Pick<FastifyRequest, 'method' | 'raw'>,
  { resource, path }: ResourceMatch,
): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  if (resource.path !== '' || !path.startsWith(BELOW) || path.length === BELOW.length) return false
  if (path.includes('//') || !isPlain(path, Number.POSITIVE_INFINITY)) return false
  const name = path.toLowerCase()
  const isTheirs = !resource.hasRootDocuments && isRootDocument(path)
  if (
    !isTheirs &&
    WELL_KNOWN_DOCUMENTS.some((ours) => name === ours || name.startsWith(`${ours}/`))
  ) {
    return false
  }
  // The check judges scripts of service workers.
  const [worker] = read(raw.rawHeaders)
  return worker === undefined
}

/** The CORS headers of the application itself, which says who may read its public documents. */
export function corsOfApplication(upstream: readonly string[]): string[] {
  const headers: string[] = []
  for (let i = 0; i < upstream.length; i += 2) {
    const name = upstream[i] ?? ''
    if (/^access-control-/i.test(name)) headers.push(name, upstream[i + 1] ?? '')
  }
  return headers
}
