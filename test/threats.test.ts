/**
 * Regression tests for the attacks that reviewers of this code have found.
 */
import { describe, expect, it } from 'vitest'
import { type RedirectRules, redirectUriProblem } from '../src/oauth/redirect-uri.ts'
import { createAccessTokens } from '../src/oauth/tokens/access-token.ts'
import { clientHeaders } from '../src/proxy/response-headers.ts'
import { createResourceTable } from '../src/resources/resource-table.ts'
import { createBrowser } from './support/browser.ts'
import { ANYONE, BOB, buildTestApp, resource } from './support/build-app.ts'
import {
  authorizeUrl,
  check,
  obtainTokens,
  refresh,
  register,
  signIn,
  token,
} from './support/oauth-client.ts'
import { HAND_COOKIE, HOST_COOKIE, makeSession } from './support/session.ts'
import { accessKeys, ISSUER, testKeyring } from './support/signing.ts'

// Each of these hung the event loop for seconds to minutes, so a test that ends in time has proved its point.
describe('T33: one request cannot keep the process busy', () => {
  it('refuses thousands of repeated parameters', async () => {
    const { app } = await buildTestApp()
    const query = await app.inject({
      url: `/authorize?${'a&'.repeat(31_000)}`,
      headers: { host: 'auth.example.com' },
    })
    expect(query.statusCode).toBe(400)
    const form = await app.inject({
      method: 'POST',
      url: '/token',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'a&'.repeat(16_000),
    })
    expect(form.json()).toMatchObject({ error: 'invalid_request' })
  })

  it('reads a Basic header of spaces once', async () => {
    const { app } = await buildTestApp()
    const answer = await token(
      app,
      { grant_type: 'authorization_code' },
      { authorization: `Basic ${' '.repeat(60_000)}!` },
    )
    expect(answer.statusCode).toBe(401)
  })

  it.each([
    ['.', 401],
    ['%20', 403],
  ])('looks at a path of thousands of %j once', async (character, status) => {
    const { app } = await buildTestApp({
      resources: [resource(), resource({ id: 'all', url: 'https://mcp.example.com' })],
    })
    const uri = `/${character.repeat(60_000 / character.length)}x`
    expect((await check(app, { 'x-forwarded-uri': uri })).statusCode).toBe(status)
  })

  it('does not put thousands of accents in order', async () => {
    const { app } = await buildTestApp({
      resources: [resource(), resource({ id: 'all', url: 'https://mcp.example.com' })],
    })
    const uri = `/x${'%CC%81'.repeat(5000)}${'%CC%96'.repeat(5000)}`
    expect((await check(app, { 'x-forwarded-uri': uri })).statusCode).toBe(403)
  })

  it('reads an endless resource indicator once', async () => {
    const { app } = await buildTestApp()
    const client = await register(app)
    const answer = await createBrowser(app).get(
      authorizeUrl(client, { resource: `http://${'a'.repeat(60_000)}#` }),
    )
    expect(String(answer.headers.location)).toContain('error=invalid_target')
  })
})

describe('T6: a redirect URI never leads back to us', () => {
  const rules = (ownOrigin: string): RedirectRules => ({
    ownOrigin,
    isProtected: () => false,
    isOpenedScheme: () => false,
  })

  it.each([
    ['https:callback', 'https://auth.example.com'],
    ['https:/callback', 'https://auth.example.com'],
    ['https:evil.test/x', 'https://auth.example.com'],
    ['https://auth.example.com./callback', 'https://auth.example.com'],
    ['https://AUTH.example.com:443/callback', 'https://auth.example.com'],
    ['http://127.0.0.1:8080/callback', 'http://localhost:8080'],
    ['http://[::1]:8080/authorize', 'http://localhost:8080'],
  ])('%s is refused at %s', (uri, own) => {
    expect(redirectUriProblem(uri, rules(own))).toBeDefined()
  })

  it('other ports of this computer are other programs', () => {
    expect(
      redirectUriProblem('http://127.0.0.1:8081/callback', rules('http://localhost:8080')),
    ).toBe(undefined)
  })

  it.each(['javascript.x:alert(1)', 'data.x:text', 'com.example:/cb'])('%s', (uri) => {
    const problem = redirectUriProblem(uri, rules('https://auth.example.com'))
    expect(problem === undefined).toBe(uri.startsWith('com.'))
  })
})

describe('T34: a token that was signed with our key but says more than its grant', () => {
  it.each([
    ['another person', { sub: 'u_somebody-else' }],
    ['another scope', { scope: 'mcp admin' }],
    ['another client', { client_id: 'another' }],
  ])('is refused: %s', async (_name, forged) => {
    const { app, storage, clock } = await buildTestApp()
    const { tokens } = await obtainTokens(app)
    const [, payload = ''] = tokens.access_token.split('.')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const keys = await accessKeys({ storage, now: clock })
    const issuer = createAccessTokens({ issuer: ISSUER, keys, keyring: testKeyring(), now: clock })
    const good = await issuer.issue(claims)
    expect((await check(app, { authorization: `Bearer ${good}` })).statusCode).toBe(200)
    const bad = await issuer.issue({ ...claims, ...forged })
    expect((await check(app, { authorization: `Bearer ${bad}` })).statusCode).toBe(401)
  })
})

describe('T25: a server that decodes reserved characters does not widen a grant', () => {
  const escaped = (character: string, by: 'toUpperCase' | 'toLowerCase') =>
    `%${character.charCodeAt(0).toString(16)[by]()}`

  it.each([..."@:!$&'()*+,=[]|"])('%s, escaped, is no way around', async (character) => {
    const { app } = await buildTestApp({
      resources: [
        resource({ id: 'app', url: 'https://app.example.com' }),
        resource({ id: 'admin', url: `https://app.example.com/${character}admin` }),
      ],
    })
    const { tokens } = await obtainTokens(app, {
      authorize: { resource: 'https://app.example.com' },
    })
    const ask = async (path: string) => {
      const answer = await check(app, {
        authorization: `Bearer ${tokens.access_token}`,
        'x-forwarded-host': 'app.example.com',
        'x-forwarded-uri': path,
      })
      return answer.statusCode
    }
    const [upper, lower] = [escaped(character, 'toUpperCase'), escaped(character, 'toLowerCase')]
    expect(await ask(`/${character}admin`)).toBe(401)
    for (const path of [`/${upper}admin`, `/${lower}admin/x`, `/${upper}Admin`, `/%25${upper}`]) {
      expect(await ask(path), path).toBe(403)
    }
    // Beside a nested server only plain segments have one reading (threat T50).
    for (const path of [`/${upper}other`, `/x${upper}admin`]) expect(await ask(path)).toBe(403)
    expect(await ask('/other')).toBe(200)
  })
})

describe('T25: a server that ignores case does not widen a grant', () => {
  const table = createResourceTable([
    resource({ id: 'notes', url: 'https://mcp.example.com/notes' }),
    resource({ id: 'admin', url: 'https://mcp.example.com/notes/admin' }),
  ])
  it.each([
    '/notes/Admin',
    '/notes/ADMIN/x',
    '/notes/admin%20',
    '/notes/admin.',
    '/notes/admin./x',
  ])('%s is ambiguous between the two', (path) => {
    expect(table.match('mcp.example.com', path)).toBe('ambiguous')
  })
  it('a path that neither spelling reaches is not', () => {
    expect(table.match('mcp.example.com', '/notes/Other')).toMatchObject({ path: '/notes/Other' })
  })
})

it('answers for no wildcard host whose name no URL can have', () => {
  const table = createResourceTable([resource({ url: 'https://*.wild.example.com' })])
  expect(table.match('xn--a.wild.example.com', '/')).toBe('unknown')
})

it('T14: remembers no wildcard host that is longer than names are', () => {
  const table = createResourceTable([resource({ url: 'https://*.wild.example.com' })])
  expect(table.match(`${'a'.repeat(63)}.wild.example.com`, '/')).toMatchObject({ path: '/' })
  expect(table.match(`${'a'.repeat(64)}.wild.example.com`, '/')).toBe('unknown')
})

it('lets a server set no cookie that a browser would send back as ours', () => {
  const headers = ['Set-Cookie', '=gw_browser=AAAA; Path=/', 'Set-Cookie', 'theirs=1']
  expect(clientHeaders(headers, (name) => name.startsWith('gw_'))).toEqual([
    'Set-Cookie',
    'theirs=1',
  ])
})

it('does not tell by its locks that a name and an e-mail are one person', async () => {
  const { app } = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
  const client = await register(app)
  const attempt = async (name: string) =>
    (await signIn(createBrowser(app), authorizeUrl(client), { name, password: 'wrong' })).statusCode
  for (let i = 0; i < 5; i++) expect(await attempt('ann')).toBe(401)
  expect(await attempt('ann')).toBe(429)
  expect(await attempt('ann@example.com')).toBe(401)
})

it('T7: says that any program on this computer could be asking, each time anew', async () => {
  const { app } = await buildTestApp()
  const client = await register(app)
  const browser = createBrowser(app)
  await signIn(browser, authorizeUrl(client))
  const again = await browser.get(authorizeUrl(client))
  expect(again.body).toContain('Any program on this computer can ask under this name')
  expect(again.body).toContain('name="decision" value="deny"')
})

it('T23: names only plain addresses of its own in its metadata', async () => {
  const { app } = await buildTestApp()
  const answer = await app.inject('/.well-known/oauth-authorization-server')
  const addresses = Object.entries<unknown>(answer.json()).filter(([name]) =>
    /_endpoint$|_uri$|^issuer$/.test(name),
  )
  expect(addresses.length).toBeGreaterThan(4)
  for (const [, address] of addresses) {
    expect(address).toMatch(/^https:\/\/auth\.example\.com(?:\/[a-z_]+)?$/)
  }
})

it('T11: takes no session out of an address or a header of its own', async () => {
  const test = await buildTestApp()
  const { token, cookie } = await makeSession(test)
  for (const name of [HOST_COOKIE, HAND_COOKIE, 'token', 'access_token']) {
    const answer = await check(test.app, {
      'x-forwarded-uri': `/notes/mcp?${name}=${token}`,
      'cf-access-jwt-assertion': token,
      'x-cookie': cookie,
      authorization: `Cookie ${cookie}`,
    })
    expect(answer.statusCode).toBe(401)
  }
})

it('T8: hands no token of ours to a server that is opened by the cookie beside it', async () => {
  const test = await buildTestApp()
  const { tokens } = await obtainTokens(test.app)
  const { cookie } = await makeSession(test)
  for (const scheme of ['Bearer\t', 'Basic Zm9v, Bearer ', 'Bearer,', 'bearer  ']) {
    const authorization = scheme + tokens.access_token
    const answer = await check(test.app, { cookie, authorization })
    expect(String(answer.headers.authorization)).not.toContain(tokens.access_token)
  }
  const basic = await check(test.app, { cookie, authorization: 'Basic Zm9vOmJhcg==' })
  expect([basic.statusCode, basic.headers.authorization]).toEqual([200, 'Basic Zm9vOmJhcg=='])
})

it('T31: keeps nobody in who is taken out of the configuration, by token or by cookie', async () => {
  const test = await buildTestApp()
  const { tokens, client } = await obtainTokens(test.app)
  const { cookie } = await makeSession(test)
  const authorization = `Bearer ${tokens.access_token}`
  for (const headers of [{ authorization }, { cookie }]) {
    expect((await check(test.app, headers)).statusCode).toBe(200)
  }
  const after = await test.restart({ users: [BOB] })
  for (const headers of [{ authorization }, { cookie }]) {
    expect((await check(after.app, headers)).statusCode).toBe(401)
  }
  const again = await refresh(after.app, client, tokens.refresh_token)
  expect(again.json()).toMatchObject({ error: 'invalid_grant' })
})
