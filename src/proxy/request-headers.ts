/**
 * What of a client's headers goes on to the server behind us: everything but hop-by-hop headers, our credentials,
 * and whatever could be taken for our own word about the caller.
 *
 * @module
 */
import type { Answer } from '../check/answer.ts'
import { IDENTITY_HEADERS, type IdentityHeaders } from '../check/identity-headers.ts'
import { connectionOptions } from './connection-options.ts'

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
  'http2-settings',
  'expect',
])
/** Set anew here, or never to be believed by the server: our default headers even where others are configured. */
const REPLACED = [
  ...Object.keys(IDENTITY_HEADERS),
  'Authorization',
  'Cookie',
  'Host',
  'Forwarded',
  'X-Real-Ip',
  'X-Forwarded',
  'Remote-User',
  'X-Remote-User',
  'X-Rewrite-Url',
  'X-Scheme',
]

const MAX_JUDGED = 1000

/** What a proxy in front would say of the request; some frameworks route by it. */
const PROXY_WORDS = /^x-(?:forwarded|original)-/

/** `X_Forwarded_User` and `X.Forwarded.User` are `X-Forwarded-User` to many servers (CVE-2025-64484). */
function canonicalName(name: string): string {
  return name.toLowerCase().replace(/[_.]/g, '-')
}

/**
 * @param rawHeaders of the client
 * @param allowed the answer that allowed the request: its identity headers and what is left of the credentials
 * @param client how the client reached us
 * @returns a flat list of names and values
 */
export type UpstreamHeaders = (
  rawHeaders: readonly string[],
  allowed: Answer,
  client: { readonly address: string; readonly host: string; readonly proto: 'http' | 'https' },
) => string[]

/** @param identityHeaders the configured ones: what a client sends under these names is dropped */
export function createUpstreamHeaders(identityHeaders: IdentityHeaders): UpstreamHeaders {
  const names = Object.keys(identityHeaders)
  const replaced = new Set([...REPLACED, ...names].map(canonicalName))
  // Names repeat with every request; strangers' inventions are not remembered for ever.
  const judged = new Map<string, boolean>()
  function isDropped(name: string): boolean {
    const known = judged.get(name)
    if (known !== undefined) return known
    const canonical = canonicalName(name)
    const verdict =
      HOP_BY_HOP.has(name.toLowerCase()) || replaced.has(canonical) || PROXY_WORDS.test(canonical)
    if (judged.size >= MAX_JUDGED) judged.clear()
    judged.set(name, verdict)
    return verdict
  }
  const ours = new Set([...names, 'Authorization', 'Cookie'])
  return (rawHeaders, allowed, client) => {
    // What the client names in `Connection` is removed from its own headers only: ours are added afterwards.
    const named = connectionOptions(rawHeaders)
    const headers: string[] = []
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? ''
      if (isDropped(name) || named?.has(name.toLowerCase())) continue
      // The body is framed by its length or by chunks, never by what a Connection header took away.
      headers.push(name, rawHeaders[i + 1] ?? '')
    }
    for (let i = 0; i < allowed.headers.length; i += 2) {
      const name = allowed.headers[i] ?? ''
      const value = allowed.headers[i + 1] ?? ''
      if (value !== '' && ours.has(name)) headers.push(name, value)
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
}
