/**
 * Whether a Redis server may hold our store, by what its `INFO` says, and what to change if not (decision K27).
 *
 * @module
 */

import type { RedisTarget } from './topology.ts'

/** What a check found. Sentences for the operator. */
export interface Findings {
  /** Reasons not to start. */
  readonly problems: readonly string[]
  /** A reason not to start yet: it mends itself. */
  readonly outage?: string
  /** Reasons to think again. */
  readonly warnings: readonly string[]
}

/** The oldest version with all commands that are used. */
const MIN_VERSION = [6, 2] as const

/**
 * @param info the answer of `INFO` of one server; undefined if it may not be asked
 * @param kind what it was taken for
 */
export function judgeServer(info: string | undefined, kind: RedisTarget['kind']): Findings {
  if (info === undefined) {
    return {
      problems: [],
      warnings: [
        'Redis does not let this user ask for its settings, so they are not checked: it must be 6.2 or later with maxmemory-policy noeviction. To have them checked, allow +info.',
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
      'it is a sentinel that answers. Begin the address with redis+sentinel://, and name the master it watches.',
    )
  }
  if (fields.get('redis_mode') === 'cluster' && kind !== 'cluster') {
    problems.push('Redis is a node of a cluster. Begin the address with redis+cluster://.')
  }
  const isReplica = fields.get('role') === 'slave'
  if (isReplica && kind === 'single') {
    problems.push(
      'Redis is a replica, which takes no writes. Name its master, or the sentinels with redis+sentinel://.',
    )
  }
  if (fields.get('aof_enabled') === '0') {
    warnings.push(
      'Redis keeps no append-only file, so when it restarts, sign-ins since its last snapshot are lost. Set appendonly to yes. A failover can lose the last second either way.',
    )
  }
  // Others decide who the master is, and may be about to.
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
