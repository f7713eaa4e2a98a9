/**
 * Sends each request to another server than the request before it: the worst case of a load balancer.
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { freePort } from '../../../scripts/lib/ports.ts'

export interface AlternatingProxy {
  /** The `host:port` where it listens. */
  readonly address: string
  /** Requests so far, with the index of the server that answered each. */
  readonly handed: readonly { readonly server: number; readonly path: string }[]
  close(): Promise<void>
}

/** @param servers the `host:port` of each server */
export async function startAlternatingProxy(servers: readonly string[]): Promise<AlternatingProxy> {
  const handed: { server: number; path: string }[] = []
  const proxy = createServer((incoming, outgoing) => {
    const server = handed.length % servers.length
    const [host, port] = (servers[server] ?? '').split(':')
    handed.push({ server, path: (incoming.url ?? '').replace(/\?.*/, '') })
    const { method, url: path, rawHeaders: headers } = incoming
    const onward = request({ host, port, method, path, headers, agent: false })
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  const port = await freePort()
  await once(proxy.listen(port, '127.0.0.1'), 'listening')
  return {
    address: `127.0.0.1:${port}`,
    handed,
    async close() {
      proxy.close()
      proxy.closeAllConnections()
      await once(proxy, 'close')
    },
  }
}
