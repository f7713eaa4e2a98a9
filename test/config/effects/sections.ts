/**
 * The effects of the file's own sections.
 *
 * @module
 */
import { hash } from '@node-rs/argon2'
import { expect } from 'vitest'
import { ClientSection } from '../../../src/config/sections/clients.ts'
import { Resource } from '../../../src/config/sections/resource.ts'
import { StaticToken } from '../../../src/config/sections/static-tokens.ts'
import { User } from '../../../src/config/sections/users.ts'
import { ProviderSection } from '../../../src/config/sources/providers-section.ts'
import { createBrowser } from '../../support/browser.ts'
import { PASSWORD, type TestApp } from '../../support/build-app.ts'
import {
  ASSERTION_TYPE,
  makeSigningKey,
  type SigningKey,
  startDocumentHost,
} from '../../support/document-host.ts'
import { CLIENT_ID, CLIENT_SECRET } from '../../support/hostile-provider.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  introspect,
  obtainTokens,
  REDIRECT_URI,
  RESOURCE,
  redeem,
  register,
  signIn,
  token,
} from '../../support/oauth-client.ts'
import { exchange, listen } from '../../support/raw-http.ts'
import { NOTE_TOOLS, startScopedServer } from '../../support/scoped-server.ts'
import { makeSession } from '../../support/session.ts'
import { startUpstream } from '../../support/upstream-server.ts'
import { loadYaml, problemsOf } from '../harness.ts'
import { whoPasses } from './people.ts'
import {
  expectAuthorities,
  expectDirectory,
  expectDiscoveryThere,
  expectEntra,
  expectGithub,
  expectHostedDomain,
  expectPersonOf,
  expectPersonToken,
  expectPost,
  expectProxy,
  expectRecheck,
  expectScopes,
  expectTokenOfOtherProgram,
  expectUserNameOf,
} from './provider.ts'
import { callThrough, metadata } from './server.ts'
import { type Effect, startFile } from './start.ts'

/** The full names of all entries of the sections, as the page lists them. */
export const sectionNames: readonly string[] = Object.entries({
  resources: Resource,
  providers: ProviderSection,
  users: User,
  clients: ClientSection,
  static_tokens: StaticToken,
}).flatMap(([section, { shape }]) => Object.keys(shape).map((name) => `${section}.${name}`))

const NOTES = 'resources: { notes: { url: https://mcp.example.com/notes/mcp'
const ALLOW = 'allow: { emails: [ann@example.com] }'
const SECRET = 'a client secret that is long enough'
const passwordHash = await hash(PASSWORD, { memoryCost: 7168, timeCost: 1, parallelism: 1 })

/** Sends one request through pass-through and returns the answer. */
async function callThere(app: TestApp['app'], authorization: string) {
  const head = ['POST /notes/mcp HTTP/1.1', 'Host: mcp.example.com']
  return exchange(await listen(app), [...head, `Authorization: ${authorization}`])
}

/** An app with a resource that has `more` besides its URL. */
const withNotes = (more: string) => startFile(`${NOTES}, ${more} } }\n${ALLOW}\n`)

async function described({ app }: TestApp): Promise<Record<string, unknown>> {
  const url = '/.well-known/oauth-protected-resource/notes/mcp'
  return (await app.inject({ url, headers: { host: 'mcp.example.com' } })).json()
}

async function consentPage({ app }: TestApp, changes: Record<string, string | undefined> = {}) {
  const url = authorizeUrl(await register(app), changes)
  return (await app.inject({ url, headers: { host: 'auth.example.com' } })).body
}

const resources: Record<string, Effect> = {
  async url() {
    const { app } = await withNotes('name: Notes')
    expect((await check(app)).statusCode).toBe(401)
    expect((await check(app, { 'x-forwarded-uri': '/other' })).statusCode).toBe(403)
  },
  async name() {
    expect(await described(await withNotes('name: Notes of the team'))).toMatchObject({
      resource_name: 'Notes of the team',
    })
  },
  async scopes() {
    const app = await withNotes('scopes: { "notes:read": Read your notes }')
    expect((await metadata(app)).scopes_supported).toContain('notes:read')
    expect(await consentPage(app)).toContain('Read your notes')
  },
  async scopes_endpoint() {
    const server = await startScopedServer()
    const announced = await withNotes(`scopes_endpoint: "${server.url}"`)
    expect(await consentPage(announced)).toContain('Allow all read-only toolbox operations.')
    expect((await metadata(announced)).scopes_supported).toContain('toolbox:read_only')
    const listed = await withNotes(`scopes_endpoint: "${server.url}", scopes: { other: Do it }`)
    const page = await consentPage(listed, { scope: 'other toolbox:read_only' })
    expect(page).toContain('Do it')
    expect(page).not.toContain('toolbox:read_only')
    const behind = await withNotes(`upstream: "${server.url}"`)
    expect(await consentPage(behind)).toContain('Allow all toolbox operations.')
    const ours = () => withNotes('scopes_endpoint: https://mcp.example.com/notes/mcp')
    expect(ours).toThrow(
      'resources.notes.scopes_endpoint: https://mcp.example.com/notes/mcp is the',
    )
    expect(() => withNotes('scopes_endpoint: notes')).toThrow('is not an http or https URL')
  },
  async required_scopes() {
    expect(await described(await withNotes('required_scopes: ["notes:read"]'))).toMatchObject({
      scopes_supported: ['notes:read'],
    })
  },
  async default_scopes() {
    const { app } = await withNotes('scopes: { read: R, write: W }, default_scopes: [write]')
    expect((await obtainTokens(app)).tokens.scope).toBe('write')
  },
  async also() {
    const { app } = await withNotes('also: [/notes/messages]')
    expect((await check(app, { 'x-forwarded-uri': '/notes/messages' })).statusCode).toBe(401)
  },
  async aliases() {
    const { app } = await withNotes('aliases: ["http://gatewarden:11000/mcp"]')
    const inner = { 'x-forwarded-host': 'gatewarden:11000', 'x-forwarded-uri': '/mcp' }
    expect((await check(app, inner)).headers['www-authenticate']).toContain(
      'resource_metadata="http://gatewarden:11000/.well-known/oauth-protected-resource/mcp"',
    )
  },
  async default() {
    const wiki = 'wiki: { url: https://wiki.example.com, name: The wiki, default: true }'
    const app = await startFile(`${NOTES} }, ${wiki} }\n${ALLOW}\n`)
    expect(await consentPage(app, { resource: undefined })).toContain('The wiki')
  },
  async allow() {
    const app = await withNotes('allow: { emails: [bob@elsewhere.test] }')
    expect(await whoPasses(app)).toEqual({ ann: false, bob: true })
  },
  async accept_provider_tokens() {
    const startWith =
      (accepts: boolean) =>
      ({ issuer }: { issuer: string }) =>
        startFile(
          [
            `${NOTES}, accept_provider_tokens: ${accepts} } }\n${ALLOW}`,
            `provider: oidc\nissuer_url: ${issuer}\nclient_id: ${CLIENT_ID}\nclient_secret: x`,
            `accept_provider_tokens: ${!accepts}\nprovider_token_clients: [old-app]\n`,
          ].join('\n'),
        )
    await expectTokenOfOtherProgram(startWith(true), 200)
    await expectTokenOfOtherProgram(startWith(false), 401)
  },
  async authorization_servers() {
    const realm = 'https://id.example.com/realms/main'
    const listed = (more: string, provider = `provider: keycloak\nissuer_url: ${realm}\n`) =>
      `${NOTES}, authorization_servers: ${more} } }\n${ALLOW}\n${provider}client_id: gatewarden\nclient_secret: ${SECRET}\n`
    const named = async (more: string) =>
      (await described(await startFile(listed(more)))).authorization_servers
    const accepting = (list: string) => `${list}, accept_provider_tokens: true`
    expect(await named(accepting(`[${realm}/]`))).toEqual([realm])
    expect(await named(accepting(`[${realm}, https://auth.example.com]`))).toEqual([
      realm,
      'https://auth.example.com',
    ])
    expect(await named(accepting('[https://auth.example.com]'))).toEqual([
      'https://auth.example.com',
    ])
    const problems = (more: string) => problemsOf(() => loadYaml(listed(more)))
    const about = (text: string) => [expect.stringMatching(`authorization_servers.*${text}`)]
    expect(problems(`[${realm}]`)).toEqual(about('accept_provider_tokens: true'))
    expect(problems(accepting('[https://other.example.com]'))).toEqual(about('open nothing here'))
    const prefixed = (issuer: string) =>
      problemsOf(() => loadYaml(`${listed(`[${issuer}]`)}path_prefix: /auth-gw\n`))
    expect(prefixed('https://auth.example.com/auth-gw')).toEqual([])
    expect(prefixed('https://auth.example.com')).toEqual(about('open nothing here'))
    expect(problems('[]')).toEqual(about('lists no issuer'))
    const { warnings } = loadYaml(listed(accepting(`[${realm}]`)))
    expect(warnings.join()).toContain(`sends clients to ${realm}`)
  },
  async mcp_only() {
    for (const [setting, text] of [
      ['mcp_only: true', 'is ready'],
      ['mcp_only: false', ''],
    ] as const) {
      const test = await withNotes(setting)
      const { cookie } = await makeSession(test)
      const browser = { 'x-forwarded-method': 'GET', accept: 'text/html', cookie }
      const answer = await check(test.app, browser)
      expect({ status: answer.statusCode, body: answer.body }).toEqual({
        status: text === '' ? 200 : 403,
        body: expect.stringContaining(text),
      })
    }
  },
  async root_documents() {
    const at = async (setting: string) => {
      const { app } = await withNotes(setting)
      const url = '/.well-known/oauth-authorization-server'
      return (await app.inject({ url, headers: { host: 'mcp.example.com' } })).statusCode
    }
    expect(await at('root_documents: true')).toBe(200)
    expect(await at('root_documents: false')).toBe(404)
    const onOurs =
      'resources: { a: { url: "https://auth.example.com/mcp", root_documents: false } }\n'
    expect(problemsOf(() => loadYaml(`${onOurs}${ALLOW}\n`))).toContainEqual(
      expect.stringMatching(/^resources\.a\.root_documents: is false on the host of PUBLIC_URL/),
    )
  },
  async application_bearer() {
    const own = { authorization: 'Bearer app-own-token' }
    for (const [setting, reason] of [
      ['application_bearer: true', 'resource_metadata'],
      ['application_bearer: false', 'error='],
    ] as const) {
      const { app } = await withNotes(setting)
      const answer = await check(app, own)
      expect(answer.headers['www-authenticate']).toMatch(new RegExp(`^Bearer ${reason}`))
    }
  },
  async upstream() {
    const request = await callThrough((upstream) => withNotes(`upstream: "${upstream}"`))
    expect(request.url).toBe('/there')
  },
  async public() {
    const { app } = await withNotes('public: [/notes/mcp/health, "/notes/mcp/assets/*"]')
    const ask = async (path: string) => (await check(app, { 'x-forwarded-uri': path })).statusCode
    expect(await ask('/notes/mcp/health')).toBe(200)
    expect(await ask('/notes/mcp/assets/a/b.css')).toBe(200)
    expect(await ask('/notes/mcp/healthy')).toBe(401)
    const problem = (paths: string) => () => withNotes(`public: [${paths}]`)
    expect(problem('/wiki')).toThrow('/wiki is outside the resource')
    expect(problem('/notes/mcp')).toThrow('opens the server itself')
    expect(problem('/notes/mcp/')).toThrow('opens the server itself')
    expect(problem('"/notes/mcp/*"')).toThrow('opens the server itself')
    for (const odd of [
      'health',
      '/notes/mcp/a%2fb',
      '/notes/mcp/../x',
      '/notes/mcp/a;b',
      '"/notes/*/x"',
    ]) {
      expect(problem(odd)).toThrow('is not a path that every server reads alike')
    }
  },
  async upstream_host() {
    const own = await callThrough((upstream) => withNotes(`upstream: "${upstream}"`))
    expect(own.headers.host).toMatch(/^127\.0\.0\.1:/)
    const kept = await callThrough((upstream) =>
      withNotes(`upstream: "${upstream}", upstream_host: public`),
    )
    expect(kept.headers.host).toBe('mcp.example.com')
    expect(() => withNotes('upstream: "http://notes:3000", upstream_host: both')).toThrow(
      '"both" is neither own nor public',
    )
    expect(() => withNotes('upstream_host: public')).toThrow('has no effect without upstream')
  },
  async upstream_authorization() {
    const request = await callThrough((upstream) =>
      withNotes(`upstream: "${upstream}", upstream_authorization: Bearer of-the-server`),
    )
    expect(request.headers.authorization).toBe('Bearer of-the-server')
    const wrong = (more: string) => () => withNotes(`upstream: "http://a", ${more}`)
    expect(wrong('upstream_authorization: secret')).toThrow('Write it with its scheme')
    expect(wrong('upstream_authorization: A b, application_bearer: true')).toThrow(
      'conflicts with application_bearer',
    )
    expect(wrong('upstream_authorization: A b, upstream_authorization_file: /x')).toThrow(
      'conflicts with upstream_authorization_file',
    )
    expect(() => withNotes('upstream_authorization: A b')).toThrow('has no effect without upstream')
  },
  async upstream_authorization_file() {
    const request = await callThrough((upstream) =>
      startFile(
        `${NOTES}, upstream: "${upstream}", upstream_authorization_file: /run/there } }\n${ALLOW}\n`,
        { files: { '/run/there': 'Basic YTpi\n' } },
      ),
    )
    expect(request.headers.authorization).toBe('Basic YTpi')
  },
  async upstream_provider_token() {
    const withProvider = (issuer: string, notes: string, more = '') =>
      startFile(`${NOTES}, ${notes} } }
${ALLOW}
provider: oidc
issuer_url: ${issuer}
client_id: ${CLIENT_ID}
client_secret: ${CLIENT_SECRET}
${more}`)
    const header = 'upstream_provider_token: X-Provider-Token'
    const asks = 'recheck_at_refresh: true\n'
    await expectPersonToken(({ issuer }, upstream) =>
      withProvider(issuer, `upstream: "${upstream}", ${header}`, asks),
    )
    const wrong =
      (notes: string, more = asks) =>
      () =>
        withProvider('https://id.example.com', `upstream: "http://a", ${notes}`, more)
    expect(wrong(header, '')).toThrow('needs RECHECK_AT_REFRESH=true')
    expect(wrong(`${header}, application_bearer: true`)).toThrow(
      'conflicts with application_bearer',
    )
    expect(wrong('upstream_provider_token: authorization, upstream_authorization: A b')).toThrow(
      'conflicts with upstream_authorization',
    )
    expect(wrong('upstream_provider_token: X_User_Id')).toThrow('is not the name of a header')
    for (const name of ['X-User-Id', 'X-API-Key']) {
      expect(wrong(`upstream_provider_token: ${name}`)).toThrow('carries something else already')
    }
    expect(
      wrong(`${header}, header_mutations: [{ action: remove, name: X.Provider.Token }]`),
    ).toThrow('which header_mutations changes')
    expect(wrong(header, `${asks}upstream_provider_token: X-Other\n`)).toThrow(
      'Remove one of the two',
    )
    const unasked = `${asks}clients: [{ client_id: own, redirect_uris: ["https://own.example/back"], client_secret: "${SECRET}", consent: false }]\n`
    expect(wrong(header, unasked)).toThrow("gets the person's own token of the provider")
    expect(wrong(header, `accept_provider_tokens: true\nclient_tokens: provider\n`)).toThrow(
      'conflicts with CLIENT_TOKENS=provider',
    )
    expect(() => withNotes(`upstream: "http://a", ${header}`)).toThrow('PROVIDER is builtin')
    expect(() => withNotes(header)).toThrow('has no effect without upstream')
  },
  async tool_choices() {
    const server = await startScopedServer([], { tools: NOTE_TOOLS, json: true })
    const app = await withNotes(`upstream: "${server.url}", tool_choices: true`)
    const page = await consentPage(app)
    expect(page).toContain('Use only the tools that I tick here')
    expect(page).toContain('delete_note (may change or delete)')
    expect(await described(app)).toMatchObject({ scopes_supported: ['tools:all'] })
    expect(() => withNotes('tool_choices: true')).toThrow('has no effect without upstream')
    const both = () => withNotes(`upstream: "${server.url}", tool_choices: true, scopes: { a: A }`)
    expect(both).toThrow('conflicts with the settings that name scopes')
    const own = () =>
      withNotes(`upstream: "${server.url}", tool_choices: true, application_bearer: true`)
    expect(own).toThrow('no client has a token of Gatewarden there')
  },
  async header_mutations() {
    const request = await callThrough((upstream) =>
      withNotes(
        `upstream: "${upstream}", header_mutations: [{ action: add, name: X-Tenant, value: "7" }]`,
      ),
    )
    expect(request.headers['x-tenant']).toBe('7')
  },
  async upstream_challenges() {
    const challengeOf = async (more: string) => {
      const upstream = await startUpstream((_request, response) =>
        response.writeHead(401, { 'www-authenticate': 'Basic realm="app"' }).end(),
      )
      const { app } = await withNotes(`upstream: "${upstream.origin}"${more}`)
      const { tokens } = await obtainTokens(app)
      const answer = await callThere(app, `Bearer ${tokens.access_token}`)
      return answer.values('www-authenticate').join()
    }
    expect(await challengeOf('')).toContain('resource_metadata=')
    expect(await challengeOf(', upstream_challenges: own')).toBe('Basic realm="app"')
    expect(() => withNotes('upstream: "http://a", upstream_challenges: none')).toThrow(
      '"none" is neither ours nor own',
    )
    expect(
      loadYaml(`${NOTES}, upstream: "http://a", application_bearer: true } }\n${ALLOW}\n`).config
        .resources[0]?.passThrough?.challenges,
    ).toBe('own')
  },
  async shared_host() {
    const withNote = (value: string) =>
      `resources: { notes: { url: https://auth.example.com/mcp, shared_host: ${value} } }\n${ALLOW}\n`
    expect(loadYaml(withNote('sandboxed')).warnings).toEqual([])
    expect(loadYaml(withNote('pages')).warnings).toEqual([
      expect.stringMatching(
        /^resources\.notes\.shared_host: pages lets the pages of this server act/,
      ),
    ])
    expect(() => loadYaml(withNote('both'))).toThrow('"both" is neither pages nor sandboxed')
  },
}

const expectProvider = (secret: (clientSecret: string) => string): Effect => {
  return () =>
    expectPersonOf((there, clientSecret) =>
      startFile(
        [
          `${NOTES} } }\n${ALLOW}\nproviders:\n  ours:\n    type: oidc`,
          `issuer_url: ${there.issuer}`,
          `client_id: ${CLIENT_ID}`,
          secret(clientSecret),
          'groups_claim: teams\n',
        ].join('\n    '),
        { files: { '/run/provider': clientSecret } },
      ),
    )
}
const startWithProvider = (
  there: { readonly issuer: string },
  [name, value]: readonly [string, string],
  files: Record<string, string> = {},
) =>
  startFile(
    [
      `${NOTES} } }\n${ALLOW}\nproviders:\n  ours:\n    type: oidc`,
      `issuer_url: ${there.issuer}`,
      `client_id: ${CLIENT_ID}`,
      `client_secret: ${CLIENT_SECRET}`,
      `${name}: ${value}\n`,
    ].join('\n    '),
    { files },
  )
const providerInFile = expectProvider((clientSecret) => `client_secret: ${clientSecret}`)
const providerWithFile = expectProvider(() => 'client_secret_file: /run/provider')

/** Signs cy in by `name`, and returns the headers that the protected server gets. */
async function headersOfCy(person: string, name = 'cy') {
  const yaml = `users: { cy: ${person} }\n${NOTES} } }\nallow: { emails: ["*"] }\n`
  const files = { '/srv/gatewarden.yaml': yaml, '/run/hash': passwordHash }
  const { config } = loadYaml('', { files })
  const { app } = await startFile('', { files }, { users: config.users })
  const { tokens } = await obtainTokens(app, { person: { name } })
  return (await check(app, { authorization: `Bearer ${tokens.access_token}` })).headers
}
const HASHED = `password_hash: "${passwordHash}"`

const users: Record<string, Effect> = {
  async email() {
    const headers = await headersOfCy(`{ email: cy@example.com, ${HASHED} }`, 'cy@example.com')
    expect(headers['x-forwarded-email']).toBe('cy@example.com')
  },
  async name() {
    const headers = await headersOfCy(`{ name: Cyan Carver, ${HASHED} }`)
    expect(headers['x-user-name']).toBe('Cyan Carver')
  },
  async groups() {
    const headers = await headersOfCy(`{ groups: [staff, cooks], ${HASHED} }`)
    expect(headers['x-forwarded-groups']).toBe('staff,cooks')
  },
  async password_hash() {
    expect((await headersOfCy(`{ ${HASHED} }`))['x-forwarded-user']).toBe('cy')
  },
  async password_hash_file() {
    const headers = await headersOfCy('{ password_hash_file: /run/hash }')
    expect(headers['x-forwarded-user']).toBe('cy')
  },
}

/** An app with a client of the file that has `more` besides its id and redirect URI. */
const withClient = (more: string, files: Record<string, string> = {}) =>
  startFile(
    `${NOTES}, scopes: { read: R, write: W } } }\n${ALLOW}\nclients: [{ client_id: ci, redirect_uris: ["${REDIRECT_URI}"]${more} }]\n`,
    { files: { '/run/ci': `${SECRET}\n`, ...files } },
  )
const CI = { client_id: 'ci' }

/** The token response that `ci` gets for a code with this secret. */
async function redeemAs({ app }: TestApp, client_secret?: string) {
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(CI)))
  return redeem(app, CI, code, { client_secret })
}

/** `ci` redeems a code with an assertion of this key, and with no other. */
async function expectSigned({ app, clock }: TestApp, key: SigningKey): Promise<void> {
  for (const [signer, status] of [
    [await makeSigningKey(), 401],
    [key, 200],
  ] as const) {
    const code = codeOf(await signIn(createBrowser(app), authorizeUrl(CI)))
    const answer = await redeem(app, CI, code, {
      client_assertion_type: ASSERTION_TYPE,
      client_assertion: await signer.assertion('ci', Math.floor(clock() / 1000)),
    })
    expect(answer.statusCode).toBe(status)
  }
}

const clients: Record<string, Effect> = {
  async client_id() {
    expect((await redeemAs(await withClient(''))).statusCode).toBe(200)
  },
  async client_secret() {
    const app = await withClient(`, client_secret: ${SECRET}`)
    expect((await redeemAs(app, SECRET)).statusCode).toBe(200)
    expect((await redeemAs(app, `${SECRET}.`)).json().error).toBe('invalid_client')
  },
  async client_secret_file() {
    const app = await withClient(', client_secret_file: /run/ci')
    expect((await redeemAs(app, SECRET)).statusCode).toBe(200)
    expect((await redeemAs(app)).json().error).toBe('invalid_client')
  },
  async client_name() {
    const { app } = await withClient(', client_name: Nightly report')
    const headers = { host: 'auth.example.com' }
    expect((await app.inject({ url: authorizeUrl(CI), headers })).body).toContain('Nightly report')
  },
  async redirect_uris() {
    const { app } = await withClient('')
    const url = authorizeUrl(CI, { redirect_uri: 'https://other.example/cb' })
    const answer = await app.inject({ url, headers: { host: 'auth.example.com' } })
    expect(answer.statusCode).toBe(400)
  },
  async scopes() {
    const answer = await redeemAs(await withClient(', scopes: [read]'))
    expect(answer.json().scope).toBe('read')
  },
  async grant_types() {
    const offered = async (app: TestApp) => (await metadata(app)).grant_types_supported
    const forItself = `, client_secret: ${SECRET}, grant_types: [authorization_code, client_credentials]`
    expect(await offered(await withClient(forItself))).toContain('client_credentials')
    expect(await offered(await withClient(''))).not.toContain('client_credentials')
    const answer = await redeemAs(await withClient(', grant_types: [authorization_code]'))
    expect(answer.json()).not.toHaveProperty('refresh_token')
  },
  async token_endpoint_auth_method() {
    const withMethod = (method: string) =>
      withClient(`, client_secret: ${SECRET}, token_endpoint_auth_method: ${method}`)
    expect((await redeemAs(await withMethod('client_secret_post'), SECRET)).statusCode).toBe(200)
    expect(() => withMethod('none')).toThrow('is none, but the client has a secret')
  },
  async resources() {
    for (const [more, error] of [
      [', resources: [wiki]', 'invalid_target'],
      [', resources: [notes]', undefined],
    ] as const) {
      const wiki = ', wiki: { url: https://wiki.example.com }'
      const { app } = await startFile(
        `${NOTES} }${wiki} }\n${ALLOW}\nclients: [{ client_id: ci, client_secret: ${SECRET}, grant_types: [client_credentials]${more} }]\n`,
      )
      const asker = { ...CI, client_secret: SECRET, resource: RESOURCE }
      const answer = await token(app, { grant_type: 'client_credentials', ...asker })
      expect(answer.json().error).toBe(error)
    }
  },
  async jwks_uri() {
    const key = await makeSigningKey()
    const host = await startDocumentHost()
    const uri = host.serve('/jwks.json', { keys: [key.publicJwk] })
    await expectSigned(await withClient(`, jwks_uri: "${uri}"`), key)
    expect(host.asked).toEqual(['/jwks.json'])
  },
  async jwks_file() {
    const key = await makeSigningKey()
    const files = { '/srv/jwks.json': JSON.stringify({ keys: [key.publicJwk] }) }
    await expectSigned(await withClient(', jwks_file: jwks.json', files), key)
  },
  async consent() {
    const uri = 'https://ci.example/cb'
    for (const [more, isAsked] of [
      [', consent: false', false],
      [', consent: true', true],
      ['', true],
    ] as const) {
      const { app } = await startFile(
        `${NOTES} } }\n${ALLOW}\nclients: [{ client_id: ci, client_secret: ${SECRET}, redirect_uris: ["${uri}"]${more} }]\n`,
      )
      const page = await createBrowser(app).get(authorizeUrl(CI, { redirect_uri: uri }))
      expect(page.body.includes('Allow access?')).toBe(isAsked)
    }
  },
  async introspects() {
    for (const [more, active] of [
      [', introspects: [notes]', true],
      ['', false],
    ] as const) {
      const { app } = await withClient(`, client_secret: ${SECRET}${more}`)
      const { tokens } = await obtainTokens(app)
      const asker = { ...CI, client_secret: SECRET }
      const answer = await introspect(app, asker, tokens.access_token)
      expect(answer.json().active).toBe(active)
    }
  },
}

const STATIC_TOKEN = 'a-token-of-a-script-0123456789abcdef'

/** The answer that a token of the file with these limits gets at `notes`. */
async function staticToken(limits: string, more = '') {
  const { app } = await startFile(
    `${NOTES}, scopes: { read: R, write: W } }${more} }\n${ALLOW}\nstatic_tokens: { ci: { ${limits} } }\n`,
    { files: { '/run/token': `${STATIC_TOKEN}\n` } },
  )
  return check(app, { authorization: `Bearer ${STATIC_TOKEN}` })
}

const staticTokens: Record<string, Effect> = {
  async token() {
    const answer = await staticToken(`token: ${STATIC_TOKEN}`)
    expect(answer.headers['x-forwarded-user']).toBe('ci')
  },
  async token_file() {
    expect((await staticToken('token_file: /run/token')).statusCode).toBe(200)
  },
  async scopes() {
    const answer = await staticToken('token_file: /run/token, scopes: [read]')
    expect(answer.headers['x-forwarded-scopes']).toBe('read')
  },
  async resources() {
    const wiki = ', wiki: { url: https://wiki.example.com }'
    const answer = await staticToken('token_file: /run/token, resources: [wiki]', wiki)
    expect(answer.statusCode).toBe(401)
  },
}

const startGithubInFile = (settings: Record<string, string>) =>
  startFile(
    [
      `${NOTES} } }\n${ALLOW}\nproviders:\n  gh:\n    type: github`,
      `github_url: ${settings.GITHUB_URL}`,
      `github_api_url: ${settings.GITHUB_API_URL}`,
      `client_id: ${settings.GITHUB_CLIENT_ID}`,
      `client_secret: ${settings.GITHUB_CLIENT_SECRET}\n`,
    ].join('\n    '),
  )

const directoryYaml = (settings: Record<string, string>, account: string) =>
  [
    `${NOTES} } }\nallow: { groups: [${settings.ALLOWED_GROUPS}] }\nproviders:\n  g:\n    type: google`,
    `issuer_url: ${settings.ISSUER_URL}`,
    `client_id: ${settings.CLIENT_ID}`,
    `client_secret: ${settings.CLIENT_SECRET}`,
    `google_hosted_domain: [${settings.GOOGLE_HOSTED_DOMAIN}]`,
    `google_admin_subject: ${settings.GOOGLE_ADMIN_SUBJECT}`,
    `google_directory_url: ${settings.GOOGLE_DIRECTORY_URL}`,
    `${account}\n`,
  ].join('\n    ')

const startDirectoryInFile = (settings: Record<string, string>) =>
  startFile(directoryYaml(settings, `google_service_account: ${settings.GOOGLE_SERVICE_ACCOUNT}`))

const startDirectoryByFile = (settings: Record<string, string>) =>
  startFile(directoryYaml(settings, 'google_service_account_file: /run/google.json'), {
    files: { '/run/google.json': settings.GOOGLE_SERVICE_ACCOUNT ?? '' },
  })

const startEntraInFile = (settings: Record<string, string>) =>
  startFile(
    [
      `${NOTES} } }\nallow: { groups: [${settings.ALLOWED_GROUPS}] }\nproviders:\n  ms:\n    type: entra`,
      `entra_tenant: [${settings.ENTRA_TENANT}]`,
      `entra_verified_domains: [${settings.ENTRA_VERIFIED_DOMAINS}]`,
      `entra_url: ${settings.ENTRA_URL}`,
      `entra_graph_url: ${settings.ENTRA_GRAPH_URL}`,
      `client_id: ${settings.CLIENT_ID}`,
      `client_secret: ${settings.CLIENT_SECRET}\n`,
    ].join('\n    '),
  )

const all: Record<string, Record<string, Effect>> = {
  resources,
  providers: {
    type: providerInFile,
    issuer_url: providerInFile,
    client_id: providerInFile,
    client_secret: providerInFile,
    client_secret_file: providerWithFile,
    provider_ca: async () =>
      expectAuthorities((files) =>
        loadYaml(
          `${NOTES} } }\n${ALLOW}\nproviders: { p: { type: oidc, issuer_url: "https://id.example.com", client_id: x, client_secret: x, provider_ca: ca.pem } }\n`,
          { files },
        ),
      ),
    provider_proxy: () =>
      expectProxy((there, address) => startWithProvider(there, ['provider_proxy', address])),
    provider_proxy_file: () =>
      expectProxy((there, address) =>
        startWithProvider(there, ['provider_proxy_file', '/run/proxy'], { '/run/proxy': address }),
      ),
    provider_scopes: () => expectScopes(startWithProvider),
    discovery_url: () => expectDiscoveryThere(startWithProvider),
    token_endpoint_auth_method: () => expectPost(startWithProvider),
    groups_claim: providerInFile,
    google_hosted_domain: () =>
      expectHostedDomain((settings) =>
        startFile(
          [
            `${NOTES} } }\n${ALLOW}\nproviders:\n  google:\n    type: google`,
            `issuer_url: ${settings.ISSUER_URL}`,
            `client_id: ${settings.GOOGLE_CLIENT_ID}`,
            'client_secret: x',
            `google_hosted_domain: [${settings.GOOGLE_HOSTED_DOMAIN}]\n`,
          ].join('\n    '),
        ),
      ),
    google_service_account: () => expectDirectory(startDirectoryInFile),
    google_service_account_file: () => expectDirectory(startDirectoryByFile),
    google_admin_subject: () => expectDirectory(startDirectoryInFile),
    google_directory_url: () => expectDirectory(startDirectoryInFile),
    github_url: () => expectGithub(startGithubInFile),
    github_api_url: () => expectGithub(startGithubInFile),
    entra_tenant: () => expectEntra(startEntraInFile),
    entra_verified_domains: () => expectEntra(startEntraInFile),
    entra_url: () => expectEntra(startEntraInFile),
    entra_graph_url: () => expectEntra(startEntraInFile),
    recheck_at_refresh: () =>
      expectRecheck(({ issuer }, isOn) =>
        startFile(
          `${NOTES} } }\n${ALLOW}\nproviders: { p: { type: oidc, issuer_url: "${issuer}", client_id: ${CLIENT_ID}, client_secret: "${CLIENT_SECRET}", recheck_at_refresh: ${isOn} } }\n`,
        ),
      ),
    unique_usernames: async () => {
      for (const [unique, expected] of [
        [false, /^u_/],
        [true, /^carol$/],
      ] as const) {
        const startWith = (there: { issuer: string }) =>
          startFile(
            `${NOTES} } }\nallow: { emails: ["*"] }\nproviders: { p: { type: oidc, issuer_url: "${there.issuer}", client_id: ${CLIENT_ID}, client_secret: "${CLIENT_SECRET}", unique_usernames: ${unique} } }\n`,
          )
        await expectUserNameOf(startWith, expected)
      }
    },
  },
  users,
  clients,
  static_tokens: staticTokens,
}

/** Every entry of every section by its full name. */
export const sections: Record<string, Effect> = Object.fromEntries(
  Object.entries(all).flatMap(([section, effects]) =>
    Object.entries(effects).map(([name, effect]) => [`${section}.${name}`, effect]),
  ),
)
