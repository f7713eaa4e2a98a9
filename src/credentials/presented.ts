/**
 * What a request brings to prove who sent it. Tokens in the query are ignored (OAuth 2.1 section 5.1).
 *
 * @module
 */
import type { HeaderValue } from '../http/raw-headers.ts'

export type Presented =
  | { readonly kind: 'none' }
  /** Doubled, or a bearer credential of a shape that RFC 6750 section 2.1 does not know. */
  | { readonly kind: 'malformed'; readonly source: 'bearer' }
  | { readonly kind: 'bearer'; readonly token: string }

/** Also where a tab follows, or where it stands second on a line that a proxy made out of two: no other scheme's. */
const BEARER = /(?:^|,)[ \t]*bearer(?![\w-])/i
const B64TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
const NONE: Presented = { kind: 'none' }
const MALFORMED: Presented = { kind: 'malformed', source: 'bearer' }

/** The bearer credential of an `Authorization` header; other schemes are none of ours. */
export function presentedCredential(authorization: HeaderValue): Presented {
  if (authorization === undefined) return NONE
  if (typeof authorization !== 'string') return MALFORMED
  if (!BEARER.test(authorization)) return NONE
  const token = authorization.slice(6).trim()
  return B64TOKEN.test(token) ? { kind: 'bearer', token } : MALFORMED
}
