/**
 * matheuscscp/mcp-oauth2-proxy: its keys, paths, headers, claims and habits.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { COMMANDS } from '../../../src/cli/commands.ts'
import { attribute, tags } from '../../pages/read-markup.ts'
import { createBrowser } from '../../support/browser.ts'
import { afterTest } from '../../support/clean-ups.ts'
import { blockOf } from '../../support/documentation.ts'
import { ANN, GOOGLE_CLIENT, startGoogle } from '../../support/google-stand-in.ts'
import { authorizeUrl, register } from '../../support/oauth-client.ts'
import { type SaidScope, startScopedServer } from '../../support/scoped-server.ts'
import { migrationPage } from '../migration-page.ts'
import { both, type Proof, type Proofs, provedBy } from '../proof.ts'
import {
  getsALine,
  loadTheirs,
  noFile,
  problemsOfTheirs,
  send,
  signInTheirs,
  startTheirs,
} from '../their-settings.ts'

const { text } = migrationPage('matheuscscp-mcp-oauth2-proxy')
const THEIR_FILE = blockOf(text, 'example: config.yaml')
export const OUR_FILE = blockOf(text, 'example: gatewarden.yaml')
const ORIGIN = 'https://auth.example.com'
const SERVER = 'https://mcp.example.com'
const CLAUDE = 'https://claude.ai/api/mcp/auth_callback'

const READS = ['get_resource', 'list_resources']
const WRITES = ['create_resource', 'update_resource', 'delete_resource']
/** The scopes in its README. */
const README_SCOPES: readonly SaidScope[] = [
  {
    name: 'toolbox:read_only',
    description: 'Allow all read-only toolbox operations.',
    tools: READS,
  },
  {
    name: 'toolbox:read_write',
    description: 'Allow all toolbox operations.',
    tools: [...READS, ...WRITES],
  },
  ...[...READS, ...WRITES].map((tool) => ({
    name: `toolbox:${tool}`,
    description: `Allow ${tool}.`,
    tools: [tool],
  })),
]

const config = loadTheirs({}, OUR_FILE).config
/** The file of the page without its last line. */
const withoutPeople = OUR_FILE.replace(/^allow: .*$/m, '')

/** Expects that a file of theirs is refused, with our name for this key. */
const named =
  (key: string, advice: string): Proof =>
  () =>
    expect(problemsOfTheirs({}, THEIR_FILE)).toContainEqual(
      expect.stringMatching(`^${key}: is a key of matheuscscp/mcp-oauth2-proxy\\. .*${advice}`),
    )

/** Asks as their Ingress does: about the host, and nothing else. */
export const ask = (app: FastifyInstance, headers: Record<string, string> = {}) =>
  send(app, `${SERVER}/authenticate`, headers)

/** The file of the page, at a Google, with a server and a proxy of this machine. */
async function start(yaml = OUR_FILE) {
  const google = await startGoogle()
  afterTest(google.stop)
  const server = await startScopedServer(README_SCOPES)
  const here = yaml
    .replace(/scopes_endpoint: .*/, `scopes_endpoint: ${server.url}`)
    .replace('10.0.0.0/16', '127.0.0.1')
    .replace('type: google', `type: google\n    issuer_url: ${google.issuer}`)
    .replace(/client_secret: .*/, `client_secret: ${GOOGLE_CLIENT.secret}`)
  const test = await startTheirs({}, here)
  return { ...test, google, server }
}

/** The consent page that Claude's person sees, and its boxes. */
async function consent({ app }: Awaited<ReturnType<typeof start>>) {
  const client = await register(app, { redirect_uris: [CLAUDE] })
  const url = authorizeUrl(client, { resource: SERVER, redirect_uri: CLAUDE })
  const { body } = await createBrowser(app, ORIGIN).get(url)
  return { body, boxes: tags(body).filter((tag) => tag.includes('type="checkbox"')) }
}

/** A whole sign-in of Claude with the file of the page. */
export async function signedIn(account = ANN) {
  const test = await start()
  const tokens = await signInTheirs(test.app, {
    origin: ORIGIN,
    resource: `${SERVER}/mcp`,
    at: (address) => test.google.choose(address, account),
    redirectUri: CLAUDE,
  })
  return { ...test, tokens, headers: { authorization: `Bearer ${tokens.access_token}` } }
}

const settings: Proofs = {
  S1: getsALine(
    () => ({
      PUBLIC_URL: ORIGIN,
      RESOURCES: SERVER,
      ALLOWED_EMAILS: '*',
      PROVIDER: 'google',
      CLIENT_ID: GOOGLE_CLIENT.id,
      CLIENT_SECRET: GOOGLE_CLIENT.secret,
    }),
    'matheuscscp/mcp-oauth2-proxy',
    { MCP_OAUTH2_PROXY_CONFIG: '/etc/mcp-oauth2-proxy/config/config.yaml' },
  ),
  S2() {
    const keys = problemsOfTheirs({}, THEIR_FILE).filter((problem) => problem.includes('is a key'))
    expect(keys).toHaveLength(8)
  },
  S3: both(named('provider.name', 'provider'), () => expect(config.provider.type).toBe('google')),
  S4: both(
    named('provider.clientID', 'client_id'),
    named('provider.clientSecret', 'client_secret'),
    () => expect(config.provider).toMatchObject({ clientId: GOOGLE_CLIENT.id }),
  ),
  S5: both(named('provider.allowedEmailDomains', 'regular expressions'), () =>
    expect(config.resources[0]?.allow.domains).toEqual(['example.com']),
  ),
  S6() {
    expect(problemsOfTheirs({}, 'provider: { organization: acme }\n')).toContainEqual(
      expect.stringMatching(/^provider\.organization: .*allowed_groups/),
    )
  },
  S7: both(named('proxy.hosts', 'resources'), () =>
    expect(config.resources.map(({ url }) => url)).toEqual([SERVER]),
  ),
  S8: both(named('proxy.hosts', 'its endpoint as scopes_endpoint'), () =>
    expect(config.resources.map(({ scopesEndpoint }) => scopesEndpoint)).toEqual([
      'http://notes.mcp.svc.cluster.local/mcp',
    ]),
  ),
  S9: both(named('proxy.allowedRedirectURLs', 'client_registration'), async () => {
    const { app } = await start()
    await register(app, { redirect_uris: [CLAUDE] })
    const other = register(app, { redirect_uris: ['https://evil.example/callback'] })
    await expect(other).rejects.toThrow()
    expect(loadTheirs({}, OUR_FILE.replace('[claude.ai]', '[]')).config.registration).toBe('off')
  }),
  S10: both(named('proxy.cors', 'allowed_origins'), () =>
    expect(config.allowedOrigins).toEqual(['https://claude.ai']),
  ),
  S11: both(
    () =>
      expect(problemsOfTheirs({}, 'proxy: { disableConsentScreen: true }\n')).toContainEqual(
        expect.stringMatching(/^proxy\.disableConsentScreen: .*Write consent: false at a program/),
      ),
    provedBy('test/login/no-consent.test.ts', 'gets its code without a question'),
  ),
  S12: both(named('server.addr', 'host and port'), () => expect(config.listen.port).toBe(8080)),
}

const paths: Proofs = {
  async P1() {
    const { app, headers } = await signedIn()
    expect((await ask(app)).statusCode).toBe(401)
    expect((await ask(app, headers)).statusCode).toBe(200)
  },
  async P2() {
    const { app } = await start()
    for (const [path, resource] of [
      ['', SERVER],
      ['/mcp', `${SERVER}/mcp`],
    ]) {
      const answer = await send(app, `${SERVER}/.well-known/oauth-protected-resource${path}`)
      expect(answer.json()).toMatchObject({ resource, authorization_servers: [ORIGIN] })
    }
  },
  async P3() {
    const { app } = await start()
    const answer = await send(app, `${SERVER}/.well-known/oauth-authorization-server`)
    expect(answer.json()).toMatchObject({ issuer: ORIGIN })
  },
  async P4() {
    const { app } = await start()
    for (const path of ['/register', '/token', '/authorize']) {
      const method = path === '/authorize' ? 'GET' : 'POST'
      expect((await send(app, SERVER + path, {}, method)).statusCode).not.toBe(404)
    }
  },
  async P5() {
    const { app, google } = await signedIn()
    const there = google.requests.find((line) => line.includes('/o/oauth2/v2/auth?')) ?? ''
    expect(there).toContain(encodeURIComponent(`${ORIGIN}/callback`))
    expect((await send(app, `${SERVER}/callback`)).statusCode).toBe(404)
  },
  async P6() {
    const { app } = await start()
    const answer = await send(app, `${ORIGIN}/.well-known/openid-configuration`)
    expect(answer.json()).toMatchObject({ issuer: ORIGIN, jwks_uri: `${ORIGIN}/jwks` })
  },
  async P7() {
    const { app } = await start()
    const [theirs, ours] = await Promise.all(
      ['/openid/v1/jwks', '/jwks'].map((path) => send(app, ORIGIN + path)),
    )
    expect(theirs?.json().keys).toEqual(ours?.json().keys)
  },
  async P8() {
    const { app } = await start()
    for (const path of ['/healthz', '/readyz']) {
      expect((await send(app, ORIGIN + path)).statusCode).toBe(200)
    }
  },
  async P9() {
    const { app } = await start()
    expect((await send(app, `${ORIGIN}/metrics`)).statusCode).toBe(404)
  },
}

const headers: Proofs = {
  H1: async () => paths.P1?.(),
  async H2() {
    const { app, tokens } = await signedIn()
    const answer = await ask(app, { authorization: tokens.access_token })
    expect([400, 401]).toContain(answer.statusCode)
  },
  async H3() {
    const { app, tokens, headers } = await signedIn()
    expect(JSON.stringify(decodeJwt(tokens.access_token))).not.toMatch(/ann/i)
    expect((await ask(app, headers)).headers).toMatchObject({
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-scopes': expect.stringContaining('toolbox:read_only'),
    })
  },
  H4: both(
    () => {
      expect(Object.keys(config.identityHeaders)).toHaveLength(7)
      const own = loadTheirs({ IDENTITY_HEADERS: 'X-User-Sub=subject' }, OUR_FILE).config
      expect(own.identityHeaders).toEqual({ 'X-User-Sub': 'subject' })
    },
    provedBy('docs/proxies/ingress-nginx.md', '`auth-response-headers`'),
  ),
  async H5() {
    const { app } = await start()
    const challenge = String((await ask(app)).headers['www-authenticate'])
    expect(challenge).toContain(`resource_metadata="${SERVER}/.well-known/oauth-protected-resource`)
    expect(challenge).not.toContain('realm=')
  },
}

const habits: Proofs = {
  B1: () =>
    expect(problemsOfTheirs({}, withoutPeople)).toEqual([
      expect.stringMatching(/^ALLOWED_EMAILS: /),
    ]),
  async B2() {
    const { app } = await start()
    const redirect_uris = [CLAUDE]
    const [one, other] = [
      await register(app, { redirect_uris }),
      await register(app, { redirect_uris, client_name: 'Another' }),
    ]
    expect(one.client_id).not.toBe(other.client_id)
  },
  async B3() {
    expect(COMMANDS.map((row) => row.words)).toContain('keys rotate')
    const { restart, headers } = await signedIn()
    expect((await ask((await restart()).app, headers)).statusCode).toBe(200)
  },
  async B4() {
    const { tokens } = await signedIn()
    expect(tokens).toMatchObject({ expires_in: 3600, refresh_token: expect.any(String) })
    expect(config.lifetimes.grant).toBe(30 * 86_400)
  },
  B5: provedBy(
    'test/e2e/replicas.test.ts',
    'a program discovers, registers, is authorized, calls and refreshes, each request at the other one',
  ),
  async B6() {
    const { boxes } = await consent(await start())
    for (const box of boxes) expect(box).toContain(' checked')
    expect(boxes.map((box) => attribute(box, 'data-covers')?.split(' ').length ?? 0)).toEqual([
      2, 6, 0, 0, 0, 0, 0,
    ])
  },
  B7: provedBy('test/login/callback.test.ts', 'that comes after 30 minutes leads to the beginning'),
  async B8() {
    const { events } = await signedIn()
    const types = events.map((event) => JSON.stringify(event))
    expect(types.some((event) => event.includes('ann@example.com'))).toBe(true)
  },
  async B9() {
    const test = await start()
    await test.server.stop()
    expect((await consent(test)).body).toContain('Use this server')
  },
  async B10() {
    const test = await start()
    const { body, boxes } = await consent(test)
    expect(boxes.map((box) => attribute(box, 'value'))).toEqual(
      README_SCOPES.map(({ name }) => name),
    )
    for (const { description = '?' } of README_SCOPES) expect(body).toContain(description)
    const answer = await send(test.app, `${SERVER}/.well-known/oauth-protected-resource`)
    expect(answer.json().scopes_supported).toEqual(README_SCOPES.map(({ name }) => name))
    const listed = OUR_FILE.replace(/scopes_endpoint: .*/, 'scopes: { "toolbox:read_only": Look }')
    expect((await consent(await start(listed))).body).toContain('Look')
  },
}

const absent: Proofs = {
  N2: provedBy(
    'test/providers/google-directory.test.ts',
    'sx4: a person of a Google Workspace with a service account',
  ),
  N3: provedBy(
    'test/config/github.test.ts',
    'asks for organisations where a list names one or a team',
  ),
  N4: noFile(/Chart\.ya?ml$|podmonitor/i),
  N5: noFile(/^\.github\/.*release/),
  N6: async () => paths.P9?.(),
  N7() {
    expect(COMMANDS.filter(({ words }) => /fips/i.test(words))).toEqual([])
  },
}

export const matheuscscp: Proofs = {
  ...settings,
  ...paths,
  ...headers,
  ...habits,
  ...absent,
}
