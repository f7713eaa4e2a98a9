/**
 * The gateway under test, with grants in its store and tokens for them.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { buildApp } from '../src/app.ts'
import { createEvents, NO_EVENTS } from '../src/events.ts'
import { openStorage } from '../src/storage/index.ts'
import { createMemoryStorage } from '../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../src/storage/storage.ts'
import { createEventLog } from '../src/telemetry/event-log.ts'
import {
  benchConfig,
  makeTokens,
  ROOT_SECRET,
  startBenchProvider,
  type Tokens,
} from './fixtures.ts'
import type { ServerOptions } from './server-options.ts'

export async function gateway(
  options: ServerOptions,
): Promise<{ server: FastifyInstance; tokens: Tokens }> {
  const now = () => Date.now()
  const storage = await openStore(options, now)
  const provider = options.provider ? await startBenchProvider(now) : undefined
  const config = benchConfig(options.upstream, provider, options.passThroughRules)
  const elapsed = () => performance.now()
  const log = pino({ level: 'warn' })
  const server = await buildApp({
    config,
    secret: ROOT_SECRET,
    storage,
    log,
    events: createEvents([createEventLog({ log, elapsed })]),
    now,
    elapsed,
  })
  const tokens = await makeTokens({
    storage,
    grants: options.grants,
    cold: options.cold,
    provider,
    documentUrl: options.documentUrl,
    now,
  })
  return { server, tokens }
}

async function openStore(
  { store, dataDir, redisPort }: ServerOptions,
  now: () => number,
): Promise<Storage> {
  if (store === 'memory') return createMemoryStorage({ now })
  if (store === 'lmdb') return openStorage({ dataDir, now })
  const hosts = [{ host: '127.0.0.1', port: redisPort }]
  const target = { kind: 'single', hosts, tls: false, db: 0 } as const
  const storage = await openStorage({
    dataDir,
    now,
    redis: {
      target,
      watched: ['grant:', 'identity:'],
      maxStale: 60,
      elapsed: () => performance.now(),
      events: NO_EVENTS,
    },
  })
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
