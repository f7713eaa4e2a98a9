/**
 * Waits for a store that does not answer yet. Gatewarden cannot serve without the signing keys in the store, but it may
 * start before the store does (decision K28).
 *
 * @module
 */
import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config/config.ts'
import type { Events } from '../events.ts'
import { HEALTH_ALIAS, HEALTH_PATH } from '../paths.ts'
import { storeProblem } from '../storage/contact-events.ts'
import { type Storage, StorageUnavailable, StorageUnfit } from '../storage/storage.ts'
import { cannotListen } from './cannot-listen.ts'
import { unfit } from './cannot-open.ts'

const ASK_AGAIN_MS = 100
/** A running store answers within this time. After it, the log and the health endpoints tell the operator. */
const PATIENCE_MS = 1500

/**
 * Resolves once the store has answered, at once for a store on this machine. Meanwhile `/healthz` answers 200, and
 * every other address 503.
 * @throws ConfigError if the store cannot hold our records, or the port is busy
 */
export async function awaitStore(
  storage: Storage,
  {
    listen,
    pathPrefix = '',
    redis,
    events,
  }: Pick<Config, 'listen' | 'pathPrefix' | 'redis'> & { events: Events },
): Promise<void> {
  if (!storage.contact) return
  const startedAt = performance.now()
  let standIn: Server | undefined
  try {
    for (;;) {
      try {
        for (const reason of await storage.contact()) events.emit({ event: 'store-unfit', reason })
        if (standIn) {
          const seconds = Math.round((performance.now() - startedAt) / 1000)
          events.emit({ event: 'store-back', seconds })
        }
        return
      } catch (error) {
        if (error instanceof StorageUnfit) throw unfit(error, { redis })
        if (!(error instanceof StorageUnavailable)) throw error
        if (!standIn && performance.now() - startedAt > PATIENCE_MS) {
          standIn = await startStandIn(listen, answerWith(pathPrefix))
          events.emit({ event: 'store-lost', cause: storeProblem(error) })
        }
      }
      await delay(ASK_AGAIN_MS)
    }
  } finally {
    standIn?.closeAllConnections()
    standIn?.close()
  }
}

const answerWith = (prefix: string): RequestListener => {
  const health = ['', prefix].flatMap((start) => [start + HEALTH_PATH, start + HEALTH_ALIAS])
  return (request, response) => answer(response, health.includes(request.url ?? ''))
}

function answer(response: ServerResponse, isHealth: boolean): void {
  response.writeHead(isHealth ? 200 : 503, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(!isHealth && { 'retry-after': '1' }),
  })
  response.end(JSON.stringify(isHealth ? { status: 'ok' } : { status: 'starting', store: 'down' }))
}

async function startStandIn(listen: Config['listen'], answers: RequestListener): Promise<Server> {
  const server = createServer(answers)
  try {
    await once(server.listen({ ...listen }), 'listening')
    return server
  } catch (error) {
    throw cannotListen(listen, error)
  }
}
