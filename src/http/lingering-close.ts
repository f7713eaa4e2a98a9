/**
 * A lingering close (RFC 9112 section 9.6): an answer to a request whose body is still coming ends the connection, but
 * a connection that is closed with unread bytes is reset, and a proxy in front then loses the answer.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { hasBody } from './has-body.ts'

/** More than a proxy has under way when it sees the answer. */
const MAX_BYTES = 16 * 1024 * 1024
const MAX_MS = 10_000

/**
 * Call it before the answer is sent. If the body is not complete, the connection closes after the answer: our side at
 * once, the rest when the client has sent its body or gone away, or after so many bytes or milliseconds.
 */
export function lingerThenClose(
  request: IncomingMessage,
  response: ServerResponse,
  { maxBytes = MAX_BYTES, maxMs = MAX_MS }: { maxBytes?: number; maxMs?: number } = {},
): void {
  if (request.complete !== false || !hasBody(request)) return
  const { socket } = request
  response.shouldKeepAlive = false
  let left = maxBytes
  const timer = setTimeout(() => socket.destroy(), maxMs)
  socket.once('close', () => clearTimeout(timer))
  request.on('data', (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) socket.destroy()
  })
  // A stream that the body was piped to pauses the request when it is destroyed, and then nobody sees the client leave.
  request.unpipe()
  request.resume()
  // Node calls this once the answer is written; its own version would close with the body unread.
  socket.destroySoon = () => {
    socket.end()
    if (request.complete) socket.destroy()
    else request.once('end', () => socket.destroy())
  }
}
