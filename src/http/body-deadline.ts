/**
 * The time for a whole request to arrive, with its body, so that a slow one cannot hang. Node's own limit would hold for
 * proxied uploads, too, which may take as long as they like.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { hasBody } from './has-body.ts'

const BODY_TIMEOUT_MS = 120_000

/** Cuts the connection of a request in this scope whose body does not arrive in time. */
export function limitBodies(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const { raw } = request
    // Without a body there is nothing to wait for, and a check must not pay for a timer.
    if (!raw.complete && hasBody(raw)) {
      const timer = setTimeout(() => raw.destroy(), BODY_TIMEOUT_MS).unref()
      raw.once('close', () => clearTimeout(timer))
      raw.once('end', () => clearTimeout(timer))
    }
    done()
  })
}
