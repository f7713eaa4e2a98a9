/**
 * Judges from its `INFO` whether a Redis server may hold our store, and says what to change if not (decision K27).
 *
 * @module
 */

import type { RedisTarget } from './topology.ts'

/** The findings of a check, as sentences for the operator. */
export interface Findings {
  /** Reasons not to start. */
  readonly problems: readonly string[]
  /** A reason to wait with the start: it goes away by itself. */
  readonly outage?: string
  /** Risks that the operator may accept. */
  readonly warnings: readonly string[]
}

/** The oldest version with all commands that are used. */
const MIN_VERSION = [6, 2] as const

/**
 * @param info a server's answer to `INFO`; undefined if this user may not ask
 * @param kind the kind of Redis that `REDIS_URL` names
 */
export function judgeServer(info: string | undefined, kind: RedisTarget['kind']): Findings {
  if (info === undefined) {
    return {
      problems: [],
      warnings: [
        'Redis does not let this user read its settings, so they are not checked. Make sure that it is 6.2 or later with maxmemory-policy noeviction, or allow +info to have it checked.',
      ],
    }
  }
  const fields = parseInfo(info)
  const problems: string[] = []
  const warnings: string[] = []
  const version = fields.get('redis_version') ?? ''
  if (isOlder(version)) {
    problems.push(
      `Redis is version ${version || 'unknown'}, and 6.2 is the oldest that works. Upgrade it.`,
    )
  }
  const policy = fields.get('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    problems.push(
      `Redis has maxmemory-policy ${policy}, so it may forget that a code was used. Set maxmemory-policy to noeviction.`,
    )
  }
  if (fields.get('redis_mode') === 'sentinel') {
    problems.push(
      'the server that answers is a sentinel. Begin the address with redis+sentinel://, and name the master that it watches.',
    )
  }
  if (fields.get('redis_mode') === 'cluster' && kind !== 'cluster') {
    problems.push('Redis is a node of a cluster. Begin the address with redis+cluster://.')
  }
  const isReplica = fields.get('role') === 'slave'
  if (isReplica && kind === 'single') {
    problems.push(
      'Redis is a replica, which takes no writes. Name its master, or its sentinels with redis+sentinel://.',
    )
  }
  if (fields.get('aof_enabled') === '0') {
    warnings.push(
      'Redis keeps no append-only file, so a restart loses the sign-ins since its last snapshot. Set appendonly to yes. A failover can lose the last second even then.',
    )
  }
  // Sentinels or the cluster choose the master, and may be about to choose another.
  const outage = isReplica && kind !== 'single' && { outage: 'there is no master at this moment' }
  return { problems, warnings, ...outage }
}

function isOlder(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return !(major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1]))
}

function parseInfo(info: string): ReadonlyMap<string, string> {
  return new Map(
    info.split('\n').flatMap((line) => {
      const [name = '', ...value] = line.trim().split(':')
      return value.length > 0 ? [[name, value.join(':')] as const] : []
    }),
  )
}
