/**
 * The effects of the settings for a store in Redis. The tests with a real Redis are `test/e2e/redis-*`.
 *
 * @module
 */
import { expect } from 'vitest'
import { createLiveness } from '../../../src/storage/liveness.ts'
import { createNames } from '../../../src/storage/redis/key.ts'
import { load, problemsOf } from '../harness.ts'
import { whileRunning } from './program.ts'
import type { Effect } from './start.ts'

const SECRET = 'a root secret for tests, long enough to be one'
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'

export const store: Record<'redis_url' | 'redis_key_prefix' | 'redis_ca' | 'max_stale', Effect> = {
  redis_url: () =>
    whileRunning(
      // No Redis listens there, so the program waits. With its own store it would be ready.
      { REDIS_URL: 'redis://:hidden-password@127.0.0.1:1', SECRET },
      async ({ port, log }) => {
        const health = await fetch(`http://127.0.0.1:${port}/healthz`)
        expect(health.status).toBe(200)
        const check = await fetch(`http://127.0.0.1:${port}/auth`)
        expect([check.status, check.headers.get('retry-after')]).toEqual([503, '1'])
        expect(log()).toContain('ECONNREFUSED')
        expect(log()).not.toContain('hidden-password')
      },
      503,
    ),

  async redis_key_prefix() {
    const env = { REDIS_URL: 'redis://redis.internal', SECRET }
    const names = createNames(
      load({ env: { ...env, REDIS_KEY_PREFIX: 'team-a:' } }).config.redis?.keyPrefix,
    )
    expect([names.encode('grant:x'), names.changes]).toEqual(['team-a:grant:x', 'team-a:changes'])
    const usual = createNames(load({ env }).config.redis?.keyPrefix)
    expect(usual.encode('grant:x')).toBe('gw:grant:x')
    for (const bad of ['team-a', 'a*:', 'a b:', 'a\\:', '{a}{b}:', `${'a'.repeat(64)}:`]) {
      const problems = problemsOf(() => load({ env: { ...env, REDIS_KEY_PREFIX: bad } }))
      expect(problems).toEqual([expect.stringMatching(/^REDIS_KEY_PREFIX: /)])
    }
    expect(load({ env: { REDIS_KEY_PREFIX: 'team-a:' } }).warnings).toEqual([
      'REDIS_KEY_PREFIX: has no effect without REDIS_URL.',
    ])
  },

  async redis_ca() {
    const { redis } = load({
      env: { REDIS_URL: 'rediss://redis.internal', REDIS_CA: 'ca.pem', SECRET },
      files: { '/srv/ca.pem': CERTIFICATE },
    }).config
    expect(redis?.ca).toBe(CERTIFICATE)
  },

  async max_stale() {
    const { maxStale } = load({ env: { MAX_STALE: '2m' } }).config
    let time = 0
    const liveness = createLiveness({ elapsed: () => time, maxStale })
    liveness.heartbeat(0)
    time = 120_000
    expect(liveness.isBridgeable()).toBe(true)
    time += 1
    expect(liveness.isBridgeable()).toBe(false)
  },
}
