/**
 * Connections to servers behind us, without two habits of undici 7 that need no error of the server to do harm.
 *
 * Its parser asserts that it is not paused when the end of a connection comes (nodejs/undici#5360), so a client that reads
 * slowly would end this process with an answer that ends with its connection. And it takes a reset for the end of such
 * an answer.
 *
 * @module
 */
import type { Socket } from 'node:net'
import { buildConnector } from 'undici'

/** @param options `timeout` in milliseconds until a connection must stand */
export function createSteadyConnector(options: {
  readonly timeout: number
}): buildConnector.connector {
  const connect = buildConnector(options)
  return (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error || !socket) {
        callback(error ?? new Error('there is no connection'), null)
        return
      }
      holdEnd(socket)
      socket.prependListener('error', notAnEnd)
      callback(null, socket)
    })
}

/**
 * Keeps the end of a connection back from a reader that has not asked for more since it got the last bytes, as a paused one.
 * When a reader goes on it gets an empty piece first: it must not pause at that.
 */
function holdEnd(socket: Socket): void {
  const read = socket.read.bind(socket)
  const push = socket.push.bind(socket)
  let isBehind = false
  let isHeld = false
  socket.read = (size?: number): unknown => {
    // Node itself reads nothing, to make the source go on.
    if (size === 0) return read(0)
    const chunk: unknown = read(size)
    isBehind = chunk !== null
    if (isHeld && !isBehind) {
      isHeld = false
      process.nextTick(push, null)
    }
    return chunk
  }
  socket.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk !== null || !(isBehind || socket.readableLength > 0)) return push(chunk, encoding)
    isHeld = true
    return false
  }
}

/** An answer that an error of the connection cuts off is not whole (RFC 9112 section 8). */
function notAnEnd(error: NodeJS.ErrnoException): void {
  if (error.code === 'ECONNRESET') error.code = 'UND_ERR_SOCKET'
}
