import { describe, expect, it } from 'vitest'
import { type Given, load, problemsOf } from './harness.ts'

const CLIENT = { CLIENT_ID: 'Ov23li', CLIENT_SECRET: 'nU0o7QpY1xJ4rTz8vKcW3mBd' }
const FILES = { '/srv/gatewarden.yaml': '' }

const github = (env: Given['env'] = {}, yaml = '') => ({
  env: { PROVIDER: 'github', ...CLIENT, ...env },
  files: { '/srv/gatewarden.yaml': yaml },
})
const built = (env: Given['env'] = {}) => {
  const { provider } = load(github(env)).config
  if (provider.type !== 'github') throw new Error('not GitHub')
  return provider
}
const problems = (env: Given['env'], yaml?: string) => problemsOf(() => load(github(env, yaml)))

describe('PROVIDER=github', () => {
  it('is GitHub.com, and asks for e-mails alone', () => {
    expect(load(github()).warnings).toEqual([])
    expect(built()).toEqual({
      type: 'github',
      id: 'github',
      issuerUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
      clientId: CLIENT.CLIENT_ID,
      clientSecret: CLIENT.CLIENT_SECRET,
      scopes: ['user:email'],
      organisations: [],
    })
  })

  it.each([
    ['https://github.com/', 'https://api.github.com'],
    ['https://github.example.com', 'https://github.example.com/api/v3'],
    ['https://corp.ghe.com', 'https://api.corp.ghe.com'],
    ['http://localhost:3000', 'http://localhost:3000/api/v3'],
  ])('at %s has its API at %s', (url, api) => {
    expect(built({ GITHUB_URL: url }).apiUrl).toBe(api)
    expect(built({ GITHUB_URL: url, GITHUB_API_URL: `${api}/x/` }).apiUrl).toBe(`${api}/x`)
  })

  it('asks for organisations where a list names one or a team, in any case', () => {
    const provider = built({ ALLOWED_GROUPS: 'Acme/Backend,acme,Other' })
    expect(provider.scopes).toEqual(['user:email', 'read:org'])
    expect(provider.organisations).toEqual(['acme', 'other'])
    expect(
      load(github({ ALLOWED_GROUPS: 'Acme/Backend' })).config.resources[0]?.allow.groups,
    ).toEqual(['acme/backend'])
  })

  it('asks for organisations that a resource names', () => {
    const yaml =
      'resources: { notes: { url: "https://mcp.example.com", allow: { groups: [Acme], users: [Ann] } } }\n'
    const { config } = load(github({ RESOURCES: undefined, ALLOWED_EMAILS: undefined }, yaml))
    expect(config.provider).toMatchObject({ organisations: ['acme'] })
    expect(config.resources[0]?.allow).toMatchObject({ groups: ['acme'], users: ['ann'] })
  })

  it('takes scopes of the operator, if they suffice', () => {
    expect(built({ PROVIDER_SCOPES: 'user,read:org' }).scopes).toEqual(['user', 'read:org'])
    expect(problems({ PROVIDER_SCOPES: 'read:user', ALLOWED_GROUPS: 'acme' })).toEqual([
      'PROVIDER_SCOPES: lacks user:email, without which GitHub shows no e-mail. Add it.',
      'PROVIDER_SCOPES: lacks read:org, without which GitHub shows no organisation, and the lists name some. Add it.',
    ])
  })

  it.each(['my org', 'acme/', '/backend', 'acme/a/b', 'CN=staff', 'acme.inc', '-acme'])(
    'knows no group %j',
    (group) => {
      expect(problems({ ALLOWED_GROUPS: group })).toEqual([
        expect.stringMatching(/^ALLOWED_GROUPS: .* is no organisation or team of GitHub/),
      ])
    },
  )

  it.each([
    ['ISSUER_URL', 'https://id.example.com'],
    ['DISCOVERY_URL', 'https://id.example.com'],
    ['TOKEN_ENDPOINT_AUTH_METHOD', 'client_secret_post'],
    ['GROUPS_CLAIM', 'roles'],
    ['PROVIDER_TOKEN_CLIENTS', 'x'],
    ['KEYCLOAK_REALM', 'main'],
  ])('has no %s', (name, value) => {
    expect(problems({ [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: does not apply to PROVIDER=github`)),
    ])
  })

  it.each(['UNIQUE_USERNAMES', 'GOOGLE_HOSTED_DOMAIN'])('has no %s', (name) => {
    const value = name === 'UNIQUE_USERNAMES' ? 'true' : 'example.com'
    expect(problems({ [name]: value })).toEqual([expect.stringContaining(`${name}: applies only`)])
  })

  it('accepts no tokens of GitHub as bearers', () => {
    expect(problems({ ACCEPT_PROVIDER_TOKENS: 'true' })).toEqual([
      'ACCEPT_PROVIDER_TOKENS: is on, but a token of GitHub does not say which resource it is for. Turn it off.',
    ])
  })

  it.each(['GITHUB_URL', 'GITHUB_API_URL'])('has %s with https, or on this machine', (name) => {
    const plain = { [name]: 'http://github.corp.example' }
    expect(problems(plain)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(`^${name}: is plain http beyond this machine`),
      ]),
    )
    expect(problems({ ...plain, DEV_MODE: 'true' })).toEqual([])
    expect(problems({ [name]: 'http://127.0.0.1:1', PROD_MODE: 'true' })).toEqual(
      expect.arrayContaining([expect.stringMatching(`^${name}: is plain http, which PROD_MODE`)]),
    )
    expect(problems({ [name]: 'https://*.example.com' })).toEqual([
      expect.stringMatching(`^${name}: .*wildcard`),
    ])
  })

  it('has a GITHUB_URL without a path', () => {
    expect(problems({ GITHUB_URL: 'https://github.example.com/api/v3' })).toEqual([
      'GITHUB_URL: has a path. Write the origin alone, like https://github.example.com; the API is GITHUB_API_URL.',
    ])
  })
})

describe('sn12: the names of atrawog', () => {
  const ATRAWOG = {
    GITHUB_CLIENT_ID: CLIENT.CLIENT_ID,
    GITHUB_CLIENT_SECRET: CLIENT.CLIENT_SECRET,
    ALLOWED_GITHUB_USERS: 'Ann,bob',
    ALLOWED_EMAILS: undefined,
  }

  it('mean GitHub and the people with these logins', () => {
    const { config, warnings } = load({ env: ATRAWOG, files: FILES })
    expect(config.provider).toMatchObject({ type: 'github', clientId: CLIENT.CLIENT_ID })
    expect(config.resources[0]?.allow).toMatchObject({ anyone: false, users: ['ann', 'bob'] })
    expect(warnings).toEqual([
      'PROVIDER: is not set; GITHUB_CLIENT_ID is there, so people sign in at github. Add PROVIDER=github to say so.',
    ])
  })

  it('let in everybody for * alone, as there', () => {
    const { config } = load({ env: { ...ATRAWOG, ALLOWED_GITHUB_USERS: '*' }, files: FILES })
    expect(config.resources[0]?.allow.anyone).toBe(true)
  })

  it.each(['GITHUB_CLIENT_ID', 'ALLOWED_GITHUB_USERS'])(
    '%s with another provider stops the start: other people would pass',
    (name) => {
      const env = {
        PROVIDER: 'keycloak',
        ISSUER_URL: 'https://id.example.com/realms/main',
        ...CLIENT,
        ...(name === 'GITHUB_CLIENT_ID' && { CLIENT_ID: undefined }),
        [name]: 'ann',
      }
      expect(problemsOf(() => load({ env, files: FILES }))).toEqual([
        `${name}: applies only to PROVIDER=github, and PROVIDER is keycloak. Set PROVIDER=github, or remove it.`,
      ])
    },
  )
})

it('GITHUB_URL with another provider is a problem, and the variable of runners of GitHub Actions is none', () => {
  const google = { PROVIDER: 'google', ...CLIENT }
  const load2 = (env: Given['env']) => load({ env: { ...google, ...env }, files: FILES })
  expect(problemsOf(() => load2({ GITHUB_URL: 'https://github.example.com' }))).toEqual([
    'GITHUB_URL: applies only to PROVIDER=github, and PROVIDER is google. Set PROVIDER=github, or remove it.',
  ])
  expect(load2({ GITHUB_API_URL: 'https://api.github.com' }).warnings).toEqual([])
  expect(load2({ GITHUB_API_URL: 'https://github.example.com/api/v3' }).warnings).toEqual([
    'GITHUB_API_URL: has no effect without PROVIDER=github.',
  ])
})

describe('ALLOWED_USERS', () => {
  const OIDC = { PROVIDER: 'oidc', ISSUER_URL: 'https://id.example.com', ...CLIENT }
  const users = (env: Given['env']) =>
    problemsOf(() => load({ env: { ALLOWED_USERS: 'ann', ...env }, files: FILES }))

  it('T39: a list of user names stops the start where several people may have one name', () => {
    expect(users(OIDC)).toEqual([
      'ALLOWED_USERS: names users, but PROVIDER=oidc may give one user name to several people. If it does not, set UNIQUE_USERNAMES=true; else list e-mails or groups.',
    ])
    expect(users({ ...OIDC, UNIQUE_USERNAMES: 'true' })).toEqual([])
    expect(users({ ...OIDC, PROVIDER: 'keycloak' })).toEqual([])
    expect(users({ PROVIDER: 'google', ...CLIENT })).toEqual([
      'ALLOWED_USERS: names users, but Google has no user names that stay with a person. List e-mails, domains or groups.',
    ])
  })

  it('T39: a list of a resource does, too', () => {
    const yaml =
      'resources: { notes: { url: "https://mcp.example.com", allow: { users: [ann] } } }\n'
    const env = { ...OIDC, RESOURCES: undefined, ALLOWED_EMAILS: undefined }
    expect(problemsOf(() => load({ env, files: { '/srv/gatewarden.yaml': yaml } }))).toEqual([
      expect.stringMatching(/^resources\.notes\.allow\.users: names users/),
    ])
  })

  it.each([
    ['ann@example.com', /is an e-mail address, not a user name/],
    ['ann\uff20example.com', /is an e-mail address, not a user name/],
    ['^ann$', /is not a user name/],
    ['a*', /is not a user name/],
    ['ann smith', /is not a user name/],
  ])('takes no %j', (name, problem) => {
    expect(users({ PROVIDER: 'github', ...CLIENT, ALLOWED_USERS: name })).toEqual([
      expect.stringMatching(problem),
    ])
  })

  it('* is refused by PROD_MODE', () => {
    expect(problems({ ALLOWED_USERS: '*', PROD_MODE: 'true' })).toEqual(
      expect.arrayContaining([expect.stringMatching(/^ALLOWED_USERS: \* lets in anyone/)]),
    )
  })
})
