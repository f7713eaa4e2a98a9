/**
 * Selects the client's headers for the server behind us: all but hop-by-hop headers, our credentials, and headers that
 * could pass for our own statement about the caller.
 *
 * @module
 */
import type { Answer } from '../check/answer.ts'
import type { IdentityHeaders } from '../check/identity-headers.ts'
import { canonicalName, isUntrusted } from '../http/untrusted-headers.ts'
import type { PassThroughRules } from '../resources/pass-through.ts'
import { connectionOptions } from './connection-options.ts'

/** RFC 9110 section 7.6.1, and `Expect`, which Node has already answered. */
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
/** A server that reads `Content_Length` as `Content-Length` would take the next request of the connection for a body. */
const ONE_SPELLING = new Set(['content-length', 'mcp-session-id'])
/** Headers that we set ourselves, beside the identity headers. */
const REPLACED = ['Authorization', 'Cookie', 'Host']

const MAX_REMEMBERED = 1000

/** How the client reached us. */
export interface ClientConnection {
  readonly address: string
  readonly host: string
  readonly proto: 'http' | 'https'
}

/** The header lines that say how the client reached us. */
export const forwardedLines = ({ address, host, proto }: ClientConnection): string[] => [
  ...['X-Forwarded-For', address, 'X-Forwarded-Host', host, 'X-Forwarded-Proto', proto],
]

/**
 * @param rawHeaders the headers of the client
 * @param allowed the answer that allowed the request: it has the identity headers and the remaining credentials
 * @returns a flat list of names and values
 */
export type UpstreamHeaders = (
  rawHeaders: readonly string[],
  allowed: Answer,
  client: ClientConnection,
  rules: PassThroughRules,
) => string[]

/** Headers of ours beside the identity headers. */
interface OwnHeaders {
  /** The header for API keys; a key of the application comes back in the answer that allowed the request. */
  readonly apiKeyHeader: string
  /** The headers in which some server gets the provider's token of a person: no server gets a client's own. */
  readonly personTokenHeaders: readonly string[]
}

/** True if `Authorization` at the server is ours to fill in. */
const hasAuthorization = ({ authorization, personTokenHeader }: PassThroughRules) =>
  authorization !== undefined || personTokenHeader === 'Authorization'

/** @param identityHeaders the configured headers; those of the client under these names are dropped */
export function createUpstreamHeaders(
  identityHeaders: IdentityHeaders,
  { apiKeyHeader, personTokenHeaders }: OwnHeaders,
): UpstreamHeaders {
  const names = Object.keys(identityHeaders)
  const replaced = new Set(
    [...REPLACED, apiKeyHeader, ...personTokenHeaders, ...names].map(canonicalName),
  )
  // The same names come with every request. The map is bounded, since strangers can invent names.
  const remembered = new Map<string, boolean>()
  function isDropped(name: string): boolean {
    const known = remembered.get(name)
    if (known !== undefined) return known
    const canonical = canonicalName(name)
    const dropped =
      HOP_BY_HOP.has(canonical) ||
      replaced.has(canonical) ||
      isUntrusted(canonical) ||
      // The check judged the one spelling of the standard (threat T27), and our parser cut the body by it.
      (ONE_SPELLING.has(canonical) && name.toLowerCase() !== canonical)
    if (remembered.size >= MAX_REMEMBERED) remembered.clear()
    remembered.set(name, dropped)
    return dropped
  }
  const ours = new Set([...names, 'Authorization', 'Cookie', apiKeyHeader])
  return (rawHeaders, allowed, client, rules) => {
    // `Connection` removes the client's own headers only: ours are added afterwards.
    const named = connectionOptions(rawHeaders)
    const headers: string[] = []
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i] ?? ''
      if (isDropped(name) || named?.has(name.toLowerCase())) continue
      // A `Content-Length` that `Connection` removed does no harm: the body is framed by its size or by chunks.
      headers.push(name, rawHeaders[i + 1] ?? '')
    }
    for (let i = 0; i < allowed.headers.length; i += 2) {
      const name = allowed.headers[i] ?? ''
      const value = allowed.headers[i + 1] ?? ''
      if (value === '' || !ours.has(name)) continue
      // The server's own credential never stands beside that of a client.
      if (name === 'Authorization' && hasAuthorization(rules)) continue
      headers.push(name, value)
    }
    if (rules.authorization !== undefined) headers.push('Authorization', rules.authorization)
    headers.push(...forwardedLines(client))
    // Without it the driver takes the host of the upstream URL.
    if (rules.host === 'public') headers.push('Host', client.host)
    return headers
  }
}
