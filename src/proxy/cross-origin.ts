/**
 * Cross-origin access in proxy mode, where no proxy in front answers preflights for us (decision K23).
 *
 * @module
 */
import { allowedHeaders, allowedMethods, PREFLIGHT_VARY } from '../http/requested-headers.ts'

const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Accept',
  'Last-Event-ID',
  'MCP-Protocol-Version',
  'Mcp-Session-Id',
  'Mcp-Method',
  'Mcp-Name',
]
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** Header lines for an answer to a page of this origin. */
export const corsHeaders = (origin: string): string[] => lines(origin, 'Origin')

function lines(origin: string, vary: string): string[] {
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    'WWW-Authenticate, Mcp-Session-Id, Retry-After',
    'Vary',
    vary,
  ]
}

/**
 * Header lines for the answer to a preflight: what the browser asks for is allowed, since the origin is.
 * @param requested `Access-Control-Request-Method` and `-Headers`
 */
export function preflightHeaders(
  origin: string,
  requested: { readonly method: string | undefined; readonly headers: string | undefined },
): string[] {
  return [
    ...lines(origin, PREFLIGHT_VARY),
    'Access-Control-Allow-Methods',
    allowedMethods(METHODS, requested.method),
    'Access-Control-Allow-Headers',
    allowedHeaders(ALLOWED_HEADERS, requested.headers),
    'Access-Control-Max-Age',
    '86400',
  ]
}
