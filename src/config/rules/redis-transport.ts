/**
 * `PROD_MODE` demands that nobody on the way to Redis can read or write our records (threat T44).
 *
 * @module
 */
import type { RedisTarget } from '../../storage/redis/topology.ts'
import type { Report } from '../values/problem.ts'

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/i

/** Reports an address of Redis that lacks TLS or a password, unless it is a server on this machine. */
export function checkRedisTransport(target: RedisTarget | undefined, report: Report): void {
  if (!target || isHere(target)) return
  if (!target.tls) {
    report.problem(
      'REDIS_URL',
      'uses no TLS, which PROD_MODE refuses beyond this machine. Start it with rediss instead of redis.',
    )
  }
  if (target.password === undefined) {
    report.problem(
      'REDIS_URL',
      'has no password, which PROD_MODE refuses beyond this machine. Write it like rediss://user:password@host.',
    )
  }
}

/** Sentinels and nodes of a cluster name further servers, which may be anywhere. */
function isHere({ kind, hosts }: RedisTarget): boolean {
  return kind === 'single' && hosts.every(({ host }) => LOOPBACK.test(host))
}
