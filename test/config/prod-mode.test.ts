import { describe, expect, it } from 'vitest'
import { weakness } from '../../src/config/rules/weak-secret.ts'
import { BASE, type Given, HASH, load, loadYaml, problemsOf } from './harness.ts'

const GOOD = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq'
const LIVE = { PROD_MODE: 'true' }

/** The problems that PROD_MODE adds to these settings. */
function refused(env: Given['env'], yaml = ''): readonly string[] {
  const given = { yaml, ...(env && { env }) }
  expect(problemsOf(() => load(given))).toEqual([])
  return problemsOf(() => load({ ...given, env: { ...env, ...LIVE } }))
}

it('lets a careful configuration start', () => {
  const env = { SECRET: GOOD, SECRET_PREVIOUS: [...GOOD].toReversed().join('') }
  const clients = `clients: [{ client_id: ci, client_secret: ${GOOD}, redirect_uris: ["https://c.example/"] }]\n`
  expect(refused(env, clients)).toEqual([])
})

describe('plain http', () => {
  it.each(['http://localhost:11000', 'http://127.0.0.1'])('is refused at %s', (url) => {
    expect(refused({ PUBLIC_URL: url })).toEqual([
      'PUBLIC_URL: is plain http, which PROD_MODE refuses. Use https.',
    ])
  })

  it('is refused for a server, under the setting that names it', () => {
    const url = 'http://mcp.example.com/mcp'
    expect(refused({ RESOURCES: url })).toEqual([
      `RESOURCES: ${url} is plain http, which PROD_MODE refuses. Use https.`,
    ])
    const yaml = `resources: { notes: { url: "${url}" } }\n`
    expect(refused({ RESOURCES: undefined }, yaml)).toEqual([
      `resources.notes.url: ${url} is plain http, which PROD_MODE refuses. Use https.`,
    ])
  })

  it('is refused for an issuer, even on this machine', () => {
    const env = {
      PROVIDER: 'oidc',
      ISSUER_URL: 'http://localhost:8080',
      CLIENT_ID: 'x',
      CLIENT_SECRET: GOOD,
    }
    expect(refused(env)).toEqual([
      'ISSUER_URL: is plain http, which PROD_MODE refuses. Use an issuer with https.',
    ])
  })
})

describe('at10: T44: a Redis that others may write to', () => {
  const TLS =
    'REDIS_URL: uses no TLS, which PROD_MODE refuses beyond this machine. Start it with rediss instead of redis.'
  const PASSWORD =
    'REDIS_URL: has no password, which PROD_MODE refuses beyond this machine. Write it like rediss://user:password@host.'
  it.each([
    ['redis://redis.corp.example:6379', [TLS, PASSWORD]],
    ['redis://:secret@redis.corp.example', [TLS]],
    ['rediss://redis.corp.example', [PASSWORD]],
    ['rediss://u:secret@redis.corp.example', []],
    ['redis://localhost', []],
    ['redis://127.0.0.1:6380/3', []],
    ['redis://[::1]', []],
    ['redis://127.0.0.1.evil.example', [TLS, PASSWORD]],
    ['redis://0.0.0.0', [TLS, PASSWORD]],
    ['redis+sentinel://127.0.0.1/mymaster', [TLS, PASSWORD]],
    ['redis+cluster://127.0.0.1,127.0.0.1:7001', [TLS, PASSWORD]],
    ['rediss+cluster://:secret@a,b', []],
  ])('judges %s', (url, problems) => {
    expect(refused({ SECRET: GOOD, REDIS_URL: url })).toEqual(problems)
  })
})

describe('a setting that opens the gateway too far', () => {
  it.each([
    [{ DEV_MODE: 'true' }, 'DEV_MODE: conflicts with PROD_MODE. Remove one of the two.'],
    [
      { ALLOWED_ORIGINS: '*' },
      'ALLOWED_ORIGINS: * lets every web page call, which PROD_MODE refuses. List the origins.',
    ],
    [
      { RATE_LIMIT: '0' },
      'RATE_LIMIT: 0 means no limit, which PROD_MODE refuses. Remove it to use the default.',
    ],
    [
      { RATE_LIMIT_LOGIN: '0' },
      'RATE_LIMIT_LOGIN: 0 means no limit, which PROD_MODE refuses. Remove it to use the default.',
    ],
    [
      { RATE_LIMIT_ENABLED: 'false' },
      'RATE_LIMIT_ENABLED: 0 means no limit, which PROD_MODE refuses. Remove it to use the default.',
    ],
    [
      { TRUSTED_PROXY_CIDRS: '0.0.0.0/0' },
      'TRUSTED_PROXY_CIDRS: 0.0.0.0/0 lets strangers forge forwarded headers, which PROD_MODE refuses. List your proxy alone.',
    ],
    [
      { TOKEN_SIGNING_SECRETS_PREVIOUS: 'ab'.repeat(20) },
      'TOKEN_SIGNING_SECRETS_PREVIOUS: repeats itself, which PROD_MODE refuses. Remove it; everything sealed with it becomes invalid.',
    ],
  ])('is refused: %j', (env, problem) => {
    expect(refused(env)).toEqual([problem])
  })

  it.each(['ALLOWED_EMAILS', 'ALLOWED_DOMAINS', 'ALLOWED_GROUPS'])('is refused: %s=*', (name) => {
    expect(refused({ ALLOWED_EMAILS: undefined, [name]: '*' })).toEqual([
      `${name}: * lets in anyone who can log in, which PROD_MODE refuses. List who may pass.`,
    ])
  })

  it('is refused for a single server, by its name', () => {
    const yaml =
      'resources: { notes: { url: https://mcp.example.com, allow: { groups: ["*"] } } }\n'
    expect(problemsOf(() => loadYaml(yaml, { env: LIVE }))).toEqual([
      'resources.notes.allow: * lets in anyone who can log in, which PROD_MODE refuses. List who may pass.',
    ])
  })

  it.each(['0.0.0.0/0', '::/0', '128.0.0.0/1', '10.0.0.0/7', '2000::/3'])(
    'is refused: TRUSTED_PROXIES=%s',
    (network) => {
      expect(refused({ TRUSTED_PROXIES: network })).toEqual([
        `TRUSTED_PROXIES: ${network} lets strangers forge forwarded headers, which PROD_MODE refuses. List your proxy alone.`,
      ])
    },
  )

  it('is not a private network', () => {
    expect(refused({ TRUSTED_PROXIES: '10.0.0.0/8,172.18.0.5,fd00::/8' })).toEqual([])
  })
})

describe('secrets that can be guessed', () => {
  it.each([
    ['a'.repeat(40), 'repeats itself'],
    ['vK3mT9xWq1'.repeat(4), 'repeats itself'],
    ['please-change-me-before-you-go-live', 'looks like a placeholder'],
    ['MyPassword-0123-uvwxyz-QRSTU-klmno', 'looks like a placeholder'],
    ['aabbccddaabbccddaabbccdaabbccddab', 'has few different characters'],
    ['00000000000000000000000000000001', 'has few different characters'],
  ])('are refused: %s', (secret, why) => {
    expect(refused({ SECRET: secret })).toEqual([
      `SECRET: ${why}, which PROD_MODE refuses. Make one with: openssl rand -base64 32.`,
    ])
    expect(refused({ SECRET: GOOD, SECRET_PREVIOUS: secret })).toEqual([
      `SECRET_PREVIOUS: ${why}, which PROD_MODE refuses. Remove it; everything sealed with it becomes invalid.`,
    ])
  })

  it.each([
    ['base64 of 32 bytes', 'q0Jm2n0yYb1JrB7b2s8lq0m3mHk0uM9i8kYb6o1Zx5E='],
    ['hexadecimal', '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
    ['hexadecimal without two of its digits', '9f86d08188479652fe009550150bf4f12b0b8225'],
    ['a UUID', '6b1f0c52-8d4e-4a3b-9f27-5e0d1c8a7b64'],
  ])('are not those that a machine made: %s', (_what, secret) => {
    expect(weakness(secret)).toBeUndefined()
  })

  it('are refused for the provider and for clients', () => {
    const env = {
      PROVIDER: 'oidc',
      ISSUER_URL: 'https://id.example.com',
      CLIENT_ID: 'x',
      CLIENT_SECRET: 'short',
    }
    expect(refused(env)).toEqual([
      'CLIENT_SECRET: is short, which PROD_MODE refuses. Make a new one at your provider.',
    ])
    const client = (secret: string) =>
      `clients: [{ client_id: ci, client_secret: ${secret}, redirect_uris: ["https://c.example/"] }]\n`
    expect(refused({}, client(GOOD.slice(0, 31)))).toEqual([
      'clients.ci.client_secret: is 31 characters long; PROD_MODE requires 32. Make one with: openssl rand -base64 32.',
    ])
    expect(refused({}, client('x'.repeat(32)))).toEqual([
      'clients.ci.client_secret: repeats itself, which PROD_MODE refuses. Make one with: openssl rand -base64 32.',
    ])
  })
})

describe('password hashes that are cheap to try', () => {
  it.each(['m=19455,t=2,p=1', 'm=65536,t=1,p=4', 'm=7168,t=5,p=1'])('are refused: %s', (cost) => {
    const users = `users: { bo: { password_hash: "${HASH.replace('m=19456,t=2,p=1', cost)}" } }\n`
    const files = { '/srv/gatewarden.yaml': users }
    expect(problemsOf(() => load({ files, env: { ...BASE, ...LIVE } }))).toEqual([
      'users.bo.password_hash: was made with less than m=19456,t=2,p=1, which PROD_MODE refuses. Make one with: gatewarden hash-password.',
    ])
  })
})

it('says every problem at once', () => {
  const env = {
    PUBLIC_URL: 'http://localhost',
    ALLOWED_EMAILS: '*',
    RATE_LIMIT: '0',
    SECRET: 'x'.repeat(32),
  }
  expect(refused(env).map((problem) => problem.split(':')[0])).toEqual([
    'PUBLIC_URL',
    'ALLOWED_EMAILS',
    'RATE_LIMIT',
    'SECRET',
  ])
})

it('at9: warns that every host under COOKIE_DOMAIN can sign a browser in', () => {
  const env = { SECRET: GOOD, COOKIE_DOMAIN: 'example.com' }
  const warnings = (given: Given['env']) =>
    load({ env: { ...env, ...given } }).warnings.filter((line) => line.startsWith('COOKIE_DOMAIN'))
  expect(warnings(LIVE)).toEqual([
    'COOKIE_DOMAIN: every host under example.com receives the session, and can sign a browser in as somebody else. Remove it unless you run all of them.',
  ])
  expect(warnings({})).toEqual([])
})
