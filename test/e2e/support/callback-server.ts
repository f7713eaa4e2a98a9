/**
 * The loopback listener that a native MCP client opens for the answer to its authorization request.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer } from 'node:http'

export interface CallbackServer {
  /** The redirect URI to register. */
  readonly redirectUrl: string
  /** Resolves to the parameters of the answer that has come, else of the next one. */
  next(): Promise<URLSearchParams>
  close(): Promise<void>
}

/** Listens on a free port of 127.0.0.1. */
export async function startCallbackServer(): Promise<CallbackServer> {
  const waiting: ((parameters: URLSearchParams) => void)[] = []
  const arrived: URLSearchParams[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1')
    response.end('You can close this window.')
    if (url.pathname !== '/callback') return
    const receive = waiting.shift()
    if (receive) receive(url.searchParams)
    else arrived.push(url.searchParams)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  return {
    redirectUrl: `http://127.0.0.1:${address.port}/callback`,
    next() {
      const there = arrived.shift()
      return there ? Promise.resolve(there) : new Promise((resolve) => waiting.push(resolve))
    },
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
