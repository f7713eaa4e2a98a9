import { describe, expect, it } from 'vitest'
import { ANYONE, resource } from '../../support/build-app.ts'
import { check, register } from '../../support/oauth-client.ts'
import { obtainTokensThere } from '../../support/provider-journey.ts'
import { ACCEPTING, startAccepting } from '../../support/provider-tokens.ts'

const WIKI = resource({ id: 'wiki', url: 'https://wiki.example.com' })
const atWiki = { 'x-forwarded-host': 'wiki.example.com', 'x-forwarded-uri': '/' }

describe("the provider's own access token", () => {
  it('opens a server that accepts it, under the same names as a login', async () => {
    const test = await startAccepting()
    const answer = await test.bring(await test.token())
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
      'x-forwarded-scopes': '',
      'x-user-name': 'Ann Adams',
      'x-forwarded-client': expect.stringMatching(/^[\w-]{16}$/),
    })
    const client = await register(test.app)
    const { access_token } = await obtainTokensThere({ ...test, client, untrusted: client })
    const ours = await test.bring(access_token)
    expect(ours.headers['x-user-id']).toMatch(/^u_/)
    expect(answer.headers['x-user-id']).toBe(ours.headers['x-user-id'])
  })

  it('is like any other token at a server that does not accept it', async () => {
    const test = await startAccepting({ resources: [resource()] })
    const answer = await test.bring(await test.token())
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    expect(test.provider.asked('/.well-known/openid-configuration')).toBe(0)
  })

  it('opens only the server that accepts it', async () => {
    const test = await startAccepting({ resources: [ACCEPTING, { ...WIKI, allow: ANYONE }] })
    const token = await test.token()
    expect((await test.bring(token)).statusCode).toBe(200)
    expect((await test.bring(token, atWiki)).statusCode).toBe(401)
  })

  it.each(['at+jwt', 'application/at+jwt', 'AT+JWT'])(
    'is known by the type %s of its header, too',
    async (typ) => {
      const test = await startAccepting()
      const token = await test.provider.signToken(test.claims({ typ: undefined }), { typ })
      expect((await test.bring(token)).statusCode).toBe(200)
    },
  )

  it('is subject to the policy of the server', async () => {
    const test = await startAccepting()
    const answer = await test.bring(await test.token({ email: 'bob@elsewhere.test' }))
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['www-authenticate']).toBeUndefined()
    const unverified = await test.bring(await test.token({ email_verified: false }))
    expect(unverified.statusCode).toBe(403)
  })

  it('has to carry the scopes that the server demands', async () => {
    const scopes = { 'notes:read': 'Read' }
    const demanding = { ...ACCEPTING, scopes, requiredScopes: ['notes:read'] }
    const test = await startAccepting({ resources: [demanding] })
    const answer = await test.bring(await test.token())
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
    const enough = await test.bring(await test.token({ scope: 'openid notes:read' }))
    expect(enough.statusCode).toBe(200)
    expect(enough.headers['x-forwarded-scopes']).toBe('notes:read')
  })

  it('ends with its time, however often it was seen', async () => {
    const test = await startAccepting()
    const token = await test.token({ exp: Math.floor(test.clock() / 1000) + 30 })
    expect((await test.bring(token)).statusCode).toBe(200)
    test.clock.advance(29)
    expect((await test.bring(token)).statusCode).toBe(200)
    test.clock.advance(1)
    expect((await test.bring(token)).statusCode).toBe(401)
  })

  it('ends with REVOKE_BEFORE', async () => {
    const test = await startAccepting()
    const now = Math.floor(test.clock() / 1000)
    const [old, fresh] = [await test.token({ iat: now - 1 }), await test.token({ iat: now })]
    const ageless = await test.token({ iat: undefined })
    const again = await test.restart({ revokeBefore: now })
    const bring = async (token: string) =>
      (await check(again.app, { authorization: `Bearer ${token}` })).statusCode
    expect(await bring(fresh)).toBe(200)
    expect(await bring(old)).toBe(401)
    expect(await bring(ageless)).toBe(401)
  })

  it('is taken out of what goes on to the server', async () => {
    const test = await startAccepting()
    const answer = await test.bring(await test.token())
    expect(answer.headers.authorization).toBeUndefined()
  })

  it('stands in no log line', async () => {
    const test = await startAccepting()
    const [good, bad] = [await test.token(), await test.token({ typ: 'ID' })]
    await test.bring(good)
    await test.bring(bad)
    await test.bring(test.opaque())
    const logged = JSON.stringify(test.logs)
    expect(logged).toContain('not an access token')
    expect(logged).not.toMatch(/eyJ|opaque-/)
  })
})

describe('T8: a token is good where its audience says', () => {
  const OTHER_PROGRAM = { azp: 'other-program' }
  it.each([
    ['names the server', { ...OTHER_PROGRAM, aud: ACCEPTING.url }],
    ['names the server among others', { ...OTHER_PROGRAM, aud: ['account', ACCEPTING.url] }],
    ['names the server with a slash', { ...OTHER_PROGRAM, aud: `${ACCEPTING.url}/` }],
    ['names two servers', { ...OTHER_PROGRAM, aud: [WIKI.url, ACCEPTING.url] }],
    ['names the gateway, as mcpauth wants it', { azp: 'x', aud: 'https://auth.example.com' }],
    ['names the gateway with a slash', { azp: 'x', aud: 'https://auth.example.com/' }],
    ['names our client', { ...OTHER_PROGRAM, aud: ['account', 'gatewarden'] }],
    ['was issued to our client', { aud: undefined }],
    ['was issued to a configured client', { azp: 'old-app', aud: 'account' }],
    ['was issued to our client by RFC 9068', { azp: undefined, client_id: 'gatewarden' }],
  ])('it %s: accepted', async (_what, changes) => {
    const test = await startAccepting({ resources: [ACCEPTING, WIKI] })
    const again = await test.restart({
      provider: { ...test.provider.config, tokenClients: ['old-app'] },
    })
    const answer = await check(again.app, {
      authorization: `Bearer ${await test.token(changes)}`,
    })
    expect(answer.statusCode).toBe(200)
  })

  it.each([
    ['names nothing of ours', { ...OTHER_PROGRAM, aud: 'account' }],
    ['names nobody and nothing', { azp: undefined, aud: undefined }],
    ['names another server of ours', { aud: WIKI.url }],
    ['names another server of ours and our client', { aud: [WIKI.url, 'gatewarden'] }],
    [
      'names another server of ours and the gateway',
      { aud: [WIKI.url, 'https://auth.example.com'] },
    ],
    ['names a path of another server of ours', { aud: `${WIKI.url}/pages` }],
    ['has a client that is not a string', { azp: ['gatewarden'], aud: 'account' }],
    ['begins like the server', { ...OTHER_PROGRAM, aud: `${ACCEPTING.url}2` }],
    ['begins like the gateway', { ...OTHER_PROGRAM, aud: 'https://auth.example.com.evil.test' }],
    ['has an audience that is not a string', { aud: { 0: ACCEPTING.url } }],
    ['has an audience that is not all strings', { aud: [ACCEPTING.url, 1] }],
  ])('it %s: refused', async (_what, changes) => {
    const test = await startAccepting({ resources: [ACCEPTING, WIKI] })
    const answer = await test.bring(await test.token(changes))
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('names one of two servers that accept it, and opens that one', async () => {
    const wiki = { ...WIKI, acceptProviderTokens: true }
    const test = await startAccepting({ resources: [ACCEPTING, wiki] })
    const token = await test.token({ aud: WIKI.url })
    expect((await test.bring(token, atWiki)).statusCode).toBe(200)
    expect((await test.bring(token)).statusCode).toBe(401)
    expect((await test.bring(token, atWiki)).statusCode).toBe(200)
  })

  it('names the gateway, which is a server itself: good there alone', async () => {
    const gateway = { ...WIKI, url: 'https://auth.example.com', acceptProviderTokens: true }
    const test = await startAccepting({ resources: [ACCEPTING, gateway] })
    const token = await test.token({ azp: 'x', aud: 'https://auth.example.com' })
    const there = { 'x-forwarded-host': 'auth.example.com', 'x-forwarded-uri': '/' }
    expect((await test.bring(token, there)).statusCode).toBe(200)
    expect((await test.bring(token)).statusCode).toBe(401)
  })
})

describe('where one line protects every host, the gateway among them', () => {
  const any = resource({ id: 'any', url: 'https://*.example.com', acceptProviderTokens: true })
  it.each([
    ['names the gateway', { azp: 'x', aud: ['https://auth.example.com', 'account'] }, 200],
    ['was issued to our client', { aud: 'account' }, 200],
    ['was issued to our client and names the gateway', { aud: 'https://auth.example.com/' }, 200],
    ['names this server', { azp: 'x', aud: 'https://mcp.example.com' }, 200],
    ['names another server', { aud: 'https://wiki.example.com' }, 401],
    [
      'names another server and the gateway',
      { aud: ['https://wiki.example.com', 'https://auth.example.com'] },
      401,
    ],
    ['names nothing of ours', { azp: 'x', aud: 'account' }, 401],
  ])('T8: a token that %s', async (_what, changes, status) => {
    const test = await startAccepting({ resources: [any] })
    expect((await test.bring(await test.token(changes))).statusCode).toBe(status)
  })

  it('T8: a token that names the gateway, which has a line of its own: good there alone', async () => {
    const gateway = { ...any, id: 'gateway', url: 'https://auth.example.com' }
    const test = await startAccepting({ resources: [any, gateway] })
    const token = await test.token({ azp: 'x', aud: 'https://auth.example.com' })
    expect((await test.bring(token)).statusCode).toBe(401)
    const there = { 'x-forwarded-host': 'auth.example.com', 'x-forwarded-uri': '/' }
    expect((await test.bring(token, there)).statusCode).toBe(200)
  })
})

describe('the metadata of a protected resource', () => {
  it.each([
    [true, 2],
    [false, 1],
  ])('names the provider after us where its tokens count (%s)', async (accepts, count) => {
    const test = await startAccepting({
      resources: [{ ...ACCEPTING, acceptProviderTokens: accepts }],
    })
    const answer = await test.app.inject({
      url: '/.well-known/oauth-protected-resource/notes/mcp',
      headers: { host: 'mcp.example.com' },
    })
    expect(answer.json().authorization_servers).toEqual(
      ['https://auth.example.com', test.provider.issuer].slice(0, count),
    )
  })
})
