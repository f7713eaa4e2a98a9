/** Redirect URIs on the hosts that we answer on: the addresses of others may be there, ours may not. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { hitsOwnPath } from '../../src/oauth/own-places.ts'
import { OWN_ROUTES } from '../../src/paths.ts'
import { load, problemsOf } from '../config/harness.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { authorizeUrl, register } from '../support/oauth-client.ts'

const post = (app: FastifyInstance, uri: string) =>
  app.inject({
    method: 'POST',
    url: '/register',
    payload: { redirect_uris: [uri], token_endpoint_auth_method: 'none' },
  })

const HOME = { origin: 'https://home.example.test', host: 'home.example.test', secure: true }
const LOCAL = { origin: 'http://localhost:8080', host: 'localhost:8080', secure: false }

describe('cl10: beside us on our host, a client may register', () => {
  it.each([
    [HOME, 'https://home.example.test/n8n/rest/oauth2-credential/callback'],
    [HOME, 'https://home.example.test/'],
    [HOME, 'https://home.example.test/callbacks'],
    [HOME, 'https://home.example.test/login/oauth/callback'],
    [HOME, 'https://home.example.test/app/callback?tenant=1'],
    [HOME, 'https://home.example.test:8443/callback'],
    [LOCAL, 'http://127.0.0.1/cb'],
    [LOCAL, 'http://localhost/callback'],
    [LOCAL, 'http://localhost:8081/callback'],
    [LOCAL, 'http://localhost:8080/n8n/callback'],
  ])('%o: %s', async (publicUrl, uri) => {
    const { app } = await buildTestApp({ publicUrl })
    expect((await post(app, uri)).statusCode).toBe(201)
  })
})

describe('cl10: T6: a client may not register our own addresses', () => {
  const spellings = (path: string) => [
    path,
    path.toUpperCase(),
    `${path}/`,
    `${path}?x=1`,
    `/%${path.charCodeAt(1).toString(16)}${path.slice(2)}`,
    `${path}%20`,
    `${path}.`,
    `/${path}`,
    `${path};x`,
    `/a/..${path}`,
    `/a/%2e%2e${path}`,
    `/a%2f..%2f${path.slice(1)}`,
  ]

  it.each(
    '/callback /consent /login /logout /token /register /register/client /device /device/allowed /device_authorization /revoke /introspect /jwks /verify /authenticate /_ws_tunnel /healthz /authorize /authorize/x /auth /auth/connect /auth/traefik/r/x /.gatewarden/callback /.gatewarden /.well-known/x'.split(
      ' ',
    ),
  )('%s in any spelling', async (path) => {
    const { app } = await buildTestApp({ publicUrl: HOME })
    const origins = [HOME.origin, `${HOME.origin}:443`, 'https://HOME.example.test.']
    const uris = spellings(path).flatMap((spelling) => origins.map((origin) => origin + spelling))
    for (const uri of uris) {
      const answer = await post(app, uri)
      expect([uri, answer.statusCode, answer.json().error]).toEqual([
        uri,
        400,
        'invalid_redirect_uri',
      ])
    }
  })

  it('at /authorize with the port of ours, by any name of this computer', async () => {
    const { app } = await buildTestApp({ publicUrl: LOCAL })
    for (const host of ['localhost', '127.0.0.1', '[::1]']) {
      const client = await register(app, { redirect_uris: [`http://${host}/callback`] })
      const ask = (port: number) =>
        app.inject({
          url: authorizeUrl(client, { redirect_uri: `http://${host}:${port}/callback` }),
          headers: { host: 'localhost:8080' },
        })
      expect((await ask(8080)).statusCode).toBe(400)
      expect((await ask(8080)).headers.location).toBeUndefined()
      expect((await ask(8081)).statusCode).toBe(200)
    }
  })

  it('in the configuration either', () => {
    const yaml = (uri: string) => `clients:\n  - client_id: app\n    redirect_uris: ["${uri}"]\n`
    const problems = (uri: string) => problemsOf(() => load({ yaml: yaml(uri) }))
    expect(problems('https://auth.example.com/callback')).toHaveLength(1)
    expect(problems('https://auth.example.com/n8n/callback')).toEqual([])
  })
})

describe('cl10: T6: on a protected host our paths are ours, all others belong to the application', () => {
  const resources = [
    resource(),
    resource({ id: 'wild', url: 'https://*.apps.example.com', isDefault: false }),
  ]

  it.each([
    'https://mcp.example.com/.gatewarden/callback',
    'https://mcp.example.com/.GateWarden/x',
    'https://mcp.example.com/%2egatewarden/callback',
    'https://mcp.example.com/.gatewarden',
    'https://mcp.example.com/auth/connect',
    'https://mcp.example.com/auth/connect/',
    'https://MCP.example.com:443/auth/Connect?x=1',
    'https://any.apps.example.com/.gatewarden/login',
  ])('%s is refused', async (uri) => {
    const { app } = await buildTestApp({ resources })
    expect((await post(app, uri)).statusCode).toBe(400)
  })

  it.each([
    'https://mcp.example.com/callback',
    'https://mcp.example.com/auth/callback',
    'https://any.apps.example.com/login',
    'https://elsewhere.example.com/.gatewarden/callback',
  ])('%s is taken', async (uri) => {
    const { app } = await buildTestApp({ resources })
    expect((await post(app, uri)).statusCode).toBe(201)
  })
})

describe('cl10: the list of own addresses', async () => {
  const { config: provider } = await startHostileProvider()
  const routes = new Set([
    ...(await routesOf({ edgeAuth: true })),
    ...(await routesOf({ edgeAuth: true, provider, users: [] })),
  ])

  it('covers the route table', () => {
    for (const known of ['/authorize', '/auth/connect', '/callback', '/login', '/jwks']) {
      expect([...routes]).toContain(known)
    }
    const ownOrigin = 'https://auth.example.com'
    const missing = [...routes].filter(
      (route) =>
        !hitsOwnPath(new URL(route.replace('*', 'x'), ownOrigin), {
          ownOrigin,
          isProtected: () => false,
        }),
    )
    expect(missing).toEqual([])
  })

  it.each([
    ['/Auth-GW', undefined, '/Auth-GW/callback'],
    ['/Auth-GW', undefined, '/auth-gw/token'],
    ['/auth.', undefined, '/auth./callback'],
    ['/auth-gw/v1.', undefined, '/auth-gw/v1/login'],
    ['', '/OAuth/Callback', '/OAuth/Callback'],
    ['', '/signin-oidc.', '/signin-oidc.'],
  ])(
    'T6: covers PATH_PREFIX %j and CALLBACK_PATH %j as they are written: %s',
    (prefix, callbackPath, path) => {
      const ownOrigin = `https://auth.example.com${prefix}`
      const hosts = { ownOrigin, callbackPath, isProtected: () => false }
      expect(hitsOwnPath(new URL(path, ownOrigin), hosts)).toBe(true)
      expect(hitsOwnPath(new URL('/app/callback', ownOrigin), hosts)).toBe(false)
    },
  )

  it('has no entry without a route', () => {
    const unused = OWN_ROUTES.filter(
      (own) =>
        ![...routes].some((route) => route === own.replace(/\/$/, '') || route.startsWith(own)),
    )
    expect(unused).toEqual([])
  })
})

/** Every address of the route table but the one that takes what no other route takes. */
async function routesOf(changes: Partial<Config>): Promise<string[]> {
  const routes: string[] = []
  const listen = (message: unknown) => {
    const { fastify } = message as { fastify: FastifyInstance }
    fastify.addHook('onRoute', ({ url }) => void routes.push(url))
  }
  subscribe('fastify.initialization', listen)
  await buildTestApp(changes)
  unsubscribe('fastify.initialization', listen)
  return routes.filter((url) => url !== '/*')
}
