/**
 * Refuses a request with several `Host` lines, equal ones too: a proxy in front may have read another one than we
 * (RFC 9112 section 3.2).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { DOUBLED, headerReader } from './raw-headers.ts'
import { REQUEST_ID } from './request-id.ts'

const read = headerReader(['host'])
const BODY = JSON.stringify({
  error: 'invalid_request',
  error_description: 'the Host header is doubled',
})

/** @returns false, with nothing sent, for any other request */
export function refuseDoubledHost(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): boolean {
  const [host] = read(request.rawHeaders)
  if (host !== DOUBLED) return false
  response.writeHead(400, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(BODY),
    'Cache-Control': 'no-store',
    [REQUEST_ID]: requestId,
    Connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : BODY)
  return true
}
