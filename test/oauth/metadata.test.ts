import { beforeEach, describe, expect, it } from 'vitest'
import { wellKnown } from '../../src/oauth/well-known.ts'
import { createResourceTable } from '../../src/resources/resource-table.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { DEVICE_CODE } from '../support/device.ts'
import { exchange, listen } from '../support/raw-http.ts'

const ISSUER = 'https://auth.example.com'
const PRM = '/.well-known/oauth-protected-resource'

const CONFIDENTIAL = ['client_secret_post', 'client_secret_basic', 'private_key_jwt']
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA', 'Ed25519']

const RESOURCES = [
  resource(),
  resource({
    id: 'sse',
    url: 'https://old.example.com/sse',
    name: 'Old server',
    also: ['/messages'],
    scopes: { read: 'Read', write: 'Write' },
    requiredScopes: ['read'],
    defaultScopes: ['read', 'write'],
  }),
  resource({ id: 'whole', url: 'https://whole.example.com', name: 'Whole host' }),
  resource({ id: 'a', url: 'https://two.example.com/a', name: 'A' }),
  resource({ id: 'b', url: 'https://two.example.com/b', name: 'B' }),
  resource({ id: 'labs', url: 'https://*.labs.example.com/mcp', name: 'Labs' }),
]

let gateway: TestApp
beforeEach(async () => {
  gateway = await buildTestApp({ resources: RESOURCES })
})

const get = (host: string, url: string) => gateway.app.inject({ url, headers: { host } })

async function document(host: string, url: string): Promise<Record<string, unknown>> {
  const response = await get(host, url)
  expect(response.statusCode, `${host}${url}`).toBe(200)
  return response.json()
}

function everyValue(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null
    ? [value, ...Object.values(value).flatMap(everyValue)]
    : [value]
}

describe('the authorization server metadata', () => {
  const AT = [
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
  ] as const

  it('says what is built and nothing else', async () => {
    expect(await document('auth.example.com', AT[0])).toEqual({
      issuer: ISSUER,
      authorization_endpoint: `${ISSUER}/authorize`,
      token_endpoint: `${ISSUER}/token`,
      device_authorization_endpoint: `${ISSUER}/device_authorization`,
      registration_endpoint: `${ISSUER}/register`,
      revocation_endpoint: `${ISSUER}/revoke`,
      introspection_endpoint: `${ISSUER}/introspect`,
      jwks_uri: `${ISSUER}/jwks`,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      grant_types_supported: ['authorization_code', 'refresh_token', DEVICE_CODE],
      token_endpoint_auth_methods_supported: ['none', ...CONFIDENTIAL],
      token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      revocation_endpoint_auth_methods_supported: ['none', ...CONFIDENTIAL],
      revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      introspection_endpoint_auth_methods_supported: CONFIDENTIAL,
      introspection_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      client_id_metadata_document_supported: true,
      scopes_supported: ['mcp', 'read', 'write', 'offline_access'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    })
  })

  it.each(
    AT.flatMap((at) => [
      ['auth.example.com', at],
      ['auth.example.com', `${at}/`],
      ['auth.example.com', `${at}?x=1`],
      ['mcp.example.com', at],
      ['mcp.example.com', `${at}/`],
      ['mcp.example.com', `${at}/notes/mcp`],
      ['mcp.example.com', `${at}/notes/mcp/`],
      ['mcp.example.com', `/notes/mcp${at}`],
      ['mcp.example.com', `/notes/mcp${at}/`],
      ['whole.example.com', `${at}/any/path`],
      ['whole.example.com', `/any/path${at}`],
      ['one.labs.example.com', `${at}/mcp`],
      ['elsewhere.test', at],
    ]),
  )('is the same document, for any origin, at %s%s', async (host, url) => {
    const response = await get(host, url)
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toBe('application/json')
    expect(response.headers['access-control-allow-origin']).toBe('*')
    expect(response.json()).toEqual(await document('auth.example.com', AT[0]))
  })

  it.each([
    ['auth.example.com', `${AT[0]}/nothing`],
    ['mcp.example.com', `${AT[0]}/other`],
    ['mcp.example.com', `${AT[1]}x`],
    ['mcp.example.com', `/other${AT[1]}`],
  ])('is not there for a path that is no server of ours: %s%s', async (host, url) => {
    const response = await get(host, url)
    expect(response.statusCode).toBe(404)
    expect(response.headers['content-type']).toBe('application/json')
    expect(response.json()).toMatchObject({ error: 'not_found' })
  })

  it('names the origin of a gateway on plain http exactly as configured', async () => {
    gateway = await buildTestApp({
      publicUrl: { origin: 'http://localhost:8080', host: 'localhost:8080', secure: false },
    })
    expect(await document('localhost:8080', AT[0])).toMatchObject({
      issuer: 'http://localhost:8080',
      token_endpoint: 'http://localhost:8080/token',
    })
  })
})

describe('the protected resource metadata', () => {
  it('describes the resource, with the issuer to the byte', async () => {
    expect(await document('old.example.com', `${PRM}/sse`)).toEqual({
      resource: 'https://old.example.com/sse',
      authorization_servers: [ISSUER],
      scopes_supported: ['read'],
      bearer_methods_supported: ['header'],
      resource_name: 'Old server',
    })
  })

  it.each([
    ['mcp.example.com', '/notes/mcp', 'https://mcp.example.com/notes/mcp'],
    ['mcp.example.com', '/notes/mcp/', 'https://mcp.example.com/notes/mcp/'],
    ['mcp.example.com', '/notes/mcp/deeper', 'https://mcp.example.com/notes/mcp/deeper'],
    ['mcp.example.com', '/notes/%6dcp', 'https://mcp.example.com/notes/%6dcp'],
    ['mcp.example.com', '/notes/mcp?session=1', 'https://mcp.example.com/notes/mcp'],
    ['MCP.Example.com', '/notes/mcp', 'https://mcp.example.com/notes/mcp'],
    ['mcp.example.com.', '/notes/mcp', 'https://mcp.example.com/notes/mcp'],
    ['mcp.example.com:443', '/notes/mcp', 'https://mcp.example.com/notes/mcp'],
    ['old.example.com', '/messages', 'https://old.example.com/messages'],
    ['whole.example.com', '', 'https://whole.example.com'],
    ['whole.example.com', '/', 'https://whole.example.com/'],
    ['whole.example.com', '/mcp', 'https://whole.example.com/mcp'],
    ['two.example.com', '/a', 'https://two.example.com/a'],
    ['two.example.com', '/b', 'https://two.example.com/b'],
    ['one.labs.example.com', '/mcp', 'https://one.labs.example.com/mcp'],
    ['two.labs.example.com', '/mcp', 'https://two.labs.example.com/mcp'],
  ])('at %s for %s names %s', async (host, path, expected) => {
    const response = await get(host, PRM + path)
    expect(response.statusCode).toBe(200)
    expect(response.headers['content-type']).toBe('application/json')
    expect(response.headers['access-control-allow-origin']).toBe('*')
    expect(response.json()).toMatchObject({ resource: expected, authorization_servers: [ISSUER] })
  })

  it.each(['', '/'])('makes a bare host (%j) an alias of the one resource there', async (path) => {
    expect(await document('mcp.example.com', PRM + path)).toMatchObject({
      resource: 'https://mcp.example.com',
      resource_name: 'Team notes',
    })
  })

  it.each([
    ['two.example.com', ''],
    ['two.example.com', '/'],
    ['mcp.example.com', '/other'],
    ['mcp.example.com', '/notes/mcpx'],
    ['mcp.example.com', '/notes//mcp'],
    ['mcp.example.com', '/notes/mcp/..%2fetc'],
    ['mcp.example.com:8443', '/notes/mcp'],
    ['elsewhere.test', '/notes/mcp'],
    ['auth.example.com', ''],
    ['labs.example.com', '/mcp'],
    ['a.b.labs.example.com', '/mcp'],
  ])('is not there for %s%s', async (host, path) => {
    const response = await get(host, PRM + path)
    expect(response.statusCode).toBe(404)
    expect(response.headers['content-type']).toBe('application/json')
    expect(response.headers['access-control-allow-origin']).toBe('*')
  })
})

// This does not use `inject`, which resolves dot segments before it sends them.
it.each([
  `${PRM}/notes/mcp/../mcp`,
  `${PRM}/notes/%2e%2E/notes/mcp`,
  `${PRM}/notes/mcp\\x`,
  '/.well-known/oauth-authorization-server/notes/mcp/..',
])('describes nothing at %s', (target) => {
  const places = { host: 'mcp.example.com', issuer: 'https://auth.example.com' }
  const resources = createResourceTable(RESOURCES)
  expect(wellKnown(target, { ...places, resources })).toBeUndefined()
})

it('publishes the public half of its keys only', async () => {
  const response = await get('auth.example.com', '/jwks')
  expect(response.headers['content-type']).toBe('application/json')
  const { keys } = response.json()
  expect(keys).toEqual([
    {
      kty: 'EC',
      use: 'sig',
      alg: 'ES256',
      kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      crv: 'P-256',
      x: expect.any(String),
      y: expect.any(String),
    },
    {
      kty: 'RSA',
      use: 'sig',
      alg: 'RS256',
      kid: expect.stringMatching(/^[A-Za-z0-9_-]{43}$/),
      n: expect.any(String),
      e: 'AQAB',
    },
  ])
})

it('leaves members without a value out of every document', async () => {
  const documents = await Promise.all([
    document('auth.example.com', '/.well-known/oauth-authorization-server'),
    document('mcp.example.com', `${PRM}/notes/mcp`),
    document('auth.example.com', '/jwks'),
  ])
  for (const value of everyValue(documents)) {
    expect(value).not.toBeNull()
    expect(value).not.toEqual([])
    expect(value).not.toBe('')
  }
})

it.each([
  ['GET', '/.well-known/oauth-authorization-server'],
  ['GET', `${PRM}/notes/mcp`],
  ['GET', '/jwks'],
  ['POST', '/register'],
  ['POST', '/token'],
  ['POST', '/revoke'],
  ['POST', '/introspect'],
])('answers the preflight of a browser client for %s %s', async (method, url) => {
  const response = await gateway.app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      origin: 'http://localhost:6274',
      'access-control-request-method': method,
      'access-control-request-headers': 'content-type,mcp-protocol-version,x-tenant-id,traceparent',
    },
  })
  expect(response.statusCode).toBe(204)
  expect(response.headers['access-control-allow-origin']).toBe('*')
  expect(response.headers['access-control-allow-methods']).toContain(method)
  expect(
    String(response.headers['access-control-allow-headers']).toLowerCase().split(', '),
  ).toEqual(
    expect.arrayContaining(['authorization', 'content-type', 'mcp-protocol-version', 'dpop']),
  )
  // cl4
  expect(response.headers['access-control-allow-headers']).toContain('x-tenant-id, traceparent')
  expect(response.headers.vary).toContain('Access-Control-Request-Headers')
  expect(response.headers['access-control-allow-credentials']).toBeUndefined()
})

it.each(['/authorize', '/authorize/consent', '/authorize/login', '/consent', '/login'])(
  'keeps %s closed to other origins',
  async (url) => {
    const response = await gateway.app.inject({
      method: 'OPTIONS',
      url,
      headers: {
        host: 'auth.example.com',
        origin: 'https://evil.example',
        'access-control-request-method': 'POST',
      },
    })
    expect(response.statusCode).toBe(405)
    expect(response.headers['access-control-allow-origin']).toBeUndefined()
  },
)

it('answers the preflight of a document whose well-known part comes after the path', async () => {
  const { app } = await buildTestApp()
  const answer = await app.inject({
    method: 'OPTIONS',
    url: '/notes/mcp/.well-known/openid-configuration',
    headers: {
      host: 'mcp.example.com',
      origin: 'https://inspector.test',
      'access-control-request-method': 'GET',
      'access-control-request-headers': 'mcp-protocol-version',
    },
  })
  expect(answer.statusCode).toBe(204)
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect(answer.headers['access-control-allow-headers']).toContain('MCP-Protocol-Version')
})

it.each([
  ['auth.example.com', '/.well-known/oauth-authorization-server', 200],
  ['auth.example.com', '/.well-known/openid-configuration', 200],
  ['mcp.example.com', `${PRM}/notes/mcp`, 200],
  ['mcp.example.com', '/notes/mcp/.well-known/openid-configuration', 200],
  ['mcp.example.com', `${PRM}/elsewhere`, 404],
  ['auth.example.com', '/jwks', 200],
  ['auth.example.com', '/openid/v1/jwks', 200],
  ['auth.example.com', '/healthz', 200],
  ['auth.example.com', '/readyz', 200],
  ['auth.example.com', '/authorize', 400],
  ['auth.example.com', '/login', 400],
])('cl5: HEAD is answered wherever GET is: %s%s', async (host, url, status) => {
  const port = await listen((await buildTestApp({ resources: gateway.config.resources })).app)
  const ask = (method: string) => exchange(port, [`${method} ${url} HTTP/1.1`, `Host: ${host}`])
  const [got, looked] = [await ask('GET'), await ask('HEAD')]
  expect([got.status, looked.status]).toEqual([status, status])
  expect(looked.body).toBe('')
  const stable = ({ lines }: typeof got) =>
    lines.filter(
      ([name]) => !/^(date|set-cookie|content-security-policy|x-request-id)$/i.test(name),
    )
  expect(stable(looked)).toEqual(stable(got))
})

it.each(['/.well-known/oauth-authorization-server', '/jwks', '/authorize', '/login'])(
  'cl5: %s names HEAD among its methods',
  async (url) => {
    const headers = { host: 'auth.example.com' }
    const answer = await gateway.app.inject({ method: 'PUT', url, headers })
    expect(answer.statusCode).toBe(405)
    expect(String(answer.headers.allow).split(', ')).toEqual(
      expect.arrayContaining(['GET', 'HEAD']),
    )
  },
)
