import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { REDIRECT_URI, type RegisteredClient, register, VERIFIER } from '../support/oauth-client.ts'
import { storedRecords } from '../support/stored.ts'

const FORM = 'application/x-www-form-urlencoded'
const JSON_TYPE = 'application/json'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']

let gateway: TestApp
let client: RegisteredClient
let before: Record<string, unknown>
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
  before = await storedRecords(gateway.storage)
})
afterEach(async () => {
  expect(await storedRecords(gateway.storage)).toEqual(before)
  expect(gateway.logs.filter(({ msg }) => msg === 'unexpected error')).toEqual([])
})

describe.each([
  ['/register', ['POST', 'OPTIONS']],
  ['/token', ['POST', 'OPTIONS']],
  ['/register/client', ['GET', 'HEAD', 'DELETE', 'PUT', 'OPTIONS']],
  ['/revoke', ['POST', 'OPTIONS']],
  ['/introspect', ['POST', 'OPTIONS']],
  ['/jwks', ['GET', 'HEAD', 'OPTIONS']],
  ['/openid/v1/jwks', ['GET', 'HEAD', 'OPTIONS']],
  ['/.well-known/oauth-authorization-server', ['GET', 'HEAD', 'OPTIONS']],
  ['/.well-known/oauth-protected-resource/notes/mcp', ['GET', 'HEAD', 'OPTIONS']],
])('%s', (url, allowed) => {
  const refused = METHODS.filter((method) => !allowed.includes(method))
  it.each(refused)('says to %s which methods it has', async (method) => {
    const response = await gateway.app.inject({
      // These are not in inject's own list, but people send them.
      method: method as 'GET',
      url,
      ...(method !== 'GET' && method !== 'HEAD' && { payload: 'x' }),
    })
    expect(response.statusCode).toBe(405)
    expect(response.headers.allow).toBe(allowed.join(', '))
    expect(response.headers['content-type']).toBe('application/json')
    if (method !== 'HEAD') expect(response.json()).toMatchObject({ error: 'invalid_request' })
  })
})

const post = (url: string, payload: string | Buffer, type?: string) =>
  gateway.app.inject({
    method: 'POST',
    url,
    payload,
    headers: type === undefined ? {} : { 'content-type': type },
  })

describe('/register refuses', () => {
  const metadata = JSON.stringify({ redirect_uris: [REDIRECT_URI] })

  it.each([FORM, 'text/plain', 'multipart/form-data; boundary=x', 'application/jsonx', 'nonsense'])(
    'the content type %s',
    async (type) => {
      const response = await post('/register', metadata, type)
      expect(response.statusCode).toBe(415)
      expect(response.json()).toMatchObject({ error: 'invalid_request' })
    },
  )

  it('a body of another shape without a content type', async () => {
    expect((await post('/register', 'redirect_uris=x')).statusCode).toBe(415)
  })

  it('a body of more than 32 KiB', async () => {
    const response = await post('/register', `{"x":"${'a'.repeat(33_000)}"}`, JSON_TYPE)
    expect(response.statusCode).toBe(413)
    expect(response.json()).toMatchObject({ error: 'invalid_request' })
  })

  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['null', 'null'],
    ['a string', '"x"'],
    ['a list', '[]'],
    ['broken JSON', '{"redirect_uris":['],
    ['two documents', `${metadata}${metadata}`],
    ['T33: 30,000 brackets', '['.repeat(30_000)],
    ['a prototype', '{"__proto__":{"redirect_uris":["http://localhost/"]}}'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d])],
    ['a byte order mark before nothing', Buffer.from([0xef, 0xbb, 0xbf])],
    ['control bytes', Buffer.from([0x7b, 0x00, 0x01, 0x7d])],
  ])('%s', async (_what, body) => {
    const response = await post('/register', body, JSON_TYPE)
    expect(response.statusCode).toBe(400)
    expect(response.json().error).toMatch(/^invalid_(client_metadata|redirect_uri)$/)
  })

  it('a post without any body', async () => {
    const response = await gateway.app.inject({ method: 'POST', url: '/register' })
    expect(response.statusCode).toBe(400)
    expect(response.json()).toMatchObject({ error: 'invalid_client_metadata' })
  })
})

describe('/token refuses', () => {
  const valid = () =>
    new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: client.client_id,
      code: 'some-code',
      code_verifier: VERIFIER,
    }).toString()

  it.each([JSON_TYPE, 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'])(
    'the content type %s',
    async (type) => {
      const response = await post('/token', valid(), type)
      expect(response.statusCode).toBe(415)
      expect(response.json()).toMatchObject({ error: 'invalid_request' })
    },
  )

  it('a body of more than 32 KiB', async () => {
    const response = await post('/token', `${valid()}&x=${'a'.repeat(33_000)}`, FORM)
    expect(response.statusCode).toBe(413)
    expect(response.json()).toMatchObject({ error: 'invalid_request' })
  })

  it.each(['grant_type', 'client_id', 'code', 'code_verifier', 'redirect_uri', 'client_secret'])(
    'a repeated %s',
    async (name) => {
      const response = await post('/token', `${valid()}&${name}=x&${name}=x`, FORM)
      expect(response.statusCode).toBe(400)
      expect(response.json()).toMatchObject({ error: 'invalid_request' })
    },
  )

  it.each(['grant_type', 'client_id', 'code', 'code_verifier', 'redirect_uri', 'resource'])(
    'control characters in %s',
    async (name) => {
      const form = new URLSearchParams(valid())
      form.set(name, 'a\0b\r\nc')
      const response = await post('/token', form.toString(), FORM)
      expect(response.statusCode).toBe(400)
      expect(response.json()).toMatchObject({ error: 'invalid_request' })
    },
  )

  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['broken percent-encoding', 'grant_type=%zz'],
    ['percent-encoded bytes that are no UTF-8', 'grant_type=%ff%fe'],
    ['bytes that are no UTF-8', Buffer.from([0x61, 0x3d, 0xff])],
    ['JSON in disguise', '{"grant_type":"authorization_code"}'],
    ['T33: 16,000 ampersands', '&'.repeat(16_000)],
    ['T33: 8,000 parameters', 'a=b&'.repeat(8000)],
  ])('%s', async (_what, body) => {
    const response = await post('/token', body, FORM)
    expect([400, 401]).toContain(response.statusCode)
    expect(response.json().error).toMatch(/^invalid_(request|client)$/)
  })

  it('a post without any body', async () => {
    const response = await gateway.app.inject({ method: 'POST', url: '/token' })
    expect(response.statusCode).toBe(401)
    expect(response.json()).toMatchObject({ error: 'invalid_client' })
  })
})

it.each([
  '/.well-known/',
  '/.well-known/security.txt',
  '/.well-known/oauth-protected-resource/%00',
  '/.well-known/oauth-protected-resource/%ff',
  '/.well-known/oauth-protected-resource/notes/mcp%zz',
  '/.well-known/oauth-authorization-server/%',
  `/.well-known/oauth-protected-resource/${'a/'.repeat(4000)}`,
])('answers %.60s with a small JSON document', async (url) => {
  const response = await gateway.app.inject({ url, headers: { host: 'mcp.example.com' } })
  expect([400, 404]).toContain(response.statusCode)
  expect(response.headers['content-type']).toBe('application/json')
})

it.each(['', 'a b', 'mcp.example.com, evil.example', '[::1', 'x@mcp.example.com', '\u00e4'])(
  'knows no resource at the host %j',
  async (host) => {
    const response = await gateway.app.inject({
      url: '/.well-known/oauth-protected-resource/notes/mcp',
      headers: { host },
    })
    expect(response.statusCode).toBe(404)
  },
)
