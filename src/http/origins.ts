/**
 * The web pages whose browser may call a protected server (MCP transport; threats T28).
 *
 * @module
 */
import { lowerCase } from '../identifiers.ts'
import { DOUBLED, type HeaderValue } from './raw-headers.ts'

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/

/** An origin that is not of the web; a scheme of the web never stands for all of its origins. */
const ORIGIN_OF_PROGRAM = /^((?!https?:)[a-z][a-z0-9+.-]*:\/\/)[^/?#@\\\s]+$/

/**
 * Compiles the configured origins (decision K23). A resource's own origin and the gateway's always pass; so does a
 * request without `Origin`, since no browser sent it.
 * @returns a test of an `Origin` header against the resource of the request
 */
export function compileOrigins(
  allowed: '*' | readonly string[],
  ownOrigin: string,
): (origin: HeaderValue, resource: { readonly origin: string }) => boolean {
  const listed = new Set(allowed)
  // `loopback` is a word of the setting, not an origin.
  const loopback = listed.delete('loopback')
  const schemes = new Set(
    [...listed].flatMap((entry) => (entry.endsWith('://*') ? [entry.slice(0, -1)] : [])),
  )
  return (origin, resource) => {
    if (origin === undefined) return true
    if (origin === DOUBLED) return false
    if (origin === resource.origin || origin === ownOrigin) return true
    if (allowed === '*') return true
    if ((loopback && LOOPBACK_ORIGIN.test(origin)) || listed.has(origin)) return true
    // Programs write their origins in any case.
    const written = lowerCase(origin)
    const scheme = ORIGIN_OF_PROGRAM.exec(written)?.[1] ?? ''
    return listed.has(written) || schemes.has(scheme)
  }
}
