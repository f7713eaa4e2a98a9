/**
 * babs/mcp-auth-proxy: its variables, paths, headers, lifetimes and habits.
 *
 * @module
 */
import { expect } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import {
  ACCESS_TOKEN,
  CLIENT_ID,
  CLIENT_SECRET,
  startHostileProvider,
} from '../../support/hostile-provider.ts'
import { authorizeUrl, register, revoke } from '../../support/oauth-client.ts'
import { startUpstream } from '../../support/upstream-server.ts'
import { both, type Proofs, provedBy } from '../proof.ts'
import {
  getsALine,
  loadTheirs,
  noFile,
  problemsOfTheirs,
  send,
  signInTheirs,
  startTheirs,
} from '../their-settings.ts'

const SYSTEM = 'babs/mcp-auth-proxy'
const SECRET = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq'
const OLDER = 'b1RkZt0yQe5mVx7cJp3uWn9hLs2gKd4aFi6o'
const ORIGIN = 'https://mcp.example.com'
const MCP = `${ORIGIN}/mcp`

const THEIRS = {
  OIDC_ISSUER_URL: 'https://idp.example.com',
  OIDC_CLIENT_ID: 'mcp-auth-proxy',
  OIDC_CLIENT_SECRET: SECRET,
  PROXY_BASE_URL: ORIGIN,
  UPSTREAM_MCP_URL: 'http://mcp-backend:8000/mcp',
  TOKEN_SIGNING_SECRET: SECRET,
  REDIS_URL: 'redis://redis:6379/0',
}
const OPEN = { ...THEIRS, ALLOWED_EMAILS: '*' }
const open = () => OPEN
const configOf = (more: Record<string, string> = {}) => loadTheirs({ ...OPEN, ...more }).config

/** A start with a provider and a server of this machine, and the answer of that server for a signed-in person. */
async function startSignedIn(more: Record<string, string> = {}, email_verified = true) {
  const provider = await startHostileProvider()
  provider.person = { ...provider.person, email_verified }
  const server = await startUpstream((_request, response) => response.end('the server'))
  const test = await startTheirs({
    ...OPEN,
    OIDC_ISSUER_URL: provider.issuer,
    OIDC_CLIENT_ID: CLIENT_ID,
    OIDC_CLIENT_SECRET: CLIENT_SECRET,
    UPSTREAM_MCP_URL: `${server.origin}/mcp`,
    ...more,
  })
  const signIn = () =>
    signInTheirs(test.app, { origin: ORIGIN, resource: MCP, at: provider.signIn })
  return { ...test, provider, server, signIn }
}

const settings: Proofs = {
  S1: () => expect(configOf().provider).toMatchObject({ type: 'oidc', clientId: 'mcp-auth-proxy' }),
  S2: () => expect(configOf().publicUrl.origin).toBe(ORIGIN),
  S3() {
    expect(configOf().resources).toMatchObject([
      { url: MCP, upstream: 'http://mcp-backend:8000/mcp' },
    ])
  },
  S4() {
    const more = { TOKEN_SIGNING_SECRETS_PREVIOUS: `${OLDER} ${SECRET}` }
    expect(configOf(more)).toMatchObject({ secret: SECRET, secretPrevious: [OLDER, SECRET] })
  },
  S5() {
    expect(configOf().listen.port).toBe(11_000)
    expect(configOf({ LISTEN_ADDR: ':8080' }).listen.port).toBe(8080)
  },
  S6() {
    expect(configOf().redis).toMatchObject({ kind: 'single', tls: false })
    expect(configOf({ REDIS_URL: 'rediss://redis' }).redis).toMatchObject({ tls: true })
    expect(configOf({ REDIS_URL: '' })).not.toHaveProperty('redis')
  },
  S7: getsALine(open, SYSTEM, { REDIS_REQUIRED: 'true', COMPAT_ALLOW_STATELESS: 'false' }),
  S8() {
    const more = { ALLOWED_EMAILS: '', ALLOWED_GROUPS: 'staff', GROUPS_CLAIM: 'realm.roles' }
    const { resources, provider } = configOf(more)
    expect(resources[0]?.allow).toMatchObject({ anyone: false, groups: ['staff'] })
    expect(provider).toMatchObject({ groupsClaim: 'realm.roles' })
  },
  S9: () =>
    expect(configOf({ REVOKE_BEFORE: '2026-01-01T00:00:00Z' })).toHaveProperty('revokeBefore'),
  S10() {
    expect(configOf({ CLIENT_REGISTRATION_TTL: '168h' }).clientLifetime).toBe(7 * 86_400)
    expect(configOf({ CLIENT_REGISTRATION_TTL: '1h30m' }).clientLifetime).toBe(5400)
    expect(configOf({ CLIENT_REGISTRATION_TTL: '0' })).not.toHaveProperty('clientLifetime')
  },
  S11: both(
    () => {
      expect(configOf().lifetimes.refreshGrace).toBe(60)
      expect(configOf({ REFRESH_RACE_GRACE_SEC: '2' }).lifetimes.refreshGrace).toBe(2)
    },
    provedBy(
      'test/oauth/refresh.test.ts',
      'answers a retry within the grace with the same successor',
    ),
  ),
  S12: () => expect(configOf({ RATE_LIMIT_ENABLED: 'false' }).rateLimit).toBe(0),
  S13() {
    expect(configOf({ TRUSTED_PROXY_CIDRS: '10.0.0.0/8' }).trustedProxies).toEqual(['10.0.0.0/8'])
    expect(configOf().trustedProxies).toEqual(['127.0.0.0/8', '::1'])
  },
  S14: getsALine(open, SYSTEM, {
    TRUST_PROXY_HEADERS: 'true',
    TRUSTED_PROXY_HEADER: 'X-Real-IP',
  }),
  async S15() {
    const { app, server, signIn } = await startSignedIn({
      UPSTREAM_AUTHORIZATION_HEADER: 'Bearer of-the-backend',
    })
    const { access_token } = await signIn()
    await send(app, MCP, { authorization: `Bearer ${access_token}` })
    expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer of-the-backend')
  },
  S16: both(
    () => {
      expect(configOf({ MCP_PER_SUBJECT_CONCURRENCY: '16' })).toMatchObject({
        upstreamLimits: { perPerson: { requests: 16, streams: 100 } },
      })
    },
    provedBy('test/proxy/limits.test.ts', 'gets 429 with Retry-After for one more'),
  ),
  S17() {
    expect(configOf().shutdown.timeout).toBe(2)
    expect(configOf({ SHUTDOWN_TIMEOUT: '120s' }).shutdown.timeout).toBe(120)
  },
  S18() {
    const weak = { ...OPEN, TOKEN_SIGNING_SECRET: 'a'.repeat(40) }
    expect(problemsOfTheirs(weak)).toEqual([])
    expect(problemsOfTheirs({ ...weak, PROD_MODE: 'true' })).toContainEqual(
      expect.stringMatching(/SECRET: repeats itself/),
    )
  },
  S19: both(
    getsALine(open, SYSTEM, { PKCE_REQUIRED: 'false', RENDER_CONSENT_PAGE: 'false' }),
    provedBy('test/login/no-consent.test.ts', 'gets its code without a question'),
  ),
  S20: both(getsALine(open, SYSTEM, { OIDC_ALLOW_INSECURE_HTTP: 'true' }), () => {
    const { config } = loadTheirs({ ...OPEN, DISCOVERY_URL: 'http://keycloak:8080/realms/x' })
    expect(config.provider).toMatchObject({
      discoveryUrl: 'http://keycloak:8080/realms/x/.well-known/openid-configuration',
    })
  }),
  async S21() {
    const { app } = await startTheirs({ ...OPEN, MCP_RESOURCE_NAME: 'ACME MCP' })
    const document = await send(app, `${ORIGIN}/.well-known/oauth-protected-resource/mcp`)
    expect(document.json()).toMatchObject({ resource_name: 'ACME MCP' })
  },
  S22: both(
    getsALine(open, SYSTEM, { IDP_EXCHANGE_RATE_PER_SEC: '20', IDP_EXCHANGE_BURST: '50' }),
    provedBy(
      'test/login/callback.test.ts',
      'makes a bounded number of calls for one address, whatever sign-ins it begins',
    ),
  ),
  S23: () => expect(configOf({ LOG_LEVEL: 'warn' }).logLevel).toBe('warn'),
  S24: getsALine(open, SYSTEM, { ACCESS_LOG_SKIP_RE: '^/healthz$', MCP_LOG_BODY_MAX: '0' }),
  S25: getsALine(open, SYSTEM, {
    METRICS_ADDR: ':9090',
    MCP_TOOL_METRICS: 'true',
    MCP_TOOL_METRICS_MAX_CARDINALITY: '256',
  }),
  S26() {
    const { config, warnings } = loadTheirs({
      ...OPEN,
      PROD_MODE: 'false',
      REQUIRE_VERIFIED_EMAIL: 'true',
      REDIS_KEY_PREFIX: 'mcp-auth-proxy:',
    })
    expect(config.redis).toMatchObject({ keyPrefix: 'mcp-auth-proxy:' })
    expect(warnings).toEqual([])
  },
  S27: both(getsALine(open, SYSTEM, { UPSTREAM_FORWARD_IDP_TOKEN: 'true' }), async () => {
    const { app, server, signIn } = await startSignedIn({
      UPSTREAM_PROVIDER_TOKEN: 'Authorization',
      RECHECK_AT_REFRESH: 'true',
    })
    const { access_token } = await signIn()
    await send(app, MCP, { authorization: `Bearer ${access_token}` })
    expect(server.requests.at(-1)?.headers.authorization).toBe(`Bearer ${ACCESS_TOKEN}`)
  }),
  S28() {
    const { config, warnings } = loadTheirs({
      ...OPEN,
      PROD_MODE: 'false',
      REQUIRE_VERIFIED_EMAIL: 'true',
      OIDC_EXTRA_SCOPES: 'groups offline_access',
    })
    const scopes = ['openid', 'email', 'profile', 'groups', 'offline_access']
    expect(config.provider).toMatchObject({ scopes })
    expect(warnings).toEqual([])
  },
  S29: getsALine(open, SYSTEM, {
    GROUPS_CLAIM_MAX_BYTES: '32768',
    CSP_FORM_ACTION_EXTRA: 'https://idp.example.com',
  }),
}

const paths: Proofs = {
  async P1() {
    const { app } = await startTheirs(OPEN)
    for (const [path, resource] of [
      ['/mcp', MCP],
      ['', ORIGIN],
    ]) {
      const answer = await send(app, `${ORIGIN}/.well-known/oauth-protected-resource${path}`)
      expect(answer.json()).toMatchObject({ resource, authorization_servers: [ORIGIN] })
    }
  },
  async P2() {
    const { app } = await startTheirs(OPEN)
    const answer = await send(app, `${ORIGIN}/.well-known/oauth-authorization-server`)
    expect(answer.json()).toMatchObject({
      issuer: ORIGIN,
      registration_endpoint: `${ORIGIN}/register`,
      authorization_endpoint: `${ORIGIN}/authorize`,
      token_endpoint: `${ORIGIN}/token`,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token']),
    })
  },
  P3: () => signedIn(),
  P4: () => signedIn(),
  P5: provedBy('test/login/below-authorize.test.ts', "['/consent', '/login'],"),
  P6: () => signedIn(),
  P7: () => signedIn(),
  P8: () => signedIn(),
  async P9() {
    const { app } = await startTheirs(OPEN)
    expect((await send(app, `${ORIGIN}/healthz`)).statusCode).toBe(200)
  },
  P10: both(
    async () => {
      const { app } = await startTheirs(OPEN)
      expect((await send(app, `${ORIGIN}/readyz`)).statusCode).toBe(200)
    },
    provedBy(
      'test/http/health.test.ts',
      'stays 200 and says so when the store is lost later, so that not every replica is taken out',
    ),
  ),
  async P11() {
    const { app } = await startTheirs(OPEN)
    expect((await send(app, `${ORIGIN}/metrics`)).statusCode).toBe(404)
  },
}

/** A whole sign-in; returns the request that reached the server, and our answer. */
async function signedIn() {
  const { app, server, signIn } = await startSignedIn({
    IDENTITY_HEADERS: 'X-User-Sub=subject,X-User-Email=email,X-User-Groups=groups',
  })
  const { access_token, refresh_token } = await signIn()
  expect(refresh_token).toBeTruthy()
  const answer = await send(app, `${MCP}/below`, {
    authorization: `Bearer ${access_token}`,
    'x-user-admin': 'true',
    'x-user-sub': 'forged',
  })
  expect(answer.body).toBe('the server')
  const request = server.requests.at(-1)
  expect(request?.url).toBe('/mcp/below')
  return { answer, headers: request?.headers ?? {} }
}

const headers: Proofs = {
  async H1() {
    expect((await signedIn()).headers).toMatchObject({
      'x-user-sub': 'subject-of-ann',
      'x-user-email': 'ann@example.com',
      'x-user-groups': 'staff',
    })
  },
  H2: async () => expect((await signedIn()).headers).not.toHaveProperty('x-user-admin'),
  async H3() {
    const { app } = await startTheirs(OPEN)
    const { headers } = await send(app, MCP, { 'x-request-id': 'theirs' })
    expect(headers['x-request-id']).toBeTruthy()
  },
  H4: async () => expect((await signedIn()).headers).not.toHaveProperty('authorization'),
  async H5() {
    const { app } = await startTheirs(OPEN)
    const answer = await send(app, MCP)
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain(
      `resource_metadata="${ORIGIN}/.well-known/oauth-protected-resource/mcp"`,
    )
  },
}

const lifetimes: Proofs = {
  L1() {
    expect(configOf()).not.toHaveProperty('clientLifetime')
    expect(configOf({ CLIENT_LIFETIME: '7d' }).clientLifetime).toBe(7 * 86_400)
  },
  L2: provedBy('test/login/callback.test.ts', 'that comes after 30 minutes leads to the beginning'),
  L3: provedBy('test/oauth/token.test.ts', 'cl12: is worth nothing after five minutes'),
  L4: async () => {
    const { signIn } = await startSignedIn()
    expect((await signIn()).expires_in).toBe(3600)
  },
  L5() {
    expect(configOf().lifetimes).toMatchObject({ grantIdle: 14 * 86_400, grant: 30 * 86_400 })
    const week = { GRANT_IDLE: '7d', GRANT_LIFETIME: '7d' }
    expect(configOf(week).lifetimes).toMatchObject({ grantIdle: 7 * 86_400, grant: 7 * 86_400 })
  },
}

const habits: Proofs = {
  B1: () => expect(problemsOfTheirs(THEIRS)).toEqual([expect.stringMatching(/^ALLOWED_EMAILS: /)]),
  async B2() {
    const { app, server, signIn } = await startSignedIn({}, false)
    const { access_token } = await signIn()
    await send(app, MCP, { authorization: `Bearer ${access_token}` })
    expect(server.requests.at(-1)?.headers['x-forwarded-email'] ?? '').toBe('')
    const closed = await startSignedIn({ ALLOWED_EMAILS: 'ann@example.com' }, false)
    await expect(closed.signIn()).rejects.toThrow()
    const strict = await startSignedIn({ REQUIRE_VERIFIED_EMAIL: 'true' }, false)
    await expect(strict.signIn()).rejects.toThrow()
  },
  B3: provedBy('test/proxy/redirects.test.ts', '%i is followed with method and body'),
  async B4() {
    const { app } = await startTheirs(OPEN)
    const url = authorizeUrl(await register(app), { resource: MCP, state: undefined })
    expect((await createBrowser(app, ORIGIN).get(url)).body).toContain('name="decision"')
  },
  B5: both(
    provedBy('test/http/rate-limit.test.ts', 'counts registration, tokens and login apart'),
    () =>
      expect(configOf({ RATE_LIMIT_REGISTER: '10' }).rateLimits).toMatchObject({ register: 10 }),
  ),
  async B6() {
    const { app, signIn } = await startSignedIn()
    const { access_token, refresh_token, client } = await signIn()
    const headers = { authorization: `Bearer ${access_token}` }
    expect((await send(app, MCP, headers)).statusCode).toBe(200)
    expect((await revoke(app, client, refresh_token)).statusCode).toBe(200)
    expect((await send(app, MCP, headers)).statusCode).toBe(401)
  },
  B7: provedBy(
    'test/e2e/replicas.test.ts',
    'a program discovers, registers, is authorized, calls and refreshes, each request at the other one',
  ),
}

const absent: Proofs = {
  N1: async () => paths.P11?.(),
  N2: noFile(/kustomization\.ya?ml$|Chart\.ya?ml$/),
  N3: noFile(/^\.github\/.*release/),
  N4: both(
    provedBy('docs/runbooks.md', '## Rotate the signing keys'),
    provedBy('docs/runbooks.md', '## The provider is away'),
    provedBy('docs/threat-model.md', '# '),
  ),
}

export const babs: Proofs = {
  ...settings,
  ...paths,
  ...headers,
  ...lifetimes,
  ...habits,
  ...absent,
}
