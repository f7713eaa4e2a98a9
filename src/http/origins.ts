/**
 * The web pages whose browser may call a protected server (MCP transport; threats T28).
 *
 * @module
 */
import { DOUBLED, type HeaderValue } from './raw-headers.ts'

const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/

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
  return (origin, resource) => {
    if (origin === undefined) return true
    if (origin === DOUBLED) return false
    if (origin === resource.origin || origin === ownOrigin) return true
    if (allowed === '*') return true
    return (loopback && LOOPBACK_ORIGIN.test(origin)) || listed.has(origin)
  }
}
