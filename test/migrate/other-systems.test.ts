/**
 * The settings that users of other systems have, as they are (cases sn1 to sn25 of the people who come from another system).
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { load, problemsOf } from '../config/harness.ts'

const SECRET = 'a secret of the old system, long enough'
const OLDER = 'an-older-secret-of-the-old-system-1'
const OLDEST = 'an-older-secret-of-the-old-system-2'
/** A file without the users of the harness, which only the built-in login needs. */
const NOBODY = { '/srv/gatewarden.yaml': '' }

const loadWith = (env: Readonly<Record<string, string | undefined>>) => load({ env, files: NOBODY })

const PROVIDER = {
  OIDC_ISSUER_URL: 'https://id.example.com',
  OIDC_CLIENT_ID: 'gatewarden',
  OIDC_CLIENT_SECRET: 'from-the-provider',
}

describe('babs/mcp-auth-proxy', () => {
  it('sn1: an issuer and a client at it, which mean PROVIDER=oidc', () => {
    const { config, warnings } = loadWith(PROVIDER)
    expect(config.provider).toMatchObject({
      type: 'oidc',
      issuerUrl: 'https://id.example.com',
      clientId: 'gatewarden',
      clientSecret: 'from-the-provider',
    })
    expect(warnings).toEqual([])
  })

  it('sn1: our own name wins, and the start says so', () => {
    const { config, warnings } = loadWith({ ...PROVIDER, CLIENT_ID: 'ours' })
    expect(config.provider).toMatchObject({ clientId: 'ours' })
    expect(warnings).toEqual([expect.stringContaining('OIDC_CLIENT_ID')])
  })

  it('sn2, sn4, sn16, sn17, sn18: address, secrets, proxies, origins and grace', () => {
    const { config } = loadWith({
      ...PROVIDER,
      PUBLIC_URL: undefined,
      PROXY_BASE_URL: 'https://login.example.com',
      TOKEN_SIGNING_SECRET: SECRET,
      TOKEN_SIGNING_SECRETS_PREVIOUS: `${OLDER} ${OLDEST}`,
      TRUSTED_PROXY_CIDRS: '10.0.0.0/8,192.0.2.7',
      MCP_CORS_ORIGINS: 'https://app.example.com',
      REFRESH_RACE_GRACE_SEC: '5',
      RATE_LIMIT_ENABLED: 'false',
    })
    expect(config).toMatchObject({
      publicUrl: { origin: 'https://login.example.com' },
      secret: SECRET,
      secretPrevious: [OLDER, OLDEST],
      trustedProxies: ['10.0.0.0/8', '192.0.2.7'],
      allowedOrigins: ['https://app.example.com'],
      lifetimes: { refreshGrace: 5 },
      rateLimit: 0,
    })
  })

  it.each([
    [':8080', { host: '::', port: 8080 }],
    ['127.0.0.1:8080', { host: '127.0.0.1', port: 8080 }],
    ['[::1]:8080', { host: '::1', port: 8080 }],
  ])('sn6: LISTEN_ADDR=%s', (value, listen) => {
    expect(loadWith({ ...PROVIDER, LISTEN_ADDR: value }).config.listen).toEqual(listen)
  })

  it.each(['8080', '127.0.0.1', '::1', 'mcp.local', 'tcp://0.0.0.0:80', '0.0.0.0:'])(
    'sn6: LISTEN_ADDR=%s is refused: it has no effect, and the default is every address',
    (value) => {
      expect(problemsOf(() => loadWith({ ...PROVIDER, LISTEN_ADDR: value }))).toEqual([
        `LISTEN_ADDR: "${value}" is not an address with a port. Write it like :8080 or 127.0.0.1:8080, or set HOST and PORT instead.`,
      ])
    },
  )

  it('sn6: our own PORT wins over that of LISTEN_ADDR, whose host still counts', () => {
    const env = { ...PROVIDER, LISTEN_ADDR: '127.0.0.1:8080', PORT: '9000' }
    const { config, warnings } = loadWith(env)
    expect(config.listen).toEqual({ host: '127.0.0.1', port: 9000 })
    expect(warnings).toEqual(['LISTEN_ADDR: has no effect on PORT, because PORT is set too.'])
  })

  it('sn6: our own PORT wins over LISTEN_ADDR', () => {
    const { config, warnings } = loadWith({ ...PROVIDER, LISTEN_ADDR: ':8080', PORT: '9000' })
    expect(config.listen.port).toBe(9000)
    expect(warnings).toEqual([expect.stringContaining('LISTEN_ADDR')])
  })

  it('sn15: CLIENT_REGISTRATION_TTL=0 and CLIENT_LIFETIME=0 mean for ever', () => {
    for (const name of ['CLIENT_REGISTRATION_TTL', 'CLIENT_LIFETIME']) {
      expect(loadWith({ ...PROVIDER, [name]: '0' }).config).not.toHaveProperty('clientLifetime')
      expect(loadWith({ ...PROVIDER, [name]: '7d' }).config.clientLifetime).toBe(7 * 86_400)
    }
  })

  it.each(['1h30m', '168h0m0s', '1.5h'])('%s, as Go writes a duration, is one here', (value) => {
    const env = { ...PROVIDER, CLIENT_REGISTRATION_TTL: value, SHUTDOWN_TIMEOUT: '1m30s' }
    expect(loadWith(env)).toMatchObject({
      config: { clientLifetime: value.startsWith('168') ? 7 * 86_400 : 5400 },
      warnings: [],
    })
  })

  it('sn18: MCP_RESOURCE_NAME is the name of the only resource', () => {
    const env = { ...PROVIDER, MCP_RESOURCE_NAME: 'ACME MCP' }
    expect(loadWith(env)).toMatchObject({
      config: { resources: [{ name: 'ACME MCP' }] },
      warnings: [],
    })
    const two = loadWith({ ...env, RESOURCES: 'https://a.example.com,https://b.example.com' })
    expect(two.config.resources).toMatchObject([
      { name: 'a.example.com' },
      { name: 'b.example.com' },
    ])
    expect(two.warnings).toEqual([
      'MCP_RESOURCE_NAME: has no effect: it is for exactly one resource, and there are 2. Give each its own name in gatewarden.yaml.',
    ])
  })

  it('sn15: 0s and 0h0m0s mean for ever, too', () => {
    for (const value of ['0s', '0h0m0s']) {
      const env = { ...PROVIDER, CLIENT_REGISTRATION_TTL: value }
      expect(loadWith(env).config).not.toHaveProperty('clientLifetime')
    }
  })

  it('OIDC_EXTRA_SCOPES are asked of the provider beside the usual ones', () => {
    const OIDC_EXTRA_SCOPES = 'api://app/access_as_user offline_access email'
    expect(loadWith({ ...PROVIDER, OIDC_EXTRA_SCOPES })).toMatchObject({
      config: {
        provider: {
          scopes: ['openid', 'email', 'profile', 'api://app/access_as_user', 'offline_access'],
        },
      },
      warnings: [],
    })
    const both = { ...PROVIDER, OIDC_EXTRA_SCOPES, PROVIDER_SCOPES: 'openid' }
    expect(loadWith(both)).toMatchObject({
      config: { provider: { scopes: ['openid'] } },
      warnings: [
        'OIDC_EXTRA_SCOPES: has no effect on PROVIDER_SCOPES, because PROVIDER_SCOPES is set too.',
      ],
    })
  })

  it('sb2: PROD_MODE is advised where the names are theirs, until it is decided', () => {
    const theirs = { ...PROVIDER, PUBLIC_URL: undefined, PROXY_BASE_URL: 'https://a.example.com' }
    const advice = expect.stringMatching(/^PROD_MODE: is off unless you set it/)
    expect(loadWith(theirs).warnings).toEqual([advice])
    expect(loadWith({ ...theirs, PROD_MODE: 'false' }).warnings).toEqual([])
    expect(loadWith(PROVIDER).warnings).toEqual([])
  })

  it.each(['ALLOWED_GROUPS', 'ALLOWED_EMAILS', 'ALLOWED_DOMAINS'])(
    'sb5: by %s=* an unverified address passes here, and a line says so until it is decided',
    (list) => {
      const theirs = { ...PROVIDER, PUBLIC_URL: undefined, PROXY_BASE_URL: 'https://a.example.com' }
      const env = { ...theirs, PROD_MODE: 'false', ALLOWED_EMAILS: undefined }
      const { warnings } = loadWith({ ...env, [list]: '*' })
      expect(warnings).toEqual([expect.stringMatching(/^REQUIRE_VERIFIED_EMAIL: is off unless/)])
      for (const REQUIRE_VERIFIED_EMAIL of ['true', 'false']) {
        expect(loadWith({ ...env, [list]: '*', REQUIRE_VERIFIED_EMAIL }).warnings).toEqual([])
      }
      expect(loadWith({ ...env, ALLOWED_DOMAINS: 'example.com' }).warnings).toEqual([])
    },
  )

  it('sb6: a secret that can be guessed is a warning, and shown nowhere', () => {
    const { warnings } = loadWith({ ...PROVIDER, TOKEN_SIGNING_SECRET: 'a'.repeat(40) })
    expect(warnings).toEqual([expect.stringContaining('repeats itself: whoever guesses it')])
    expect(warnings.join()).not.toContain('aaaa')
    expect(loadWith({ ...PROVIDER, TOKEN_SIGNING_SECRET: SECRET }).warnings).toEqual([])
  })

  it.each([
    'TRUST_PROXY_HEADERS',
    'REDIS_REQUIRED',
    'COMPAT_ALLOW_STATELESS',
    'PKCE_REQUIRED',
    'RENDER_CONSENT_PAGE',
    'OIDC_ALLOW_INSECURE_HTTP',
    'ACCESS_LOG_SKIP_RE',
    'MCP_TOOL_METRICS',
    'MCP_LOG_BODY_MAX',
    'TRUSTED_PROXY_HEADER',
    'IDP_EXCHANGE_RATE_PER_SEC',
    'IDP_EXCHANGE_BURST',
    'MCP_TOOL_METRICS_MAX_CARDINALITY',
    'GROUPS_CLAIM_MAX_BYTES',
    'CSP_FORM_ACTION_EXTRA',
  ])('sn20: %s gets a line, and changes nothing', (name) => {
    const { warnings, config } = loadWith({ ...PROVIDER, [name]: 'true' })
    expect(warnings).toEqual([expect.stringContaining(`${name}: is a setting of babs`)])
    expect(config).toEqual(loadWith(PROVIDER).config)
  })
})

describe('mcpauth', () => {
  const theirs = {
    PUBLIC_URL: undefined,
    OAUTH_DOMAIN: 'auth.example.com',
    RESOURCES: 'https://*.example.com',
    ENABLE_EDGE_AUTH: 'true',
  }

  it('sa9: the domain of the cookie is printed as a line to paste, which ends the advice', () => {
    const [advice = '', ...others] = load({ env: theirs }).warnings
    expect(others).toEqual([])
    const [, value] = /COOKIE_DOMAIN=(\S+)\.$/.exec(advice) ?? []
    expect(load({ env: { ...theirs, COOKIE_DOMAIN: value } })).toMatchObject({
      config: { cookieDomain: 'example.com' },
      warnings: [],
    })
  })

  it('sp3: PROTECTED_PATH gets a line where a server behind Gatewarden has it, and only there', () => {
    const upstream = (PROTECTED_PATH: string | undefined, path: string) =>
      loadWith({
        ...PROVIDER,
        RESOURCES: 'https://mcp.example.com',
        PROTECTED_PATH,
        UPSTREAM_URL: `http://127.0.0.1:3000${path}`,
      }).warnings
    expect(upstream('/sse', '')).toEqual([
      expect.stringMatching(/^PROTECTED_PATH: has no effect, .* at \/auth, /),
    ])
    expect(upstream(undefined, '')).toEqual([])
    const elsewhere = {
      ...PROVIDER,
      RESOURCES: 'https://mcp.example.com/notes',
      PROTECTED_PATH: '/sse',
    }
    const UPSTREAM_URL = 'http://127.0.0.1:3000'
    expect(loadWith({ ...elsewhere, UPSTREAM_URL }).warnings).toEqual([])
  })

  it('sa12: on the own machine the hint for RESOURCES is a local one, and starts as printed', () => {
    const argv = [
      '-devMode',
      '-useInternalAuth',
      '-enableEdgeAuth',
      '-oauthDomain',
      'localhost:11000',
    ]
    const env = { PUBLIC_URL: undefined, RESOURCES: undefined }
    const [problem = ''] = problemsOf(() => load({ argv, env }))
    const [, hint] = /RESOURCES=(\S+)\.$/.exec(problem) ?? []
    expect(hint).toBe('http://localhost:8080/mcp')
    expect(load({ argv, env: { ...env, RESOURCES: hint } }).config.resources).toHaveLength(1)
  })
})

describe('atrawog/mcp-oauth-gateway', () => {
  it('sn5, sn14: the secret and the lifetime of refresh tokens', () => {
    const { config } = loadWith({
      ...PROVIDER,
      GATEWAY_JWT_SECRET: SECRET,
      REFRESH_TOKEN_LIFETIME: '2592000',
    })
    expect(config).toMatchObject({ secret: SECRET, lifetimes: { grant: 2_592_000 } })
  })

  it("sn5: the same secret as the container gets it, and no other program's JWT_SECRET", () => {
    const theirs = {
      GITHUB_CLIENT_ID: 'gatewarden',
      GITHUB_CLIENT_SECRET: 'from-the-provider',
      BASE_DOMAIN: 'example.com',
      PUBLIC_URL: undefined,
      RESOURCES: undefined,
      JWT_SECRET: SECRET,
    }
    expect(loadWith(theirs).config.secret).toBe(SECRET)
    const both = loadWith({ ...theirs, GATEWAY_JWT_SECRET: SECRET })
    expect(both.config.secret).toBe(SECRET)
    expect(both.warnings).toContainEqual(
      expect.stringContaining('has no effect on SECRET, because '),
    )
    expect(loadWith({ ...PROVIDER, JWT_SECRET: SECRET }).config).not.toHaveProperty('secret')
    expect(problemsOf(() => loadWith({ ...theirs, JWT_SECRET: 'short' }))).toEqual([
      expect.stringMatching(/^JWT_SECRET: /),
    ])
  })

  it('sn5: a secret that is too short is refused under its own name', () => {
    const problems = problemsOf(() => loadWith({ ...PROVIDER, GATEWAY_JWT_SECRET: 'short' }))
    expect(problems).toEqual([expect.stringMatching(/^GATEWAY_JWT_SECRET: /)])
  })

  describe('sn3: BASE_DOMAIN', () => {
    const NEITHER = { PUBLIC_URL: undefined, RESOURCES: undefined, BASE_DOMAIN: 'example.com' }

    it('means the login on its host auth, and every other host as a server, and one line says so', () => {
      const { config, warnings } = loadWith({ ...PROVIDER, ...NEITHER })
      expect(config.publicUrl.origin).toBe('https://auth.example.com')
      expect(config.resources.map(({ url }) => url)).toEqual(['https://*.example.com'])
      expect(warnings).toEqual([expect.stringMatching(/^BASE_DOMAIN: means PUBLIC_URL=/)])
    })

    it('comes from .env, too', () => {
      const files = { ...NOBODY, '/srv/.env': 'BASE_DOMAIN=example.com\n' }
      const env = { ...PROVIDER, PUBLIC_URL: undefined, RESOURCES: undefined }
      expect(load({ env, files }).config.publicUrl.origin).toBe('https://auth.example.com')
    })

    it.each([
      ['PUBLIC_URL', { PUBLIC_URL: 'https://login.example.com' }],
      ['RESOURCES', { RESOURCES: 'https://a.example.com' }],
      ['UPSTREAM_URL', { UPSTREAM_URL: 'http://a:3000' }],
    ])('yields to %s alone', (name, own) => {
      const env = { ...PROVIDER, ...NEITHER, ...own }
      const complete = {
        PUBLIC_URL: 'https://login.example.com',
        RESOURCES: 'https://a.example.com',
      }
      const { warnings } = loadWith({ ...complete, ...env, ...complete })
      expect(warnings).toEqual([expect.stringMatching(/^BASE_DOMAIN: has no effect, because /)])
      if (name === 'RESOURCES') {
        expect(problemsOf(() => loadWith(env))).toEqual([expect.stringMatching(/^PUBLIC_URL: /)])
      } else if (name === 'PUBLIC_URL') {
        // sa2: the hosts beside that address, and not those of BASE_DOMAIN.
        const elsewhere = { ...env, PUBLIC_URL: 'https://login.other.example' }
        expect(loadWith(elsewhere).config.resources.map(({ url }) => url)).toEqual([
          'https://*.other.example',
        ])
      }
    })

    it('yields to resources as a map in the file', () => {
      const yaml = 'resources: { a: { url: "https://a.example.com" } }\n'
      const env = { ...PROVIDER, ...NEITHER }
      const problems = problemsOf(() => load({ env, files: { '/srv/gatewarden.yaml': yaml } }))
      expect(problems).toEqual([expect.stringMatching(/^PUBLIC_URL: /)])
    })

    it.each(['https://example.com/', '.example.com', 'http://example.com'])(
      'as %s is answered with the domain to write',
      (BASE_DOMAIN) => {
        const problems = problemsOf(() => loadWith({ ...PROVIDER, ...NEITHER, BASE_DOMAIN }))
        expect(problems).toEqual([
          expect.stringMatching(/^BASE_DOMAIN: .* Write BASE_DOMAIN=example\.com\.$/),
        ])
      },
    )

    it('with the servers alone names the address of the login to write', () => {
      const env = {
        ...PROVIDER,
        ...NEITHER,
        BASE_DOMAIN: 'mine.test',
        RESOURCES: 'https://a.mine.test',
      }
      expect(problemsOf(() => loadWith(env))).toEqual([
        expect.stringMatching(/^PUBLIC_URL: .* https:\/\/auth\.mine\.test\.$/),
      ])
    })

    it.each(['example.com/x', '*', 'a b'])('is refused as %s', (BASE_DOMAIN) => {
      const problems = problemsOf(() => loadWith({ ...PROVIDER, ...NEITHER, BASE_DOMAIN }))
      expect(problems).not.toEqual([])
    })

    it('of strangers is told, and refused under PROD_MODE', () => {
      const env = { ...PROVIDER, ...NEITHER, BASE_DOMAIN: 'duckdns.org', SECRET }
      expect(loadWith(env).warnings).toContainEqual(expect.stringContaining('public suffix'))
      expect(problemsOf(() => loadWith({ ...env, PROD_MODE: 'true' }))).toContainEqual(
        expect.stringContaining('public suffix'),
      )
    })
  })

  it.each([
    ['redis://redis:6379', 'p@ss/word', 'p@ss/word'],
    ['redis+sentinel://a,b/main', 'secret', 'secret'],
    ['redis://:own@redis:6379', 'secret', 'own'],
  ])('sn13: for %s REDIS_PASSWORD=%s means %s', (REDIS_URL, REDIS_PASSWORD, password) => {
    const env = { ...PROVIDER, SECRET, REDIS_URL, REDIS_PASSWORD }
    expect(loadWith(env).config.redis).toMatchObject({ password })
    expect(JSON.stringify(loadWith(env).sources)).not.toContain(REDIS_PASSWORD)
  })

  it('sn13: REDIS_PASSWORD counts for a user, and where the address is in .env; else a line says why not', () => {
    const env = { ...PROVIDER, SECRET, REDIS_PASSWORD: 'p@ss' }
    expect(loadWith({ ...env, REDIS_URL: 'redis://gw@redis:6379' }).config.redis).toMatchObject({
      username: 'gw',
      password: 'p@ss',
    })
    const files = { ...NOBODY, '/srv/.env': 'REDIS_URL=redis://redis:6379\n' }
    expect(load({ env, files }).config.redis).toMatchObject({ password: 'p@ss' })
    const line = expect.stringMatching(/^REDIS_PASSWORD: has no effect/)
    expect(loadWith({ ...env, REDIS_URL: 'redis://:own@redis' }).warnings).toEqual([line])
    expect(loadWith({ ...env, REDIS_URL: 'redis://:p%40ss@redis' }).warnings).toEqual([])
    expect(loadWith(env).warnings).toEqual([line])
  })

  it.each([
    'MCP_PROTOCOL_VERSION',
    'MCP_TIME_ENABLED',
    'MCP_TIME_TESTS_ENABLED',
    'MCP_TIME_URLS',
    'MCP_ECHO_STATEFUL_ENABLED',
    'MCP_ECHO_STATELESS_TESTS_ENABLED',
    'MCP_TESTING_URL',
    'MCP_CLIENT_ACCESS_TOKEN',
    'MCP_CLIENT_ID',
    'GATEWAY_OAUTH_JWT_TOKEN',
    'GATEWAY_OAUTH_CLIENT_SECRET',
  ])('sn22: %s gets a line', (name) => {
    const { warnings } = loadWith({ ...PROVIDER, [name]: 'x' })
    expect(warnings).toEqual([expect.stringContaining(`${name}: is a setting of atrawog`)])
  })

  it.each(['JWT_ALGORITHM', 'SESSION_TIMEOUT', 'ACME_EMAIL', 'GITHUB_PAT'])(
    'sn5, sn14, sn22: %s gets a line',
    (name) => {
      const { warnings } = loadWith({ ...PROVIDER, [name]: 'x' })
      expect(warnings).toEqual([expect.stringContaining(`${name}: is a setting of atrawog`)])
    },
  )
})

it.each(['HOST', 'PORT', 'DB', 'USERNAME', 'PWD', 'SSL'])(
  'REDIS_%s is answered with the one setting that holds all of it',
  (part) => {
    const { warnings } = loadWith({ ...PROVIDER, [`REDIS_${part}`]: '1' })
    expect(warnings).toEqual([expect.stringContaining('REDIS_URL=redis://')])
  },
)

describe('risedphantom/mcp-oauth2-proxy', () => {
  it('sn2, sn6, sn8 to sn10: its variables', () => {
    const { config } = loadWith({
      PUBLIC_URL: undefined,
      MCP_OAUTH2_PROXY_AUTH_BASEURL: 'https://login.example.com',
      MCP_OAUTH2_PROXY_AUTH_ISSUERURL: 'https://id.example.com',
      MCP_OAUTH2_PROXY_AUTH_CLIENTID: 'gatewarden',
      MCP_OAUTH2_PROXY_AUTH_CLIENTSECRET: 'from-the-provider',
      MCP_OAUTH2_PROXY_AUTH_CLIENTTTL: '30d',
      MCP_OAUTH2_PROXY_SERVER_LISTENADDRESS: ':8080',
      MCP_OAUTH2_PROXY_UPSTREAM_URL: 'http://127.0.0.1:3000',
    })
    expect(config).toMatchObject({
      publicUrl: { origin: 'https://login.example.com' },
      provider: { type: 'oidc', clientId: 'gatewarden' },
      clientLifetime: 30 * 86_400,
      listen: { port: 8080 },
    })
    expect(config.resources[0]).toMatchObject({ upstream: 'http://127.0.0.1:3000' })
  })

  it.each([
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
    ['http://127.0.0.1:3000/mcp', 'http://127.0.0.1:3000/mcp'],
  ])('sn8: %s is behind the whole host', (value, upstream) => {
    const env = { ...PROVIDER, RESOURCES: undefined, MCP_OAUTH2_PROXY_UPSTREAM_URL: value }
    const { config } = loadWith(env)
    expect(config.resources).toMatchObject([{ url: config.publicUrl.origin, upstream }])
  })

  it('sc8: openid is always among the scopes asked of the provider', () => {
    const env = { ...PROVIDER, MCP_OAUTH2_PROXY_AUTH_OIDCSCOPES: 'profile,email' }
    expect(loadWith(env).config.provider).toMatchObject({ scopes: ['openid', 'profile', 'email'] })
  })

  it('sn25: level and format of the log', () => {
    const env = { MCP_OAUTH2_PROXY_LOG_LEVEL: 'DEBUG', MCP_OAUTH2_PROXY_LOG_FORMAT: 'text' }
    expect(loadWith({ ...PROVIDER, ...env })).toMatchObject({
      config: { logLevel: 'debug', logFormat: 'text' },
      warnings: [],
    })
  })

  it('any other of its variables gets a line', () => {
    const { warnings } = loadWith({ ...PROVIDER, MCP_OAUTH2_PROXY_SERVER_READTIMEOUT: '30s' })
    expect(warnings).toEqual([expect.stringContaining('MCP_OAUTH2_PROXY_SERVER_READTIMEOUT: ')])
  })
})

describe('matheuscscp/mcp-oauth2-proxy', () => {
  it('GITHUB_APP_PRIVATE_KEY gets a line', () => {
    const { warnings } = loadWith({ ...PROVIDER, GITHUB_APP_PRIVATE_KEY: '/etc/github/key.pem' })
    expect(warnings).toEqual([expect.stringMatching(/^GITHUB_APP_PRIVATE_KEY: .*ALLOWED_GROUPS/)])
  })

  it('sx4: its service account gets a line with ours, and only where Google signs people in', () => {
    const env = { GOOGLE_APPLICATION_CREDENTIALS: '/etc/google/credentials.json' }
    const google = { PROVIDER: 'google', CLIENT_ID: 'a', CLIENT_SECRET: 'from-the-provider' }
    expect(loadWith({ ...google, ...env }).warnings).toEqual([
      expect.stringMatching(/^GOOGLE_APPLICATION_CREDENTIALS: .*GOOGLE_SERVICE_ACCOUNT_FILE/),
    ])
    expect(loadWith({ ...PROVIDER, ...env }).warnings).toEqual([])
  })
})

describe('the YAML file of another system', () => {
  const problemsWith = (yaml: string) =>
    problemsOf(() => load({ env: PROVIDER, files: { '/srv/gatewarden.yaml': yaml } }))

  it('sr4, sx5: is answered key by key, with our names', () => {
    expect(problemsWith('auth: { baseUrl: x, clientId: y }\nprovider: { name: google }\n')).toEqual(
      [
        'auth.baseUrl: is a key of risedphantom/mcp-oauth2-proxy. Write public_url.',
        'auth.clientId: is a key of risedphantom/mcp-oauth2-proxy. Write client_id.',
        'provider.name: is a key of matheuscscp/mcp-oauth2-proxy. Write provider.',
      ],
    )
  })

  it('sr4: is known in any case, as its program reads it', () => {
    expect(problemsWith('auth: { baseurl: x }\nserver: { LISTENADDRESS: y }\n')).toEqual([
      'auth.baseurl: is a key of risedphantom/mcp-oauth2-proxy. Write public_url.',
      'server.LISTENADDRESS: is a key of risedphantom/mcp-oauth2-proxy. Write host and port.',
    ])
  })

  it('is none where no key is known: that is a mistyped name', () => {
    expect(problemsWith('auth: { other: x }\n')).toEqual([
      expect.stringMatching(/^auth: is not a setting/),
    ])
    expect(problemsWith('provider: google\n')).toEqual([])
  })
})

describe('oauth2-proxy', () => {
  it('sn23: the names that mean the same', () => {
    const { config } = loadWith({
      OAUTH2_PROXY_OIDC_ISSUER_URL: 'https://id.example.com',
      OAUTH2_PROXY_CLIENT_ID: 'gatewarden',
      OAUTH2_PROXY_CLIENT_SECRET: 'from-the-provider',
      OAUTH2_PROXY_OIDC_GROUPS_CLAIM: 'roles',
      OAUTH2_PROXY_COOKIE_DOMAINS: 'example.com',
      OAUTH2_PROXY_SCOPE: 'openid email groups',
      OAUTH2_PROXY_HTTP_ADDRESS: '0.0.0.0:4180',
    })
    expect(config).toMatchObject({
      provider: { type: 'oidc', groupsClaim: 'roles', scopes: ['openid', 'email', 'groups'] },
      cookieDomain: 'example.com',
      listen: { host: '0.0.0.0', port: 4180 },
    })
  })

  it.each(['http://127.0.0.1:4180', 'http://:4180', 'http://[::]:4180'])(
    'sn23: it listens on %s',
    (OAUTH2_PROXY_HTTP_ADDRESS) => {
      const { config, warnings } = loadWith({ ...PROVIDER, OAUTH2_PROXY_HTTP_ADDRESS })
      expect(config.listen.port).toBe(4180)
      expect(warnings).toEqual([])
    },
  )

  it.each([
    ['http://127.0.0.1:4180', { host: '127.0.0.1', port: 4180 }, false],
    ['unix:///run/proxy.sock', { host: '::', port: 11_000 }, true],
    ['fd:3', { host: '::', port: 11_000 }, true],
  ])('sn23: OAUTH2_PROXY_HTTP_ADDRESS=%s', (value, listen, isTold) => {
    const { config, warnings } = loadWith({ ...PROVIDER, OAUTH2_PROXY_HTTP_ADDRESS: value })
    expect(config.listen).toEqual(listen)
    expect(warnings).toEqual(
      isTold ? [expect.stringMatching(/listens at HOST and PORT alone/)] : [],
    )
  })

  it.each([
    ['OAUTH2_PROXY_EMAIL_DOMAINS', '*'],
    ['OAUTH2_PROXY_ALLOWED_GROUPS', 'admins'],
  ])('sn23: %s lets nobody in here, and the line says why', (name, value) => {
    const env = { ...PROVIDER, ALLOWED_EMAILS: undefined, [name]: value }
    expect(problemsOf(() => loadWith(env))).toEqual([expect.stringMatching(/^ALLOWED_EMAILS: /)])
    const { warnings } = loadWith({ ...PROVIDER, [name]: value })
    expect(warnings).toEqual([expect.stringContaining('here one list is enough')])
  })

  it('sn23: any other of its variables gets a line', () => {
    const { warnings } = loadWith({ ...PROVIDER, OAUTH2_PROXY_COOKIE_SECRET: 'x' })
    expect(warnings).toEqual([expect.stringContaining('OAUTH2_PROXY_COOKIE_SECRET: ')])
  })
})
