/**
 * Selects the upstream's headers for the client.
 *
 * @module
 */
import { connectionOptions } from './connection-options.ts'

const DROPPED = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  // They are for us, who stand next to the server (RFC 9110 section 11.7).
  'proxy-authenticate',
  'proxy-authentication-info',
  'transfer-encoding',
  'upgrade',
  'trailer',
  // The number of the request is ours, as in the log.
  'x-request-id',
  // A server has no say about the requests and the data of other servers of its host, ours above all (threat T35).
  'service-worker-allowed',
  'clear-site-data',
  // Only our CORS headers reach the client: a browser refuses an answer with two lines of any of these.
  'access-control-allow-origin',
  'access-control-allow-credentials',
  'access-control-allow-methods',
  'access-control-allow-headers',
  'access-control-expose-headers',
  'access-control-max-age',
])

/**
 * The header of every answer of a server that shares our host: a browser gives each of its pages an origin of its own.
 * It comes beside the server's own policies, and each of them counts (CSP Level 3 section 8.1).
 */
export const SANDBOX: readonly string[] = [
  'Content-Security-Policy',
  'sandbox allow-scripts allow-forms',
]

/**
 * @param upstream flat list of names and values as received
 * @param isOwnCookie true for our cookies, which the upstream must not set
 * @returns a flat list of names and values
 */
export function clientHeaders(
  upstream: readonly string[],
  isOwnCookie: (name: string) => boolean,
): string[] {
  const named = connectionOptions(upstream)
  const headers: string[] = []
  for (let i = 0; i < upstream.length; i += 2) {
    const name = upstream[i] ?? ''
    const value = upstream[i + 1] ?? ''
    const lower = name.toLowerCase()
    if (DROPPED.has(lower) || named?.has(lower)) continue
    if (lower === 'set-cookie' && isOwnCookie(cookieName(value))) continue
    headers.push(name, value)
  }
  return headers
}

/** A browser takes `=gw_browser=x` for a cookie without a name and sends it back as `gw_browser=x`. */
function cookieName(setCookie: string): string {
  const [pair = ''] = setCookie.split(';')
  return (pair.trim().replace(/^=+/, '').split('=')[0] ?? '').trim()
}
