/**
 * Cross-origin access in proxy mode, where no proxy in front answers preflights for us (decision K23).
 *
 * @module
 */

const ALLOWED_HEADERS = [
  'Authorization',
  'Content-Type',
  'Accept',
  'Last-Event-ID',
  'MCP-Protocol-Version',
  'Mcp-Session-Id',
  'Mcp-Method',
  'Mcp-Name',
].join(', ')

/** Header lines for an answer to a page of this origin. */
export function corsHeaders(origin: string): string[] {
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Access-Control-Expose-Headers',
    'WWW-Authenticate, Mcp-Session-Id, Retry-After',
    'Vary',
    'Origin',
  ]
}

/**
 * Header lines for the answer to a preflight.
 * @param requested the `Access-Control-Request-Headers`: no fixed list can hold the `Mcp-Param-*` headers
 */
export function preflightHeaders(origin: string, requested: string | undefined): string[] {
  const params = (requested ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => /^mcp-param-[a-z0-9-]{1,64}$/i.test(name))
  return [
    ...corsHeaders(origin),
    'Access-Control-Allow-Methods',
    'GET, POST, DELETE, OPTIONS',
    'Access-Control-Allow-Headers',
    [ALLOWED_HEADERS, ...params].join(', '),
    'Access-Control-Max-Age',
    '86400',
    'Content-Length',
    '0',
  ]
}
