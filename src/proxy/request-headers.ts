/**
 * What of a client's headers goes on to the server behind us: everything but hop-by-hop headers, our credentials,
 * and whatever could be taken for our own word about the caller.
 *
 * @module
 */
import type { Answer } from '../forward-auth/answer.ts'
import { IDENTITY_HEADERS } from '../forward-auth/identity-headers.ts'

/** RFC 9110 section 7.6.1, and `Expect`, which Node has answered already. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
])
/** Set anew here, or never to be believed by the server. */
const REPLACED = new Set(
  [
    ...Object.keys(IDENTITY_HEADERS),
    'Authorization',
    'Cookie',
    'Host',
    'Forwarded',
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Port',
    'X-Forwarded-Prefix',
    'X-Forwarded-Uri',
    'X-Forwarded-Method',
    'X-Real-Ip',
  ].map(canonicalName),
)

/** `X_Forwarded_User` and `X.Forwarded.User` are `X-Forwarded-User` to many servers (CVE-2025-64484). */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-')
}

/**
 * @param rawHeaders of the client
 * @param allowed the answer that allowed the request: its identity headers and what is left of the cookies
 * @param client how the client reached us
 * @returns a flat list of names and values
 */
export function upstreamHeaders(
  rawHeaders: readonly string[],
  allowed: Answer,
  client: { readonly address: string; readonly host: string; readonly proto: 'http' | 'https' },
): string[] {
  const dropped = new Set(HOP_BY_HOP)
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'connection') continue
    // What the client names here is removed from its own headers only: ours are added afterwards.
    for (const name of (rawHeaders[i + 1] ?? '').split(',')) dropped.add(name.trim().toLowerCase())
  }
  const headers: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (dropped.has(name.toLowerCase()) || REPLACED.has(canonicalName(name))) continue
    // The body is framed by its length or by chunks, never by what a Connection header took away.
    headers.push(name, rawHeaders[i + 1] ?? '')
  }
  for (let i = 0; i < allowed.headers.length; i += 2) {
    const name = allowed.headers[i] ?? ''
    const value = allowed.headers[i + 1] ?? ''
    if (value !== '' && (name in IDENTITY_HEADERS || name === 'Cookie')) headers.push(name, value)
  }
  headers.push(
    'X-Forwarded-For',
    client.address,
    'X-Forwarded-Host',
    client.host,
    'X-Forwarded-Proto',
    client.proto,
  )
  return headers
}
