/**
 * How the body of a request goes on: small ones in one piece, as tool calls are, which costs a third less than a stream
 * of one piece; others as they come.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

export type RequestBody = Buffer | IncomingMessage | null

/** Bytes. */
const MAX_WHOLE = 64 * 1024

/** Hands the body to `send`: at once or, for one that goes on in one piece, when it is there; never, if it is cut off. */
export function takeBody(
  request: IncomingMessage,
  response: ServerResponse,
  send: (body: RequestBody) => void,
): void {
  const length = lengthOf(request)
  if (length === 0) send(null)
  else if (length <= MAX_WHOLE) collect(request, length, send)
  else stream(request, response, send)
}

/** In bytes, by RFC 9112 section 6.3; Infinity where only its end will tell. */
function lengthOf({ headers }: IncomingMessage): number {
  if (headers['transfer-encoding'] !== undefined) return Number.POSITIVE_INFINITY
  return Number(headers['content-length'] ?? 0)
}

/** Node's parser sees to it that exactly `length` bytes come. */
function collect(request: IncomingMessage, length: number, send: (body: Buffer) => void): void {
  // Copied: pieces of one byte each, kept as they come, would take hundreds of times their size.
  const body = Buffer.allocUnsafe(length)
  let filled = 0
  request.on('data', (chunk: Buffer) => {
    filled += chunk.copy(body, filled)
  })
  request.once('end', () => send(body.subarray(0, filled)))
}

function stream(
  request: IncomingMessage,
  response: ServerResponse,
  send: (body: IncomingMessage) => void,
): void {
  const { socket } = request
  response.once('finish', () => {
    // Nobody reads the rest of an upload that was answered early: this connection can serve nothing else.
    if (!request.readableEnded) socket.destroySoon()
  })
  send(request)
}
