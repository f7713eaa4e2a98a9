/**
 * A hostile client cannot deceive Gatewarden and the application behind a real Traefik.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { UNTRUSTED_FAMILIES } from '../../src/http/untrusted-headers.ts'
import { createBrowser } from './support/browser.ts'
import { registerClient, signInByHand, type Tokens } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { UNTRUSTED_SPELLINGS } from './support/untrusted-spellings.ts'
import { startWorld, type World } from './support/world.ts'

describe.skipIf(isSkipped('traefik'))('a hostile client behind Traefik', () => {
  let world: World
  let app: RecordingServer
  let ann: Tokens
  let bob: Tokens

  beforeAll(async () => {
    app = await startRecordingServer((_request, response) => response.end('app'))
    world = await startWorld({
      front: 'traefik',
      upstream: app.address,
      settings: { ASSERTION_HEADER: 'Cf-Access-Jwt-Assertion' },
      // The only resource that bob may use: he tries to reach the others through its address.
      moreResources: ({ publicUrl }) => ({
        open: { url: `${publicUrl}/open/mcp`, allow: { emails: ['*'] } },
      }),
    })
    ann = (
      await signInByHand({ issuer: world.publicUrl, resource: world.mcpUrl, person: world.ann })
    ).tokens
    bob = (
      await signInByHand({
        issuer: world.publicUrl,
        resource: `${world.publicUrl}/open/mcp`,
        person: world.bob,
      })
    ).tokens
  })
  afterAll(async () => {
    await world?.stop()
    await app?.close()
  })

  /** Sends a request to the MCP server. @returns the answer, and the request that the application received, if any */
  async function call(headers: Record<string, string | readonly string[]>) {
    const before = app.requests.length
    const answer = await exchange(new URL(world.mcpUrl), { headers })
    expect(app.requests.length - before).toBeLessThanOrEqual(1)
    return { status: answer.status, headers: answer.headers, received: app.requests[before] }
  }

  const asAnn = () => ({ authorization: `Bearer ${ann.access_token}` })

  it.each([
    'x-forwarded-user',
    'X_Forwarded_User',
    'X.Forwarded.User',
    'x_forwarded-user',
    'x-user-id',
    'X_User_Id',
    'x-user-name',
    'x-forwarded-email',
    'x-forwarded-groups',
    'x-forwarded-scopes',
    'x-forwarded-client',
  ])('cannot pass %s on to the application', async (name) => {
    const { status, received } = await call({ ...asAnn(), [name]: 'mallory' })
    expect(status).toBe(200)
    expect(received?.headers['x-forwarded-user']).toBe('ann@example.com')
    expect(received?.headers['x-forwarded-groups']).toBe('staff')
    expect(received?.rawHeaders.join('\n')).not.toContain('mallory')
  })

  it('T42: cannot put an assertion of its own in the place of ours', async () => {
    for (const name of ['Cf-Access-Jwt-Assertion', 'cf_access_jwt_assertion', 'X-Other']) {
      const { received } = await call({ ...asAnn(), [name]: 'mallory' })
      const { email, aud } = decodeJwt(String(received?.headers['cf-access-jwt-assertion']))
      expect([email, aud]).toEqual(['ann@example.com', world.mcpUrl])
    }
  })

  it('at8, T42: cannot send a header by which another proxy steers or identifies', async () => {
    for (const spelling of UNTRUSTED_SPELLINGS) {
      const value = `mallory-${randomUUID()}`
      const { status, received } = await call({ ...asAnn(), [spelling]: value })
      expect(status, spelling).toBe(200)
      expect(received?.rawHeaders.join('\n'), spelling).not.toContain(value)
      expect(received?.headers['x-forwarded-user']).toBe('ann@example.com')
    }
  })

  it('at8, T42: cannot send an invented header of such a family either', async () => {
    for (const family of UNTRUSTED_FAMILIES) {
      const name = `${family}Invented`
      const { received } = await call({ ...asAnn(), [name]: 'mallory' })
      expect(received?.rawHeaders.join('\n'), name).not.toContain('mallory')
    }
  })

  it.each([
    'X-Forwarded-User',
    'X-Forwarded-User, X-Forwarded-Email, X-Forwarded-Groups, X-User-Id',
  ])('cannot take the identity away by Connection: %s', async (connection) => {
    const { status, received } = await call({
      ...asAnn(),
      connection: `close, ${connection}`,
      'x-forwarded-user': 'mallory',
    })
    expect(status).toBe(200)
    expect(received?.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
    })
    expect(received?.headers['x-user-id']).toMatch(/^u_/)
  })

  it('gets no further by Connection: Authorization, with or without a token', async () => {
    for (const credential of [{}, asAnn()]) {
      const { status, received } = await call({
        ...credential,
        connection: 'close, Authorization',
      })
      expect(status).toBe(401)
      expect(received).toBeUndefined()
    }
  })

  it.each([
    { 'x-forwarded-uri': '/open/mcp' },
    { 'x-forwarded-uri': '/.well-known/oauth-protected-resource' },
    { X_Forwarded_Uri: '/open/mcp' },
    { 'X.Forwarded.Uri': '/open/mcp' },
    { 'x-forwarded-host': 'elsewhere.test' },
    { 'x-forwarded-method': 'OPTIONS' },
    { 'x-original-uri': '/open/mcp', 'x-original-url': '/open/mcp', 'x-rewrite-url': '/open/mcp' },
  ])('is judged by the request it makes, not by %o', async (headers) => {
    const nobody = await call(headers)
    expect(nobody.status).toBe(401)
    expect(nobody.received).toBeUndefined()
    const asBob = await call({ ...headers, authorization: `Bearer ${bob.access_token}` })
    expect(asBob.status).toBe(401)
    expect(asBob.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(asBob.received).toBeUndefined()
    expect((await call({ ...headers, ...asAnn() })).status).toBe(200)
  })

  it('cannot look like another address to the application', async () => {
    const { received } = await call({
      ...asAnn(),
      'x-forwarded-for': '203.0.113.9',
      'x-real-ip': '203.0.113.9',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'elsewhere.test',
    })
    expect(received?.headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-real-ip': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(world.mcpUrl).host,
    })
  })

  it('leaves its token and our cookies at the gateway, and keeps its own', async () => {
    const browser = createBrowser()
    const client = await registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })
    await browser.open(client.authorizationUrl())
    await browser.signIn(client.authorizationUrl(), { ...world.ann, deliver: false })
    const ours = browser.cookies.header(new URL(world.mcpUrl)) ?? ''
    expect(ours).toContain('gw_browser=')
    const { status, received } = await call({
      ...asAnn(),
      cookie: `theme=dark; ${ours}; __Host-gw_browser=x; basket=3`,
    })
    expect(status).toBe(200)
    expect(received?.headers.cookie?.split(/;\s*/)).toEqual(['theme=dark', 'basket=3'])
    expect(received?.headers.authorization ?? '').toBe('')
    const ofOurs = received?.headers['cf-access-jwt-assertion']
    const others = received?.rawHeaders.filter((value) => value !== ofOurs)
    expect(others?.join('\n')).not.toMatch(/gw_|eyJ/)
  })

  it('is not heard with two tokens at once', async () => {
    const tokens = [ann.access_token, bob.access_token].map((token) => `Bearer ${token}`)
    for (const authorization of [tokens, tokens.toReversed()]) {
      const { status, received } = await call({ authorization })
      expect(status).toBe(400)
      expect(received).toBeUndefined()
    }
  })

  it.each([
    '/auth',
    '/auth/traefik',
    '/auth/traefik/r/open',
    '/auth/nginx',
    '/%61uth/traefik',
    '//auth/traefik',
    '/x/../auth/traefik',
    '/verify',
    '/authenticate',
    '/healthz',
    '/readyz',
    '/metrics',
  ])('does not reach %s', async (path) => {
    const url = new URL(world.publicUrl)
    const answer = await exchange(url, {
      path,
      headers: {
        ...asAnn(),
        'x-forwarded-uri': '/mcp',
        'x-forwarded-host': url.host,
        'x-forwarded-method': 'GET',
      },
    })
    // This is Traefik's own body: it asked neither Gatewarden nor the application.
    expect([answer.status, answer.body]).toEqual([404, '404 page not found\n'])
  })
})
