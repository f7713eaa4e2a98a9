/**
 * risedphantom/mcp-oauth2-proxy: its keys, variables, commands, paths, lifetimes and habits.
 *
 * @module
 */
import { expect } from 'vitest'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { redirectUriOf } from '../../../src/config/config.ts'
import { load } from '../../config/harness.ts'
import { createClock } from '../../support/build-app.ts'
import { blockOf } from '../../support/documentation.ts'
import {
  ACCESS_TOKEN,
  CLIENT_ID,
  CLIENT_SECRET,
  type HostileProvider,
  startHostileProvider,
} from '../../support/hostile-provider.ts'
import { startUpstream } from '../../support/upstream-server.ts'
import { migrationPage } from '../migration-page.ts'
import { both, type Proof, type Proofs, provedBy } from '../proof.ts'
import {
  loadTheirs,
  noFile,
  problemsOfTheirs,
  send,
  signInTheirs,
  startTheirs,
} from '../their-settings.ts'

const { text } = migrationPage('risedphantom-mcp-oauth2-proxy')
const THEIR_FILE = blockOf(text, 'example: config.yaml')
const OUR_FILE = blockOf(text, 'example: gatewarden.yaml')
const ORIGIN = 'https://mcp-proxy.example.com'

const THEIRS = {
  MCP_OAUTH2_PROXY_AUTH_BASEURL: ORIGIN,
  MCP_OAUTH2_PROXY_AUTH_ISSUERURL: 'https://auth.example.com/realms/myrealm',
  MCP_OAUTH2_PROXY_AUTH_CLIENTID: 'mcp-proxy',
  MCP_OAUTH2_PROXY_AUTH_CLIENTSECRET: CLIENT_SECRET,
  MCP_OAUTH2_PROXY_UPSTREAM_URL: 'http://localhost:3000',
}
const OPEN = { ...THEIRS, ALLOWED_EMAILS: '*' }
const configOf = (more: Record<string, string> = {}) => loadTheirs({ ...OPEN, ...more }).config

/** Expects that a file of theirs is refused, with our name for this key. */
const named =
  (key: string, advice: string): Proof =>
  () =>
    expect(problemsOfTheirs({}, THEIR_FILE)).toContainEqual(
      expect.stringMatching(`^${key}: is a key of risedphantom/mcp-oauth2-proxy\\. .*${advice}`),
    )

/**
 * A whole sign-in with the file of the page, at a Keycloak and a server of this machine.
 * @param more lines for the file
 */
export async function signedIn(
  more = '',
  prepare: (provider: HostileProvider) => void = () => undefined,
) {
  const provider = await startHostileProvider()
  prepare(provider)
  const server = await startUpstream((request, response) => {
    response.writeHead(request.url === '/refuses' ? 401 : 200, {
      ...(request.url === '/refuses' && { 'www-authenticate': 'Bearer realm="inner"' }),
    })
    response.end('the server')
  })
  const test = await startTheirs({}, pageFile(provider.issuer, server.origin) + more)
  const tokens = await signInTheirs(test.app, {
    origin: ORIGIN,
    resource: ORIGIN,
    at: provider.signIn,
  })
  const headers = { authorization: `Bearer ${tokens.access_token}` }
  return { ...test, provider, server, headers, tokens }
}

/** The same for a program that gets the token of Keycloak. */
async function signedInForTheirs() {
  const issued: string[] = []
  const signed = await signedIn(
    '\nclient_tokens: provider\naccept_provider_tokens: true\n',
    (provider) => {
      provider.issues = async () => {
        const at = Math.floor(createClock()() / 1000)
        const claims = { iss: provider.issuer, azp: CLIENT_ID, typ: 'Bearer', iat: at }
        issued.push(await provider.signToken({ ...claims, exp: at + 600, ...provider.person }))
        return String(issued.at(-1))
      }
    },
  )
  return { ...signed, issued }
}

/** The file of the page, with the hosts of this machine. */
const pageFile = (issuer: string, upstream: string) =>
  OUR_FILE.replace('https://auth.example.com/realms/myrealm', issuer)
    .replace('client_id: mcp-proxy', `client_id: ${CLIENT_ID}`)
    .replace(/client_secret: .*/, `client_secret: ${CLIENT_SECRET}`)
    .replace('http://localhost:3000', upstream)

const settings: Proofs = {
  S1() {
    const keys = problemsOfTheirs({}, THEIR_FILE).filter((problem) => problem.includes('is a key'))
    expect(keys).toHaveLength(16)
  },
  S2: both(named('auth.baseUrl', 'public_url'), () =>
    expect(configOf().publicUrl.origin).toBe(ORIGIN),
  ),
  S3: both(
    named('auth.issuerUrl', 'issuer_url'),
    named('auth.clientId', 'client_id'),
    named('auth.clientSecret', 'client_secret'),
    () => expect(configOf().provider).toMatchObject({ type: 'oidc', clientId: 'mcp-proxy' }),
  ),
  S4: both(named('upstream.url', 'upstream'), () => {
    for (const upstream of ['http://localhost:3000', 'http://localhost:3000/mcp']) {
      const { resources } = configOf({ MCP_OAUTH2_PROXY_UPSTREAM_URL: upstream })
      expect(resources).toMatchObject([{ url: ORIGIN, upstream }])
    }
  }),
  S5: both(named('server.listenAddress', 'host and port'), () => {
    expect(configOf().listen.port).toBe(11_000)
    expect(configOf({ MCP_OAUTH2_PROXY_SERVER_LISTENADDRESS: ':8080' }).listen.port).toBe(8080)
  }),
  S6: both(named('auth.scopesSupported', 'allowed_scopes'), () => {
    const { resources } = configOf({ MCP_OAUTH2_PROXY_AUTH_SCOPESSUPPORTED: 'mcp:read,mcp:write' })
    expect(Object.keys(resources[0]?.scopes ?? {})).toEqual(['mcp:read', 'mcp:write'])
  }),
  S7: both(named('auth.oidcScopes', 'provider_scopes'), () => {
    const { provider } = configOf({ MCP_OAUTH2_PROXY_AUTH_OIDCSCOPES: 'openid,groups' })
    expect(provider).toMatchObject({ scopes: ['openid', 'groups'] })
    expect(configOf({ MCP_OAUTH2_PROXY_AUTH_OIDCSCOPES: 'groups' }).provider).toMatchObject({
      scopes: ['openid', 'groups'],
    })
  }),
  S8: both(named('auth.clientTtl', 'client_lifetime'), () =>
    expect(configOf({ MCP_OAUTH2_PROXY_AUTH_CLIENTTTL: '24h' }).clientLifetime).toBe(86_400),
  ),
  S9: both(
    named('auth.sessionTtl', '30 minutes'),
    named('auth.codeTtl', '5 minutes'),
    hasLine('MCP_OAUTH2_PROXY_AUTH_SESSIONTTL'),
    hasLine('MCP_OAUTH2_PROXY_AUTH_CODETTL'),
  ),
  S10: both(named('auth.authorizationServers', 'authorization_servers'), () => {
    const ISSUER = 'https://auth.example.com/realms/myrealm'
    const listing = (...servers: string[]) =>
      problemsOfTheirs(
        {},
        OUR_FILE.replace(
          '    upstream:',
          `    accept_provider_tokens: true\n    authorization_servers: [${servers.join()}]\n    upstream:`,
        ),
      )
    expect(listing(ORIGIN)).toEqual([])
    expect(listing(ISSUER, ORIGIN)).toEqual([])
    expect(listing('https://elsewhere.example')).toEqual([
      expect.stringContaining('authorization_servers'),
    ])
  }),
  S11: both(
    named('headers.mutations', 'header_mutations'),
    provedBy('test/proxy/header-mutations.test.ts', 'sr2: the list of risedphantom'),
  ),
  S12: both(
    named('server.readTimeout', 'upstream_idle_timeout'),
    named('server.writeTimeout', 'Remove it'),
    named('server.idleTimeout', 'Remove it'),
  ),
  S13: hasLine('MCP_OAUTH2_PROXY_SERVER_READTIMEOUT'),
}

/** Expects one line at the start for a variable, and nothing else. */
function hasLine(name: string): Proof {
  return () => {
    const { config, warnings } = loadTheirs({ ...OPEN, [name]: '10m' })
    const { warnings: plain } = loadTheirs(OPEN)
    expect(warnings.filter((line) => !plain.includes(line))).toEqual([
      expect.stringMatching(`^${name}: .*has no effect`),
    ])
    expect(config).toEqual(configOf())
  }
}

const hasCommand = (words: string) => expect(COMMANDS.map((row) => row.words)).toContain(words)

const commands: Proofs = {
  C1() {
    hasCommand('serve')
    const files = { '/srv/config/gatewarden.yaml': OUR_FILE }
    const argv = ['--config', 'config/gatewarden.yaml']
    const env = { PUBLIC_URL: undefined, RESOURCES: undefined, ALLOWED_EMAILS: undefined }
    expect(load({ argv, files, env }).config.publicUrl.origin).toBe(ORIGIN)
  },
  C2() {
    expect(configOf({ MCP_OAUTH2_PROXY_LOG_LEVEL: 'DEBUG' }).logLevel).toBe('debug')
    const levelOf = (level: string) => load({ argv: ['--log-level', level] }).config.logLevel
    expect(['DEBUG', 'INFO', 'WARN', 'ERROR'].map(levelOf)).toEqual([
      'debug',
      'info',
      'warn',
      'error',
    ])
    for (const level of ['FATAL', 'PANIC']) expect(() => levelOf(level)).not.toThrow()
  },
  C3() {
    expect(load({ argv: ['--log-format', 'text'] }).config.logFormat).toBe('text')
    expect(configOf({ MCP_OAUTH2_PROXY_LOG_FORMAT: 'text' }).logFormat).toBe('text')
  },
  C4: () => hasCommand('version'),
  C5: () => expect(loadTheirs({}, OUR_FILE).config.listen.port).toBe(8080),
}

/** The metadata name an endpoint as ours, and with `PATH_PREFIX` as theirs. */
async function expectEndpoint(name: string, path: string): Promise<void> {
  for (const [prefix, issuer] of [
    ['', ORIGIN],
    ['/oauth', `${ORIGIN}/oauth`],
  ]) {
    const { app } = await startTheirs({ ...OPEN, PATH_PREFIX: prefix })
    const url = `${ORIGIN}/.well-known/oauth-authorization-server${prefix}`
    expect((await send(app, url)).json()).toMatchObject({ issuer, [name]: `${issuer}/${path}` })
  }
}

const paths: Proofs = {
  P1: both(
    () => expectEndpoint('registration_endpoint', 'register'),
    async () => {
      const { app } = await startTheirs({ ...OPEN, PATH_PREFIX: '/oauth' })
      const registered = await app.inject({
        method: 'POST',
        url: '/oauth/register',
        headers: { host: new URL(ORIGIN).host },
        payload: { redirect_uris: ['http://127.0.0.1/callback'] },
      })
      expect(registered.statusCode).toBe(201)
    },
  ),
  P2: both(
    () => expectEndpoint('authorization_endpoint', 'authorize'),
    () => expectEndpoint('token_endpoint', 'token'),
    () => {
      const config = configOf({ PATH_PREFIX: '/oauth' })
      expect(redirectUriOf(config)).toBe(`${ORIGIN}/oauth/callback`)
    },
  ),
  async P3() {
    const { provider } = await signedIn()
    expect(provider.redeemed.at(-1)?.get('redirect_uri')).toBe(`${ORIGIN}/oauth/callback`)
    expect(configOf({ CALLBACK_PATH: '/oauth/callback' }).callbackPath).toBe('/oauth/callback')
    expect(configOf()).not.toHaveProperty('callbackPath')
  },
  async P4() {
    const { app } = await startTheirs(OPEN)
    const answer = await send(app, `${ORIGIN}/.well-known/oauth-protected-resource`)
    expect(answer.json()).toMatchObject({ resource: ORIGIN, authorization_servers: [ORIGIN] })
  },
  async P5() {
    const { app } = await startTheirs(OPEN)
    for (const path of ['/healthz', '/readyz']) {
      expect((await send(app, ORIGIN + path)).json()).toEqual(expect.any(Object))
    }
  },
  async P6() {
    expect(loadTheirs(OPEN).warnings).toEqual([expect.stringContaining('never reach the server')])
    expect(loadTheirs({ ...OPEN, PATH_PREFIX: '/oauth' }).warnings).toEqual([])
    const { app, server, headers } = await signedIn()
    expect((await send(app, `${ORIGIN}/any/path?x=1`, headers)).body).toBe('the server')
    expect(server.requests.at(-1)?.url).toBe('/any/path?x=1')
    expect((await send(app, `${ORIGIN}/jwks`, headers)).json()).toHaveProperty('keys')
  },
}

const headers: Proofs = {
  async H1() {
    const { app, server, headers } = await signedIn()
    await send(app, `${ORIGIN}/mcp`, headers)
    const got = server.requests.at(-1)?.headers
    expect(got).not.toHaveProperty('authorization')
    expect(got).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
    })
    const asBefore = await signedIn(
      '\nupstream_provider_token: Authorization\nrecheck_at_refresh: true\n',
    )
    await send(asBefore.app, `${ORIGIN}/mcp`, asBefore.headers)
    const { authorization } = asBefore.server.requests.at(-1)?.headers ?? {}
    expect(authorization).toBe(`Bearer ${ACCESS_TOKEN}`)
  },
  H2() {
    expect(Object.keys(configOf().identityHeaders)).toHaveLength(7)
    const own = configOf({ IDENTITY_HEADERS: 'X-User-Sub=subject' })
    expect(own.identityHeaders).toEqual({ 'X-User-Sub': 'subject' })
  },
  async H3() {
    const { app, headers } = await signedIn()
    const answer = await send(app, `${ORIGIN}/refuses`, headers)
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('resource_metadata=')
    expect(answer.headers['www-authenticate']).not.toContain('inner')
  },
  async H4() {
    expect(loadTheirs({}, OUR_FILE).warnings.join('\n')).toContain('authorizationHeader')
    const { app, server, headers, tokens } = await signedIn()
    await send(app, `${ORIGIN}/mcp`, headers)
    expect(server.requests.at(-1)?.headers['x-auth-header']).toBe(tokens.access_token)
  },
}

const lifetimes: Proofs = {
  L1() {
    expect(configOf()).not.toHaveProperty('clientLifetime')
    expect(loadTheirs({}, OUR_FILE).config.clientLifetime).toBe(86_400)
  },
  L2: provedBy('test/login/callback.test.ts', 'that comes after 30 minutes leads to the beginning'),
  L3: provedBy('test/oauth/token.test.ts', 'cl12: is worth nothing after five minutes'),
  L4() {
    expect(configOf().lifetimes).toMatchObject({ accessToken: 3600, grant: 30 * 86_400 })
  },
}

const habits: Proofs = {
  B1: () => expect(problemsOfTheirs(THEIRS)).toEqual([expect.stringMatching(/^ALLOWED_EMAILS: /)]),
  async B2() {
    const { app, server } = await signedIn()
    const before = server.requests.length
    const answer = await send(app, `${ORIGIN}/mcp`, { authorization: 'Bearer anything' })
    expect(answer.statusCode).toBe(401)
    expect(server.requests).toHaveLength(before)
  },
  async B3() {
    const { app, restart, headers } = await signedIn()
    expect((await send(app, `${ORIGIN}/mcp`, headers)).statusCode).toBe(200)
    const again = await restart()
    expect((await send(again.app, `${ORIGIN}/mcp`, headers)).statusCode).toBe(200)
  },
  B4: provedBy(
    'test/proxy/streaming.test.ts',
    'arrives event by event, each before the next one is written',
  ),
  B5: both(
    async () => {
      const { tokens } = await signedIn()
      expect(tokens.access_token).not.toContain('an-access-token-of-the-provider')
    },
    async () => {
      const { app, server, headers, tokens, issued } = await signedInForTheirs()
      expect(tokens.access_token).toBe(issued[0])
      expect((await send(app, `${ORIGIN}/mcp`, headers)).statusCode).toBe(200)
      expect(server.requests).toHaveLength(1)
    },
    provedBy('test/oauth/relay.test.ts', 'is good for no other client, nor for another resource'),
  ),
}

const absent: Proofs = {
  N1: noFile(/Chart\.ya?ml$/),
  N2: noFile(/^\.github\/.*release/),
}

export const risedphantom: Proofs = {
  ...settings,
  ...commands,
  ...paths,
  ...headers,
  ...lifetimes,
  ...habits,
  ...absent,
}
