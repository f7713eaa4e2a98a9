/**
 * One server under test, alone in its process: says when it listens and what it cost so far.
 *
 * @module
 */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import Fastify from 'fastify'
import { pino } from 'pino'
import { Agent } from 'undici'
import { z } from 'zod'
import { buildApp } from '../src/app.ts'
import { openStorage } from '../src/storage/index.ts'
import { createMemoryStorage } from '../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../src/storage/storage.ts'
import {
  benchConfig,
  makeTokens,
  ROOT_SECRET,
  startBenchProvider,
  type Tokens,
} from './fixtures.ts'

const Options = z.object({
  kind: z.enum(['node', 'fastify', 'undici', 'gatewarden']),
  store: z.enum(['memory', 'lmdb', 'redis']).default('memory'),
  redisPort: z.number().default(0),
  cold: z.number().default(0),
  dataDir: z.string().default(''),
  grants: z.number().default(1),
  /** Accept the tokens of a provider on this machine. */
  provider: z.boolean().default(false),
  upstream: z.string().optional(),
  /** Of the bare proxy: the client's headers go on, as with any proxy, or only one. */
  headers: z.enum(['all', 'one']).default('all'),
})

/** What an allowed check answers, for the servers that answer nothing else. */
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

async function start(options: z.infer<typeof Options>): Promise<{ port: number; tokens?: Tokens }> {
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
    case 'gatewarden':
      return gatewarden(options)
  }
}

/** The least a streaming proxy on undici can do. */
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
        method: 'POST',
        headers:
          forwarded === 'one'
            ? { 'content-type': 'application/json' }
            : withoutHopByHop(request.headers),
        body: request,
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

async function gatewarden(
  options: z.infer<typeof Options>,
): Promise<{ port: number; tokens: Tokens }> {
  const now = () => Date.now()
  const storage = await openStore(options, now)
  const provider = options.provider ? await startBenchProvider(now) : undefined
  const config = benchConfig(options.upstream, provider)
  const app = await buildApp({
    config,
    secret: ROOT_SECRET,
    storage,
    log: pino({ level: 'warn' }),
    now,
  })
  const tokens = await makeTokens({
    storage,
    grants: options.grants,
    cold: options.cold,
    provider,
    now,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: portOf(app.server.address()), tokens }
}

async function openStore(
  { store, dataDir, redisPort }: z.infer<typeof Options>,
  now: () => number,
): Promise<Storage> {
  if (store === 'memory') return createMemoryStorage({ now })
  if (store === 'lmdb') return openStorage({ dataDir, now })
  const hosts = [{ host: '127.0.0.1', port: redisPort }]
  const target = { kind: 'single', hosts, tls: false, db: 0 } as const
  const log = pino({ level: 'warn' })
  const storage = await openStorage({ dataDir, now, redis: { target, maxStale: 60, log } })
  for (;;) {
    try {
      await storage.contact?.()
      return storage
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
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
