/**
 * The stand-in of a little MCP server behind the gateway: remembers its requests, answers as a test says.
 *
 * @module
 */
import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { afterTest } from './clean-ups.ts'

/** A request as it reached the upstream; its body is read by {@link bodyOf}. */
export interface UpstreamServer {
  /** `http://127.0.0.1:<port>`. */
  readonly origin: string
  readonly requests: readonly IncomingMessage[]
  /** The next request, or an earlier one that nobody has waited for. */
  next(): Promise<{ request: IncomingMessage; response: ServerResponse }>
  /** Stops listening and cuts open connections. */
  stop(): Promise<void>
}

/**
 * Starts a server, which stops after the test.
 * @param answer if absent, the test answers through {@link UpstreamServer.next}
 */
export async function startUpstream(
  answer?: (request: IncomingMessage, response: ServerResponse) => unknown,
): Promise<UpstreamServer> {
  const requests: IncomingMessage[] = []
  const waiting: { request: IncomingMessage; response: ServerResponse }[] = []
  const arrivals = new EventEmitter()
  const server = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
    requests.push(request)
    waiting.push({ request, response })
    arrivals.emit('request')
    answer?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const upstream: UpstreamServer = {
    origin: `http://127.0.0.1:${address.port}`,
    requests,
    async next() {
      for (;;) {
        const arrived = waiting.shift()
        if (arrived) return arrived
        await once(arrivals, 'request')
      }
    },
    async stop() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  afterTest(upstream.stop)
  return upstream
}

/** The whole body of a message. */
export async function bodyOf(message: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('latin1')
}

/** Every value of a header of a message, line by line. */
export function linesOf({ rawHeaders }: IncomingMessage, name: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  )
}
