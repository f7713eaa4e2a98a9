/**
 * WebSocket handshakes (RFC 6455 section 4) take the way of every other request, and may become a tunnel at its end. Other
 * upgrades are requests without one (RFC 9110 section 7.8 lets a server ignore them): a server behind us that spoke
 * HTTP/2 in clear text after one would get requests that nobody checks.
 *
 * @module
 */
import { IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { hasBody } from './has-body.ts'

/**
 * A request whose `upgrade` is true for a WebSocket handshake alone. Node asks for it when the head has come, and stops to
 * read HTTP on the connection if it is true.
 */
export class UpgradableMessage extends IncomingMessage {
  /** Without a value of its own here: the parent's constructor sets `upgrade` before there could be one. */
  declare private offered: boolean

  set upgrade(offered: boolean | null) {
    this.offered = offered === true
  }

  get upgrade(): boolean {
    return this.offered && (this.method === 'CONNECT' || isHandshake(this))
  }
}

/** True for a request that asks for a tunnel. */
export const asksForTunnel = (request: IncomingMessage): boolean =>
  request instanceof UpgradableMessage && request.upgrade

function isHandshake(request: IncomingMessage): boolean {
  const protocols = (request.headers.upgrade ?? '').split(',')
  return (
    request.method === 'GET' &&
    protocols.some((protocol) => protocol.trim().toLowerCase() === 'websocket') &&
    !hasBody(request)
  )
}

/**
 * Gives handshakes to the handler of all requests. An answer to one ends its connection, since Node reads no further
 * request there.
 * @param server made with {@link UpgradableMessage}
 */
export function answerUpgrades(
  server: Server,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, rest: Buffer) => {
    // Node has taken its own listeners away.
    socket.on('error', () => socket.destroy())
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    try {
      response.assignSocket(request.socket)
    } catch {
      // An earlier request of this connection has no answer yet, and would get this one.
      socket.destroy()
      return
    }
    response.once('finish', () => request.socket.destroySoon())
    if (rest.length > 0) socket.unshift(rest)
    handle(request, response)
  })
}
