/**
 * A surface is a group of addresses that the program answers, with its own hooks, body parsers and error handler. `app.ts`
 * mounts one list of them, so whatever concerns every surface (a limit, a metric, a span) has one place. It owns no route.
 *
 * @module
 */
import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import { limitRate, type RateLimits } from './rate-limit.ts'

export interface Surface {
  /** Names it in logs, metrics and traces. */
  readonly name: string
  /** The group of endpoints whose requests of one address are counted together; absent: no limit. */
  readonly limit?: string
  /** True if its routes read or set cookies. */
  readonly cookies?: boolean
  /** Adds its routes to a scope of its own. */
  readonly mount: (scope: FastifyInstance) => void
}

/** Mounts a surface in a scope of its own. */
export function mountSurface(app: FastifyInstance, surface: Surface, limits: RateLimits): void {
  const { limit, cookies, mount } = surface
  scoped(app, (scope) => {
    if (limit !== undefined) limitRate(scope, limit, limits)
    if (cookies) scope.register(cookie)
    // A further scope, because a plugin concerns only routes that are added after it.
    scoped(scope, mount)
  })
}

/** Registers the routes that `build` adds, encapsulated: their hooks and parsers concern no other route. */
export function scoped(app: FastifyInstance, build: (scope: FastifyInstance) => void): void {
  app.register((scope, _options, done) => {
    build(scope)
    done()
  })
}
