/**
 * An HTTP proxy on loopback that opens tunnels (RFC 9110 section 9.3.6), and may ask for a name and a password.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Server, type Socket } from 'node:net'
import { afterTest } from './clean-ups.ts'

export interface HttpProxy {
  /** `host:port` */
  readonly address: string
  /** The targets of the tunnels so far, as `host:port`. */
  readonly targets: string[]
  /** The port on this machine that a target has; without it, the target's own. */
  readonly places: Map<string, number>
}

/** The port of a server that listens. */
export function portOf(server: Pick<Server, 'address'>): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}

/** @param credentials `user:password` that the proxy asks for */
export async function startProxy(credentials?: string): Promise<HttpProxy> {
  const targets: string[] = []
  const places = new Map<string, number>()
  const sockets = new Set<Socket>()
  const expected = credentials && `Basic ${Buffer.from(credentials).toString('base64')}`
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.on('connection', (socket) => sockets.add(socket))
  server.on('connect', ({ url = '', headers }, socket) => {
    socket.on('error', () => socket.destroy())
    if (expected !== undefined && headers['proxy-authorization'] !== expected) {
      socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
      return
    }
    targets.push(url)
    const there = connect(places.get(url) ?? Number(url.replace(/^.*:/, '')), '127.0.0.1')
    sockets.add(there)
    there.on('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(there).pipe(socket)
    })
    there.on('error', () => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { address: `127.0.0.1:${portOf(server)}`, targets, places }
}
