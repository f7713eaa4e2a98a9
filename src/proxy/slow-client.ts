/**
 * Waits for a client that reads its answer more slowly than it comes. Nothing else ends such a request: the connection to
 * the server is paused, so its own time does not run.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'

/**
 * @param options `idleMs`: the client's connection ends once it has taken no byte for so long, at twice that at the latest; 0
 *   is no limit
 */
export function whenDrained(
  response: ServerResponse,
  { idleMs, goOn }: { readonly idleMs: number; readonly goOn: () => void },
): void {
  // Not the response's own: a pipelined one has none yet, and waits for its client all the same.
  const { socket } = response.req
  /** Bytes that the system took. */
  const taken = () => socket.bytesWritten - socket.writableLength
  let before = taken()
  const timer =
    idleMs > 0
      ? setInterval(() => {
          if (taken() === before) socket.destroy()
          before = taken()
        }, idleMs)
      : undefined
  const stop = () => clearInterval(timer)
  response.once('close', stop)
  response.once('drain', () => {
    response.off('close', stop)
    stop()
    goOn()
  })
}
