/**
 * A server under test, alone in its process: reports that it listens, and its cost so far.
 *
 * @module
 */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import Fastify from 'fastify'
import { Agent, type Dispatcher } from 'undici'
import { keepTickShape } from '../src/http/tick-shape.ts'
import type { Tokens } from './fixtures.ts'
import { Options, type ServerOptions } from './server-options.ts'

/** The headers of an allowed check, for the servers that only answer. */
const HEADERS = {
  'Cache-Control': 'no-store',
  Vary: 'Authorization, Cookie',
  'Content-Length': '0',
  'X-Forwarded-User': 'ann@example.com',
  'X-Forwarded-Email': 'ann@example.com',
  'X-Forwarded-Groups': 'staff',
  'X-Forwarded-Scopes': 'mcp',
  'X-Forwarded-Client': '0123456789abcdef',
  'X-User-Id': 'u_47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
  'X-User-Name': 'Ann Adams',
}

async function start(options: ServerOptions): Promise<{ port: number; tokens?: Tokens }> {
  switch (options.kind) {
    case 'node':
      return listen(
        createServer((_request, response) => {
          response.writeHead(200, HEADERS).end()
        }),
      )
    case 'fastify': {
      const app = Fastify()
      app.get('/auth/traefik', (_request, reply) => {
        reply.headers(HEADERS).send()
      })
      await app.listen({ port: 0, host: '127.0.0.1' })
      return { port: portOf(app.server.address()) }
    }
    case 'undici':
      return listen(barePassThrough(options.upstream ?? '', options.headers))
    case 'gatewarden': {
      // First, as in the program: before anything large is loaded.
      keepTickShape()
      const { gateway } = await import('./gateway.ts')
      const app = await gateway(options)
      await app.server.listen({ port: 0, host: '127.0.0.1' })
      return { port: portOf(app.server.server.address()), tokens: app.tokens }
    }
  }
}

/** A minimal streaming proxy on undici. */
function barePassThrough(
  origin: string,
  forwarded: 'all' | 'one',
): ReturnType<typeof createServer> {
  const agent = new Agent()
  return createServer((request, response) => {
    agent
      .request({
        origin,
        path: request.url ?? '/',
        // Node gives the server the method of the request line as it is.
        method: request.method as Dispatcher.HttpMethod,
        headers:
          forwarded === 'one'
            ? { 'content-type': 'application/json' }
            : withoutHopByHop(request.headers),
        body: request.method === 'GET' ? null : request,
      })
      .then(({ statusCode, headers, body }) => {
        response.writeHead(statusCode, withoutHopByHop(headers))
        body.pipe(response)
      })
      .catch(() => response.destroy())
  })
}

function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const { 'transfer-encoding': _, connection, 'keep-alive': __, host, ...rest } = headers
  return rest
}

function listen(server: ReturnType<typeof createServer>): Promise<{ port: number }> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve({ port: portOf(server.address()) }))
  })
}

function portOf(address: ReturnType<ReturnType<typeof createServer>['address']>): number {
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

const ready = await start(Options.parse(JSON.parse(process.argv[2] ?? '{}')))
process.send?.(ready)
process.on('message', (message) => {
  if (message === 'usage') {
    process.send?.({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss() })
  } else process.exit(0)
})
