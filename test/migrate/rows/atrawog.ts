/**
 * atrawog/mcp-oauth-gateway: its variables, commands, paths, headers and habits.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect } from 'vitest'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { ROOT } from '../../support/documentation.ts'
import { GITHUB_CLIENT, startGithub } from '../../support/github-stand-in.ts'
import { check, introspect, register, revoke } from '../../support/oauth-client.ts'
import { both, checksItself, type Proof, type Proofs, provedBy } from '../proof.ts'
import {
  getsALine,
  loadTheirs,
  problemsOfTheirs,
  send,
  signInTheirs,
  startTheirs,
} from '../their-settings.ts'

const SYSTEM = 'atrawog/mcp-oauth-gateway'
const SECRET = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae2iXq'
const ORIGIN = 'https://auth.example.com'

const THEIRS = {
  GITHUB_CLIENT_ID: GITHUB_CLIENT.id,
  GITHUB_CLIENT_SECRET: GITHUB_CLIENT.secret,
  GATEWAY_JWT_SECRET: SECRET,
  BASE_DOMAIN: 'example.com',
  ALLOWED_GITHUB_USERS: 'octoann',
}
const theirs = () => THEIRS
const configOf = (more: Record<string, string> = {}) => loadTheirs({ ...THEIRS, ...more }).config

const hasCommand =
  (words: string): Proof =>
  () =>
    expect(COMMANDS.map((row) => row.words)).toContain(words)

/** Asks `/verify` as Traefik does for a server of the domain. */
export const askVerify = (
  app: FastifyInstance,
  headers: Record<string, string> = {},
  host = 'mcp-fetch.example.com',
) => check(app, { 'x-forwarded-host': host, 'x-forwarded-uri': '/mcp', ...headers }, '/verify')

/** A start with a GitHub of this machine, where ann signs in. */
export async function startSignedIn(settings: Record<string, string>) {
  const github = await startGithub()
  const test = await startTheirs({
    ...settings,
    GITHUB_CLIENT_ID: GITHUB_CLIENT.id,
    GITHUB_CLIENT_SECRET: GITHUB_CLIENT.secret,
    GITHUB_URL: github.site,
    GITHUB_API_URL: github.api,
  })
  const signIn = (resource = 'https://mcp-fetch.example.com/mcp') =>
    signInTheirs(test.app, { origin: ORIGIN, resource, at: github.signIn })
  return { ...test, github, signIn }
}

async function signedIn(more: Record<string, string> = {}) {
  const test = await startSignedIn({ ...THEIRS, ...more })
  const tokens = await test.signIn()
  return { ...test, tokens, headers: { authorization: `Bearer ${tokens.access_token}` } }
}

const pemInBase64 = () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return Buffer.from(pem).toString('base64')
}

const settings: Proofs = {
  S1() {
    expect(configOf().provider).toMatchObject({ type: 'github', clientId: GITHUB_CLIENT.id })
  },
  S2() {
    expect(configOf().resources[0]?.allow).toMatchObject({ anyone: false, users: ['octoann'] })
    const everybody = configOf({ ALLOWED_GITHUB_USERS: '*' })
    expect(everybody.resources[0]?.allow.anyone).toBe(true)
  },
  S3() {
    const { publicUrl, resources } = configOf()
    expect(publicUrl.origin).toBe(ORIGIN)
    expect(resources.map(({ url }) => url)).toEqual(['https://*.example.com'])
    const own = configOf({
      PUBLIC_URL: 'https://login.example.com',
      RESOURCES: 'https://a.example.com',
    })
    expect(own.publicUrl.origin).toBe('https://login.example.com')
  },
  S4() {
    expect(configOf().secret).toBe(SECRET)
    const inContainer = { GATEWAY_JWT_SECRET: undefined, JWT_SECRET: SECRET }
    expect(loadTheirs({ ...THEIRS, ...inContainer }).config.secret).toBe(SECRET)
    const ofAnother = { ...inContainer, BASE_DOMAIN: undefined, PUBLIC_URL: ORIGIN }
    expect(loadTheirs({ ...THEIRS, ...ofAnother }).config.secret).toBeUndefined()
    expect(problemsOfTheirs({ ...THEIRS, GATEWAY_JWT_SECRET: 'short' })).toEqual([
      expect.stringMatching(/^GATEWAY_JWT_SECRET: /),
    ])
  },
  S5: both(getsALine(theirs, SYSTEM, { JWT_ALGORITHM: 'RS256' }), async () => {
    const { tokens } = await signedIn({ JWT_PRIVATE_KEY_B64: pemInBase64() })
    expect(decodeProtectedHeader(tokens.access_token).alg).toBe('RS256')
  }),
  S6() {
    const redis = (url: string) => configOf({ REDIS_URL: url, REDIS_PASSWORD: 'p@ss' }).redis
    expect(redis('redis://redis:6379')).toMatchObject({ password: 'p@ss' })
    expect(redis('redis://:own@redis:6379')).toMatchObject({ password: 'own' })
    expect(loadTheirs({ ...THEIRS, REDIS_HOST: 'redis' }).warnings).toContainEqual(
      expect.stringMatching(/^REDIS_HOST: /),
    )
  },
  S7() {
    const MCP_CORS_ORIGINS = 'https://claude.ai'
    expect(configOf({ MCP_CORS_ORIGINS }).allowedOrigins).toEqual([MCP_CORS_ORIGINS])
  },
  S8() {
    const more = { ACCESS_TOKEN_LIFETIME: '86400', REFRESH_TOKEN_LIFETIME: '2592000' }
    expect(configOf(more).lifetimes).toMatchObject({ accessToken: 86_400, grant: 2_592_000 })
    expect(configOf().lifetimes).toMatchObject({
      accessToken: 3600,
      grant: 30 * 86_400,
      grantIdle: 14 * 86_400,
    })
  },
  S9() {
    expect(configOf({ CLIENT_LIFETIME: '7776000' }).clientLifetime).toBe(7_776_000)
    for (const config of [configOf(), configOf({ CLIENT_LIFETIME: '0' })]) {
      expect(config).not.toHaveProperty('clientLifetime')
    }
  },
  S10: getsALine(theirs, SYSTEM, { SESSION_TIMEOUT: '3600' }),
  S11: getsALine(theirs, SYSTEM, { ACME_EMAIL: 'admin@example.com' }),
  S12: getsALine(theirs, SYSTEM, {
    MCP_PROTOCOL_VERSION: '2025-06-18',
    MCP_PROTOCOL_VERSIONS_SUPPORTED: '2025-06-18,2025-03-26',
  }),
  S13: getsALine(theirs, SYSTEM, {
    MCP_FETCH_ENABLED: 'true',
    MCP_SEQUENTIALTHINKING_ENABLED: 'true',
    MCP_FETCH_TESTS_ENABLED: 'false',
    MCP_FETCH_URLS: 'https://fetch.example.com/mcp',
  }),
  S14: getsALine(theirs, SYSTEM, {
    GITHUB_PAT: 'ghp_x',
    GATEWAY_OAUTH_ACCESS_TOKEN: 'x',
    MCP_CLIENT_ACCESS_TOKEN: 'x',
    MCP_TESTING_URL: 'https://fetch.example.com/mcp',
  }),
}

const commands: Proofs = {
  C1() {
    const { config } = loadTheirs({ ...THEIRS, GATEWAY_JWT_SECRET: undefined })
    expect(config.secret).toBeUndefined()
  },
  C2: both(hasCommand('keys list'), hasCommand('keys rotate')),
  C3: both(hasCommand('healthcheck'), async () => {
    const { app } = await startTheirs(THEIRS)
    for (const path of ['/healthz', '/readyz']) {
      expect((await send(app, ORIGIN + path)).statusCode).toBe(200)
    }
  }),
  C4: hasCommand('token'),
  C5: provedBy('docs/architecture.md', 'until the grant expires or is revoked'),
  C6: provedBy('docs/scaling.md', 'ackup'),
  C7() {
    expect(COMMANDS.filter(({ words }) => /^(?:clients|grants|sessions)\b/.test(words))).toEqual([])
  },
  C8() {
    expect(COMMANDS.filter(({ words }) => /ssl|certificate/.test(words))).toEqual([])
  },
  C9: hasCommand('config check'),
  C10: checksItself,
}

const paths: Proofs = {
  async P1() {
    const { app } = await startTheirs(THEIRS)
    expect(await register(app)).toMatchObject({
      registration_access_token: expect.any(String),
      registration_client_uri: expect.stringMatching(/^https:\/\/auth\.example\.com\/register\//),
    })
  },
  P2: () => manage('GET', 200),
  P3: () => manage('PUT', 400),
  P4: async () => void (await signedIn()),
  P5: async () => expect((await signedIn()).tokens.refresh_token).toBeTruthy(),
  async P6() {
    const { app, tokens, headers } = await signedIn()
    expect((await revoke(app, tokens.client, tokens.refresh_token)).statusCode).toBe(200)
    expect((await askVerify(app, headers)).statusCode).toBe(401)
  },
  async P7() {
    const { app, tokens } = await signedIn()
    const other = await register(app, { token_endpoint_auth_method: 'client_secret_post' })
    expect((await introspect(app, other, tokens.access_token)).json()).toEqual({ active: false })
  },
  async P8() {
    const { app } = await startTheirs(THEIRS)
    const answer = await send(app, `${ORIGIN}/.well-known/oauth-authorization-server`)
    expect(answer.json()).toMatchObject({
      issuer: ORIGIN,
      revocation_endpoint: `${ORIGIN}/revoke`,
      introspection_endpoint: `${ORIGIN}/introspect`,
    })
  },
  async P9() {
    const { app, headers } = await signedIn()
    expect((await askVerify(app)).statusCode).toBe(401)
    const allowed = await askVerify(app, headers)
    expect(allowed.statusCode).toBe(200)
    expect(allowed.headers).toMatchObject({
      'x-user-id': expect.stringMatching(/^u_/),
      'x-user-name': 'Ann Adams',
    })
  },
  async P10() {
    const { app } = await startTheirs(THEIRS)
    expect((await send(app, `${ORIGIN}/health`)).statusCode).toBe(200)
  },
  async P11() {
    const { app } = await startTheirs(THEIRS)
    for (const path of ['/success', '/error']) {
      expect((await send(app, ORIGIN + path)).statusCode).toBe(404)
    }
  },
}

/** A client asks for its own registration, at the address that it was told. */
async function manage(method: 'GET' | 'PUT', status: number): Promise<void> {
  const { app } = await startTheirs(THEIRS)
  const registered = await app.inject({
    method: 'POST',
    url: '/register',
    payload: { redirect_uris: ['https://claude.ai/api/mcp/auth_callback'] },
  })
  const { registration_client_uri, registration_access_token } = registered.json()
  const { pathname, search } = new URL(registration_client_uri)
  const answer = await app.inject({
    method,
    url: pathname + search,
    headers: {
      host: 'auth.example.com',
      authorization: `Bearer ${registration_access_token}`,
    },
    ...(method === 'PUT' && { payload: {} }),
  })
  expect(answer.statusCode).toBe(status)
}

const headers: Proofs = {
  async H1() {
    const { app, headers } = await signedIn({ IDENTITY_HEADERS: 'X-User-Id=subject,X-User-Name' })
    expect((await askVerify(app, headers)).headers['x-user-id']).toBe('583231')
  },
  H2: both(
    async () => {
      const { app, headers } = await signedIn()
      expect((await askVerify(app, headers)).headers['x-user-name']).toBe('Ann Adams')
    },
    provedBy('docs/assertion.md', '| `preferred_username`, `name` |'),
  ),
  async H3() {
    const { app, headers } = await signedIn()
    expect((await askVerify(app, headers)).headers).not.toHaveProperty('x-auth-token')
  },
  async H4() {
    const { tokens } = await signedIn()
    const claims = JSON.stringify(decodeJwt(tokens.access_token))
    for (const personal of ['octoann', 'ann@example.com', 'Ann Adams', '583231']) {
      expect(claims.toLowerCase()).not.toContain(personal.toLowerCase())
    }
  },
  async H5() {
    const { app } = await startTheirs(THEIRS)
    expect((await askVerify(app)).headers['www-authenticate']).toMatch(
      /^Bearer .*resource_metadata="/,
    )
  },
}

const habits: Proofs = {
  async B1() {
    const { app, headers } = await signedIn()
    expect((await askVerify(app, headers)).statusCode).toBe(200)
    const elsewhere = await askVerify(app, headers, 'mcp-time.example.com')
    expect(elsewhere.statusCode).toBe(401)
  },
  B2: provedBy('test/e2e/migrate-mcpauth.test.ts', "method: 'OPTIONS'"),
  async B3() {
    const { app, headers } = await signedIn({ TRUSTED_PROXIES: '192.0.2.1' })
    expect((await askVerify(app, headers)).statusCode).toBe(403)
  },
  B4: provedBy('test/support/provider-journey.ts', "decision: 'approve'"),
  B5: provedBy('test/oauth/token.test.ts', 'cl12: is worth nothing after five minutes'),
  B6: provedBy('docs/architecture.md', 'Records that are believed carry a MAC over key and value'),
}

const absent: Proofs = {
  N1: () => {
    for (const folder of ['deploy/sample-mcp', 'deploy/sample-stdio', 'deploy/samples']) {
      expect(existsSync(ROOT + folder)).toBe(true)
    }
  },
  N2: provedBy('deploy/samples/headers.py', 'return dict(ctx.headers or {})'),
  N3: provedBy('deploy/domain/compose.yaml', 'acme'),
  N4: async () => commands.C7?.(),
}

export const atrawog: Proofs = {
  ...settings,
  ...commands,
  ...paths,
  ...headers,
  ...habits,
  ...absent,
}
