/**
 * The effects of the settings for the provider.
 *
 * @module
 */
import { expect } from 'vitest'
import type { Loaded } from '../../../src/config/load.ts'
import { createBrowser, refreshTarget } from '../../support/browser.ts'
import { createClock, type TestApp } from '../../support/build-app.ts'
import { CONTOSO, ENTRA_CLIENT, STAFF, startEntra } from '../../support/entra-stand-in.ts'
import { GITHUB_CLIENT, startGithub } from '../../support/github-stand-in.ts'
import { ADMIN, startDirectory } from '../../support/google-directory.ts'
import { ANN as GOOGLE_ANN, GOOGLE_CLIENT, startGoogle } from '../../support/google-stand-in.ts'
import {
  ACCESS_TOKEN,
  CLIENT_ID,
  CLIENT_SECRET,
  type HostileProvider,
  startHostileProvider,
} from '../../support/hostile-provider.ts'
import { startProxy } from '../../support/http-proxy.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  redeem,
  refresh,
  register,
} from '../../support/oauth-client.ts'
import { approve, obtainTokensThere } from '../../support/provider-journey.ts'
import { startUpstream } from '../../support/upstream-server.ts'
import { load } from '../harness.ts'
import { type Effect, start } from './start.ts'

/**
 * A person of the provider arrives at the protected server as a member of the group `readers`, which the provider puts
 * into a claim of its own. Its token endpoint accepts only the configured client id and secret.
 */
export async function expectPersonOf(
  startWith: (provider: HostileProvider, clientSecret: string) => Promise<TestApp>,
): Promise<void> {
  const provider = await startHostileProvider()
  provider.person.teams = ['readers']
  const test = await startWith(provider, CLIENT_SECRET)
  const client = await register(test.app)
  const tokens = await obtainTokensThere({ ...test, provider, client, untrusted: client })
  const { headers } = await check(test.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(headers).toMatchObject({
    'x-forwarded-user': 'ann@example.com',
    'x-forwarded-groups': 'readers',
  })
  expect(provider.asked('/token')).toBe(1)
}

const expectOidc: Effect = () =>
  expectPersonOf((provider, clientSecret) =>
    start({
      PROVIDER: 'oidc',
      ISSUER_URL: provider.issuer,
      CLIENT_ID,
      CLIENT_SECRET: clientSecret,
      GROUPS_CLAIM: 'teams',
    }),
  )

const expectKeycloak: Effect = async () => {
  const keycloak = await startUpstream((_request, response) => response.writeHead(404).end())
  const { port } = new URL(keycloak.origin)
  const { app } = await start({
    PROVIDER: 'keycloak',
    KEYCLOAK_AUTH_PROTOCOL: 'http',
    KEYCLOAK_AUTH_HOST: '127.0.0.1',
    KEYCLOAK_AUTH_PORT: port,
    KEYCLOAK_REALM: 'people',
    CLIENT_ID,
    CLIENT_SECRET,
  })
  await approve(createBrowser(app), authorizeUrl(await register(app)))
  expect(keycloak.requests[0]).toMatchObject({
    url: '/realms/people/.well-known/openid-configuration',
    headers: { host: `127.0.0.1:${port}` },
  })
}

/** A person without a verified e-mail arrives under the user name, if the setting says that it is theirs alone. */
export async function expectUserNameOf(
  startWith: (provider: HostileProvider) => Promise<TestApp>,
  expected: string | RegExp,
): Promise<void> {
  const provider = await startHostileProvider()
  provider.person = { sub: 'carol', preferred_username: 'carol' }
  const test = await startWith(provider)
  const client = await register(test.app)
  const tokens = await obtainTokensThere({ ...test, provider, client, untrusted: client })
  const { headers } = await check(test.app, { authorization: `Bearer ${tokens.access_token}` })
  expect(headers['x-forwarded-user']).toMatch(expected)
}

const expectUniqueUsernames: Effect = async () => {
  for (const [settings, expected] of [
    [{}, /^u_/],
    [{ UNIQUE_USERNAMES: 'true' }, /^carol$/],
  ] as const) {
    await expectUserNameOf(
      ({ issuer }) =>
        start({
          ...{ PROVIDER: 'oidc', ISSUER_URL: issuer, CLIENT_ID, CLIENT_SECRET },
          ALLOWED_EMAILS: '*',
          ...settings,
        }),
      expected,
    )
  }
}

/** The settings of a provider that is asked again at each refresh. */
export const atProvider = (issuer: string) => ({
  PROVIDER: 'oidc',
  ISSUER_URL: issuer,
  CLIENT_ID,
  CLIENT_SECRET,
  RECHECK_AT_REFRESH: 'true',
})

/** The server behind gets the person's token of the provider, in `X-Provider-Token`. */
export async function expectPersonToken(
  startWith: (provider: HostileProvider, upstream: string) => Promise<TestApp>,
): Promise<void> {
  const provider = await startHostileProvider()
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const test = await startWith(provider, `${upstream.origin}/there`)
  const client = await register(test.app)
  const tokens = await obtainTokensThere({ ...test, provider, client, untrusted: client })
  const headers = {
    host: 'mcp.example.com',
    authorization: `Bearer ${tokens.access_token}`,
  }
  await test.app.inject({ url: '/notes/mcp', headers })
  expect(upstream.requests.map(({ headers }) => headers['x-provider-token'])).toContain(
    ACCESS_TOKEN,
  )
}

/** A person who was disabled at the provider gets no further token, where the setting has the provider asked. */
export async function expectRecheck(
  startWith: (provider: HostileProvider, isOn: boolean) => Promise<TestApp>,
): Promise<void> {
  for (const isOn of [false, true]) {
    const provider = await startHostileProvider()
    const test = await startWith(provider, isOn)
    const client = await register(test.app)
    const tokens = await obtainTokensThere({ ...test, provider, client, untrusted: client })
    test.clock.advance(3600)
    provider.isDisabled = true
    const answer = await refresh(test.app, client, tokens.refresh_token)
    expect(answer.statusCode).toBe(isOn ? 400 : 200)
  }
}

/** The authorization request tells Google the domain whose accounts to offer. */
export async function expectHostedDomain(
  startWith: (settings: Record<string, string>) => Promise<TestApp>,
): Promise<void> {
  const google = await startHostileProvider()
  const { app } = await startWith({
    PROVIDER: 'google',
    ISSUER_URL: google.issuer,
    GOOGLE_CLIENT_ID: CLIENT_ID,
    GOOGLE_CLIENT_SECRET: CLIENT_SECRET,
    GOOGLE_HOSTED_DOMAIN: 'example.com',
  })
  const approved = await approve(createBrowser(app), authorizeUrl(await register(app)))
  expect(new URL(refreshTarget(approved.body)).searchParams.get('hd')).toBe('example.com')
}

/** Sends a token that the provider issued to another program; the check answers with status `expected`. */
export async function expectTokenOfOtherProgram(
  startWith: (provider: HostileProvider) => Promise<TestApp>,
  expected: number,
): Promise<void> {
  const provider = await startHostileProvider()
  const { app, clock } = await startWith(provider)
  const at = Math.floor(clock() / 1000)
  const claims = { iss: provider.issuer, azp: 'old-app', typ: 'Bearer', iat: at, exp: at + 60 }
  const token = await provider.signToken({ ...claims, ...provider.person })
  const answer = await check(app, { authorization: `Bearer ${token}` })
  expect(answer.statusCode).toBe(expected)
}

const expectProviderTokens: Effect = async () => {
  const on = { ACCEPT_PROVIDER_TOKENS: 'true', PROVIDER_TOKEN_CLIENTS: 'old-app' }
  const tried: readonly (readonly [Record<string, string>, number])[] = [
    [on, 200],
    [{ ...on, ACCEPT_PROVIDER_TOKENS: 'false' }, 401],
    [{ ...on, PROVIDER_TOKEN_CLIENTS: '' }, 401],
  ]
  for (const [settings, expected] of tried) {
    await expectTokenOfOtherProgram(
      ({ issuer }) =>
        start({ PROVIDER: 'oidc', ISSUER_URL: issuer, CLIENT_ID, CLIENT_SECRET, ...settings }),
      expected,
    )
  }
}

/** Starts at a provider whose access tokens are for our client. */
async function startRelaying(provider: HostileProvider, tokens: string) {
  const test = await start({
    PROVIDER: 'oidc',
    ISSUER_URL: provider.issuer,
    CLIENT_ID,
    CLIENT_SECRET,
    ACCEPT_PROVIDER_TOKENS: 'true',
    CLIENT_TOKENS: tokens,
  })
  const at = Math.floor(test.clock() / 1000)
  const claims = { iss: provider.issuer, azp: CLIENT_ID, typ: 'Bearer', iat: at, exp: at + 60 }
  const token = await provider.signToken({ ...claims, ...provider.person })
  provider.issues = async () => token
  return { test, client: await register(test.app) }
}

/** A client gets the token of the provider, or one of ours. */
const expectClientTokens: Effect = async () => {
  for (const [tokens, isOfProvider] of [
    ['provider', true],
    ['own', false],
  ] as const) {
    const provider = await startHostileProvider()
    const { test, client } = await startRelaying(provider, tokens)
    const given = await obtainTokensThere({ ...test, provider, client, untrusted: client })
    expect(given.access_token === (await provider.issues?.())).toBe(isOfProvider)
    const answer = await check(test.app, { authorization: `Bearer ${given.access_token}` })
    expect(answer.statusCode).toBe(200)
  }
}

/** A person of a GitHub elsewhere signs in; both of its addresses come from the settings. */
export async function expectGithub(
  startWith: (settings: Record<string, string>) => Promise<TestApp>,
): Promise<void> {
  const github = await startGithub()
  const { app } = await startWith({
    PROVIDER: 'github',
    GITHUB_URL: github.site,
    GITHUB_API_URL: github.api,
    GITHUB_CLIENT_ID: GITHUB_CLIENT.id,
    GITHUB_CLIENT_SECRET: GITHUB_CLIENT.secret,
  })
  const browser = createBrowser(app)
  const approved = await approve(browser, authorizeUrl(await register(app)))
  const back = await github.signIn(refreshTarget(approved.body))
  expect(codeOf(await browser.get(back))).toBeTruthy()
  expect(github.redeemed).toHaveLength(1)
}

/**
 * A person of a Google elsewhere arrives with the group that only the directory knows: the service account, the
 * administrator that it acts for, and the address of the directory had a part in it.
 */
export async function expectDirectory(
  startWith: (settings: Record<string, string>) => Promise<TestApp>,
): Promise<void> {
  const google = await startGoogle()
  // Assertions are made by the clock of the tests.
  const directory = await startDirectory(createClock())
  directory.users[GOOGLE_ANN.sub] = { id: GOOGLE_ANN.sub, primaryEmail: GOOGLE_ANN.email }
  const { app } = await startWith({
    PROVIDER: 'google',
    ISSUER_URL: google.issuer,
    CLIENT_ID: GOOGLE_CLIENT.id,
    CLIENT_SECRET: GOOGLE_CLIENT.secret,
    GOOGLE_HOSTED_DOMAIN: 'example.com',
    GOOGLE_SERVICE_ACCOUNT: Buffer.from(directory.keyFile).toString('base64'),
    GOOGLE_ADMIN_SUBJECT: ADMIN,
    GOOGLE_DIRECTORY_URL: directory.url,
    ALLOWED_GROUPS: 'staff@example.com',
  })
  const browser = createBrowser(app)
  const client = await register(app)
  const approved = await approve(browser, authorizeUrl(client))
  const back = await google.choose(refreshTarget(approved.body), GOOGLE_ANN)
  const answer = await redeem(app, client, codeOf(await browser.get(back)))
  const { headers } = await check(app, { authorization: `Bearer ${answer.json().access_token}` })
  expect(headers['x-forwarded-groups']).toBe('staff@example.com')
  await google.stop()
}

const expectDirectoryFlat: Effect = () =>
  expectDirectory((settings) => start({ ...settings, ALLOWED_EMAILS: undefined }))

/**
 * A person of an Entra elsewhere arrives with an address of a domain that the operator vouches for, and with the group that
 * only Graph knows: all four settings had a part in it.
 */
export async function expectEntra(
  startWith: (settings: Record<string, string>) => Promise<TestApp>,
): Promise<void> {
  const entra = await startEntra()
  entra.members = [STAFF]
  Object.assign(entra.person, { xms_edov: false, groups: undefined, hasgroups: true })
  const { app } = await startWith({
    PROVIDER: 'entra',
    ENTRA_TENANT: CONTOSO.toUpperCase(),
    ENTRA_VERIFIED_DOMAINS: 'contoso.example',
    ENTRA_URL: entra.base,
    ENTRA_GRAPH_URL: entra.graph,
    CLIENT_ID: ENTRA_CLIENT.id,
    CLIENT_SECRET: ENTRA_CLIENT.secret,
    ALLOWED_GROUPS: STAFF.toUpperCase(),
  })
  const browser = createBrowser(app)
  const client = await register(app)
  const approved = await approve(browser, authorizeUrl(client))
  const back = await entra.signIn(refreshTarget(approved.body))
  const answer = await redeem(app, client, codeOf(await browser.get(back)))
  const { headers } = await check(app, { authorization: `Bearer ${answer.json().access_token}` })
  expect(headers).toMatchObject({
    'x-forwarded-email': 'ann@contoso.example',
    'x-forwarded-groups': STAFF,
  })
}

const expectEntraFlat: Effect = () => expectEntra((settings) => start(settings))

/** Starts with this provider and one more of its settings, by its name in the file. */
type StartWith = (
  provider: HostileProvider,
  more: readonly [name: string, value: string],
) => Promise<TestApp>

const startFlat: StartWith = ({ issuer }, [name, value]) =>
  start({
    PROVIDER: 'oidc',
    ISSUER_URL: issuer,
    CLIENT_ID,
    CLIENT_SECRET,
    [name.toUpperCase()]: value,
  })

/** The secret is in the form, although the provider would rather have it in a header. */
export async function expectPost(startWith: StartWith): Promise<void> {
  const provider = await startHostileProvider()
  const test = await startWith(provider, ['token_endpoint_auth_method', 'client_secret_post'])
  const client = await register(test.app)
  await obtainTokensThere({ ...test, provider, client, untrusted: client })
  expect(provider.redeemed[0]?.get('client_secret')).toBe(CLIENT_SECRET)
}

/** The document is read there; the issuer stays the address at which nothing answers. */
export async function expectDiscoveryThere(startWith: StartWith): Promise<void> {
  const provider = await startHostileProvider()
  const issuer = 'http://localhost:1'
  provider.lies.discovery = (document) => Object.assign(document, { issuer })
  const { app } = await startWith({ ...provider, issuer }, ['discovery_url', provider.issuer])
  await approve(createBrowser(app), authorizeUrl(await register(app)))
  expect(provider.asked('/.well-known/openid-configuration')).toBe(1)
}

/** The document is read through the proxy. */
export async function expectProxy(
  startWith: (provider: HostileProvider, address: string) => Promise<TestApp>,
): Promise<void> {
  const provider = await startHostileProvider()
  const proxy = await startProxy()
  const { app } = await startWith(provider, `http://${proxy.address}`)
  await approve(createBrowser(app), authorizeUrl(await register(app)))
  expect(provider.asked('/.well-known/openid-configuration')).toBe(1)
  expect(proxy.targets).toEqual([new URL(provider.issuer).host])
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----'

/** The certificates of the file count; `test/providers/way-to-provider.test.ts` speaks TLS. */
export function expectAuthorities(loadWith: (files: Record<string, string>) => Loaded): void {
  const { provider } = loadWith({ '/srv/ca.pem': CERTIFICATE }).config
  expect(provider).toMatchObject({ way: { authorities: CERTIFICATE } })
}

/** The person is sent to the provider with these scopes. */
export async function expectScopes(startWith: StartWith): Promise<void> {
  const provider = await startHostileProvider()
  const { app } = await startWith(provider, ['provider_scopes', 'openid,groups'])
  const approved = await approve(createBrowser(app), authorizeUrl(await register(app)))
  expect(new URL(refreshTarget(approved.body)).searchParams.get('scope')).toBe('openid groups')
}

/** sc9: people come back to the path that is registered at the provider. */
export async function expectCallbackPath(startWith: StartWith): Promise<void> {
  const provider = await startHostileProvider()
  const { app } = await startWith(provider, ['callback_path', '/oauth/callback'])
  const browser = createBrowser(app)
  const approved = await approve(browser, authorizeUrl(await register(app)))
  const away = refreshTarget(approved.body)
  const redirectUri = 'https://auth.example.com/oauth/callback'
  expect(new URL(away).searchParams.get('redirect_uri')).toBe(redirectUri)
  const back = await browser.get(await provider.signIn(away))
  expect(String(back.headers.location)).toMatch(/^http:\/\/127\.0\.0\.1:33418\/callback\?code=/)
  expect((await browser.get('/callback')).statusCode).toBe(404)
  const own = { redirect_uris: [redirectUri], token_endpoint_auth_method: 'none' }
  const refused = await app.inject({ method: 'POST', url: '/register', payload: own })
  expect(refused.json().error).toBe('invalid_redirect_uri')
}

export const provider: Record<
  | 'provider'
  | 'issuer_url'
  | 'discovery_url'
  | 'provider_scopes'
  | 'callback_path'
  | 'client_id'
  | 'client_secret'
  | 'provider_ca'
  | 'provider_proxy'
  | 'token_endpoint_auth_method'
  | 'groups_claim'
  | 'google_hosted_domain'
  | 'google_service_account'
  | 'google_admin_subject'
  | 'google_directory_url'
  | 'github_url'
  | 'github_api_url'
  | 'entra_tenant'
  | 'entra_verified_domains'
  | 'entra_url'
  | 'entra_graph_url'
  | 'unique_usernames'
  | 'recheck_at_refresh'
  | 'accept_provider_tokens'
  | 'provider_token_clients'
  | 'client_tokens'
  | 'keycloak_auth_host'
  | 'keycloak_auth_port'
  | 'keycloak_auth_protocol'
  | 'keycloak_realm',
  Effect
> = {
  provider: expectOidc,
  issuer_url: expectOidc,
  provider_scopes: () => expectScopes(startFlat),
  callback_path: () => expectCallbackPath(startFlat),
  discovery_url: () => expectDiscoveryThere(startFlat),
  client_id: expectOidc,
  client_secret: expectOidc,
  provider_ca: async () =>
    expectAuthorities((files) =>
      load({
        env: {
          PROVIDER: 'oidc',
          ISSUER_URL: 'https://id.example.com',
          CLIENT_ID,
          CLIENT_SECRET,
          PROVIDER_CA: 'ca.pem',
        },
        files,
      }),
    ),
  provider_proxy: () =>
    expectProxy((provider, address) => startFlat(provider, ['provider_proxy', address])),
  token_endpoint_auth_method: () => expectPost(startFlat),
  groups_claim: expectOidc,
  google_hosted_domain: () => expectHostedDomain((settings) => start(settings)),
  google_service_account: expectDirectoryFlat,
  google_admin_subject: expectDirectoryFlat,
  google_directory_url: expectDirectoryFlat,
  github_url: () => expectGithub((settings) => start(settings)),
  github_api_url: () => expectGithub((settings) => start(settings)),
  entra_tenant: expectEntraFlat,
  entra_verified_domains: expectEntraFlat,
  entra_url: expectEntraFlat,
  entra_graph_url: expectEntraFlat,
  unique_usernames: expectUniqueUsernames,
  recheck_at_refresh: () =>
    expectRecheck(({ issuer }, isOn) =>
      start({
        ...{ PROVIDER: 'oidc', ISSUER_URL: issuer, CLIENT_ID, CLIENT_SECRET },
        RECHECK_AT_REFRESH: String(isOn),
      }),
    ),
  accept_provider_tokens: expectProviderTokens,
  provider_token_clients: expectProviderTokens,
  client_tokens: expectClientTokens,
  keycloak_auth_host: expectKeycloak,
  keycloak_auth_port: expectKeycloak,
  keycloak_auth_protocol: expectKeycloak,
  keycloak_realm: expectKeycloak,
}
