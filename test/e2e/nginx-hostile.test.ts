/**
 * A hostile client cannot deceive Gatewarden and the application behind a real nginx.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { registerClient, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { UNTRUSTED_SPELLINGS } from './support/untrusted-spellings.ts'
import { startWorld, type World } from './support/world.ts'

const OPEN = 'http://open.test'

describe.skipIf(isSkipped('nginx')).each([{ twoHosts: false }, { twoHosts: true }])(
  'a hostile client behind nginx, two hosts: $twoHosts',
  ({ twoHosts }) => {
    let world: World
    let app: RecordingServer
    let ann: string
    let bob: string

    beforeAll(async () => {
      app = await startRecordingServer((_request, response) => response.end('app'))
      world = await startWorld({
        front: 'nginx',
        twoHosts,
        upstream: app.address,
        settings: twoHosts ? { ASSERTION_HEADER: 'Cf-Access-Jwt-Assertion' } : {},
        // The only resource that bob may use: he tries to reach the others through its address.
        moreResources: ({ publicUrl }) => ({
          open: { url: `${publicUrl}/open/mcp`, allow: { emails: ['*'] } },
          elsewhere: { url: `${OPEN}/mcp`, allow: { emails: ['*'] } },
        }),
      })
      const { publicUrl: issuer } = world
      const tokenFor = async (resource: string, person: World['ann']) =>
        (await signInByHand({ issuer, resource, person })).tokens.access_token
      ann = await tokenFor(world.mcpUrl, world.ann)
      bob = await tokenFor(`${OPEN}/mcp`, world.bob)
    })
    afterAll(async () => {
      await world?.stop()
      await app?.close()
    })

    /** Sends a request to the MCP server. @returns the answer, and the request that the application received, if any */
    async function call(headers: Record<string, string | readonly string[]>, path?: string) {
      const before = app.requests.length
      const answer = await exchange(new URL(world.mcpUrl), {
        headers,
        ...(path !== undefined && { path }),
      })
      expect(app.requests.length - before).toBeLessThanOrEqual(1)
      return { ...answer, received: app.requests[before] }
    }

    const asAnn = () => ({ authorization: `Bearer ${ann}` })
    const asBob = () => ({ authorization: `Bearer ${bob}` })

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
      const { received } = await call({ ...asAnn(), 'cf-access-jwt-assertion': 'mallory' })
      const assertion = received?.headers['cf-access-jwt-assertion']
      if (!twoHosts) expect(assertion).toBeUndefined()
      else expect(decodeJwt(String(assertion)).email).toBe('ann@example.com')
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

    it('CVE-2024-45410: cannot take the identity away by naming it in Connection', async () => {
      const { status, received } = await call({
        ...asAnn(),
        connection: 'close, X-Forwarded-User, X-User-Id, X-Original-URL, Authorization',
        'x-forwarded-user': 'mallory',
      })
      expect(status).toBe(200)
      expect(received?.headers['x-forwarded-user']).toBe('ann@example.com')
      expect(received?.headers['x-user-id']).toMatch(/^u_/)
      expect(received?.headers).not.toHaveProperty('authorization')
    })

    it.each([
      { 'x-original-url': `${OPEN}/mcp`, 'x-original-method': 'OPTIONS' },
      { 'x-original-url': [`${OPEN}/mcp`, `${OPEN}/mcp`] },
      { X_Original_URL: `${OPEN}/mcp`, 'X.Original.URL': `${OPEN}/mcp` },
      { 'x-original-uri': '/open/mcp', 'x-rewrite-url': '/open/mcp' },
      { 'x-forwarded-host': 'open.test', 'x-forwarded-uri': '/mcp', 'x-forwarded-method': 'GET' },
      { 'x-forwarded-uri': '/.well-known/oauth-protected-resource' },
    ])('is judged by the request it makes, not by %o', async (headers) => {
      const nobody = await call(headers)
      expect(nobody.status).toBe(401)
      expect(nobody.received).toBeUndefined()
      const other = await call({ ...headers, ...asBob() })
      expect(other.status).toBe(401)
      expect(other.headers['www-authenticate']).toContain('error="invalid_token"')
      expect(other.received).toBeUndefined()
      expect((await call({ ...headers, ...asAnn() })).status).toBe(200)
    })

    it('T24: cannot borrow the address of another server, where its token is good', async () => {
      for (const host of ['open.test', 'OPEN.test:80', 'open.test.']) {
        const byHost = await call({ ...asBob(), host })
        expect([byHost.status, byHost.received]).toEqual([404, undefined])
        // nginx routes by the request line; a careless check would read `Host`.
        const { status, received } = await call({ ...asBob(), host }, world.mcpUrl)
        expect([status, received]).toEqual([403, undefined])
      }
    })

    it('leaves its token and our cookies at the gateway, and keeps its own', async () => {
      const browser = createBrowser()
      const client = await registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })
      await browser.signIn(client.authorizationUrl(), { ...world.ann, deliver: false })
      const ours = browser.cookies.header(new URL(world.publicUrl)) ?? ''
      expect(ours).toContain('gw_browser=')
      const { status, received } = await call({
        ...asAnn(),
        cookie: `theme=dark; ${ours}; __Host-gw_browser=x; basket=3`,
      })
      expect(status).toBe(200)
      expect(received?.headers.cookie?.split(/;\s*/)).toEqual(['theme=dark', 'basket=3'])
      const ofOurs = received?.headers['cf-access-jwt-assertion']
      const others = received?.rawHeaders.filter((value) => value !== ofOurs)
      expect(others?.join('\n')).not.toMatch(/gw_|eyJ/)
    })

    it('is not heard with two tokens at once', async () => {
      const tokens = [ann, bob].map((token) => `Bearer ${token}`)
      for (const authorization of [tokens, tokens.toReversed(), [`${tokens[0]},${tokens[1]}`]]) {
        const { status, received } = await call({ authorization })
        expect([400, 401]).toContain(status)
        expect(received).toBeUndefined()
      }
    })

    it('gets one challenge for a malformed token, which says so', async () => {
      const { status, headers, received } = await call({ authorization: 'Bearer a b' })
      expect(status).toBe(401)
      expect(headers['www-authenticate']).toMatch(/^Bearer error="invalid_request", [^,]*, /)
      expect(headers['www-authenticate']?.match(/Bearer/g)).toHaveLength(1)
      expect(received).toBeUndefined()
    })

    it.each(['/mcp/..%2fopen/mcp', '/mcp/../open/mcp', '/mcp//x', '/mcp;x', '/%2e%2e/mcp'])(
      'cannot write %s',
      async (path) => {
        const { status, received } = await call(asAnn(), path)
        expect([status, received]).toEqual([400, undefined])
      },
    )

    it('cannot talk the application into another protocol', async () => {
      const { status, received } = await call({
        ...asAnn(),
        connection: 'Upgrade, HTTP2-Settings',
        upgrade: 'h2c',
        'http2-settings': 'AAMAAABkAAQAAP__',
      })
      expect(status).toBe(200)
      expect(received?.headers).not.toHaveProperty('upgrade')
    })

    it('sends 20 kB of cookies and more only as far as anybody reads them', async () => {
      const cookie = `app=${'x'.repeat(20_000)}`
      expect((await call({ ...asAnn(), cookie })).received?.headers.cookie).toBe(cookie)
      const { status, received } = await call({ ...asAnn(), cookie: `app=${'x'.repeat(70_000)}` })
      expect([status, received]).toEqual([400, undefined])
    })

    it.each(['/auth', '/auth/nginx', '/auth/nginx/r/open', '/verify', '/authenticate', '/healthz'])(
      'does not reach %s',
      async (path) => {
        const answer = await exchange(new URL(world.publicUrl), {
          path,
          headers: {
            ...asAnn(),
            'x-original-url': world.mcpUrl,
            'x-original-method': 'GET',
          },
        })
        expect(answer.status).toBe(404)
        expect(answer.body).toContain('nginx')
      },
    )
  },
)
