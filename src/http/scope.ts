/**
 * A scope of its own for a group of routes: its hooks, body parsers and error handler are nobody else's.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'

/** Registers what `build` adds, encapsulated. */
export function scoped(app: FastifyInstance, build: (scope: FastifyInstance) => void): void {
  app.register((scope, _options, done) => {
    build(scope)
    done()
  })
}
