/**
 * The store in Redis: its address, the certificates that it is verified by, and the root secret that it requires.
 *
 * @module
 */
import type { RedisTarget } from '../../storage/redis/topology.ts'
import { type Disk, readCertificates } from '../sources/disk.ts'
import type { Chosen } from '../sources/precedence.ts'
import { attempt, type Report } from '../values/problem.ts'

/** @returns undefined without `REDIS_URL`; problems go to the report */
export function buildRedis(
  parts: Pick<Chosen, 'settings' | 'given' | 'broken'> & {
    readonly complete: boolean
    readonly disk: Disk
    readonly report: Report
  },
): RedisTarget | undefined {
  const { settings, given, broken, complete, disk, report } = parts
  const { redis_url: url, redis_ca: path, redis_key_prefix: keyPrefix } = settings
  const label = given.get('redis_ca')?.label ?? 'REDIS_CA'
  if (!url) {
    if (given.has('redis_key_prefix') && !broken.has('redis_url')) {
      report.warning(
        given.get('redis_key_prefix')?.label ?? 'REDIS_KEY_PREFIX',
        'has no effect without REDIS_URL.',
      )
    }
    if (path !== undefined && !broken.has('redis_url')) {
      report.warning(label, 'has no effect without REDIS_URL.')
    }
    return undefined
  }
  if (settings.secret === undefined && complete && !broken.has('secret')) {
    report.problem(
      'SECRET',
      'is not set, but with REDIS_URL every process needs the same one. Make one with: openssl rand -base64 32.',
    )
  }
  const target: RedisTarget = given.has('redis_key_prefix') ? { ...url, keyPrefix } : url
  if (path === undefined) return target
  if (!target.tls) {
    report.problem(
      label,
      'is set, but REDIS_URL uses no TLS. Start REDIS_URL with rediss instead of redis, or remove this setting.',
    )
    return target
  }
  const ca = attempt(report, label, () => readCertificates(path, disk))
  return ca === undefined ? target : { ...target, ca }
}
