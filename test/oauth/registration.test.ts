import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { authorizeUrl, REDIRECT_URI, register } from '../support/oauth-client.ts'
import { storedRecords } from '../support/stored.ts'

let gateway: TestApp
beforeEach(async () => {
  gateway = await buildTestApp()
})

const post = (payload: Record<string, unknown>) =>
  gateway.app.inject({ method: 'POST', url: '/register', payload })

const MINIMAL = { redirect_uris: [REDIRECT_URI] }

it('registers a public client and says back all it registered', async () => {
  const response = await post({
    client_name: 'My editor',
    redirect_uris: [REDIRECT_URI, 'https://editor.example/cb'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'mcp offline_access',
    application_type: 'native',
    client_uri: 'https://editor.example',
    contacts: ['dev@editor.example'],
    software_id: 'editor',
    software_version: '1.2',
    logo_uri: 'https://editor.example/logo.png',
    something_new: { deep: true },
  })
  expect(response.statusCode).toBe(201)
  expect(response.headers).toMatchObject({
    'content-type': 'application/json',
    'cache-control': 'no-store',
    'access-control-allow-origin': '*',
  })
  expect(response.json()).toEqual({
    client_id: expect.stringMatching(/^[A-Za-z0-9._-]{100,500}$/),
    client_id_issued_at: Math.floor(gateway.clock() / 1000),
    client_name: 'My editor',
    redirect_uris: [REDIRECT_URI, 'https://editor.example/cb'],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    scope: 'mcp offline_access',
    application_type: 'native',
    client_uri: 'https://editor.example',
    contacts: ['dev@editor.example'],
    software_id: 'editor',
    software_version: '1.2',
    registration_access_token: expect.stringMatching(/^[\w-]{43}$/),
    registration_client_uri: expect.stringContaining('https://auth.example.com/register/client?'),
  })
})

it('gives a client that names no method a secret that never expires', async () => {
  const body = (await post(MINIMAL)).json()
  expect(body).toMatchObject({
    token_endpoint_auth_method: 'client_secret_basic',
    client_secret: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
    client_secret_expires_at: 0,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  })
})

it('answers a request full of nulls without a single null', async () => {
  const response = await post({
    ...MINIMAL,
    client_name: null,
    token_endpoint_auth_method: null,
    grant_types: null,
    response_types: null,
    scope: null,
    application_type: null,
    client_uri: null,
    contacts: null,
    software_id: null,
    software_version: null,
  })
  expect(response.statusCode).toBe(201)
  expect(response.body).not.toContain('null')
})

it('takes what is empty for absent, as the Go SDK sends it', async () => {
  const response = await post({
    ...MINIMAL,
    client_name: '',
    token_endpoint_auth_method: '',
    grant_types: [],
    response_types: [],
    scope: '',
    application_type: '',
    client_uri: '',
    contacts: '',
    software_id: '',
    software_version: '',
  })
  expect(response.statusCode).toBe(201)
  const said = response.json()
  const minimal = (await post(MINIMAL)).json()
  // These differ from client to client.
  for (const name of [
    'client_id',
    'client_secret',
    'registration_access_token',
    'registration_client_uri',
  ]) {
    expect([typeof said[name], typeof minimal[name]]).toEqual(['string', 'string'])
    delete said[name]
    delete minimal[name]
  }
  expect(said).toEqual(minimal)
})

it('drops grant types it does not have and echoes the rest', async () => {
  const grant_types = ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer']
  expect((await post({ ...MINIMAL, grant_types })).json()).toMatchObject({
    grant_types: ['authorization_code'],
  })
})

it.each(['native', 'web', undefined])('takes loopback from application type %s', async (type) => {
  const response = await post({ ...MINIMAL, application_type: type })
  expect(response.statusCode).toBe(201)
})

it('registers the good ones of a mixed list', async () => {
  const redirect_uris = [
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'http://evil.example/cb',
    'javascript:alert(1)',
    'http://localhost:8787/callback',
    'http://localhost:8787/callback',
  ]
  const response = await post({ redirect_uris })
  expect(response.statusCode).toBe(201)
  expect(response.json().redirect_uris).toEqual([
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'http://localhost:8787/callback',
  ])
})

it.each([[[null, REDIRECT_URI]], [[REDIRECT_URI, '']], [['', null, REDIRECT_URI, []]]])(
  'takes an empty entry for an address that the client lacks: %j',
  async (redirect_uris) => {
    expect((await post({ redirect_uris })).json().redirect_uris).toEqual([REDIRECT_URI])
  },
)

describe('refuses', () => {
  it.each([
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    ['an empty list', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['empty entries alone', { redirect_uris: [null, ''] }, 'invalid_redirect_uri'],
    ['a number for an address', { redirect_uris: [REDIRECT_URI, 1] }, 'invalid_redirect_uri'],
    ['a string for a list', { redirect_uris: REDIRECT_URI }, 'invalid_redirect_uri'],
    ['null redirect URIs', { redirect_uris: null }, 'invalid_redirect_uri'],
    ['only bad ones', { redirect_uris: ['http://evil.example/cb'] }, 'invalid_redirect_uri'],
    [
      'T6: our own callback',
      { redirect_uris: ['https://auth.example.com/callback'] },
      'invalid_redirect_uri',
    ],
    ['T16: a script', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    [
      'more URIs than fit into an id',
      {
        redirect_uris: Array.from(
          { length: 32 },
          (_, i) => `https://app${i}.example/${sprinkle(i)}`,
        ),
      },
      'invalid_client_metadata',
    ],
    [
      'more URIs than anybody has',
      { redirect_uris: Array.from({ length: 33 }, () => REDIRECT_URI) },
      'invalid_redirect_uri',
    ],
    ['an unknown method', { ...MINIMAL, token_endpoint_auth_method: 'private_key_jwt' }],
    ['a grant without code', { ...MINIMAL, grant_types: ['client_credentials'] }],
    ['the implicit response', { ...MINIMAL, response_types: ['token'] }],
    ['a name that is no text', { ...MINIMAL, client_name: { toString: 'x' } }],
  ])('%s', async (_what, payload, error = 'invalid_client_metadata') => {
    const response = await post(payload)
    expect(response.statusCode).toBe(400)
    expect(response.headers['content-type']).toBe('application/json')
    expect(response.headers['cache-control']).toBe('no-store')
    expect(response.json()).toEqual({
      error,
      error_description: expect.stringMatching(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/),
    })
  })
})

/** Text that does not compress. */
function sprinkle(seed: number): string {
  return createHash('sha256').update(String(seed)).digest('hex')
}

it('T14: keeps nothing, however many register', async () => {
  const before = await storedRecords(gateway.storage)
  const ids = new Set<string>()
  for (let i = 0; i < 50; i += 1) ids.add((await register(gateway.app)).client_id)
  expect(ids.size).toBe(50)
  expect(await storedRecords(gateway.storage)).toEqual(before)
})

it('knows its clients again after a restart, a year later', async () => {
  const client = await register(gateway.app)
  const { app, clock } = await gateway.restart()
  clock.advance(365 * 86_400)
  const response = await createBrowser(app).get(authorizeUrl(client))
  expect(response.statusCode).toBe(200)
  expect(response.body).toContain('Test client')
})

it('keeps every client_id within 1,024 characters and those of real clients short', async () => {
  const { client_id } = await register(gateway.app, {
    client_name: 'Cursor',
    redirect_uris: [
      'http://localhost:8787/callback',
      'https://www.cursor.com/agents/mcp/oauth/callback',
      'cursor://anysphere.cursor-mcp/oauth/callback',
    ],
  })
  expect(client_id.length).toBeLessThanOrEqual(450)
})

describe('T16, T17: a name', () => {
  it.each([
    ['  two   words ', 'two words'],
    ['Cla\u202eedu', 'Cla edu'],
    ['zero\u200bwidth', 'zero width'],
    ['line\r\nbreak\0', 'line break'],
    ['\ud83d\ude00'.repeat(80), '\ud83d\ude00'.repeat(64)],
    ['', 'Unnamed program'],
    ['\u200b', 'Unnamed program'],
  ])('%j becomes %j', async (client_name, expected) => {
    expect((await post({ ...MINIMAL, client_name })).json().client_name).toBe(expected)
  })

  it('with markup is text on the consent page', async () => {
    const client = await register(gateway.app, { client_name: '<img src=x onerror=alert(1)>' })
    const page = await createBrowser(gateway.app).get(authorizeUrl(client))
    expect(page.statusCode).toBe(200)
    expect(page.body).not.toContain('<img')
    expect(page.body).toContain('&lt;img src=x onerror=alert(1)&gt;')
  })
})

it.each(['javascript:alert(1)', 'http://plain.example', 'data:text/html,x'])(
  'T16: does not say back the address %s',
  async (client_uri) => {
    const response = await post({ ...MINIMAL, client_uri })
    expect(response.statusCode).toBe(201)
    expect(response.json()).not.toHaveProperty('client_uri')
  },
)

it('T20: gives two clients of the same metadata ids and secrets of their own', async () => {
  const [a, b] = [(await post(MINIMAL)).json(), (await post(MINIMAL)).json()]
  expect(a.client_id).not.toBe(b.client_id)
  expect(a.client_secret).not.toBe(b.client_secret)
})

it('registers on a protected host as well', async () => {
  const response = await gateway.app.inject({
    method: 'POST',
    url: '/register',
    headers: { host: 'mcp.example.com' },
    payload: MINIMAL,
  })
  expect(response.statusCode).toBe(201)
})
