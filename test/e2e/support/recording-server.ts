/**
 * A tiny HTTP server on loopback that remembers what it was asked.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'

export interface RecordingServer {
  /** `host:port`. */
  readonly address: string
  /** Requests so far, upgrades included. */
  readonly requests: readonly IncomingMessage[]
  close(): Promise<void>
}

/** Answers every request with `answer`, and every upgrade with `upgrade` (refused if absent). */
export async function startRecordingServer(
  answer: RequestListener,
  upgrade?: (socket: Duplex) => void,
): Promise<RecordingServer> {
  const requests: IncomingMessage[] = []
  // As much as Gatewarden reads: proxies are asked to carry it.
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    requests.push(request)
    answer(request, response)
  })
  if (upgrade) {
    server.on('upgrade', (request, socket) => {
      requests.push(request)
      upgrade(socket)
    })
  }
  // Upgraded connections are no longer the server's own, so it would wait for them.
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
