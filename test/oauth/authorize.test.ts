import type { LightMyRequestResponse } from 'fastify'
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { load } from '../config/harness.ts'
import { visibleText } from '../pages/read-markup.ts'
import { type Browser, createBrowser } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  CHALLENGE,
  obtainTokens,
  REDIRECT_URI,
  type RegisteredClient,
  register,
} from '../support/oauth-client.ts'
import { storedRecords } from '../support/stored.ts'

const ISSUER = 'https://auth.example.com'
const ELSEWHERE = 'https://app.example/cb'
/** A page without the part that is for the author of the program. */
const withoutBox = (page: string) => page.replace(/<section class="box">.*?<\/section>/s, '')
const PROTOCOL_NAMES = /client[_ ]id|redirect[_ ]uri|scope/i
const UNCOMPRESSIBLE = Array.from({ length: 80 }, (_, i) => sha256(String(i))).join('')

let gateway: TestApp
let client: RegisteredClient
let browser: Browser
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
  browser = createBrowser(gateway.app)
})

/** The members of the answer in a redirect to the client. */
function redirected(response: LightMyRequestResponse): Record<string, string> {
  expect(response.statusCode).toBe(302)
  const location = String(response.headers.location)
  expect(location.startsWith(`${REDIRECT_URI}?`)).toBe(true)
  return Object.fromEntries(new URL(location).searchParams)
}

function expectPage(response: LightMyRequestResponse, status: number): void {
  expect(response.statusCode).toBe(status)
  expect(response.headers['content-type']).toBe('text/html; charset=utf-8')
  expect(response.headers.location).toBeUndefined()
}

describe('the consent page', () => {
  it('says who asks, what for, what it may do and where the answer goes', async () => {
    const page = await browser.get(authorizeUrl(client))
    expectPage(page, 200)
    expect(page.body).toContain('Test client')
    expect(page.body).toContain('Team notes')
    expect(page.body).toContain('Use this server')
    expect(page.body).toContain('127.0.0.1:33418')
  })

  it('T13: cannot be framed, cached or read by others', async () => {
    const { headers } = await browser.get(authorizeUrl(client))
    expect(headers).toMatchObject({
      'x-frame-options': 'DENY',
      'cache-control': 'no-store',
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    })
    expect(headers['content-security-policy']).toContain("default-src 'none'")
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(headers['content-security-policy']).not.toContain('form-action')
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  it.each(['cross-site', 'same-origin', 'none'])(
    'T3: is shown every time, whatever was allowed before (%s)',
    async (site) => {
      const { browser: known } = await obtainTokens(gateway.app, { client })
      const page = await known.get(authorizeUrl(client), { 'sec-fetch-site': site })
      expectPage(page, 200)
      expect(page.body).toContain('value="approve"')
    },
  )

  it('T1: is shown to each client of its own, before anybody is sent to a login', async () => {
    await obtainTokens(gateway.app, { client })
    const other = await register(gateway.app, { redirect_uris: [ELSEWHERE] })
    const page = await browser.get(authorizeUrl(other, { redirect_uri: ELSEWHERE }))
    expectPage(page, 200)
    expect(page.body).toContain('app.example')
  })

  it('T14: keeps nothing in the store', async () => {
    const before = await storedRecords(gateway.storage)
    for (let i = 0; i < 20; i += 1) await createBrowser(gateway.app).get(authorizeUrl(client))
    expect(await storedRecords(gateway.storage)).toEqual(before)
  })
})

describe('before client and redirect are known, an error is a page and leads nowhere:', () => {
  const url = (changes: Record<string, string | undefined>, more = '') =>
    authorizeUrl(client, changes) + more
  it.each<[string, () => string]>([
    ['no client_id', () => url({ client_id: undefined })],
    ['an empty client_id', () => url({ client_id: '' })],
    ['an unknown client_id', () => url({ client_id: 'nobody' })],
    ['a client_id changed by a character', () => url({ client_id: changed(client.client_id) })],
    ['a client_id of 10,000 characters', () => url({ client_id: 'a'.repeat(10_000) })],
    ['two client_ids', () => url({}, `&client_id=${client.client_id}`)],
    ['two redirect_uris', () => url({}, `&redirect_uri=${encodeURIComponent(REDIRECT_URI)}`)],
    ['a NUL in redirect_uri', () => url({ redirect_uri: `${REDIRECT_URI}\0` })],
    ['a redirect_uri nobody registered', () => url({ redirect_uri: ELSEWHERE })],
    ['broken percent-encoding', () => url({}, '&x=%zz')],
    ['invalid UTF-8', () => url({}, '&x=%ff')],
  ])('%s', async (_what, build) => {
    const response = await browser.get(build())
    expectPage(response, 400)
    expect(response.headers['set-cookie']).toBeUndefined()
    expect(response.body).toContain('For the author of the program')
    expect(visibleText(withoutBox(response.body))).not.toMatch(PROTOCOL_NAMES)
  })

  it.each([
    [{ client_id: 'nobody' }, 'client_id is missing or unknown'],
    [{ redirect_uri: ELSEWHERE }, 'redirect_uri is not registered for this program'],
  ])(
    "ed30: in the protocol's own names in the author's box and the log (%j)",
    async (changes, words) => {
      const { body } = await browser.get(url(changes))
      const box = /<section class="box">.*?<\/section>/s.exec(body)?.[0] ?? ''
      expect(visibleText(box)).toContain(words)
      expect(gateway.logs.map(({ reason }) => String(reason)).join()).toContain(words)
    },
  )

  it('a client of another server', async () => {
    const other = await buildTestApp({}, { secret: 'the secret of another server altogether' })
    const stranger = await register(other.app)
    expectPage(await browser.get(authorizeUrl(stranger)), 400)
  })

  it('no redirect_uri where several are registered', async () => {
    const two = await register(gateway.app, { redirect_uris: [REDIRECT_URI, ELSEWHERE] })
    expectPage(await browser.get(authorizeUrl(two, { redirect_uri: undefined })), 400)
  })
})

it('takes the redirect URI from the registration where there is only one', async () => {
  expectPage(await browser.get(authorizeUrl(client, { redirect_uri: undefined })), 200)
})

const REFUSED: [string, Record<string, string | undefined>, string, string?][] = [
  ['no response_type', { response_type: undefined }, 'invalid_request'],
  ['the implicit flow', { response_type: 'token' }, 'unsupported_response_type'],
  ['response_mode fragment', { response_mode: 'fragment' }, 'invalid_request'],
  ['response_mode form_post', { response_mode: 'form_post' }, 'invalid_request'],
  ['T19: no code_challenge', { code_challenge: undefined }, 'invalid_request'],
  ['T19: no method', { code_challenge_method: undefined }, 'invalid_request'],
  ['T19: the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
  ['a challenge too short', { code_challenge: CHALLENGE.slice(1) }, 'invalid_request'],
  ['a challenge too long', { code_challenge: `${CHALLENGE}A` }, 'invalid_request'],
  ['a challenge with padding', { code_challenge: `${CHALLENGE.slice(1)}=` }, 'invalid_request'],
  ['an unknown resource', { resource: 'https://other.example/mcp' }, 'invalid_target'],
  ['a resource beside ours', { resource: 'https://mcp.example.com/other' }, 'invalid_target'],
  ['a resource that is no URL', { resource: 'notes' }, 'invalid_target'],
  [
    'a resource of another scheme',
    { resource: 'ftp://mcp.example.com/notes/mcp' },
    'invalid_target',
  ],
  ['a fragment', { resource: 'https://mcp.example.com/notes/mcp#x' }, 'invalid_target'],
  ['a user name', { resource: 'https://x@mcp.example.com/notes/mcp' }, 'invalid_target'],
  ['an ambiguous path', { resource: 'https://mcp.example.com/notes/mcp/%2e%2e' }, 'invalid_target'],
  ['prompt=none', { prompt: 'none' }, 'interaction_required'],
  ['prompt=none among others', { prompt: 'login none' }, 'interaction_required'],
  ['two response_types', {}, 'invalid_request', '&response_type=code'],
  ['two scopes', { scope: 'mcp' }, 'invalid_request', '&scope=mcp'],
  ['two challenges', {}, 'invalid_request', `&code_challenge=${CHALLENGE}`],
  ['two methods', {}, 'invalid_request', '&code_challenge_method=S256'],
  ['two different resources', {}, 'invalid_target', '&resource=https%3A%2F%2Fother.example'],
  ['a line break in scope', { scope: 'mcp\r\nset-cookie: x' }, 'invalid_request'],
]

describe('afterwards, to a program on this computer, an error is a redirect with state and iss:', () => {
  it.each(REFUSED)('%s', async (_what, changes, error, more = '') => {
    const response = await browser.get(authorizeUrl(client, changes) + more)
    expect(redirected(response)).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
      state: 'the-state',
      iss: ISSUER,
    })
    expect(response.headers['cache-control']).toBe('no-store')
    expect(response.headers['referrer-policy']).toBe('no-referrer')
    expect(response.headers['set-cookie']).toBeUndefined()
  })

  it('a state that occurs twice, which is not sent back', async () => {
    const answer = redirected(await browser.get(`${authorizeUrl(client)}&state=other`))
    expect(answer).toMatchObject({ error: 'invalid_request', iss: ISSUER })
    expect(answer).not.toHaveProperty('state')
  })

  it('no state, where none was sent', async () => {
    const url = authorizeUrl(client, { state: undefined, code_challenge: undefined })
    expect(redirected(await browser.get(url))).not.toHaveProperty('state')
  })

  it.each([
    ['does not compress', UNCOMPRESSIBLE],
    ['compresses well', 'a'.repeat(4000)],
    ['grows when written as JSON', '\\'.repeat(40_000)],
  ])('a state too long that %s', async (_what, state) => {
    const answer = redirected(await browser.get(authorizeUrl(client, { state })))
    expect(answer).toMatchObject({ error: 'invalid_request', iss: ISSUER, state })
    expect(answer.error_description).toContain('state')
  })
})

describe('T15: afterwards, to any other host, an error is a page whose link names the host:', () => {
  it.each(REFUSED)('%s', async (_what, changes, error, more = '') => {
    const web = await register(gateway.app, { redirect_uris: [ELSEWHERE] })
    const response = await browser.get(
      authorizeUrl(web, { redirect_uri: ELSEWHERE, ...changes }) + more,
    )
    expectPage(response, 400)
    expect(response.headers['referrer-policy']).toBe('no-referrer')
    expect(response.body).toContain('Back to')
    expect(visibleText(withoutBox(response.body))).not.toMatch(PROTOCOL_NAMES)
    const link = /<a [^>]*href="(https:\/\/app\.example\/[^"]*)"/.exec(response.body)?.[1] ?? ''
    const answer = new URL(link.replaceAll('&amp;', '&')).searchParams
    expect(answer.get('error')).toBe(error)
    expect(answer.get('state')).toBe('the-state')
    expect(answer.get('iss')).toBe(ISSUER)
  })
})

it('keeps a client state of 1,000 characters to the byte', async () => {
  const state = Array.from({ length: 1000 }, (_, i) => '%&=+ "<\u00e9'[i % 8]).join('')
  const page = await browser.get(authorizeUrl(client, { state }))
  expectPage(page, 200)
})

it('ignores parameters it does not know, even repeated', async () => {
  expectPage(await browser.get(`${authorizeUrl(client)}&audience=x&audience=y&prompt=consent`), 200)
})

describe('a resource is meant by', () => {
  const labs = resource({ id: 'labs', url: 'https://*.labs.example.com/mcp' })
  const two = [resource({ allow: { anyone: true, emails: [], domains: [], groups: [] } }), labs]
  it.each([
    ['its URL', 'https://mcp.example.com/notes/mcp', 'https://mcp.example.com/notes/mcp'],
    [
      'its URL with a slash',
      'https://mcp.example.com/notes/mcp/',
      'https://mcp.example.com/notes/mcp',
    ],
    ['a URL below', 'https://mcp.example.com/notes/mcp/x', 'https://mcp.example.com/notes/mcp'],
    [
      'another spelling',
      'HTTPS://MCP.example.com.:443/notes/%6Dcp',
      'https://mcp.example.com/notes/mcp',
    ],
    ['plain http', 'http://mcp.example.com/notes/mcp', 'https://mcp.example.com/notes/mcp'],
    ['its bare host', 'https://mcp.example.com', 'https://mcp.example.com/notes/mcp'],
    ['its bare host with a slash', 'https://mcp.example.com/', 'https://mcp.example.com/notes/mcp'],
    [
      'a host of a wildcard',
      'https://one.labs.example.com/mcp',
      'https://one.labs.example.com/mcp',
    ],
  ])('%s', async (_what, indicator, audience) => {
    gateway = await buildTestApp({ resources: two })
    const { tokens } = await obtainTokens(gateway.app, { authorize: { resource: indicator } })
    expect(decodeJwt(tokens.access_token).aud).toBe(audience)
  })

  it('nothing at all where there is only one', async () => {
    const { tokens } = await obtainTokens(gateway.app, { authorize: { resource: undefined } })
    expect(decodeJwt(tokens.access_token).aud).toBe('https://mcp.example.com/notes/mcp')
  })

  it('nothing at all where one is marked default', async () => {
    const other = resource({ id: 'other', url: 'https://other.example.com', isDefault: true })
    gateway = await buildTestApp({ resources: [resource(), other] })
    const { tokens } = await obtainTokens(gateway.app, { authorize: { resource: undefined } })
    expect(decodeJwt(tokens.access_token).aud).toBe('https://other.example.com')
  })

  it('nothing less where there are several', async () => {
    const other = resource({ id: 'other', url: 'https://other.example.com' })
    gateway = await buildTestApp({ resources: [resource(), other] })
    const response = await createBrowser(gateway.app).get(
      authorizeUrl(await register(gateway.app), { resource: '' }),
    )
    expect(redirected(response)).toMatchObject({ error: 'invalid_target', iss: ISSUER })
  })
})

it('sa17: names the host that is meant, where the configuration has a wildcard without a name', async () => {
  const { config } = load({
    env: { RESOURCES: 'https://*.labs.example.com,https://*.labs.example.com:8443/mcp' },
  })
  const { app } = await buildTestApp({ resources: config.resources })
  const registered = await register(app)
  for (const host of ['one.labs.example.com', 'one.labs.example.com:8443/mcp']) {
    const visitor = createBrowser(app)
    const page = await visitor.get(authorizeUrl(registered, { resource: `https://${host}` }))
    expect(page.body).toContain(`<bdi>${host}</bdi>`)
    expect(page.body).not.toContain('*.')
    const { pathname } = new URL(`https://${host}`)
    const path = pathname === '/' ? '' : pathname
    const url = `/.well-known/oauth-protected-resource${path}`
    const answer = await app.inject({ url, headers: { host: host.replace(path, '') } })
    expect(answer.json()).toMatchObject({ resource: `https://${host}`, resource_name: host })
  }
})

describe('scopes', () => {
  const scopes = { read: 'Read your notes', write: 'Change your notes', admin: 'Run the place' }
  const rules = (requiredScopes: string[], defaultScopes: string[]) => ({
    resources: [resource({ scopes, requiredScopes, defaultScopes })],
  })
  it.each([
    ['read', 'read', undefined, 'read'],
    ['read', 'read', 'write', 'read write'],
    ['read', 'read', 'write write read', 'read write'],
    ['read', 'read', 'unknown', 'read'],
    ['read', 'read', 'unknown write', 'read write'],
    ['read', 'read', 'offline_access', 'read offline_access'],
    ['read', 'write', undefined, 'read write'],
    ['', 'write', undefined, 'write'],
    ['', 'write', 'read', 'read'],
    ['', 'write', 'unknown offline_access', 'write offline_access'],
    ['', 'read write admin', '', 'read write admin'],
    ['', 'read', '__proto__ constructor toString', 'read'],
  ])('required %j, default %j, asked %j: granted %j', async (need, std, scope, granted) => {
    gateway = await buildTestApp(rules(need.split(' ').filter(Boolean), std.split(' ')))
    const { tokens } = await obtainTokens(gateway.app, { authorize: { scope } })
    expect(tokens.scope.split(' ').sort()).toEqual(granted.split(' ').sort())
    expect(decodeJwt(tokens.access_token).scope).toBe(tokens.scope)
  })

  it('are shown in words, without protocol words', async () => {
    gateway = await buildTestApp(rules(['read'], ['read']))
    const asked = authorizeUrl(await register(gateway.app), { scope: 'write offline_access' })
    const page = await createBrowser(gateway.app).get(asked)
    expect(page.body).toContain('Read your notes')
    expect(page.body).toContain('Change your notes')
    expect(page.body).not.toContain('Run the place')
    expect(page.body).not.toContain('offline_access')
  })
})

describe('on another host than its own', () => {
  const OTHER = 'mcp.example.com'

  it('sends GET /authorize on with the query to the byte', async () => {
    const query = '?state=a%20b+c&x=%e4%b8&state=%zz'
    const response = await gateway.app.inject({
      url: `/authorize${query}`,
      headers: { host: OTHER },
    })
    expect(response.statusCode).toBe(302)
    expect(response.headers.location).toBe(`${ISSUER}/authorize${query}&gw_host=${OTHER}`)
    expect(response.headers['set-cookie']).toBeUndefined()
  })

  it.each(['/consent', '/login', '/callback'])(
    'has no %s: that may be the address of an application',
    async (url) => {
      for (const method of ['GET', 'POST'] as const) {
        const response = await gateway.app.inject({ method, url, headers: { host: OTHER } })
        expect(response.statusCode).toBe(404)
        expect(response.headers['set-cookie']).toBeUndefined()
      }
    },
  )

  it.each(['auth.example.com:443', 'AUTH.example.com', 'auth.example.com.'])(
    'but %s is its own',
    async (host) => {
      expectPage(await browser.get(authorizeUrl(client), { host }), 200)
    },
  )
})

function changed(id: string): string {
  const middle = Math.floor(id.length / 2)
  return id.slice(0, middle) + (id[middle] === 'A' ? 'B' : 'A') + id.slice(middle + 1)
}
