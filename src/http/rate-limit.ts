/**
 * Limits the requests of one address to the endpoints that anybody can call. Counters are bounded, in number or in
 * lifetime, and all machines on one store share them (`rate-counter.ts`).
 *
 * @module
 */
import rateLimit, {
  type FastifyRateLimitStore,
  type RateLimitPluginOptions,
} from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Storage, Tally } from '../storage/storage.ts'
import { bucketsOf } from '../url/address-buckets.ts'
import type { ClientAddress } from './client-address.ts'
import { createRateCounter, type RateCounter } from './rate-counter.ts'

/** Too many requests from one address. */
export class RateLimited extends Error {
  override readonly name = 'RateLimited'
  readonly retryAfterSeconds: number
  constructor(retryAfterSeconds: number) {
    super('too many requests from this address')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

/** Endpoints that are counted together; `refused` are the checks that let nobody in. */
export type LimitGroup =
  | 'discovery'
  | 'register'
  | 'device'
  | 'token'
  | 'revoke'
  | 'introspect'
  | 'login'
  | 'edge'
  | 'refused'

export interface RateLimits {
  /** Requests of a group per minute and address; 0 means no limit. */
  readonly perMinute: (group: LimitGroup) => number
  readonly clientAddress: ClientAddress
  /** The counter of a group of endpoints, the same for every scope that names the group. */
  readonly counter: (group: LimitGroup) => RateCounter
  /** A counter of this process alone, which asks no store. */
  readonly ownCounter: (group: string, max: number) => RateCounter
}

/** @param deps `perMinute`: requests of a group per minute and address; `now` in milliseconds since the epoch */
export function createRateLimits(deps: {
  readonly perMinute: (group: LimitGroup) => number
  readonly clientAddress: ClientAddress
  readonly storage: Pick<Storage, 'count'>
  readonly now: () => number
}): RateLimits {
  const { perMinute, clientAddress, storage, now } = deps
  const counters = new Map<LimitGroup, RateCounter>()
  return {
    perMinute,
    clientAddress,
    counter(group) {
      const counter =
        counters.get(group) ?? createRateCounter({ group, max: perMinute(group), storage, now })
      counters.set(group, counter)
      return counter
    },
    ownCounter: (group, max) => createRateCounter({ group, max, storage: {}, now }),
  }
}

/** Polls in the place of each other request: a program that waits asks every 5 seconds. */
const POLLS_EACH = 12

/**
 * Limits all routes added by plugins that are registered on this scope afterwards.
 * @param group names the count that these routes share with other scopes of the same group
 * @param options `isPoll`: requests, of which the body is known, that this count leaves out. Beside it, a wider limit
 *   counts every request before its body is read
 */
export function limitRate(
  scope: FastifyInstance,
  group: LimitGroup,
  limits: RateLimits,
  { isPoll }: { readonly isPoll?: ((request: FastifyRequest) => boolean) | undefined } = {},
): void {
  const { clientAddress } = limits
  const max = limits.perMinute(group)
  if (max === 0) return
  const counter = limits.counter(group)
  const hiddenHeaders = {
    'x-ratelimit-limit': false,
    'x-ratelimit-remaining': false,
    'x-ratelimit-reset': false,
  }
  const settings: RateLimitPluginOptions = {
    max,
    store: storeOf(counter, max),
    keyGenerator: ({ raw }) => clientAddress(raw),
    addHeaders: { ...hiddenHeaders, 'retry-after': true },
    addHeadersOnExceeding: hiddenHeaders,
    errorResponseBuilder: (_request, { ttl }) =>
      new RateLimited(Math.max(1, Math.ceil(ttl / 1000))),
  }
  if (!isPoll) {
    scope.register(rateLimit, settings)
    return
  }
  const wide = max * (1 + POLLS_EACH)
  const all = limits.ownCounter(`${group}-all`, wide)
  scope.register(rateLimit, { ...settings, max: wide, store: storeOf(all, wide) })
  scope.register(rateLimit, { ...settings, hook: 'preHandler', allowList: isPoll })
}

/**
 * Counts a request of an address in each of its blocks, and returns the tally of the one that is nearest to its limit,
 * in requests of a single address. Requests that a narrow block may not make do not use up the wider one.
 */
async function countAddress(counter: RateCounter, max: number, address: string): Promise<Tally> {
  let worst: Tally | undefined
  for (const { key, share } of bucketsOf(address)) {
    const { count, remainingMs } = await counter.add(key, share)
    const tally = { count: count / share, remainingMs }
    if (!worst || tally.count > worst.count) worst = tally
    if (tally.count > max) break
  }
  return worst ?? { count: 0, remainingMs: 0 }
}

/** Wraps the counter in a class, which the plugin instantiates. */
function storeOf(counter: RateCounter, max: number): NonNullable<RateLimitPluginOptions['store']> {
  return class implements FastifyRateLimitStore {
    incr(address: string, callback: Parameters<FastifyRateLimitStore['incr']>[1]): void {
      countAddress(counter, max, address).then(
        ({ count, remainingMs }) => callback(null, { current: count, ttl: remainingMs }),
        (error: Error) => callback(error),
      )
    }
    child() {
      return this
    }
  }
}
