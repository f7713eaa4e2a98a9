/**
 * mcpauth's settings and flags.
 *
 * @module
 */
import { expect } from 'vitest'
import { type Given, load, problemsOf } from '../../config/harness.ts'
import { check, obtainTokens } from '../../support/oauth-client.ts'
import { both, type Proofs, provedBy, startWith } from '../proof.ts'

const TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae'
const NO_URL = { PUBLIC_URL: undefined }
const CLIENT = { CLIENT_ID: 'gatewarden', CLIENT_SECRET: TOKEN }

const configOf = (given: Given) => load(given).config
const ofFlags = (...argv: string[]) => configOf({ argv })
const ofEnv = (env: Given['env']) => configOf({ env: env ?? {} })
const problems = (given: Given) => problemsOf(() => load(given))

/** Every spelling of a flag with a value. */
const spellings = (go: string, ours: string, value: string) => [
  [`-${go}`, value],
  [`-${go}=${value}`],
  [`--${go}`, value],
  [`--${ours}`, value],
  [`--${ours}=${value}`],
]

/** Expects a single warning, which names the settings that mean nothing any more. */
function expectRetired(given: Given, names: readonly string[]): void {
  const { warnings } = load(given)
  expect(warnings).toEqual([
    expect.stringMatching(/^mcpauth: these of its settings no longer have an effect/),
  ])
  for (const name of names) expect(warnings[0]).toContain(name)
}

export const settings: Proofs = {
  S1() {
    expect(ofEnv({}).listen.port).toBe(11_000)
    expect(ofEnv({ PORT: '12000' }).listen.port).toBe(12_000)
    for (const argv of spellings('port', 'port', '12000')) {
      expect(configOf({ argv }).listen.port).toBe(12_000)
    }
  },

  S2() {
    expect(ofEnv({}).protectedPath).toBe('/sse')
    expect(ofEnv({ PROTECTED_PATH: '/api' }).protectedPath).toBe('/api')
    for (const argv of spellings('protectedPath', 'protected-path', '/api')) {
      expect(configOf({ argv }).protectedPath).toBe('/api')
    }
    for (const argv of spellings('path', 'path', '/api')) {
      expect(configOf({ argv }).protectedPath).toBe('/api')
    }
    expect(ofEnv({ PROTECTED_PATH: '/auth' }).protectedPath).toBe('/auth')
  },

  S3() {
    for (const argv of spellings('oauthDomain', 'oauth-domain', 'oauth.example.com')) {
      const { publicUrl } = configOf({ argv, env: NO_URL })
      expect(publicUrl.origin).toBe('https://oauth.example.com')
    }
    expect(problems({ env: NO_URL })).toEqual([expect.stringContaining('PUBLIC_URL: is not set.')])
  },

  S4() {
    const env = { ...NO_URL, OAUTH_DOMAIN: '10.0.0.5:8080' }
    for (const DEV_MODE of ['true', 'TRUE', 'True']) {
      expect(ofEnv({ ...env, DEV_MODE }).publicUrl.origin).toBe('http://10.0.0.5:8080')
    }
    for (const flag of ['-devMode', '-devMode=true', '--dev-mode']) {
      expect(configOf({ env, argv: [flag] }).publicUrl.secure).toBe(false)
    }
    expect(ofEnv({ ...env, DEV_MODE: 'false' }).publicUrl.secure).toBe(true)
  },

  S5() {
    const allowed = (ALLOWED_EMAILS: string | undefined) =>
      ofEnv({ ALLOWED_EMAILS }).resources[0]?.allow
    expect(allowed(' Ann@example.com , bob@example.com ')?.emails).toEqual([
      'ann@example.com',
      'bob@example.com',
    ])
    expect(allowed('*')?.anyone).toBe(true)
    for (const ALLOWED_EMAILS of [undefined, '', ' , ']) {
      expect(problems({ env: { ALLOWED_EMAILS } })).toEqual([
        expect.stringMatching(/^ALLOWED_EMAILS: is empty, .* so nobody may pass\./),
      ])
    }
  },

  S6: both(
    () => {
      const levels = ['0', '1', '2', '7'].map((LOG_LEVEL) => ofEnv({ LOG_LEVEL }).logLevel)
      expect(levels).toEqual(['debug', 'info', 'warn', 'warn'])
      expect(ofFlags('-logLevel=0').logLevel).toBe('debug')
    },
    provedBy(
      'test/oauth/token.test.ts',
      'T32: leaves no code, token, secret or verifier in the log',
    ),
  ),

  async S7() {
    const { app } = await startWith({ ALLOWED_SCOPES: 'openid,email' })
    const { tokens } = await obtainTokens(app)
    const authorization = `Bearer ${tokens.access_token}`
    expect((await check(app, { authorization }, '/auth')).statusCode).toBe(200)
  },

  async S8() {
    const { app } = await startWith({ REQUIRED_SCOPES: 'openid,email' })
    const { tokens } = await obtainTokens(app)
    expect(tokens.scope).toBe('openid email')
    const authorization = `Bearer ${tokens.access_token}`
    expect((await check(app, { authorization }, '/auth')).statusCode).toBe(200)
    expect(problems({ env: { ALLOWED_SCOPES: 'openid', REQUIRED_SCOPES: 'email' } })).toEqual([
      'REQUIRED_SCOPES: "email" is not an offered scope. Add it to ALLOWED_SCOPES.',
    ])
  },

  S9() {
    expect(ofEnv({ PROVIDER: 'internal' }).provider.type).toBe('builtin')
    expect(ofFlags('-provider', 'internal').provider.type).toBe('builtin')
    for (const PROVIDER of ['google', 'keycloak']) {
      const issuer = PROVIDER === 'keycloak' ? { KEYCLOAK_REALM: 'main' } : {}
      expect(ofEnv({ PROVIDER, ...issuer, ...CLIENT }).provider.type).toBe(PROVIDER)
    }
  },

  S10() {
    const google = { type: 'google', clientId: 'gatewarden', clientSecret: TOKEN }
    const named = {
      PROVIDER: 'google',
      GOOGLE_CLIENT_ID: 'gatewarden',
      GOOGLE_CLIENT_SECRET: TOKEN,
    }
    expect(ofEnv(named).provider).toMatchObject(google)
    expect(ofEnv({ PROVIDER: 'google', ...CLIENT }).provider).toMatchObject(google)
    const argv = ['-provider=google', '-clientID=gatewarden', '-clientSecret', TOKEN]
    expect(configOf({ argv }).provider).toMatchObject(google)
    const missing = problems({ env: { PROVIDER: 'google' } }).join('\n')
    expect(missing).toMatch(/^CLIENT_ID: is missing/m)
    expect(missing).toMatch(/^CLIENT_SECRET: is missing/m)
  },

  S11() {
    expect(ofFlags('-dataDir', '/data').dataDir).toBe('/data')
    expect(ofEnv({ DATA_DIR: '/data' }).dataDir).toBe('/data')
  },

  S12() {
    const CREDENTIALS = { ...CLIENT, ALLOWED_EMAILS: '*' }
    const providerOf = (argv: string[], PROVIDER?: string) =>
      configOf({ argv, env: { ...CREDENTIALS, PROVIDER } }).provider.type
    const google = { argv: [], env: CREDENTIALS, files: { '/srv/gatewarden.yaml': '' } }
    expect(load(google).config.provider.type).toBe('google')
    for (const flag of ['-useInternalAuth', '-useInternalAuth=true', '--use-internal-auth']) {
      // mcpauth asks no provider then: a client beside it must not let in everyone who has an account at Google.
      expect(problems({ ...google, argv: [flag] })).toEqual([
        expect.stringMatching(/^users: PROVIDER is builtin/),
      ])
      expect(providerOf([flag], 'google')).toBe('builtin')
    }
    expect(providerOf(['-useInternalAuth=false'], 'google')).toBe('google')
    for (const argv of [['-useInternalAuth', '-provider=google'], ['-useInternalAuth=maybe']]) {
      expect(problems({ argv, env: CREDENTIALS })[0]).toMatch(/^-useInternalAuth: /)
    }
  },

  S13() {
    const argv = ['-adminUsername', 'root', '-adminEmail=r@example.com', '-adminPassword', TOKEN]
    expectRetired({ argv }, ['-adminUsername, -adminEmail, -adminPassword (list people'])
    expect(load({ argv }).warnings.join()).not.toContain(TOKEN)
  },

  S14() {
    const keycloak = { PROVIDER: 'keycloak', ...CLIENT }
    const issuer = (given: Given) => {
      const { provider } = configOf({ ...given, env: { ...keycloak, ...given.env } })
      return 'issuerUrl' in provider ? provider.issuerUrl : undefined
    }
    const env = {
      KEYCLOAK_AUTH_HOST: 'id.example.com',
      KEYCLOAK_AUTH_PORT: '443',
      KEYCLOAK_AUTH_PROTOCOL: 'https',
      KEYCLOAK_REALM: 'main',
    }
    expect(issuer({ env })).toBe('https://id.example.com/realms/main')
    const argv = [
      '-keycloakAuthHost=id.example.com',
      '-keycloakAuthPort',
      '8443',
      '-keycloakRealm=m',
    ]
    expect(issuer({ argv })).toBe('https://id.example.com:8443/realms/m')
  },

  S15() {
    expect(ofEnv({}).edgeAuth).toBe(false)
    expect(ofEnv({ ENABLE_EDGE_AUTH: 'true' }).edgeAuth).toBe(true)
    expect(ofFlags('-enableEdgeAuth').edgeAuth).toBe(true)
  },

  S16() {
    for (const given of [
      { env: { COOKIE_DOMAIN: '.example.com' } },
      { argv: ['-cookieDomain', 'example.com'] },
    ]) {
      expect(configOf(given).cookieDomain).toBe('example.com')
    }
    expect(ofEnv({}).cookieDomain).toBeUndefined()
    expect(problems({ env: { COOKIE_DOMAIN: 'other.test' } })[0]).toMatch(/^COOKIE_DOMAIN: /)
  },

  S17: provedBy(
    'test/config/static-tokens.test.ts',
    'names a bare token static, and that of mcpauth',
  ),
  S18: provedBy('test/config/clients.test.ts', 'without a word of a secret'),

  S19() {
    for (const argv of spellings('baseDomain', 'base-domain', 'oauth.example.com')) {
      expect(configOf({ argv, env: NO_URL }).publicUrl.origin).toBe('https://oauth.example.com')
      const dev = configOf({ argv: [...argv, '-dev'], env: NO_URL })
      expect(dev.publicUrl.origin).toBe('http://oauth.example.com')
    }
    const both = ['-baseDomain=a.example.com', '-oauthDomain=b.example.com']
    expect(problems({ argv: both })).toEqual([expect.stringMatching(/^-\w+: conflicts with -/)])
  },

  S20() {
    const argv = ['-provider=google', '-googleClientID', 'gatewarden', '-googleClientSecret', TOKEN]
    expect(configOf({ argv }).provider).toMatchObject({
      clientId: 'gatewarden',
      clientSecret: TOKEN,
    })
  },

  S21: () => expect(configOf({ argv: ['-port', '1'], env: { PORT: '2' } }).listen.port).toBe(1),

  S22: () =>
    expect(
      problems({ env: { PORT: 'eleven', PROVIDER: 'githob', LOG_LEVEL: 'loud' } }),
    ).toHaveLength(3),

  S23() {
    expect(ofEnv({}).listen.host).toBe('::')
    expect(ofEnv({ HOST: '127.0.0.1' }).listen.host).toBe('127.0.0.1')
  },
}
