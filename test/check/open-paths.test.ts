/**
 * Paths that need no token (setting `public`, features A16): open in one spelling only, for nobody in particular.
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'

const OPEN = ['/notes/mcp/health', '/notes/mcp/assets/*']
const resources = [resource({ allow: ANYONE, openPaths: OPEN })]
const IDENTITY = [
  'x-forwarded-user',
  'x-forwarded-email',
  'x-forwarded-groups',
  'x-forwarded-scopes',
  'x-forwarded-client',
  'x-user-id',
  'x-user-name',
]
const at = (path: string, more: Record<string, string> = {}) => ({
  'x-forwarded-uri': path,
  ...more,
})

describe('an open path', () => {
  it.each([
    '/notes/mcp/health',
    '/notes/mcp/health?verbose=1',
    '/notes/mcp/assets/a.css',
    '/notes/mcp/assets/deep/er/b-1_2~x.js?v=3',
    '/notes/mcp/assets/',
  ])('%s needs no token, and names nobody', async (path) => {
    const { app } = await buildTestApp({ resources })
    const answer = await check(app, at(path))
    expect(answer.statusCode).toBe(200)
    for (const name of IDENTITY) expect(answer.headers[name], name).toBe('')
    expect(answer.headers).not.toHaveProperty('authorization')
  })

  it.each([
    '/notes/mcp',
    '/notes/mcp/',
    '/notes/mcp/health/',
    '/notes/mcp/health/x',
    '/notes/mcp/Health',
    '/notes/mcp/healthy',
    '/notes/mcp/x?/notes/mcp/health',
    '/notes/mcp/assets',
    '/notes/mcp/assetsx/a',
    // A server that looks for its route before it decodes finds another one.
    '/notes/mcp/he%61lth',
    '/notes/mcp/%61ssets/a',
    // A server that decodes may read these as other paths.
    '/notes/mcp/assets/a%2fb',
    '/notes/mcp/assets/%5c..%5csecret',
    '/notes/mcp/assets/a;b',
    '/notes/mcp/assets/a//b',
    '/notes/mcp//health',
    '/notes/mcp/health%3fx',
    '/notes/mcp/health%23x',
    '/notes/mcp/health;x',
    '/notes/mcp/assets/100%25',
    '/notes/mcp/assets/caf%C3%A9',
    '/notes/mcp/assets/x./y',
    '/notes/mcp/assets/SECRET~1',
  ])('T25: %s needs a token', async (path) => {
    const { app } = await buildTestApp({ resources })
    expect([401, 403]).toContain((await check(app, at(path))).statusCode)
  })

  it.each([
    '/notes/mcp/assets/../secret',
    '/notes/mcp/assets/%2e%2e/secret',
    '/notes/mcp/assets/..%2fsecret',
    '/notes/mcp/assets/%00',
    '/notes/mcp/assets/..;/secret',
    '/notes/mcp/assets\\\\..\\\\secret',
  ])('T25: %s is refused as everywhere', async (path) => {
    const { app } = await buildTestApp({ resources })
    expect((await check(app, at(path))).statusCode).toBe(403)
  })

  it('belongs to its resource alone', async () => {
    const admin = resource({
      id: 'admin',
      url: 'https://mcp.example.com/notes/mcp/assets/admin',
      allow: ANYONE,
    })
    const other = resource({ id: 'wiki', url: 'https://wiki.example.com/notes/mcp', allow: ANYONE })
    const { app } = await buildTestApp({ resources: [...resources, admin, other] })
    const ask = async (host: string, path: string) =>
      (await check(app, at(path, { 'x-forwarded-host': host }))).statusCode
    expect(await ask('mcp.example.com', '/notes/mcp/assets/x')).toBe(200)
    expect(await ask('mcp.example.com', '/notes/mcp/assets/admin')).toBe(401)
    expect(await ask('mcp.example.com', '/notes/mcp/assets/admin/x')).toBe(401)
    expect(await ask('mcp.example.com', '/notes/mcp/assets/ADMIN/x')).toBe(403)
    expect(await ask('wiki.example.com', '/notes/mcp/health')).toBe(401)
  })

  it('names a caller with a good token, and takes the token out', async () => {
    const { app } = await buildTestApp({ resources })
    const { tokens } = await obtainTokens(app)
    const authorization = `Bearer ${tokens.access_token}`
    const answer = await check(app, at('/notes/mcp/health', { authorization }))
    expect(answer.headers['x-forwarded-user']).toBe('ann@example.com')
    expect(answer.headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['a token that is none', 'Bearer nonsense'],
    ['a token of another kind', `Bearer ${'x'.repeat(700)}`],
  ])('names nobody for %s, which stays here', async (_name, authorization) => {
    const { app } = await buildTestApp({ resources })
    const answer = await check(app, at('/notes/mcp/health', { authorization }))
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-forwarded-user']).toBe('')
    expect(answer.headers).not.toHaveProperty('authorization')
  })

  it('names nobody for a person who is not on the list', async () => {
    const first = await buildTestApp({ resources })
    const { tokens } = await obtainTokens(first.app)
    const nobody = { anyone: false, emails: ['root@example.com'], domains: [], groups: [] }
    const { app } = await first.restart({
      resources: [resource({ allow: nobody, openPaths: OPEN })],
    })
    const authorization = `Bearer ${tokens.access_token}`
    expect((await check(app, { authorization })).statusCode).toBe(403)
    const answer = await check(app, at('/notes/mcp/health', { authorization }))
    expect([answer.statusCode, answer.headers['x-forwarded-user']]).toEqual([200, ''])
  })

  it('keeps the application’s own credentials and removes our cookies', async () => {
    const { app } = await buildTestApp({ resources })
    const answer = await check(
      app,
      at('/notes/mcp/health', {
        authorization: 'Basic YTpi',
        cookie: '__Host-gw_session=x; theirs=1; CF_Authorization=y',
      }),
    )
    expect(answer.headers.authorization).toBe('Basic YTpi')
    expect(answer.headers.cookie).toBe('theirs=1')
  })

  it('is open while the store is down, and a known caller is nobody then', async () => {
    const { app, storage } = await buildTestApp({ resources })
    const { tokens } = await obtainTokens(app)
    await storage.close()
    const authorization = `Bearer ${tokens.access_token}`
    const answer = await check(app, at('/notes/mcp/health', { authorization }))
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-forwarded-user']).toBe('')
    expect((await check(app, { authorization })).statusCode).toBe(503)
  })

  it('refuses a malformed credential, a foreign page and an unknown middleware as everywhere', async () => {
    const { app } = await buildTestApp({ resources })
    const path = '/notes/mcp/health'
    expect((await check(app, at(path, { authorization: 'Basic a, Bearer b' }))).statusCode).toBe(
      400,
    )
    expect((await check(app, at(path, { origin: 'https://evil.test' }))).statusCode).toBe(403)
    const pinned = await app.inject({
      url: '/auth/traefik/r/other',
      headers: {
        'x-forwarded-method': 'GET',
        'x-forwarded-host': 'mcp.example.com',
        'x-forwarded-uri': path,
      },
    })
    expect(pinned.statusCode).toBe(403)
  })

  it.each([
    [
      '/auth/nginx',
      { 'x-original-url': 'https://mcp.example.com/notes/mcp/health', 'x-original-method': 'GET' },
    ],
    [
      '/verify',
      {
        'x-forwarded-method': 'GET',
        'x-forwarded-host': 'mcp.example.com',
        'x-forwarded-uri': '/notes/mcp/health',
      },
    ],
  ])('is open behind %s', async (url, headers) => {
    const { app } = await buildTestApp({ resources })
    const answer = await app.inject({ url, headers })
    expect(answer.statusCode).toBe(200)
    for (const name of IDENTITY) expect(answer.headers[name], name).toBe('')
  })

  it('opens no tunnel', async () => {
    const { app } = await buildTestApp({ resources, edgeAuth: true })
    const answer = await app.inject({
      url: '/_ws_tunnel',
      headers: {
        'x-forwarded-method': 'GET',
        'x-forwarded-host': 'mcp.example.com',
        'x-forwarded-uri': '/notes/mcp/health',
      },
    })
    expect(answer.statusCode).toBe(401)
    expect(answer.json()).toEqual({ error: 'authentication required' })
  })
})
