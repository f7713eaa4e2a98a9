/**
 * `gatewarden serve`: opens the store, builds the app, listens, and stops cleanly.
 *
 * @module
 */
import type { Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { buildApp } from '../app.ts'
import { type Config, redirectUriOf } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'
import type { Events } from '../events.ts'
import { createLifecycle } from '../http/lifecycle.ts'
import { SigningKeyUnreadable } from '../oauth/tokens/signing-keys.ts'
import type { AppDeps } from '../services/app-deps.ts'
import { watchContact } from '../storage/contact-events.ts'
import { settleFormat } from '../storage/format.ts'
import { StorageUnavailable, StorageUnfit } from '../storage/storage.ts'
import { awaitStore } from './await-store.ts'
import { buildIdentity } from './build-identity.ts'
import { cannotListen } from './cannot-listen.ts'
import { cannotOpen, unfit } from './cannot-open.ts'
import { createServingEnd } from './end-serving.ts'
import { givePasswords, type Terminal, tellPassword } from './given-passwords.ts'
import { hostAndPort, hostToBind } from './listen-host.ts'
import { leaveLostTerminal } from './lost-terminal.ts'
import { type OpenedLog, openLog } from './open-log.ts'
import { openStore } from './open-store.ts'
import { rootSecret } from './root-secret.ts'

/** Time for the shutdown beyond its configured parts. After it, the process exits even if handles are open. */
const STOP_WITHIN_MS = 10_000
/** The processor's faults. A handler would run for ever: the fault comes again as soon as it returns. */
const FAULTS = ['SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const
/** The wait before the next attempt, if a start fails because the store is unavailable. */
const RETRY_MS = 250

/**
 * Resolves once the server listens; it then runs until SIGTERM, SIGINT, or the end of its terminal (SIGHUP).
 * @param options `terminal` shows passwords that this start makes; `logTo` takes the log instead of standard output
 * @throws ConfigError for problems that only starting can find: a busy port, a store that cannot be opened
 */
export async function serve(
  given: Config,
  options: { readonly terminal?: Terminal; readonly logTo?: Writable } = {},
): Promise<void> {
  const listen = { ...given.listen, host: await hostToBind(given.listen.host) }
  const now = () => Date.now()
  const elapsed = () => performance.now()
  const opened = openLog(given, { stream: options.logTo ?? process.stdout, now, elapsed })
  const { log, events } = opened
  // Node writes its own warnings there.
  process.stderr.on('error', () => undefined)
  leaveLostTerminal()
  const { secret, madeAt } = await rootSecret(given)
  if (madeAt !== undefined) {
    events.emit({ event: 'secret-made', file: madeAt })
  }
  const newUsers = await givePasswords(given, {
    tell: async (made) => {
      const file = await tellPassword(made, options.terminal)
      if (file !== undefined) events.emit({ event: 'password-made', user: made.name, file })
    },
    remind: ({ name, passwordFile }) =>
      events.emit({ event: 'password-file-left', user: name, file: passwordFile }),
  })
  const config = { ...given, listen, users: [...given.users, ...newUsers] }
  const store = await openStore(config, { now, elapsed, maxStale: config.maxStale, events })
  const storage = watchContact(store, { events, elapsed })
  try {
    await run(config, { secret, storage, log, events, now, elapsed }, opened)
  } catch (error) {
    await storage.close()
    throw error
  }
}

async function run(
  config: Config,
  services: Omit<AppDeps, 'config'>,
  { end: endLog }: OpenedLog,
): Promise<void> {
  const { storage, events } = services
  const lifecycle = createLifecycle()
  const delayMs = config.shutdown.delay * 1000
  const timeoutMs = config.shutdown.timeout * 1000
  let stopServing = async (_isFailure: boolean) => {}
  // Register before the wait for the store and before listening, so that no signal during start-up is lost.
  const stopping = closeWithGrace(
    { delay: delayMs + timeoutMs + STOP_WITHIN_MS, logger: false, skip: [...FAULTS] },
    async ({ err, signal }) => {
      events.emit(err ? { event: 'crashed', err } : { event: 'stopping', signal })
      lifecycle.end()
      await stopServing(err !== undefined)
      await storage.close()
      endLog()
      events.emit({ event: 'stopped' })
    },
  )
  try {
    await awaitStore(storage, { ...config, events })
    const app = await build(config, { ...services, lifecycle })
    const end = createServingEnd(app.server)
    stopServing = (isFailure) =>
      end.run({ delayMs: isFailure ? 0 : delayMs, timeoutMs, close: () => app.close() })
    await app.listen({ ...config.listen }).catch(async (error: unknown) => {
      await app.close()
      throw cannotListen(config.listen, error)
    })
    announce(app, config, events)
  } catch (error) {
    stopping.uninstall()
    throw error
  }
}

/** @throws ConfigError if a later version wrote the store, or the signing keys in it cannot be opened */
async function build(config: Config, services: Omit<AppDeps, 'config'>): Promise<FastifyInstance> {
  for (;;) {
    try {
      await settleFormat(services.storage)
      return await buildApp({ config, ...services })
    } catch (error) {
      if (error instanceof StorageUnfit) throw unfit(error, config)
      if (error instanceof SigningKeyUnreadable) {
        throw new ConfigError([
          `SECRET: the signing keys in the store were sealed under another secret. Put the old secret into SECRET_PREVIOUS.`,
        ])
      }
      if (!(error instanceof StorageUnavailable)) throw error
      // A store on this machine that fails now does not recover by itself.
      if (!services.storage.contact) throw cannotOpen(error.cause)
      // The store answered a moment ago and is unavailable again: wait for it.
      await delay(RETRY_MS)
      await awaitStore(services.storage, { ...config, events: services.events })
    }
  }
}

function announce(app: FastifyInstance, config: Config, events: Events): void {
  const addresses = app
    .addresses()
    .map((at) => (typeof at === 'string' ? at : hostAndPort(at.address, at.port)))
  events.emit({
    event: 'listening',
    ...buildIdentity(),
    addresses,
    publicUrl: config.publicUrl.origin,
    provider: config.provider.type,
    ...('issuerUrl' in config.provider && {
      issuer: config.provider.issuerUrl,
      redirectUri: redirectUriOf(config),
    }),
    store: config.redis ? 'redis' : 'lmdb',
    resources: config.resources.map(({ id, url }) => `${id} ${url}`),
  })
}
