/**
 * Answers what is no HTTP, or has headers beyond the limit: Node ends such a connection before there is a request. The
 * limit is met by people whose browser has too many cookies for the host, so that answer is a page.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { errorPage } from '../pages/error-page.ts'
import { pageHeaders } from '../pages/styles.ts'
import { REQUEST_ID } from './request-id.ts'

/** Time for a client to read the answer: a connection that is cut with bytes unread is reset, and the answer lost. */
const LINGER_MS = 2000

interface Unreadable {
  readonly line: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * The handler of the server's `clientError`.
 * @param newId makes the number of a request
 * @param isAnswering true while an answer is on its way to the client: text of ours would become a part of it
 */
export function createUnreadableHandler(
  newId: (socket: Socket) => string,
  isAnswering: (socket: Socket) => boolean,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const answered = new WeakSet<Socket>()
  return (error, socket) => {
    // The parser fails again with each piece of what is still coming.
    if (answered.has(socket)) return
    answered.add(socket)
    if (error.code === 'ECONNRESET' || !socket.writable || isAnswering(socket)) {
      socket.destroy()
      return
    }
    const id = newId(socket)
    const { line, headers, body } = answerTo(error.code, id)
    const lines = Object.entries({
      ...headers,
      'Content-Length': String(Buffer.byteLength(body)),
      [REQUEST_ID]: id,
      Connection: 'close',
    }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${line}\r\n${lines.join('')}\r\n${body}`)
    const timer = setTimeout(() => socket.destroy(), LINGER_MS).unref()
    socket.once('end', () => socket.destroy())
    socket.once('close', () => clearTimeout(timer))
    socket.resume()
  }
}

function answerTo(code: string | undefined, requestId: string): Unreadable {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        line: '431 Request Header Fields Too Large',
        headers: pageHeaders(),
        body: errorPage({
          kind: 'retry',
          title: 'Your browser sends too many cookies',
          text: 'This server reads 64 kB of them. Delete the cookies of this site in your browser, then open the page again.',
          details: 'the headers of the request are larger than 64 kB',
          requestId,
          actions: [],
        }),
      }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return json('408 Request Timeout', 'the headers of the request did not come in time')
    default:
      return json('400 Bad Request', 'this is not an HTTP request that can be read')
  }
}

const json = (line: string, reason: string): Unreadable => ({
  line,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
  body: JSON.stringify({ error: 'invalid_request', error_description: reason }),
})
