import { describe, expect, it } from 'vitest'
import { type Given, load, loadYaml, problemsOf } from './harness.ts'

const OIDC = {
  PROVIDER: 'oidc',
  ISSUER_URL: 'https://id.example.com',
  CLIENT_ID: 'gatewarden',
  CLIENT_SECRET: 'from-the-provider',
}
const KEYCLOAK = {
  PROVIDER: 'keycloak',
  CLIENT_ID: 'gatewarden',
  CLIENT_SECRET: 'from-the-provider',
}
/** A file without the users of the harness, which only the built-in login needs. */
const NOBODY = { '/srv/gatewarden.yaml': '' }

const loadWith = (env: Given['env'], given: Given = {}) =>
  load({ files: NOBODY, ...given, env: { ...env, ...given.env } })
const problems = (env: Given['env']) => problemsOf(() => loadWith(env))

describe('an OpenID Connect provider', () => {
  it('has an issuer, our credentials there, and the claim of the groups', () => {
    const { config, warnings } = loadWith(OIDC)
    expect(config.provider).toEqual({
      type: 'oidc',
      id: 'oidc',
      issuerUrl: 'https://id.example.com',
      clientId: 'gatewarden',
      clientSecret: 'from-the-provider',
      groupsClaim: 'groups',
      hostedDomains: [],
      tokenClients: [],
      allowInsecure: false,
    })
    expect(warnings).toEqual([])
  })

  it('has an issuer without a trailing slash', () => {
    const { config } = loadWith({ ...OIDC, ISSUER_URL: 'https://ID.example.com/tenant/' })
    expect(config.provider).toMatchObject({ issuerUrl: 'https://id.example.com/tenant' })
  })

  it('reads its groups from the claim that GROUPS_CLAIM names', () => {
    const { config } = loadWith({ ...OIDC, GROUPS_CLAIM: 'https://example.com/teams' })
    expect(config.provider).toMatchObject({ groupsClaim: 'https://example.com/teams' })
  })

  it('takes its secret from a file and never shows it', () => {
    const files = { ...NOBODY, '/run/secrets/oidc': 'in-a-file\n' }
    const env = { CLIENT_SECRET: undefined, CLIENT_SECRET_FILE: '/run/secrets/oidc' }
    const { config, sources } = loadWith(OIDC, { env, files })
    expect(config.provider).toMatchObject({ clientSecret: 'in-a-file' })
    expect(JSON.stringify(sources)).not.toContain('in-a-file')
  })

  it.each(['ISSUER_URL', 'CLIENT_ID', 'CLIENT_SECRET'])('needs %s, and says so', (name) => {
    expect(problems({ ...OIDC, [name]: undefined })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: is missing, and PROVIDER=oidc needs it\\. `)),
    ])
  })

  it.each([
    'id.example.com',
    'https://id.example.com/.well-known/openid-configuration',
    'https://id.example.com/?tenant=1',
    'https://user@id.example.com',
    'https://*.example.com',
    'ftp://id.example.com',
  ])('has no issuer like %s', (value) => {
    expect(problems({ ...OIDC, ISSUER_URL: value })).toEqual([
      expect.stringMatching(/^ISSUER_URL: /),
    ])
  })

  it.each(['http://localhost:8080/realms/main', 'http://127.0.0.1:8080', 'http://[::1]'])(
    'may be plain http on this machine: %s',
    (value) => {
      const { config, warnings } = loadWith({ ...OIDC, ISSUER_URL: value })
      expect(config.provider).toMatchObject({ issuerUrl: value, allowInsecure: true })
      expect(warnings).toEqual([])
    },
  )

  it('may be plain http elsewhere only with DEV_MODE, and is warned of', () => {
    const env = { ...OIDC, ISSUER_URL: 'http://keycloak:8080/realms/main' }
    expect(problems(env)).toEqual([
      'ISSUER_URL: is plain http beyond this machine. Use https, or set DEV_MODE=true to try it out on a network you trust.',
    ])
    const { config, warnings } = loadWith({ ...env, DEV_MODE: 'true' })
    expect(config.provider).toMatchObject({ allowInsecure: true })
    expect(warnings).toContain(
      'ISSUER_URL: is plain http: everyone on the network can log in as anyone.',
    )
  })

  it("makes the file's users have no effect, and says so", () => {
    expect(load({ env: OIDC }).warnings).toEqual([
      'users: has no effect, because PROVIDER is oidc. Remove it.',
    ])
  })

  it('has no effect with the built-in login, and says so', () => {
    expect(load({ env: { ...OIDC, PROVIDER: 'builtin' } }).warnings).toEqual([
      'ISSUER_URL: has no effect, because PROVIDER is builtin. Remove it, or set PROVIDER.',
      'CLIENT_ID: has no effect, because PROVIDER is builtin. Remove it, or set PROVIDER.',
      'CLIENT_SECRET: has no effect, because PROVIDER is builtin. Remove it, or set PROVIDER.',
    ])
  })

  it("refuses Keycloak's own settings", () => {
    expect(problems({ ...OIDC, KEYCLOAK_REALM: 'main' })).toEqual([
      'KEYCLOAK_REALM: applies only to PROVIDER=keycloak. Use ISSUER_URL, or remove it.',
    ])
  })
})

describe('PROVIDER_PROXY', () => {
  it('may hold a name and a password, and never shows them', () => {
    const { config, sources } = loadWith({
      ...OIDC,
      PROVIDER_PROXY: 'http://gate:a%2Fb@proxy.corp.example:3128/',
    })
    expect(config.provider).toMatchObject({
      way: { proxy: 'http://gate:a%2Fb@proxy.corp.example:3128' },
    })
    expect(JSON.stringify(sources)).not.toContain('a%2Fb')
  })

  it.each([
    'proxy.corp.example:3128',
    'socks5://word@proxy',
    'http://gate:word@proxy/x',
    'http://gate:word@proxy?x',
    'http://word@proxy',
    'http://:word@proxy',
    'http://gate:word@pro xy',
    'http://gate%zz:word@proxy',
    'http://gate:%ffword@proxy',
    'http://ga%3Ate:word@proxy',
    'http://gate:%0Aword@proxy',
  ])('is not %s, and the problem does not show it', (value) => {
    const [problem, ...others] = problems({ ...OIDC, PROVIDER_PROXY: value })
    expect(problem).toMatch(/^PROVIDER_PROXY: (?:is no address|has a )/)
    expect(problem).not.toContain('word@')
    expect(others).toEqual([])
  })
})

describe('PROVIDER_CA', () => {
  it.each([
    [{}, 'there is no such file. Check the path.'],
    [{ '/srv/ca.pem': 'a key' }, 'the file holds no certificate in PEM form. Check the path.'],
  ])('is a file of certificates: %#', (files, problem) => {
    const given = { files: { ...NOBODY, ...files } }
    expect(problemsOf(() => loadWith({ ...OIDC, PROVIDER_CA: 'ca.pem' }, given))).toEqual([
      `PROVIDER_CA: ${problem}`,
    ])
  })

  it('and PROVIDER_PROXY have no effect with the built-in login, and warnings say so', () => {
    const { warnings } = load({ env: { PROVIDER_CA: 'ca.pem', PROVIDER_PROXY: 'http://proxy' } })
    for (const name of ['PROVIDER_CA', 'PROVIDER_PROXY']) {
      expect(warnings).toContainEqual(expect.stringMatching(`^${name}: has no effect`))
    }
  })
})

describe('PROVIDER_SCOPES', () => {
  it('must contain openid', () => {
    expect(problems({ ...OIDC, PROVIDER_SCOPES: 'email,groups' })).toEqual([
      'PROVIDER_SCOPES: lacks openid, without which the provider does not say who somebody is. Add it.',
    ])
  })

  it.each(['openid groups', 'openid,groups', 'groups openid'])('may be %s', (value) => {
    const { config } = loadWith({ ...OIDC, PROVIDER_SCOPES: value })
    expect(config.provider).toMatchObject({ scopes: value.split(/[ ,]/) })
  })

  it('may have offline_access, about which the provider decides', () => {
    const { config } = loadWith({ ...OIDC, PROVIDER_SCOPES: 'openid,offline_access' })
    expect(config.provider).toMatchObject({ scopes: ['openid', 'offline_access'] })
  })
})

describe('ed2: DISCOVERY_URL', () => {
  const PATH = '/.well-known/openid-configuration'

  it.each([
    ['http://kc:8080/realms/x', `http://kc:8080/realms/x${PATH}`],
    [`http://kc:8080/realms/x${PATH}`, `http://kc:8080/realms/x${PATH}`],
    ['http://KC:80/', `http://kc${PATH}`],
    ['https://kc/.well-known/other', 'https://kc/.well-known/other'],
  ])('%s is the document %s', (value, discoveryUrl) => {
    const { config } = loadWith({ ...OIDC, DISCOVERY_URL: value })
    expect(config.provider).toMatchObject({ issuerUrl: OIDC.ISSUER_URL, discoveryUrl })
  })

  it.each([
    ['http://kc:8080/realms/x', true, true],
    ['http://127.0.0.1:8080', true, false],
    ['https://kc:8443', false, false],
  ])(
    '%s: plain %s, with a warning %s, and PROD_MODE refuses what is warned of',
    (value, plain, warned) => {
      const env = { ...OIDC, DISCOVERY_URL: value }
      const { config, warnings } = loadWith(env)
      expect(config.provider).toMatchObject({ allowInsecure: plain })
      expect(warnings).toEqual(
        warned
          ? [expect.stringMatching(/^DISCOVERY_URL: is plain http: everyone on the network/)]
          : [],
      )
      const found = problems({ ...env, PROD_MODE: 'true' }).filter((it) => /http/.test(it))
      expect(found).toEqual(
        warned
          ? [expect.stringMatching(/^DISCOVERY_URL: is plain http beyond this machine, /)]
          : [],
      )
    },
  )

  it.each(['kc:8080', 'http://*.example.com', 'http://user@kc', 'http://kc/?realm=x'])(
    'is not %s',
    (value) => {
      expect(problems({ ...OIDC, DISCOVERY_URL: value })).toEqual([
        expect.stringMatching(/^DISCOVERY_URL: /),
      ])
    },
  )
})

const GOOGLE = { PROVIDER: 'google', CLIENT_ID: 'id', CLIENT_SECRET: 'from-google' }

describe('Google', () => {
  it('is known by its own issuer', () => {
    const { config, warnings } = loadWith(GOOGLE)
    expect(config.provider).toEqual({
      type: 'google',
      id: 'google',
      issuerUrl: 'https://accounts.google.com',
      clientId: 'id',
      clientSecret: 'from-google',
      groupsClaim: 'groups',
      hostedDomains: [],
      tokenClients: [],
      allowInsecure: false,
    })
    expect(warnings).toEqual([])
  })

  it("has a client by mcpauth's names, in the environment and as flags", () => {
    const names = { GOOGLE_CLIENT_ID: 'theirs', GOOGLE_CLIENT_SECRET: 'their-secret' }
    const expected = { type: 'google', clientId: 'theirs', clientSecret: 'their-secret' }
    expect(loadWith({ PROVIDER: 'google', ...names }).config.provider).toMatchObject(expected)
    const argv = ['-provider', 'google', '-googleClientID', 'theirs']
    const flags = loadWith({}, { argv: [...argv, '-googleClientSecret=their-secret'] })
    expect(flags.config.provider).toMatchObject(expected)
    const files = { ...NOBODY, '/run/google': 'their-secret' }
    const env = { PROVIDER: 'google', GOOGLE_CLIENT_ID: 'theirs' }
    const file = loadWith({ ...env, GOOGLE_CLIENT_SECRET_FILE: '/run/google' }, { files })
    expect(file.config.provider).toMatchObject(expected)
  })

  it('may be a stand-in elsewhere', () => {
    const { config } = loadWith({ ...GOOGLE, ISSUER_URL: 'http://127.0.0.1:9000/' })
    expect(config.provider).toMatchObject({
      issuerUrl: 'http://127.0.0.1:9000',
      allowInsecure: true,
    })
  })

  it('lets in the people of some domains', () => {
    const { config } = loadWith({ ...GOOGLE, GOOGLE_HOSTED_DOMAIN: 'Example.com, other.example' })
    expect(config.provider).toMatchObject({ hostedDomains: ['example.com', 'other.example'] })
  })

  it('is the only provider with such domains: elsewhere they would keep nobody out', () => {
    expect(problems({ ...OIDC, GOOGLE_HOSTED_DOMAIN: 'example.com' })).toEqual([
      'GOOGLE_HOSTED_DOMAIN: applies only to PROVIDER=google. Remove it.',
    ])
  })

  it.each(['*', 'http://example.com', 'ann@example.com'])('has no domain like %s', (value) => {
    expect(problems({ ...GOOGLE, GOOGLE_HOSTED_DOMAIN: value })).toEqual([
      expect.stringMatching(/^GOOGLE_HOSTED_DOMAIN: /),
    ])
  })

  it.each([
    [{ GOOGLE_CLIENT_ID: 'id', GOOGLE_CLIENT_SECRET: 's' }, 'GOOGLE_CLIENT_ID'],
    [{ CLIENT_ID: 'id', CLIENT_SECRET: 's' }, 'CLIENT_ID'],
  ])('sa1: is meant by %j without PROVIDER, as in mcpauth, and the start says so', (env, name) => {
    const { config, warnings } = loadWith(env)
    expect(config.provider).toMatchObject({ type: 'google', clientId: 'id', clientSecret: 's' })
    expect(warnings).toEqual([
      `PROVIDER: is not set; ${name} is there, so people sign in at google. Add PROVIDER=google to say so.`,
    ])
  })

  it('is not meant where people are listed', () => {
    expect(load({ env: { CLIENT_ID: 'id', CLIENT_SECRET: 's' } }).config.provider).toEqual({
      type: 'builtin',
    })
  })
})

describe("the provider's own tokens", () => {
  const WARNING =
    'ACCEPT_PROVIDER_TOKENS: opens mcp-example-com-notes-mcp to tokens that the provider issued for other purposes. Turn it off once your clients have signed in here.'

  it('are accepted nowhere, unless the settings say so', () => {
    expect(loadWith(OIDC).config.resources[0]?.acceptProviderTokens).toBe(false)
    const { config, warnings } = loadWith({
      ...OIDC,
      ACCEPT_PROVIDER_TOKENS: 'true',
      PROVIDER_TOKEN_CLIENTS: 'old-app, older-app',
    })
    expect(config.resources[0]?.acceptProviderTokens).toBe(true)
    expect(config.provider).toMatchObject({ tokenClients: ['old-app', 'older-app'] })
    expect(warnings).toEqual([WARNING])
  })

  it('are accepted where the setting of the server says so', () => {
    const yaml = [
      'allow: { emails: ["*"] }',
      'accept_provider_tokens: true',
      'resources:',
      '  notes: { url: https://mcp.example.com/notes }',
      '  wiki: { url: https://mcp.example.com/wiki, accept_provider_tokens: false }\n',
    ].join('\n')
    const env = { RESOURCES: undefined, ALLOWED_EMAILS: undefined }
    const { config, warnings } = loadWith(OIDC, { env, files: { '/srv/gatewarden.yaml': yaml } })
    expect(config.resources.map(({ acceptProviderTokens }) => acceptProviderTokens)).toEqual([
      true,
      false,
    ])
    expect(warnings.join()).toContain('opens notes to tokens')
  })

  it('do not exist with the built-in login, and a problem says so', () => {
    expect(problemsOf(() => load({ env: { ACCEPT_PROVIDER_TOKENS: 'true' } }))).toEqual([
      'ACCEPT_PROVIDER_TOKENS: is on, but PROVIDER is builtin, which issues no tokens of its own. Remove it.',
    ])
    expect(load({ env: { ACCEPT_PROVIDER_TOKENS: 'false' } }).warnings).toEqual([])
  })

  it('of other clients have no effect while none are accepted, and a warning says so', () => {
    expect(loadWith({ ...OIDC, PROVIDER_TOKEN_CLIENTS: 'old-app' }).warnings).toEqual([
      'PROVIDER_TOKEN_CLIENTS: has no effect, because ACCEPT_PROVIDER_TOKENS is off.',
    ])
  })
})

describe("the provider's own tokens for clients", () => {
  const ON = { ...OIDC, CLIENT_TOKENS: 'provider', ACCEPT_PROVIDER_TOKENS: 'true' }

  it('are handed out only if the settings say so, with a warning at each start', () => {
    expect(loadWith(OIDC).config.clientTokens).toBeUndefined()
    expect(loadWith({ ...OIDC, CLIENT_TOKENS: 'own' }).config.clientTokens).toBeUndefined()
    const { config, warnings } = loadWith(ON)
    expect(config.clientTokens).toBe('provider')
    expect(warnings).toEqual([
      'ACCEPT_PROVIDER_TOKENS: opens mcp-example-com-notes-mcp to tokens that the provider issued for other purposes.',
      "CLIENT_TOKENS: hands each client the person's own token of the provider, which opens everything that accepts it.",
    ])
  })

  it('need servers that accept them', () => {
    expect(problems({ ...OIDC, CLIENT_TOKENS: 'provider' })).toEqual([
      'CLIENT_TOKENS: is provider, but mcp-example-com-notes-mcp would refuse the tokens. Set ACCEPT_PROVIDER_TOKENS=true, and read docs/provider-tokens.md first.',
    ])
  })

  it.each([
    ['the built-in login', { PROVIDER: 'builtin', ISSUER_URL: undefined }, 'issues no tokens'],
    ['GitHub', { PROVIDER: 'github', ISSUER_URL: undefined }, 'which program it is for'],
    ['Google', { PROVIDER: 'google', ISSUER_URL: undefined }, 'its own interfaces'],
    [
      'Entra',
      { PROVIDER: 'entra', ISSUER_URL: undefined, ENTRA_TENANT: 'contoso.example' },
      'no server could check them',
    ],
    ['Google by its issuer', { ISSUER_URL: 'https://accounts.google.com' }, 'its own interfaces'],
    [
      'Entra by its issuer',
      { ISSUER_URL: 'https://login.microsoftonline.com/contoso.example/v2.0' },
      'no server could check them',
    ],
    [
      'Entra of a national cloud by its issuer',
      { ISSUER_URL: 'https://login.microsoftonline.us/contoso.example/v2.0' },
      'no server could check them',
    ],
  ])('do not exist with %s, and a problem says so', (_what, env, reason) => {
    expect(
      problemsOf(() => load({ env: { ...OIDC, CLIENT_TOKENS: 'provider', ...env } })),
    ).toContainEqual(
      expect.stringMatching(new RegExp(`^CLIENT_TOKENS: is provider, but .*${reason}`)),
    )
  })

  it('leave no refresh token for RECHECK_AT_REFRESH, and a problem says so', () => {
    expect(problems({ ...ON, RECHECK_AT_REFRESH: 'true' })).toEqual([
      expect.stringMatching(/^CLIENT_TOKENS: is provider, and RECHECK_AT_REFRESH is on/),
    ])
  })

  it('cannot say which tools a person chose, and a problem says so', () => {
    const server =
      'resources: { notes: { url: "https://mcp.example.com/mcp", upstream: "http://127.0.0.1:3000/mcp", tool_choices: true } }\nallow: { emails: ["*"] }\n'
    expect(problemsOf(() => loadYaml(server, { env: { ...ON, RESOURCES: undefined } }))).toEqual([
      expect.stringMatching(/^CLIENT_TOKENS: .*which notes asks for\. Remove tool_choices there/),
    ])
  })

  it('are nothing else than the two words', () => {
    expect(problems({ ...ON, CLIENT_TOKENS: 'both' })).toEqual([
      expect.stringMatching(/^CLIENT_TOKENS: "both" is neither own/),
    ])
  })
})

describe('a Keycloak', () => {
  it.each([
    [{ KEYCLOAK_AUTH_HOST: 'id.example.com' }, 'https://id.example.com:8080/realms/master'],
    [{ KEYCLOAK_REALM: 'main' }, 'https://localhost:8080/realms/main'],
    [
      { KEYCLOAK_AUTH_HOST: 'id.example.com', KEYCLOAK_AUTH_PORT: '443', KEYCLOAK_REALM: 'main' },
      'https://id.example.com/realms/main',
    ],
    [
      { KEYCLOAK_AUTH_HOST: 'localhost', KEYCLOAK_AUTH_PORT: '80', KEYCLOAK_AUTH_PROTOCOL: 'HTTP' },
      'http://localhost/realms/master',
    ],
    [
      { KEYCLOAK_AUTH_HOST: '127.0.0.1', KEYCLOAK_PROTOCOL: 'http' },
      'http://127.0.0.1:8080/realms/master',
    ],
    [{ ISSUER_URL: 'https://id.example.com/realms/main/' }, 'https://id.example.com/realms/main'],
  ])('is found by %o', (env, issuerUrl) => {
    expect(loadWith({ ...KEYCLOAK, ...env }).config.provider).toMatchObject({
      type: 'keycloak',
      id: 'keycloak',
      issuerUrl,
    })
  })

  it("takes mcpauth's flags", () => {
    const argv = ['-keycloakAuthHost', 'id.example.com', '-keycloakAuthPort', '443']
    expect(loadWith(KEYCLOAK, { argv }).config.provider).toMatchObject({
      issuerUrl: 'https://id.example.com/realms/master',
    })
  })

  it('needs an address', () => {
    expect(problems(KEYCLOAK)).toEqual([
      'ISSUER_URL: is missing, and PROVIDER=keycloak needs it. Set it to the issuer, such as https://id.example.com/realms/main, or set KEYCLOAK_AUTH_HOST.',
    ])
  })

  it('has one issuer', () => {
    expect(
      problems({ ...KEYCLOAK, ISSUER_URL: 'https://a.example', KEYCLOAK_REALM: 'main' }),
    ).toEqual(['KEYCLOAK_REALM: conflicts with ISSUER_URL. Remove one of the two.'])
  })

  const OUTSIDE = 'https://id.example.com/realms/x'
  const INSIDE = { KEYCLOAK_AUTH_HOST: 'kc', KEYCLOAK_AUTH_PROTOCOL: 'http' }
  const documentOf = (realm: string) =>
    `http://kc:8080/realms/${realm}/.well-known/openid-configuration`

  it.each([
    ['the realm of ISSUER_URL', {}, 'x'],
    ['the realm that is set', { KEYCLOAK_REALM: 'y' }, 'y'],
  ])('ed2: has an inner address beside ISSUER_URL, with %s', (_what, env, realm) => {
    const { config, warnings } = loadWith({ ...KEYCLOAK, ISSUER_URL: OUTSIDE, ...INSIDE, ...env })
    expect(config.provider).toMatchObject({
      issuerUrl: OUTSIDE,
      discoveryUrl: documentOf(realm),
      allowInsecure: true,
    })
    expect(warnings).toEqual([expect.stringMatching(/^KEYCLOAK_AUTH_PROTOCOL: is plain http: /)])
  })

  it('ed2: has one inner address', () => {
    expect(
      problems({ ...KEYCLOAK, ISSUER_URL: OUTSIDE, ...INSIDE, DISCOVERY_URL: documentOf('x') }),
    ).toEqual(['KEYCLOAK_AUTH_HOST: conflicts with DISCOVERY_URL. Remove one of the two.'])
  })

  it('sa5: has the line for ISSUER_URL where only containers know its host, and starts with it', () => {
    const inside = { ...KEYCLOAK, KEYCLOAK_AUTH_HOST: 'keycloak', KEYCLOAK_REALM: 'main' }
    const http = { ...inside, KEYCLOAK_AUTH_PROTOCOL: 'http' }
    const LINE = /ISSUER_URL=(https:\/\/keycloak\.example\.com\/realms\/main)(?: |$)/
    const [problem = ''] = problems(http)
    const [warning = ''] = loadWith(inside).warnings
    expect(problem).toMatch(/^KEYCLOAK_AUTH_PROTOCOL: /)
    expect(warning).toMatch(/^KEYCLOAK_AUTH_HOST: /)
    for (const text of [problem, warning]) {
      const ISSUER_URL = LINE.exec(text)?.[1]
      expect(ISSUER_URL, text).toBeDefined()
      expect(loadWith({ ...http, ISSUER_URL }).config.provider).toMatchObject({
        issuerUrl: ISSUER_URL,
        discoveryUrl: 'http://keycloak:8080/realms/main/.well-known/openid-configuration',
      })
      expect(loadWith({ ...inside, ISSUER_URL }).warnings).toEqual([])
    }
    const public_ = { ...KEYCLOAK, KEYCLOAK_AUTH_HOST: 'id.example.com' }
    expect(loadWith(public_).warnings).toEqual([])
  })

  it('is not called in plain http beyond this machine', () => {
    expect(
      problems({ ...KEYCLOAK, KEYCLOAK_AUTH_HOST: 'keycloak', KEYCLOAK_AUTH_PROTOCOL: 'http' }),
    ).toEqual([expect.stringMatching(/^KEYCLOAK_AUTH_PROTOCOL: is plain http beyond/)])
  })

  it.each([
    ['KEYCLOAK_AUTH_HOST', 'https://id.example.com'],
    ['KEYCLOAK_AUTH_HOST', 'id.example.com/auth'],
    ['KEYCLOAK_AUTH_PORT', 'eighty'],
    ['KEYCLOAK_AUTH_PROTOCOL', 'ftp'],
    ['KEYCLOAK_REALM', 'main/../master'],
    ['KEYCLOAK_REALM', '..'],
  ])('refuses %s=%s', (name, value) => {
    expect(problems({ ...KEYCLOAK, KEYCLOAK_AUTH_HOST: 'a.example', [name]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${name}: `)),
    ])
  })
})

describe('providers in the file', () => {
  const yaml = (text: string): Given => ({ files: { '/srv/gatewarden.yaml': text } })
  const ONE =
    'providers:\n  corp: { type: keycloak, issuer_url: https://id.example.com/realms/main, client_id: gatewarden, client_secret_file: kc, groups_claim: teams }\n'

  it('are another way to write the provider, under an id of its own', () => {
    const files = { '/srv/gatewarden.yaml': ONE, '/srv/kc': 'in-a-file' }
    expect(load({ files }).config.provider).toEqual({
      type: 'keycloak',
      id: 'corp',
      issuerUrl: 'https://id.example.com/realms/main',
      clientId: 'gatewarden',
      clientSecret: 'in-a-file',
      groupsClaim: 'teams',
      hostedDomains: [],
      tokenClients: [],
      allowInsecure: false,
    })
  })

  it('give way to the environment', () => {
    const files = { '/srv/gatewarden.yaml': ONE, '/srv/kc': 'in-a-file' }
    const { config } = load({ files, env: { ISSUER_URL: 'https://other.example' } })
    expect(config.provider).toMatchObject({ issuerUrl: 'https://other.example' })
  })

  it.each([
    [
      'providers: []',
      'providers: must be a map with one provider. Write it as `keycloak: { type: ... }`.',
    ],
    [
      'providers: {}',
      'providers: must be a map with one provider. Write it as `keycloak: { type: ... }`.',
    ],
    [
      'providers: { a: { type: oidc }, b: { type: oidc } }',
      'providers: lists several providers, but only one is supported. Remove all but one.',
    ],
    [
      'providers: { "a b": { type: oidc } }',
      'providers: has a name with characters other than letters, digits and . _ -. Rename it.',
    ],
  ])('are refused like %s', (text, problem) => {
    expect(problemsOf(() => load(yaml(text)))).toContain(problem)
  })

  it('report a problem under its full name', () => {
    const text =
      'provider: oidc\nproviders: { corp: { type: saml, issuer_ur: x, client_id: c, client_secret: s } }\n'
    expect(problemsOf(() => load(yaml(text)))).toEqual(
      expect.arrayContaining([
        'providers.corp.issuer_ur: is not a setting. Did you mean issuer_url?',
        'provider: conflicts with providers.corp.type. Remove one of the two.',
      ]),
    )
    expect(problemsOf(() => load(yaml('providers: { corp: { client_id: c } }\n')))).toContain(
      'providers.corp.type: is missing. Write oidc, or the name of a provider such as keycloak, google, github or entra.',
    )
  })
})
