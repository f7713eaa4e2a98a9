/**
 * Our own paths under `PATH_PREFIX` (case ed11, decision 0057): the application has the rest of our host, and no address
 * that we name lacks the prefix.
 */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { issuerOf } from '../../src/config/config.ts'
import { OWN_ROUTES } from '../../src/paths.ts'
import { createBrowser, formAction, hiddenField, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, PASSWORD, resource, type TestApp } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { CHALLENGE, codeOf, REDIRECT_URI, VERIFIER } from '../support/oauth-client.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { createVisitor, isLetIn, linkOf, webApp } from '../support/visitor.ts'

const HOST = 'auth.example.com'
const ORIGIN = `https://${HOST}`
const PREFIX = '/auth-gw'
const ISSUER = ORIGIN + PREFIX
const APP = `${ORIGIN}/app`
const CONFIG = {
  pathPrefix: PREFIX,
  edgeAuth: true,
  resources: [
    resource({ id: 'app', url: APP, name: 'Wiki', allow: ANYONE, sharedHost: 'sandboxed' }),
  ],
} as const

/** Every address on our own host that an answer names. */
function ownAddresses({ headers, body }: LightMyRequestResponse, at: string): URL[] {
  const named = [
    headers.location ?? '',
    ...[...body.matchAll(/(?:href|action)="([^"#][^"]*)"|url=([^"]*)"/g)].map(
      ([, link, refresh]) => link ?? refresh ?? '',
    ),
    ...[...body.matchAll(/"(https:\/\/auth\.example\.com[^"]*)"/g)].map(
      ([, address = '']) => address,
    ),
    ...[...body.matchAll(/"to":"([^"]*)"/g)].map(([, to = '']) => to.replaceAll('\\u0026', '&')),
  ].filter((address) => address !== '')
  return named
    .map((address) => new URL(address.replaceAll('&amp;', '&'), at))
    .filter(({ host }) => host === HOST)
}

/** Every address of ours begins with the prefix; the application's begin with its path. */
function expectPrefix(answer: LightMyRequestResponse, at: string): number {
  const own = ownAddresses(answer, at)
  for (const { pathname } of own) {
    expect(pathname, `${at}: ${answer.body.slice(0, 200)}`).toMatch(
      /^\/auth-gw(?:\/|$)|^\/app(?:\/|$)|^\/\.well-known\/oauth-protected-resource\/app$/,
    )
  }
  return own.length
}

const person = { host: HOST, accept: 'text/html', 'sec-fetch-mode': 'navigate' } as const

describe('ed11: with a prefix', () => {
  it.each([
    ['/.well-known/oauth-authorization-server/auth-gw', 'RFC 8414 section 3.1'],
    ['/.well-known/openid-configuration/auth-gw', 'RFC 8414 section 3.1'],
    ['/auth-gw/.well-known/openid-configuration', 'OIDC Discovery 1.0 section 4'],
    ['/auth-gw/.well-known/oauth-authorization-server', 'a client that appends'],
    ['/.well-known/oauth-authorization-server/auth-gw/', 'a final slash'],
    ['/.well-known/oauth-authorization-server', 'a client that knows the host alone'],
  ])('%s names the issuer and every endpoint (%s)', async (url) => {
    const { app } = await buildTestApp(CONFIG)
    const answer = await app.inject({ url, headers: { host: HOST } })
    expect(answer.json()).toMatchObject({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      registration_endpoint: `${ISSUER}/register`,
      jwks_uri: `${ISSUER}/jwks`,
    })
    expect(expectPrefix(answer, ORIGIN + url)).toBeGreaterThan(6)
    const endpoints = ownAddresses(answer, ORIGIN).filter(({ href }) => href !== ISSUER)
    for (const address of endpoints) {
      const found = await app.inject({
        method: 'OPTIONS',
        url: address.pathname,
        headers: { host: HOST },
      })
      expect(found.statusCode, address.href).not.toBe(404)
    }
  })

  it('security review 12: a server of our host at /auth/r/<x> has its document', async () => {
    const notes = resource({ id: 'notes', url: `${ORIGIN}/auth/r/notes`, allow: ANYONE })
    const { app } = await buildTestApp({ ...CONFIG, resources: [notes, resource()] })
    const read = (path: string) =>
      app.inject({
        url: `/.well-known/oauth-protected-resource/auth/r/${path}`,
        headers: { host: HOST },
      })
    expect((await read('notes')).json()).toMatchObject({ resource: notes.url })
    expect((await read('mcp.example.com/notes/mcp')).json().resource).toBe(resource().url)
    expect((await read('elsewhere.test/notes/mcp')).statusCode).toBe(404)
  })

  it('the document of the server names the issuer', async () => {
    const { app } = await buildTestApp(CONFIG)
    const url = '/.well-known/oauth-protected-resource/app'
    const answer = await app.inject({ url, headers: { host: HOST } })
    expect(answer.json()).toMatchObject({ resource: APP, authorization_servers: [ISSUER] })
  })

  it('T35: a page of another program on our host opens none of ours, and cannot keep a window on one', async () => {
    for (const resources of [
      CONFIG.resources,
      [resource({ url: 'https://mcp.example.com/mcp' })],
    ]) {
      const { app } = await buildTestApp({ ...CONFIG, resources })
      const url = `${PREFIX}/device`
      const own = { host: HOST, 'sec-fetch-site': 'same-origin' }
      expect((await app.inject({ url, headers: own })).statusCode).toBe(403)
      const typed = await app.inject({ url, headers: { host: HOST, 'sec-fetch-site': 'none' } })
      expect(typed.statusCode).toBe(200)
      expect(typed.headers['cross-origin-opener-policy']).toBe('same-origin')
    }
  })

  it('a device is connected below the prefix alone (RFC 8628)', async () => {
    const { app } = await buildTestApp(CONFIG)
    const post = (path: string, fields: Record<string, string>) =>
      app.inject({
        method: 'POST',
        url: PREFIX + path,
        headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded' },
        payload: new URLSearchParams(fields).toString(),
      })
    const grant = 'urn:ietf:params:oauth:grant-type:device_code'
    const registered = await app.inject({
      method: 'POST',
      url: `${PREFIX}/register`,
      headers: { host: HOST },
      payload: { grant_types: [grant], token_endpoint_auth_method: 'none' },
    })
    const client = { client_id: registered.json().client_id }
    const asked = await post('/device_authorization', { ...client, resource: APP })
    expect(asked.json().verification_uri).toBe(`${ISSUER}/device`)
    const browser = createBrowser(app)
    const page = await browser.get(asked.json().verification_uri_complete)
    expect(expectPrefix(page, `${ISSUER}/device`)).toBeGreaterThan(0)
    const consent = await browser.post(formAction(page.body), {
      user_code: asked.json().user_code,
      proof: hiddenField(page.body, 'proof'),
    })
    expect(expectPrefix(consent, `${ISSUER}/device`)).toBeGreaterThan(0)
    const approved = await browser.post(formAction(consent.body), {
      interaction: hiddenField(consent.body, 'interaction'),
      decision: 'approve',
    })
    const login = await browser.get(refreshTarget(approved.body))
    const done = await browser.post(formAction(login.body), {
      interaction: hiddenField(login.body, 'interaction'),
      username: 'ann',
      password: PASSWORD,
    })
    expect(done.headers.location).toBe(`${PREFIX}/device/allowed`)
    expect((await browser.get(String(done.headers.location))).statusCode).toBe(200)
    const tokens = await post('/token', {
      ...client,
      grant_type: grant,
      device_code: asked.json().device_code,
    })
    expect(tokens.statusCode).toBe(200)
  })

  it('a client registers, a person consents and signs in, and the token opens the server', async () => {
    const { app } = await buildTestApp(CONFIG)
    const registered = await app.inject({
      method: 'POST',
      url: `${PREFIX}/register`,
      headers: { host: HOST },
      payload: { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none' },
    })
    expect(registered.statusCode).toBe(201)
    expectPrefix(registered, ISSUER)
    const { client_id: clientId, registration_client_uri: management } = registered.json()
    expect(management).toContain(`${ISSUER}/register/client?`)

    const browser = createBrowser(app)
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: clientId,
      redirect_uri: REDIRECT_URI,
      code_challenge: CHALLENGE,
      code_challenge_method: 'S256',
      state: 's',
      resource: APP,
    })
    const consent = await browser.get(`${PREFIX}/authorize?${query}`)
    expect(expectPrefix(consent, `${ISSUER}/authorize`)).toBeGreaterThan(0)
    const approved = await browser.post(formAction(consent.body), {
      interaction: hiddenField(consent.body, 'interaction'),
      decision: 'approve',
    })
    expect(expectPrefix(approved, `${ISSUER}/consent`)).toBeGreaterThan(0)
    const login = await browser.get(refreshTarget(approved.body))
    expect(expectPrefix(login, `${ISSUER}/login`)).toBeGreaterThan(1)
    const credentials = { username: 'ann', password: PASSWORD }
    const interaction = hiddenField(login.body, 'interaction')
    const wrong = await browser.post(formAction(login.body), {
      interaction,
      ...credentials,
      password: 'x',
    })
    expect(wrong.statusCode).toBe(401)
    expect(expectPrefix(wrong, `${ISSUER}/login`)).toBeGreaterThan(1)
    const back = await browser.post(formAction(login.body), { interaction, ...credentials })
    expect(new URL(String(back.headers.location)).searchParams.get('iss')).toBe(ISSUER)

    const tokens = await app.inject({
      method: 'POST',
      url: `${PREFIX}/token`,
      headers: { host: HOST, 'content-type': 'application/x-www-form-urlencoded' },
      payload: new URLSearchParams({
        grant_type: 'authorization_code',
        client_id: clientId,
        code: codeOf(back),
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
      }).toString(),
    })
    expect(tokens.statusCode).toBe(200)
    for (const url of ['/auth/traefik', `${PREFIX}/auth/traefik`]) {
      const checked = await app.inject({
        url,
        headers: {
          host: 'gatewarden:11000',
          'x-forwarded-method': 'POST',
          'x-forwarded-proto': 'https',
          'x-forwarded-host': HOST,
          'x-forwarded-uri': '/app/mcp',
          authorization: `Bearer ${tokens.json().access_token}`,
        },
      })
      expect(checked.statusCode, url).toBe(200)
      expect(checked.headers['x-forwarded-user']).toBe('ann@example.com')
    }
  })

  it('a person signs in for a page of our own host and of others, and out again', async () => {
    const far = webApp('far.example.org')
    const test = await buildTestApp({ ...CONFIG, resources: [...CONFIG.resources, far] })
    const visitor = createVisitor(test, { protects: ['/app'] })
    for (const page of [APP, 'https://far.example.org/a?b']) {
      const login = await visitor.open(page)
      // Other programs share the host, so the gateway signs people in for each page (decision K35).
      const back = await visitor.signIn(login)
      expect(back.url.href).toBe(page)
      expect(isLetIn(back)).toBe(true)
      for (const address of [...login.way, ...back.way]) {
        const { host, pathname } = new URL(address)
        if (host === HOST) expect(pathname).toMatch(/^\/(?:auth-gw\/|app$)/)
        else expect(pathname).toMatch(/^\/(?:\.gatewarden\/|a$)/)
      }
    }
    const question = await visitor.open(`${ISSUER}/logout`, { 'sec-fetch-site': 'cross-site' })
    expect(formAction(question.answer.body)).toBe(`${PREFIX}/logout`)
    const out = await visitor.post(question, formAction(question.answer.body))
    expect(out.answer.statusCode).toBe(200)
    expectPrefix(out.answer, out.url.href)
    expect((await visitor.open(APP)).url.pathname).toBe(`${PREFIX}/authorize/login`)
  })

  it('a person who is refused, who is late, or who comes by hand gets pages with good links', async () => {
    const closed = {
      ...CONFIG.resources[0],
      allow: { ...ANYONE, anyone: false, emails: ['ann@example.com'] },
    }
    const test = await buildTestApp({ ...CONFIG, resources: [closed] })
    const visitor = createVisitor(test, { protects: ['/app'] })
    const login = await visitor.open(APP)
    const refused = await visitor.signIn(login, { name: 'bob' })
    expect(refused.answer.statusCode).toBe(403)
    expect(expectPrefix(refused.answer, refused.url.href)).toBeGreaterThan(0)
    const again = await visitor.open(linkOf(refused, 'Sign in as someone else'))
    test.clock.advance(30 * 60)
    const late = await visitor.signIn(again)
    expect(expectPrefix(late.answer, late.url.href)).toBeGreaterThan(0)
    const back = await visitor.signIn(await visitor.open(linkOf(late, 'Start again')))
    expect(isLetIn(back)).toBe(true)
    const lost = await visitor.open(`${ISSUER}/.gatewarden/refused?rd=${encodeURIComponent(APP)}`)
    expect(lost.answer.statusCode).toBe(400)
    expect(expectPrefix(lost.answer, lost.url.href)).toBeGreaterThan(0)
  })

  it('the provider sends people back to the prefix', async () => {
    const provider = await startHostileProvider()
    const test = await buildTestApp({ ...CONFIG, provider: provider.config, users: [] })
    const visitor = createVisitor(test, { protects: ['/app'] })
    const away = await visitor.open(APP)
    for (const address of away.way.slice(0, -1)) {
      expectPrefix(await visitor.step(address), address)
    }
    expect(away.url.searchParams.get('redirect_uri')).toBe(`${ISSUER}/callback`)
    const back = await visitor.open(await provider.signIn(away.url.href))
    expect(back.url.href).toBe(APP)
    expect(isLetIn(back)).toBe(true)
  })

  it('a command line is connected below the prefix', async () => {
    const test = await buildTestApp(CONFIG)
    const visitor = createVisitor(test, { protects: ['/app'] })
    const connect = `${ISSUER}/auth/connect?callback_port=49152&code=K7M-2QXA`
    const login = await visitor.open(connect)
    expect(login.url.pathname).toBe(`${PREFIX}/authorize/login`)
    const page = await visitor.signIn(login)
    expect(page.url.href).toBe(connect)
    expect(page.answer.body).toContain('Connect your terminal?')
    const config = await test.app.inject({
      url: `${PREFIX}/auth/oidc-config`,
      headers: { host: HOST },
    })
    expect(config.json()).toEqual({ issuer: ISSUER, audience: APP })
  })
})

describe('ed11: the rest of the host', () => {
  const names = ['/', '/login', '/logout', '/token', '/register', '/authorize', '/consent', '/jwks']
  const more = ['/auth', '/auth/traefik', '/auth/connect', '/verify', '/sse', '/healthz', '/readyz']
  const edges = [
    '/.gatewarden/x',
    '/auth-gwx/login',
    '/AUTH-GW/login',
    '/.well-known/acme-challenge/x',
  ]

  async function startWhole(): Promise<TestApp & { asked: string[] }> {
    const asked: string[] = []
    const upstream = await startUpstream((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.end('the application')
    })
    const whole = resource({
      id: 'app',
      url: ORIGIN,
      upstream: upstream.origin,
      allow: ANYONE,
      openPaths: ['/*'],
      sharedHost: 'sandboxed',
    })
    return { ...(await buildTestApp({ pathPrefix: PREFIX, resources: [whole] })), asked }
  }

  it.each([...names, ...more, ...edges])('%s reaches the application as it came', async (path) => {
    const { app, asked } = await startWhole()
    for (const method of ['GET', 'POST'] as const) {
      const answer = await app.inject({ method, url: `${path}?a=b`, headers: { host: HOST } })
      expect(answer.body).toBe('the application')
    }
    expect(asked).toEqual([`GET ${path}?a=b`, `POST ${path}?a=b`])
  })

  it.each(['', '/', '/nothing', '/app', '/..%2flogin', '/login/x', '/.application'])(
    'the application gets no request below the prefix: %j',
    async (rest) => {
      const { app, asked } = await startWhole()
      const answer = await app.inject({ url: PREFIX + rest, headers: person })
      expect(answer.statusCode).toBeGreaterThanOrEqual(400)
      expect(answer.statusCode).toBeLessThan(500)
      expect(asked).toEqual([])
    },
  )

  it('a check asks about the prefix, and finds no server there', async () => {
    const { app } = await startWhole()
    const answer = await app.inject({
      url: '/auth/traefik',
      headers: {
        host: 'gatewarden',
        'x-forwarded-method': 'GET',
        'x-forwarded-proto': 'https',
        'x-forwarded-host': HOST,
        'x-forwarded-uri': `${PREFIX}/authorize/login`,
      },
    })
    expect(answer.statusCode).toBe(403)
  })

  it('T15: a sign-in never comes back to a page below the prefix', async () => {
    const visitor = createVisitor(await startWhole())
    for (const path of ['/.gatewarden/login?rd=/', '/logout', '/%2egatewarden/logout']) {
      const rd = encodeURIComponent(ISSUER + path)
      expect((await visitor.step(`${ISSUER}/.gatewarden/login?rd=${rd}`)).statusCode).toBe(400)
    }
  })

  it.each([
    `${ISSUER}/callback`,
    `${ISSUER}/x`,
    `${ORIGIN}/.well-known/x`,
    `${ORIGIN}/%61uth-gw/login`,
  ])('T6: no client may redirect to %s', async (uri) => {
    const { app } = await startWhole()
    const payload = { redirect_uris: [uri], token_endpoint_auth_method: 'none' }
    const url = `${PREFIX}/register`
    const answer = await app.inject({ method: 'POST', url, headers: { host: HOST }, payload })
    expect(answer.statusCode).toBe(400)
    const other = { ...payload, redirect_uris: [`${ORIGIN}/login`] }
    const good = await app.inject({ method: 'POST', url, headers: { host: HOST }, payload: other })
    expect(good.statusCode).toBe(201)
  })

  it('probes and proxies that ask by an inner name need no prefix', async () => {
    const { app } = await startWhole()
    for (const host of ['127.0.0.1:11000', 'gatewarden', 'healthcheck.invalid']) {
      for (const url of ['/healthz', '/readyz', `${PREFIX}/healthz`]) {
        expect((await app.inject({ url, headers: { host } })).json()).toHaveProperty('status')
      }
    }
  })

  it('on another protected host our paths have no prefix, and the application has that path', async () => {
    const { app } = await buildTestApp({
      ...CONFIG,
      resources: [...CONFIG.resources, webApp('far.example.org')],
    })
    const headers = { ...person, host: 'far.example.org' }
    const login = await app.inject({ url: '/.gatewarden/login?rd=/a', headers })
    expect(String(login.headers.location)).toContain(`${ISSUER}/.gatewarden/login?rd=`)
    expect((await app.inject({ url: `${PREFIX}/authorize/login`, headers })).statusCode).toBe(404)
  })
})

it('the issuer is the origin where there is no prefix', async () => {
  const { config } = await buildTestApp()
  expect(issuerOf(config)).toBe(ORIGIN)
  expect(OWN_ROUTES).not.toContain(PREFIX)
})
