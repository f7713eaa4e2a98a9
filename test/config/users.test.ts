/** People by flag or environment (cases fh13 and sa10), and a server without a list of resources (case sn7). */
import { describe, expect, it } from 'vitest'
import { compilePolicy } from '../../src/resources/policy.ts'
import { HASH, load, loadYaml, problemsOf } from './harness.ts'

const OTHER_HASH = HASH.replaceAll('h', 'k')
const NO_FILE = { '/srv/gatewarden.yaml': '' }

/** Without a file and without a list of who may pass. */
const withUsers = (USERS: string | undefined, env: Record<string, string | undefined> = {}) =>
  load({ env: { ALLOWED_EMAILS: undefined, USERS, ...env }, files: NO_FILE })

const person = (subject: string, more: { issuer?: string; email?: string } = {}) => ({
  issuer: 'builtin',
  subject,
  groups: [],
  ...more,
})

describe('USERS', () => {
  it('lists one person a line, each with a hash behind the first colon', () => {
    const { users, newUsers } = withUsers(
      `ann@example.com:${HASH}\n\n  bob : ${OTHER_HASH}  \n`,
    ).config
    expect(users).toEqual([
      { name: 'ann@example.com', email: 'ann@example.com', groups: [], passwordHash: HASH },
      { name: 'bob', groups: [], passwordHash: OTHER_HASH },
    ])
    expect(newUsers).toEqual([])
  })

  it('is a JSON list as well: hashes hold commas', () => {
    const list = JSON.stringify([`ann@example.com:${HASH}`, `bob@example.com:${OTHER_HASH}`])
    expect(withUsers(list).config.users.map(({ name }) => name)).toEqual([
      'ann@example.com',
      'bob@example.com',
    ])
  })

  it('comes from a file, too', () => {
    const { config } = load({
      env: { USERS_FILE: '/run/users' },
      files: { ...NO_FILE, '/run/users': `ann@example.com:${HASH}\nbob:${OTHER_HASH}\n` },
    })
    expect(config.users).toHaveLength(2)
  })

  it('names people who get a password at the first start', () => {
    expect(withUsers('ann@example.com,bob').config.newUsers).toEqual([
      { name: 'ann@example.com', email: 'ann@example.com', groups: [] },
      { name: 'bob', groups: [] },
    ])
  })

  it('is --user on the command line, once for each person, without a warning', () => {
    const { config, warnings } = load({
      argv: ['--user', 'ann@example.com', '--port', '1', '--user=bob'],
      files: NO_FILE,
    })
    expect(config.newUsers.map(({ name }) => name)).toEqual(['ann@example.com', 'bob'])
    expect(warnings.filter((line) => line.includes('flags'))).toEqual([])
    const hashed = load({ argv: ['--user', `ann@example.com:${HASH}`], files: NO_FILE })
    expect(hashed.warnings.join()).toContain('everyone on this machine can see the flags')
  })

  it('is never the USER of a shell', () => {
    expect(problemsOf(() => withUsers(undefined, { USER: 'root' })).join()).toContain('users: ')
  })

  it('adds to the users of the file', () => {
    const { config } = load({ env: { USERS: `bob:${HASH}` } })
    expect(config.users.map(({ name }) => name)).toEqual(['ann', 'bob'])
  })

  it.each([
    [`ann@example.com:${HASH.replaceAll('$', '')}`, 'lost its $ signs'],
    ['ann@example.com:=19=19456,t=2,p=1', 'lost its $ signs'],
    [`ann@example.com:${HASH.replaceAll('$', '$$$$')}`, 'has each $ twice'],
    ['ann@example.com:hunter2-hunter2', 'is not an argon2id hash'],
    [HASH, 'has a hash without a name'],
    [`:${HASH}`, 'is not a name to sign in with'],
    [`ann@example.com:${HASH},bob:${HASH}`, 'is not an argon2id hash'],
    ['ann@@example.com', 'is not an e-mail address'],
    ['[ann]', 'is in brackets'],
    ['["ann"', 'is not a JSON list of texts'],
  ])('refuses %s, and shows no hash or password', (value, problem) => {
    const problems = problemsOf(() => withUsers(value))
    expect(problems).toEqual([expect.stringContaining(problem)])
    expect(problems.join()).not.toMatch(/hunter2|cccc|hhhh/)
  })

  it.each([`ann@example.com:${HASH}\nAnn@Example.com:${OTHER_HASH}`, 'bob\nBOB'])(
    'refuses a person who is there twice: %j',
    (value) => {
      expect(problemsOf(() => withUsers(value))).toEqual([
        expect.stringMatching(/^USERS \S+: means the same person as USERS /),
      ])
    },
  )

  it('refuses a person of the file', () => {
    expect(problemsOf(() => load({ env: { USERS: 'ann@example.com' } }))).toEqual([
      expect.stringMatching(/^USERS ann@example\.com: means the same person as users\.ann/),
    ])
  })

  it('needs hashes with Redis: each replica would make a password of its own', () => {
    const env = { REDIS_URL: 'redis://localhost', SECRET: 's3cr3t-'.repeat(8) }
    expect(problemsOf(() => withUsers('ann@example.com', env))).toEqual([
      expect.stringMatching(/^USERS: ann@example\.com has no password hash, and with REDIS_URL/),
    ])
    expect(problemsOf(() => withUsers(`ann@example.com:${HASH}`, env))).toEqual([])
  })
})

describe('without a list of who may pass', () => {
  const policyOf = (loaded: ReturnType<typeof load>) =>
    compilePolicy(
      loaded.config.resources[0]?.allow ?? { anyone: false, emails: [], domains: [], groups: [] },
    )

  it('exactly the people of USERS may', () => {
    const mayPass = policyOf(withUsers(`Ann@example.com:${HASH}\nBob:${OTHER_HASH}`))
    expect(mayPass(person('ann@example.com', { email: 'ann@example.com' }))).toBe(true)
    expect(mayPass(person('bob'))).toBe(true)
    expect(mayPass(person('carol', { email: 'carol@example.com' }))).toBe(false)
  })

  it('nobody else with the same name or e-mail may: another account, another provider', () => {
    const mayPass = policyOf(withUsers(`ann@example.com:${HASH}`))
    expect(mayPass(person('ann', { email: 'ann@example.com' }))).toBe(false)
    expect(
      mayPass(person('ann@example.com', { issuer: 'https://id.test', email: 'ann@example.com' })),
    ).toBe(false)
  })

  it('a user of the file may not', () => {
    const mayPass = policyOf(load({ env: { ALLOWED_EMAILS: undefined, USERS: 'bob' } }))
    expect(mayPass(person('ann', { email: 'ann@example.com' }))).toBe(false)
  })

  it('a list that is set decides alone', () => {
    const mayPass = policyOf(withUsers('bob', { ALLOWED_EMAILS: 'ann@example.com' }))
    expect(mayPass(person('bob'))).toBe(false)
  })

  it('stays a problem with a provider, where USERS has no effect', () => {
    const env = {
      PROVIDER: 'google',
      CLIENT_ID: 'x',
      CLIENT_SECRET: 'y'.repeat(40),
      USERS: 'ann@example.com',
    }
    expect(problemsOf(() => withUsers('ann@example.com', env))).toEqual([
      expect.stringMatching(/^ALLOWED_EMAILS: is empty/),
    ])
    const { warnings, config } = withUsers('ann', { ...env, ALLOWED_EMAILS: 'ann@example.com' })
    expect(warnings).toContain('USERS: has no effect, because PROVIDER is google. Remove it.')
    expect(config.newUsers).toEqual([])
  })

  it('stays a problem where a list is there and empty', () => {
    const yaml = 'allow: { emails: [] }\n'
    const given = { env: { ALLOWED_EMAILS: undefined, USERS: 'bob' } }
    expect(problemsOf(() => load({ ...given, yaml }))).toEqual([
      expect.stringMatching(/^ALLOWED_EMAILS: is empty/),
    ])
  })
})

describe('sn7: without a list of resources', () => {
  const urlsOf = (env: Record<string, string>) =>
    load({ env: { RESOURCES: undefined, ...env } }).config.resources.map(
      ({ url, upstream }) => `${url} -> ${upstream}`,
    )

  it.each([
    ['http://localhost:3000/mcp', 'https://auth.example.com/mcp'],
    ['http://localhost:3000/mcp/', 'https://auth.example.com/mcp'],
    ['http://localhost:3000/a/mcp', 'https://auth.example.com/a/mcp'],
    ['http://localhost:3000', 'https://auth.example.com'],
  ])('the resource of the upstream %s is %s', (upstream, resource) => {
    expect(urlsOf({ UPSTREAM_URL: upstream })).toEqual([`${resource} -> ${upstream}`])
    expect(urlsOf({ UPSTREAM_MCP_URL: upstream })).toEqual([`${resource} -> ${upstream}`])
  })

  it('--upstream is --upstream-url', () => {
    const { config } = load({
      argv: ['--upstream', 'http://localhost:3000/mcp'],
      env: { RESOURCES: undefined },
    })
    expect(config.resources).toMatchObject([
      { url: 'https://auth.example.com/mcp', upstream: 'http://localhost:3000/mcp' },
    ])
  })

  it('a path that is a page of ours is a problem', () => {
    expect(() => urlsOf({ UPSTREAM_URL: 'http://localhost:3000/login' })).toThrow(
      'https://auth.example.com/login is an address of Gatewarden itself',
    )
  })

  it('a list that is there decides alone', () => {
    const { config } = load({ env: { UPSTREAM_URL: 'http://localhost:3000/there' } })
    expect(config.resources.map(({ url }) => url)).toEqual(['https://mcp.example.com/notes/mcp'])
  })

  it('without PUBLIC_URL only that is missing', () => {
    const env = { RESOURCES: undefined, PUBLIC_URL: undefined, UPSTREAM_URL: 'http://h:3000/mcp' }
    expect(problemsOf(() => load({ env }))).toEqual([expect.stringMatching(/^PUBLIC_URL: /)])
  })
})

it('fh12: a hash without quotes is told as such', () => {
  const yaml = `users: { ann: { email: ann@example.com, password_hash: ${HASH} } }\n`
  const problems = problemsOf(() =>
    loadYaml('', {
      env: { RESOURCES: 'https://m.example/mcp', ALLOWED_EMAILS: '*' },
      files: { '/srv/gatewarden.yaml': yaml },
    }),
  )
  expect(problems[0]).toBe(
    'users.ann.password_hash: is cut at its first comma. Put quotes around the hash.',
  )
})
