import { describe, expect, it } from 'vitest'
import { judgeServer } from '../../src/storage/redis/checks.ts'

/** The lines of `INFO` that matter, changed as a test needs them. */
function info(changes: Record<string, string> = {}): string {
  const fields = {
    redis_version: '7.0.15',
    redis_mode: 'standalone',
    maxmemory_policy: 'noeviction',
    aof_enabled: '1',
    role: 'master',
    ...changes,
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}`)
  return ['# Server', ...lines, ''].join('\r\n')
}

describe('a Redis server', () => {
  it.each(['6.2.0', '7.0.15', '8.0.1', '10.0.0'])('may be version %s', (version) => {
    expect(judgeServer(info({ redis_version: version }), 'single')).toEqual({
      problems: [],
      warnings: [],
    })
  })

  it.each([
    [{ redis_version: '6.0.16' }, 'Redis is version 6.0.16, and 6.2 is the oldest that works.'],
    [{ redis_version: '5.9.9' }, 'Redis is version 5.9.9'],
    [{ redis_version: '' }, 'Redis is version unknown'],
    [{ maxmemory_policy: 'allkeys-lru' }, 'Set maxmemory-policy to noeviction.'],
    [{ maxmemory_policy: 'volatile-ttl' }, 'Set maxmemory-policy to noeviction.'],
    [{ role: 'slave' }, 'Redis is a replica'],
    [{ redis_mode: 'sentinel' }, 'Begin the address with redis+sentinel://'],
    [{ redis_mode: 'cluster' }, 'Begin the address with redis+cluster://'],
  ])('is refused with %j', (changes, sentence) => {
    const { problems } = judgeServer(info(changes), 'single')
    expect(problems).toEqual([expect.stringContaining(sentence)])
  })

  it.each(['sentinel', 'cluster'] as const)(
    'that takes no writes is waited for in a %s: another may be about to take its place',
    (kind) => {
      const { problems, outage } = judgeServer(info({ role: 'slave' }), kind)
      expect([problems, outage]).toEqual([[], expect.stringContaining('no master')])
    },
  )

  it('may be a node of a cluster where a cluster is meant', () => {
    expect(judgeServer(info({ redis_mode: 'cluster' }), 'cluster').problems).toEqual([])
  })

  it('is warned of without an append-only file, with what a failover can lose', () => {
    const { problems, warnings } = judgeServer(info({ aof_enabled: '0' }), 'single')
    expect(problems).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/appendonly to yes.*lose the last second/)])
  })

  it('is warned of where it may not be asked', () => {
    const { problems, warnings } = judgeServer(undefined, 'single')
    expect(problems).toEqual([])
    expect(warnings).toEqual([expect.stringContaining('noeviction')])
  })
})
