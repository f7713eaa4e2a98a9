/**
 * Refuses a request that does not say clearly which host it is for: with several `Host` lines, equal ones too, or with
 * another host in its target. A proxy in front may have read another one than we (RFC 9112 section 3.2).
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { toOriginForm } from './absolute-form.ts'
import { lingerThenClose } from './lingering-close.ts'
import { DOUBLED, headerReader } from './raw-headers.ts'
import { REQUEST_ID } from './request-id.ts'

const read = headerReader(['host'])

/** @returns false, with nothing sent, for any other request */
export function refuseDoubledHost(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): boolean {
  const [host] = read(request.rawHeaders)
  if (host !== DOUBLED) return false
  refuse(request, response, { requestId, reason: 'the Host header is doubled' })
  return true
}

/** Turns an absolute target into a path. @returns false, with nothing sent, unless the target names another host */
export function refuseOtherHost(
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): boolean {
  if (toOriginForm(request)) return false
  const reason = 'the target of the request names another host than the Host header'
  refuse(request, response, { requestId, reason })
  return true
}

function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { requestId, reason }: { readonly requestId: string; readonly reason: string },
): void {
  const body = JSON.stringify({ error: 'invalid_request', error_description: reason })
  lingerThenClose(request, response)
  response.writeHead(400, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    [REQUEST_ID]: requestId,
    Connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : body)
}
