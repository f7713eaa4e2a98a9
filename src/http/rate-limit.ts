/**
 * Limits what one address may ask of the endpoints that anybody can call. Counters are in memory and bounded.
 *
 * @module
 */
import rateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Too many requests from one address. */
export class RateLimited extends Error {
  override readonly name = 'RateLimited'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super('too many requests from this address')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

const WINDOW_MS = 60_000
/** Addresses remembered at once; a flood from more of them pushes out the least recent. */
const MAX_ADDRESSES = 20_000

/**
 * Limits all routes added by plugins that are registered on this scope afterwards; they share one count an address.
 * @param options `perMinute`: requests a minute and address; 0 is no limit
 */
export function limitRate(
  scope: FastifyInstance,
  options: { perMinute: number; clientAddress: (request: FastifyRequest) => string },
): void {
  if (options.perMinute === 0) return
  const unsaid = {
    'x-ratelimit-limit': false,
    'x-ratelimit-remaining': false,
    'x-ratelimit-reset': false,
  }
  const settings: RateLimitPluginOptions = {
    max: options.perMinute,
    timeWindow: WINDOW_MS,
    cache: MAX_ADDRESSES,
    keyGenerator: options.clientAddress,
    addHeaders: { ...unsaid, 'retry-after': true },
    addHeadersOnExceeding: unsaid,
    errorResponseBuilder: (_request, { ttl }) =>
      new RateLimited(Math.max(1, Math.ceil(ttl / 1000))),
  }
  scope.register(rateLimit, settings)
}
