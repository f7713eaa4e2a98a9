import { describe, expect, it } from 'vitest'
import { load, problemsOf } from './harness.ts'

const SECRET = 'a root secret for tests, long enough to be one'
const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'
const PASSWORD = 'hunter2-very-secret'

const redisOf = (url: string) => load({ env: { REDIS_URL: url, SECRET } }).config.redis
const problems = (env: Record<string, string>, files = {}) => problemsOf(() => load({ env, files }))

describe('REDIS_URL', () => {
  it.each([
    ['redis://cache', { hosts: [{ host: 'cache', port: 6379 }], tls: false, db: 0 }],
    ['REDIS://127.0.0.1:7000/', { hosts: [{ host: '127.0.0.1', port: 7000 }], db: 0 }],
    ['rediss://cache.example.com:6380/2', { tls: true, db: 2 }],
    ['redis://[::1]:6379', { hosts: [{ host: '::1', port: 6379 }] }],
    ['redis://:pass@cache', { password: 'pass' }],
    ['redis://ann:p%40ss%3Aw%2Frd@cache', { username: 'ann', password: 'p@ss:w/rd' }],
  ])('is one server in %s', (url, expected) => {
    expect(redisOf(url)).toMatchObject({ kind: 'single', ...expected })
  })

  it('is a group watched by sentinels, which may require a login of their own', () => {
    expect(redisOf('redis+sentinel://a:1,b,[::2]/mymaster/3')).toEqual({
      kind: 'sentinel',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
        { host: '::2', port: 26_379 },
      ],
      tls: false,
      master: 'mymaster',
      db: 3,
    })
    expect(
      redisOf('rediss+sentinel://u:p@a/m?sentinel_username=x&sentinel_password=y%26z'),
    ).toMatchObject({
      tls: true,
      username: 'u',
      password: 'p',
      sentinelUsername: 'x',
      sentinelPassword: 'y&z',
    })
  })

  it('is a cluster', () => {
    expect(redisOf('rediss+cluster://u:p@a:1,b')).toEqual({
      kind: 'cluster',
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 6379 },
      ],
      tls: true,
      username: 'u',
      password: 'p',
    })
  })

  it.each([
    [`https://u:${PASSWORD}@cache`, 'is not the address of a Redis'],
    [`cache:6379?${PASSWORD}`, 'is not the address of a Redis'],
    [`redis://u:${PASSWORD}@`, 'has an invalid host or port'],
    [`redis://u:${PASSWORD}@cache:99999`, 'has an invalid host or port'],
    [`redis://u:${PASSWORD}@cache:0`, 'has an invalid host or port'],
    [`redis://u:${PASSWORD}@a,b`, 'lists several hosts'],
    [`redis://u:${PASSWORD}@cache/zero`, 'has a database that is not a number'],
    [`redis://u:${PASSWORD}@cache/0?tls=true`, 'has a query or fragment'],
    [`redis://${PASSWORD}@cache`, 'has a user without a password'],
    [`redis://u:${PASSWORD}:x@cache`, 'a second colon'],
    [`redis://u:${PASSWORD}@x@cache`, 'has a query or fragment'],
    [`redis://u:${PASSWORD}/x@cache`, 'percent-encoded'],
    [`redis://u:${PASSWORD}%zz@cache`, 'percent-encoded'],
    [`redis+sentinel://u:${PASSWORD}@a,b`, 'lacks the name of the master that the sentinels watch'],
    [
      `redis+sentinel://u:${PASSWORD}@a/m/0/1`,
      'lacks the name of the master that the sentinels watch',
    ],
    [`redis+sentinel://u:${PASSWORD}@a/m?sentinel=${PASSWORD}`, 'has an unknown parameter'],
    [`redis+cluster://u:${PASSWORD}@a,b/1`, 'names a database'],
    [`redis+other://u:${PASSWORD}@a`, 'is not the address of a Redis'],
  ])('is refused without showing it in %s', (url, problem) => {
    const found = problems({ REDIS_URL: url, SECRET })
    expect(found).toEqual([expect.stringContaining(`REDIS_URL: `)])
    expect(found[0]).toContain(problem)
    expect(found[0]).not.toContain('hunter2')
  })

  it('needs SECRET, which every process has to have', () => {
    expect(problems({ REDIS_URL: 'redis://cache' })).toEqual([
      'SECRET: is not set, but with REDIS_URL every process needs the same one. Make one with: openssl rand -base64 32.',
    ])
  })

  it('is hidden where values are printed, and may come from a file', () => {
    const { config, sources } = load({
      env: { REDIS_URL_FILE: 'redis-url', SECRET },
      files: { '/srv/redis-url': `redis://:${PASSWORD}@cache\n` },
    })
    expect(config.redis).toMatchObject({ password: PASSWORD })
    expect(JSON.stringify(sources)).not.toContain(PASSWORD)
  })
})

describe('REDIS_CA', () => {
  const tls = { REDIS_URL: 'rediss://cache', REDIS_CA: 'ca.pem', SECRET }

  it('is the text of the file', () => {
    const { config } = load({ env: tls, files: { '/srv/ca.pem': CERTIFICATE } })
    expect(config.redis).toMatchObject({ ca: CERTIFICATE })
  })

  it.each([
    [tls, {}, 'REDIS_CA: there is no such file. Check the path.'],
    [
      tls,
      { '/srv/ca.pem': 'a key' },
      'REDIS_CA: the file holds no certificate in PEM form. Check the path.',
    ],
    [
      { ...tls, REDIS_URL: 'redis://cache' },
      { '/srv/ca.pem': CERTIFICATE },
      'REDIS_CA: is set, but REDIS_URL uses no TLS. Start REDIS_URL with rediss instead of redis, or remove this setting.',
    ],
  ])('is refused where it cannot be used: %#', (env, files, problem) => {
    expect(problems(env, files)).toEqual([problem])
  })

  it('does nothing without REDIS_URL, and says so', () => {
    expect(load({ env: { REDIS_CA: 'ca.pem' } }).warnings).toEqual([
      'REDIS_CA: has no effect without REDIS_URL.',
    ])
  })
})
