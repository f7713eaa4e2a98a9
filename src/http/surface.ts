/**
 * A surface is a group of addresses with its own hooks, body parsers and error handler. `app.ts` mounts one list of
 * them, so all that concerns every surface (a limit, a metric, a span) has one place. This folder owns what routes
 * share, such as errors, raw headers, origins, limits and client addresses; it owns no route and decides nothing.
 *
 * @module
 */
import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { limitBodies } from './body-deadline.ts'
import { type LimitGroup, limitRate, type RateLimits } from './rate-limit.ts'

export interface Surface {
  /** Names the surface in logs, metrics and traces. */
  readonly name: string
  /** The group of endpoints that share one count of requests per address; absent: no limit. */
  readonly limit?: LimitGroup
  /** True for a request that a program repeats every few seconds while it waits: the limit does not count it. */
  readonly isPoll?: (request: FastifyRequest) => boolean
  /** True if the routes read or set cookies. */
  readonly cookies?: boolean
  /** True if the routes pass bodies on, which have no limit in time. */
  readonly streams?: boolean
  /** Adds the routes to their own scope. */
  readonly mount: (scope: FastifyInstance) => void
}

/** Mounts a surface in its own scope. */
export function mountSurface(app: FastifyInstance, surface: Surface, limits: RateLimits): void {
  const { limit, isPoll, cookies, streams, mount } = surface
  scoped(app, (scope) => {
    if (!streams) limitBodies(scope)
    if (limit !== undefined) limitRate(scope, limit, limits, { isPoll })
    if (cookies) scope.register(cookie)
    // A further scope, because a plugin affects only routes that are added after it.
    scoped(scope, mount)
  })
}

/** Registers the routes that `build` adds, encapsulated: their hooks and parsers affect no other route. */
export function scoped(app: FastifyInstance, build: (scope: FastifyInstance) => void): void {
  app.register((scope, _options, done) => {
    build(scope)
    done()
  })
}
