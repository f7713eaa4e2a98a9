/**
 * The credential that a request presents. Tokens in the query are ignored (OAuth 2.1 section 5.1).
 *
 * @module
 */
import type { HeaderValue } from '../http/raw-headers.ts'

export type Presented =
  | { readonly kind: 'none' }
  /** Doubled, or a bearer credential of a shape that RFC 6750 section 2.1 does not allow. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'bearer'; readonly token: string }

/** The scheme, also before a tab, and second in a line that a proxy joined from two. No other scheme matches. */
const BEARER = /(?:^|,)[ \t]*bearer(?![\w-])/i
/** The scheme alone: a client whose setting for the token is empty (clients.md cl14). */
const NO_TOKEN = /^[ \t]*bearer[ \t]*$/i
/** A token (RFC 6750 section 2.1) between spaces and tabs; no other character counts as a space. */
const B64TOKEN = /^[ \t]*([A-Za-z0-9\-._~+/]+=*)[ \t]*$/
const NONE: Presented = { kind: 'none' }
const MALFORMED: Presented = { kind: 'malformed' }

/** The bearer credential of an `Authorization` header; other schemes count as none. */
export function presentedCredential(authorization: HeaderValue): Presented {
  if (authorization === undefined) return NONE
  if (typeof authorization !== 'string') return MALFORMED
  if (!BEARER.test(authorization) || NO_TOKEN.test(authorization)) return NONE
  const token = B64TOKEN.exec(authorization.slice(6))?.[1]
  return token === undefined ? MALFORMED : { kind: 'bearer', token }
}
