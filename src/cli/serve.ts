/**
 * `gatewarden serve`: opens the store, builds the app, listens, and stops cleanly.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { type Logger, pino } from 'pino'
import { buildApp } from '../app.ts'
import type { Config } from '../config/config.ts'
import { ConfigError } from '../config/values/problem.ts'
import { SigningKeyUnreadable } from '../oauth/tokens/signing-keys.ts'
import { WATCHED } from '../records/records.ts'
import { openStorage } from '../storage/index.ts'
import { type Storage, StorageUnavailable } from '../storage/storage.ts'
import { awaitStore } from './await-store.ts'
import { cannotListen } from './cannot-listen.ts'
import { cannotOpen } from './cannot-open.ts'
import { rootSecret } from './root-secret.ts'

/** Time for requests under way to end; an event stream that goes on longer is cut. */
const GRACE_MS = 2000
/** Time for everything, after which the process ends whatever is still open. */
const STOP_WITHIN_MS = 10_000
/** Before a start that failed for the store's absence is tried again. */
const RETRY_MS = 250

/**
 * Resolves once the server listens; it then runs until SIGTERM or SIGINT.
 * @throws ConfigError for what only starting can find out: a busy port, a store that cannot be opened
 */
export async function serve(config: Config): Promise<void> {
  const log: Logger = pino({
    level: config.logLevel,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
  })
  const now = () => Date.now()
  const { secret, madeAt } = await rootSecret(config)
  if (madeAt !== undefined) {
    log.info({ file: madeAt }, 'made a root secret: back it up, everything sealed depends on it')
  }
  const storage = await openStorage({
    dataDir: config.dataDir,
    now,
    redis: config.redis && {
      target: config.redis,
      watched: WATCHED,
      maxStale: config.maxStale,
      log,
    },
  }).catch((error: unknown) => {
    throw cannotOpen(error)
  })
  try {
    await run(config, { secret, storage, log, now })
  } catch (error) {
    await storage.close()
    throw error
  }
}

async function run(
  config: Config,
  services: { secret: string; storage: Storage; log: Logger; now: () => number },
): Promise<void> {
  const { storage, log } = services
  let stopServing = async () => {}
  // Before the wait for the store, and before listening, so that a signal during start-up is not lost.
  const stopping = closeWithGrace(
    { delay: STOP_WITHIN_MS, logger: false },
    async ({ err, signal }) => {
      if (err) log.error({ err }, 'stopping after an error')
      else log.info({ signal }, 'stopping')
      await stopServing()
      await storage.close()
    },
  )
  try {
    await awaitStore(storage, { listen: config.listen, log })
    const app = await build(config, services)
    stopServing = async () => {
      const cut = setTimeout(() => app.server.closeAllConnections(), GRACE_MS)
      await app.close()
      clearTimeout(cut)
    }
    await app.listen({ ...config.listen }).catch(async (error: unknown) => {
      await app.close()
      throw cannotListen(config.listen, error)
    })
    announce(app, config, log)
  } catch (error) {
    stopping.uninstall()
    throw error
  }
}

/** @throws ConfigError if the signing keys in the store cannot be opened */
async function build(
  config: Config,
  services: { secret: string; storage: Storage; log: Logger; now: () => number },
): Promise<FastifyInstance> {
  for (;;) {
    try {
      return await buildApp({ config, ...services })
    } catch (error) {
      if (error instanceof SigningKeyUnreadable) {
        throw new ConfigError([
          `SECRET: the signing keys in the store were sealed under another secret. Put the old one into SECRET_PREVIOUS.`,
        ])
      }
      if (!(error instanceof StorageUnavailable)) throw error
      // One on this machine that fails now does not mend itself.
      if (!services.storage.contact) throw cannotOpen(error.cause)
      // A store that was there a moment ago, and is away again.
      await delay(RETRY_MS)
      await awaitStore(services.storage, { listen: config.listen, log: services.log })
    }
  }
}

function announce(app: FastifyInstance, config: Config, log: Logger): void {
  const addresses = app
    .addresses()
    .map((at) => (typeof at === 'string' ? at : `${at.address}:${at.port}`))
  // Whatever LOG_LEVEL hides: this line says that it runs, and where.
  log.child({}, { level: 'info' }).info(
    {
      addresses,
      publicUrl: config.publicUrl.origin,
      provider: config.provider.type,
      ...('issuerUrl' in config.provider && { issuer: config.provider.issuerUrl }),
      resources: config.resources.map(({ id, url }) => ({ id, url })),
    },
    'listening',
  )
}
