/**
 * The end of a process that serves: first it says that it ends and goes on, then it lets streams run out, then it
 * closes.
 *
 * @module
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Time for requests that are answered when the listener closes. */
const LAST_ANSWERS_MS = 2000

export interface ServingEnd {
  /**
   * Goes on for `delayMs`. Requests that are open then get `timeoutMs`, and meanwhile the listener takes new ones: a
   * stream must not make a single process refuse for so long. Then closes.
   * @param close stops listening and resolves when every connection has ended
   */
  run(options: {
    readonly delayMs: number
    readonly timeoutMs: number
    readonly close: () => Promise<void>
  }): Promise<void>
}

/** @param server before it listens, so that no connection is missed */
export function createServingEnd(server: Server): ServingEnd {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return {
    async run({ delayMs, timeoutMs, close }) {
      await delay(delayMs)
      server.closeIdleConnections()
      const open = [...sockets].filter(({ destroyed }) => !destroyed)
      const ended = Promise.all(open.map((socket) => socket.destroyed || once(socket, 'close')))
      await Promise.race([ended, delay(timeoutMs, undefined, { ref: false })])
      for (const socket of open) socket.destroy()
      // The server itself forgets a connection that became a tunnel.
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, LAST_ANSWERS_MS)
      await close()
      clearTimeout(cut)
    },
  }
}
