/**
 * The whole program in this process: the real app over memory storage, with a clock that tests move.
 *
 * @module
 */
import { hash } from '@node-rs/argon2'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { buildApp } from '../../src/app.ts'
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import type { Config } from '../../src/config/config.ts'
import { createEvents, type GatewayEvent } from '../../src/events.ts'
import { loadSigningKeys } from '../../src/oauth/tokens/signing-keys.ts'
import type { UserConfig } from '../../src/providers/provider-config.ts'
import type { AllowList } from '../../src/resources/policy.ts'
import type { ResourceConfig } from '../../src/resources/resource-table.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createEventLog } from '../../src/telemetry/event-log.ts'
import { afterTest } from './clean-ups.ts'
import { SECRET } from './secret.ts'
import { keyDeps } from './signing.ts'

/** The password of the tests' people. Its cost is the smallest that argon2 takes: slowness tests nothing here. */
export const PASSWORD = 'correct horse'
const passwordHash = await hash(PASSWORD, { memoryCost: 8, timeCost: 1, parallelism: 1 })

export const ANYONE: AllowList = { anyone: true, emails: [], domains: [], groups: [] }

export const ANN: UserConfig = {
  name: 'ann',
  email: 'ann@example.com',
  displayName: 'Ann Adams',
  groups: ['staff'],
  passwordHash,
}
/** A person whom only the list `*` lets in. */
export const BOB: UserConfig = {
  name: 'bob',
  email: 'bob@elsewhere.test',
  groups: [],
  passwordHash,
}

/** A resource, `https://mcp.example.com/notes/mcp` unless told otherwise. */
export function resource(changes: Partial<ResourceConfig> = {}): ResourceConfig {
  return {
    id: 'notes',
    url: 'https://mcp.example.com/notes/mcp',
    name: 'Team notes',
    scopes: { mcp: 'Use this server' },
    requiredScopes: [],
    defaultScopes: ['mcp'],
    also: [],
    isDefault: false,
    acceptProviderTokens: false,
    allow: { anyone: false, emails: [], domains: ['example.com'], groups: [] },
    ...changes,
  }
}

/** A configuration with one resource and two people, changed as a test needs it. */
export function testConfig(changes: Partial<Config> = {}): Config {
  return {
    publicUrl: { origin: 'https://auth.example.com', host: 'auth.example.com', secure: true },
    listen: { host: '127.0.0.1', port: 0 },
    dataDir: 'unused',
    maxStale: 60,
    upstreamIdle: 3600,
    secretPrevious: [],
    resources: [resource()],
    protectedPath: '/sse',
    discoveryAt: 'resource',
    directChecks: true,
    trustedProxies: ['127.0.0.0/8', '::1'],
    provider: { type: 'builtin' },
    users: [ANN, BOB],
    newUsers: [],
    lifetimes: {
      accessToken: 3600,
      grant: 30 * 86_400,
      grantIdle: 14 * 86_400,
      refreshGrace: 60,
      session: 86_400,
      sessionIdle: 28_800,
    },
    allowedOrigins: ['loopback'],
    clients: [],
    hsts: true,
    edgeAuth: false,
    staticTokens: [],
    registration: 'open',
    clientMetadata: { hosts: { allowed: ['open'], denied: [] }, pinned: {}, loopback: false },
    identityHeaders: IDENTITY_HEADERS,
    apiKeyHeader: 'X-API-Key',
    rateLimit: 600,
    // Tests ask more often than anybody, at a clock that stands still.
    rateLimits: { refused: 0, discovery: 0 },
    shutdown: { delay: 0, timeout: 2 },
    brand: {},
    logLevel: 'info',
    ...changes,
  }
}

/** A clock that stands still until a test moves it. */
export interface Clock {
  (): number
  /** Moves it on, and time with it. */
  advance(seconds: number): void
  /** Sets it by so many seconds, forwards or back, while no time goes by. */
  set(seconds: number): void
  /** Milliseconds that went by, however often the clock was set. */
  elapsed(): number
}

/** When tests begin, unless they say so. */
const START = Date.UTC(2026, 10, 21, 9)

export function createClock(startMs = START): Clock {
  let time = startMs
  let elapsed = 0
  return Object.assign(() => time, {
    advance(seconds: number) {
      time += seconds * 1000
      elapsed += seconds * 1000
    },
    set(seconds: number) {
      time += seconds * 1000
    },
    elapsed: () => elapsed,
  })
}

export interface TestApp {
  readonly app: FastifyInstance
  readonly clock: Clock
  readonly storage: Storage
  readonly config: Config
  /** Every log line so far, parsed. */
  readonly logs: readonly Record<string, unknown>[]
  /** Every event so far, also those that the log left out. */
  readonly events: readonly GatewayEvent[]
  /** Restarts: a new process with the same store and secret. */
  restart(changes?: Partial<Config>): Promise<TestApp>
}

export { SECRET } from './secret.ts'

/** The signing keys of all apps of a test file: making them takes longer than most tests. */
const signingKeys = createMemoryStorage({ now: () => START })
for (const algorithm of ['ES256', 'RS256'] as const) {
  await loadSigningKeys(keyDeps({ storage: signingKeys, now: () => START }, { algorithm }))
}

async function storageFor(secret: string, now: Clock): Promise<Storage> {
  const storage = createMemoryStorage({ now })
  if (secret === SECRET) await giveSigningKeys(storage)
  return storage
}

/** Puts signing keys into a store that will be used with {@link SECRET}, since making them takes time. */
export async function giveSigningKeys(storage: Storage): Promise<void> {
  for await (const [key, value] of signingKeys.scan('')) await storage.set(key, value, 'forever')
}

/** Builds the app; it is closed after the test. */
export async function buildTestApp(
  changes: Partial<Config> = {},
  reuse: { clock?: Clock; storage?: Storage; secret?: string } = {},
): Promise<TestApp> {
  const clock = reuse.clock ?? createClock()
  const secret = reuse.secret ?? SECRET
  const storage = reuse.storage ?? (await storageFor(secret, clock))
  const config = testConfig(changes)
  const logs: Record<string, unknown>[] = []
  const log: Logger = pino(
    { level: 'debug', base: null },
    { write: (line: string) => void logs.push(JSON.parse(line)) },
  )
  const emitted: GatewayEvent[] = []
  const events = createEvents([
    createEventLog({ log, elapsed: clock.elapsed }),
    { wants: () => true, take: (event) => void emitted.push(event) },
  ])
  const { elapsed } = clock
  const app = await buildApp({ config, secret, storage, log, events, now: clock, elapsed })
  afterTest(() => {
    const closed = app.close()
    // As the program does when its time is up.
    app.server.closeAllConnections()
    return closed
  })
  await app.ready()
  return {
    app,
    clock,
    storage,
    config,
    logs,
    events: emitted,
    restart: (again) => buildTestApp({ ...changes, ...again }, { clock, storage, secret }),
  }
}
