import type { IncomingMessage } from 'node:http'

/** Whether the request announces content (RFC 9112 section 6: `Transfer-Encoding`, or a `Content-Length` above 0). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}
