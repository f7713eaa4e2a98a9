/** App schemes as redirect URIs, through `/register`, `/authorize` and the configuration. */
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import { load, problemsOf } from '../config/harness.ts'
import { buildTestApp } from '../support/build-app.ts'
import { authorizeUrl, register } from '../support/oauth-client.ts'

const post = (app: FastifyInstance, uri: string) =>
  app.inject({
    method: 'POST',
    url: '/register',
    payload: { redirect_uris: [uri], token_endpoint_auth_method: 'none' },
  })
const open = (app: FastifyInstance, url: string) =>
  app.inject({ url, headers: { host: 'auth.example.com' } })

const CALLBACKS = [
  'warp://mcp/oauth2callback',
  'kiro://kiro.oauth/callback',
  'raycast://oauth?package_name=mcp_server_dust_(dev)',
  'raycast://oauth/callback',
  'com.raycast:/oauth?package_name=Extension',
  'zed://extension-id/callback',
  'goose://oauth-callback',
  'vscodium://publisher.name/callback',
  'code-oss://publisher.name/auth/callback',
  'positron://publisher.name/mcp/oauth/callback',
  'trae://publisher.name/oauth/callback',
  'windsurf-next://publisher.name/oauth/callback',
  'cursor-nightly://anysphere.cursor-mcp/oauth/callback',
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'cursor://anysphere.cursor-retrieval/oauth/user-notion/callback',
  'vscode://saoudrizwan.claude-dev/mcp-auth/callback/a1b2c3',
  'vscode://vscode.github-authentication/did-authenticate',
  'com.example.app:/oauth/callback',
  'com.example.app:/anything',
]

const PLACES_THAT_DO_SOMETHING = [
  'cursor://anysphere.cursor-deeplink/mcp/install',
  'cursor://anysphere.cursor-deeplink/mcp/install?name=corp-tools&config=e30',
  'cursor://anysphere.cursor-deeplink/mcp/install/callback',
  'vscode://vscode.git/clone',
  'vscode://vscode.git/clone?url=https://evil.example/x.git',
  'vscode://file/etc/passwd',
  'vscode://settings/x',
  'vscode://file/callback',
  'zed://ssh/callback',
  'vscode://vscode-remote/oauth/evil.example/callback',
  'vscode://a.b/callback/x/y',
  'vscode://a.b/%63allback',
  'vscode://a.b/callback%2fx',
  'vscode://vscode-remote/ssh-remote+evil.example/callback/x/y',
  'vscode:extension/evil.extension',
  'vscode:mcp/install?x',
  'kiro://kiro.mcp/add',
  'goose://extension',
  'goose://recipe',
  'zed://file/x',
  'trae://trae.ai-ide/mcp-import',
  'warp://action/new_tab',
  'raycast://extensions/a/b/c',
  'raycast://oauth?package_name=a&launch=b',
  'windsurf://windsurf-mcp-registry',
]

const WITH_A_QUERY = [
  'cursor://anysphere.cursor-mcp/oauth/callback?x=1',
  'cursor://anysphere.cursor-mcp/oauth/callback?',
  'warp://mcp/oauth2callback?server_id=1',
  'com.example.app:/oauth?x=1',
]

const DANGEROUS =
  'javascript data vbscript blob file about view-source intent mailto ftp ws wss tel sms ms-msdt search-ms chrome-extension'
    .split(' ')
    .flatMap((scheme) => [`${scheme}://oauth/callback`, `${scheme}:callback`])

describe('cl3: an app on this device may register its callback', () => {
  it.each(CALLBACKS)('%s', async (uri) => {
    const { app } = await buildTestApp()
    const answer = await post(app, uri)
    expect(answer.statusCode).toBe(201)
    const consent = await open(app, authorizeUrl(answer.json(), { redirect_uri: uri }))
    expect(consent.statusCode).toBe(200)
    expect(consent.body).toContain(`<bdi>${uri.replaceAll('&', '&amp;')}</bdi>`)
  })
})

describe.each([
  ['links of an app that do something', PLACES_THAT_DO_SOMETHING],
  ['a query on a private scheme', WITH_A_QUERY],
  ['schemes of browsers and systems', DANGEROUS],
])('at14: T48: no client may register %s', (_, uris) => {
  it.each([[['open', 'myapp:']], ['open' as const]])('with %j', async (registration) => {
    const { app } = await buildTestApp({ registration })
    for (const uri of uris) {
      const answer = await post(app, uri)
      expect([uri, answer.statusCode]).toEqual([uri, 400])
      expect(answer.json().error).toBe('invalid_redirect_uri')
    }
  })
})

describe('cl3: a scheme that we do not know', () => {
  const uri = 'myapp://callback'

  it('is refused with the setting that allows it', async () => {
    const { app } = await buildTestApp()
    const answer = await post(app, uri)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error_description).toContain('CLIENT_REGISTRATION=open,myapp:')
  })

  it.each([
    ['open,myapp:', ['https://app.example/cb', 'http://localhost/cb'], []],
    ['localhost,myapp:', ['http://localhost/cb'], ['https://app.example/cb', 'other://callback']],
  ])('registers under CLIENT_REGISTRATION=%s', async (setting, alsoTaken, refused) => {
    const { registration } = load({ env: { CLIENT_REGISTRATION: setting } }).config
    const { app } = await buildTestApp({ registration })
    for (const good of [uri, ...alsoTaken]) expect((await post(app, good)).statusCode).toBe(201)
    for (const bad of [...refused, 'myapp://callback?x=1', 'other2://callback']) {
      expect((await post(app, bad)).statusCode).toBe(400)
    }
    const consent = await open(
      app,
      authorizeUrl((await post(app, uri)).json(), { redirect_uri: uri }),
    )
    expect(consent.statusCode).toBe(200)
  })

  it('is refused at /authorize once the operator removes it', async () => {
    const before = await buildTestApp({ registration: ['open', 'myapp:'] })
    const client = await register(before.app, { redirect_uris: [uri] })
    const { app } = await before.restart({ registration: 'open' })
    const answer = await open(app, authorizeUrl(client, { redirect_uri: uri }))
    expect(answer.statusCode).toBe(400)
    expect(answer.headers.location).toBeUndefined()
  })
})

describe('cl3: a client of the configuration', () => {
  const yaml = (uri: string) => `clients:\n  - client_id: app\n    redirect_uris: ["${uri}"]\n`

  it.each(['off', 'open'])('may have its own scheme under CLIENT_REGISTRATION=%s', async (word) => {
    const { config } = load({
      yaml: yaml('myapp://callback'),
      env: { CLIENT_REGISTRATION: word },
    })
    const { app } = await buildTestApp({
      clients: config.clients,
      registration: config.registration,
    })
    const url = authorizeUrl({ client_id: 'app' }, { redirect_uri: 'myapp://callback' })
    expect((await open(app, url)).statusCode).toBe(200)
  })

  it.each([
    'myapp://callback?x=1',
    'cursor://anysphere.cursor-deeplink/mcp/install',
    'javascript:alert(1)',
    'mailto:a@example.com',
  ])('at14: may not have %s', (uri) => {
    expect(problemsOf(() => load({ yaml: yaml(uri) }))).toHaveLength(1)
  })
})

it('at14: T48: a deep link that registered under an older version is refused at /authorize', async () => {
  const uri = 'vscode://vscode.git/clone'
  const { app } = await buildTestApp({
    clients: [
      {
        id: 'old',
        name: 'Old',
        redirectUris: [uri],
        grantTypes: ['authorization_code'],
        authMethod: 'none',
      },
    ],
  })
  const answer = await open(app, authorizeUrl({ client_id: 'old' }, { redirect_uri: uri }))
  expect(answer.statusCode).toBe(400)
  expect(answer.headers.location).toBeUndefined()
  expect(answer.body).not.toContain('vscode:')
})
