/**
 * A small HTTP server on loopback that records its requests.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'

export interface RecordingServer {
  /** The `host:port` where it listens. */
  readonly address: string
  /** Requests so far, upgrades included. */
  readonly requests: readonly IncomingMessage[]
  close(): Promise<void>
}

/**
 * Answers every request with `answer`, and every upgrade with `upgrade` (refused if absent). Gatewarden's own question
 * about scopes is no request of anybody: it is answered as by a server without MCP, and not recorded.
 */
export async function startRecordingServer(
  answer: RequestListener,
  upgrade?: (socket: Duplex) => void,
): Promise<RecordingServer> {
  const requests: IncomingMessage[] = []
  // The same limit as Gatewarden's, so that proxies have to pass on as much.
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    if (request.headers['user-agent'] === 'gatewarden') {
      response.writeHead(404).end()
      return
    }
    requests.push(request)
    answer(request, response)
  })
  if (upgrade) {
    server.on('upgrade', (request, socket) => {
      requests.push(request)
      upgrade(socket)
    })
  }
  // The server no longer manages upgraded connections, and would wait for them.
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return {
    address: `127.0.0.1:${address.port}`,
    requests,
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}
