/**
 * Rows about how mcpauth is deployed, and the page's short version.
 *
 * @module
 */
import { expect } from 'vitest'
import { IDENTITY_HEADERS } from '../../../src/check/identity-headers.ts'
import { load, problemsOf } from '../../config/harness.ts'
import { configurationOf } from '../../e2e/support/traefik-labels.ts'
import { askTunnel, CONNECT, open } from '../../edge/support.ts'
import { createBrowser } from '../../support/browser.ts'
import { buildTestApp } from '../../support/build-app.ts'
import { readPage } from '../../support/documentation.ts'
import { CLIENT_ID, CLIENT_SECRET, startHostileProvider } from '../../support/hostile-provider.ts'
import { check, obtainTokens } from '../../support/oauth-client.ts'
import { makeSession } from '../../support/session.ts'
import { labelsOf } from '../migration-page.ts'
import { ask, both, checksItself, type Proof, type Proofs, provedBy, startWith } from '../proof.ts'
import { checks } from './check.ts'
import { endpoints } from './endpoints.ts'
import { holes } from './holes.ts'
import { settings } from './settings.ts'

/** The value of a label after the page's change. */
const labelled = (name: string) =>
  labelsOf('after')
    .find((label) => label.startsWith(`traefik.http.${name}=`))
    ?.slice(`traefik.http.${name}=`.length)

/** The rule of a router as docs/proxies/traefik.md has it, at the hosts of mcpauth. */
const ofTraefikPage = (router: string) =>
  new RegExp(`^ +- traefik\\.http\\.routers\\.${router}\\.rule=(.*)$`, 'm')
    .exec(readPage('docs/proxies/traefik.md'))?.[1]
    ?.replace('auth.example.com', 'oauth.example.com')

const LOGIN = 'middlewares.mcp-auth.forwardauth'

export const deployments: Proofs = {
  D1() {
    const image = readPage('Dockerfile')
    for (const line of ['EXPOSE 11000', 'USER 1000:1000', 'VOLUME /data']) {
      expect(image).toContain(line)
    }
  },

  D2: () => expect(labelled('routers.mcpauth.rule')).toBe(ofTraefikPage('gatewarden')),

  async D3() {
    expect(labelled(`${LOGIN}.address`)).toBe('http://mcpauth:11000/auth')
    const { app } = await buildTestApp()
    expect((await check(app, {}, '/auth')).statusCode).toBe(401)
    expect((await check(app, {}, '/auth/traefik/r/notes')).statusCode).toBe(401)
    expect((await check(app, {}, '/auth/traefik/r/wiki')).statusCode).toBe(403)
  },

  D4() {
    const copied = labelled(`${LOGIN}.authResponseHeaders`)?.split(',')
    expect(copied).toEqual([
      'Authorization',
      'Cookie',
      'X-Api-Key',
      ...Object.keys(IDENTITY_HEADERS),
    ])
  },

  D5() {
    expect(labelled(`${LOGIN}.trustForwardHeader`)).toBe('false')
  },

  async D6() {
    expect(labelled('routers.mcp-discovery.service')).toBe('mcpauth')
    expect(labelled('routers.mcp-discovery.rule')).toBe(ofTraefikPage('mcp-discovery'))
    expect(labelsOf('after').join()).not.toContain('redirectregex')
    const { app } = await buildTestApp()
    const path = '/.well-known/oauth-protected-resource/notes/mcp'
    const answer = await ask(app, path, { headers: { host: 'mcp.example.com' } })
    expect(answer.json().resource).toBe('https://mcp.example.com/notes/mcp')
    // The old redirects may stay if challenges name our host.
    const unrouted = await buildTestApp({ discoveryAt: 'gateway' })
    const { headers } = await check(unrouted.app)
    const ours = /resource_metadata="https:\/\/auth\.example\.com([^"]*)"/
    const [, document = ''] = ours.exec(String(headers['www-authenticate'])) ?? []
    const found = await ask(unrouted.app, document, { headers: { host: 'auth.example.com' } })
    expect(found.json().resource).toBe('https://mcp.example.com/notes/mcp')
  },

  D7() {
    expect(labelled('routers.notes.middlewares')).toBe('mcp-cors,mcp-auth')
    const exposed = labelled('middlewares.mcp-cors.headers.accessControlExposeHeaders')
    expect(exposed).toContain('WWW-Authenticate')
    expect(configurationOf(labelsOf('before'), () => '')).toHaveProperty(
      'http.middlewares.mcp-cors',
    )
  },

  async D8() {
    const provider = await startHostileProvider()
    const { app } = await startWith({
      PROVIDER: 'oidc',
      ISSUER_URL: provider.issuer,
      CLIENT_ID,
      CLIENT_SECRET,
      COOKIE_DOMAIN: 'example.com',
    })
    const browser = createBrowser(app)
    const page = 'https://mcp.example.com/notes/mcp'
    const away = await browser.get(`/.gatewarden/login?rd=${encodeURIComponent(page)}`)
    const redirectUri = new URL(String(away.headers.location)).searchParams.get('redirect_uri')
    expect(redirectUri).toBe('https://auth.example.com/callback')
    const back = await browser.get(await provider.signIn(String(away.headers.location)))
    expect(back.headers.location).toBe(page)
  },

  async D9() {
    const test = await startWith({ ENABLE_EDGE_AUTH: 'true' })
    const { cookie } = await makeSession(test)
    expect((await open(test.app, CONNECT)).statusCode).toBe(302)
    expect((await open(test.app, CONNECT, { cookie })).body).toContain('K7M-2QXA')
    expect((await askTunnel(test.app)).statusCode).toBe(401)
    expect((await askTunnel(test.app, { cookie })).body).toBe('authenticated')
  },

  async D10() {
    const { app, logs } = await startWith({ TRUSTED_PROXIES: '192.0.2.1' })
    expect((await check(app, {}, '/auth')).statusCode).toBe(403)
    expect(logs).toContainEqual(
      expect.objectContaining({
        peer: '127.0.0.1',
        msg: expect.stringContaining('TRUSTED_PROXIES'),
      }),
    )
  },

  D11: provedBy(
    'test/e2e/docs-pangolin.test.ts',
    'sign in an MCP client, without any route to Gatewarden on the host of the server',
  ),
  D12: checksItself,
}

const same = (proofs: Proofs, ...ids: readonly string[]): Proof =>
  both(...ids.map((id) => proofs[id] ?? (() => expect.fail(`there is no ${id}`))))

export const short: Proofs = {
  W1: same(settings, 'S2', 'S3', 'S12'),
  W2: () => {
    const { config, warnings } = load({ env: { RESOURCES: undefined } })
    expect(config.resources.map(({ url }) => url)).toEqual(['https://*.example.com'])
    expect(warnings).toContainEqual(expect.stringContaining('RESOURCES=https://*.example.com'))
    const shared = { RESOURCES: undefined, PUBLIC_URL: 'https://a.co.uk' }
    expect(problemsOf(() => load({ env: shared }))).toEqual([
      expect.stringContaining('RESOURCES=https://*.a.co.uk'),
    ])
  },
  W3: same(endpoints, 'E3', 'E4', 'E5', 'E6', 'E8', 'E9', 'E13'),
  W4: same(checks, 'A6', 'A7'),
  W5: same(settings, 'S5'),
  W6: both(
    async () => {
      const { app } = await buildTestApp()
      const { access_token } = (await obtainTokens(app)).tokens
      const claims = Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString()
      expect(JSON.parse(claims)).toMatchObject({
        iss: 'https://auth.example.com',
        aud: 'https://mcp.example.com/notes/mcp',
      })
    },
    provedBy('test/credentials/provider-tokens/bearers.test.ts', 'opens a server that accepts it'),
    provedBy('test/oauth/relay.test.ts', 'uses it at the server, and gets nothing else of the'),
  ),
  W7: same(holes, 'H1', 'H2', 'H3', 'H4', 'H7', 'H19'),
  W8: same(settings, 'S17'),
  W9: same(endpoints, 'E12'),
}
