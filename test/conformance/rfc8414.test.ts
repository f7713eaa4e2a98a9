/** RFC 8414: OAuth 2.0 Authorization Server Metadata. */
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { fetchFrom, ISSUER, serverMetadata } from './wire.ts'

let gateway: TestApp
beforeEach(async () => {
  gateway = await buildTestApp()
})

it('section 3: the metadata is at the well-known path below the issuer', async () => {
  const answer = await fetchFrom(gateway.app, `${ISSUER}/.well-known/oauth-authorization-server`)
  expect(answer.statusCode).toBe(200)
})

it('section 3.2: it is one JSON object of type application/json', async () => {
  const answer = await fetchFrom(gateway.app, `${ISSUER}/.well-known/oauth-authorization-server`)
  expect(answer.headers['content-type']).toMatch(/^application\/json(;|$)/)
  expect(answer.json()).toBeTypeOf('object')
})

it('section 3.2: members without a value are left out', async () => {
  const values = Object.values(await serverMetadata(gateway.app))
  expect(values.filter((value) => value === null || value === '')).toEqual([])
  expect(values.filter((value) => Array.isArray(value) && value.length === 0)).toEqual([])
})

it('section 3.3: its issuer is the very string its address was made from', async () => {
  expect((await serverMetadata(gateway.app)).issuer).toBe(ISSUER)
})

describe('section 2', () => {
  it('issuer is an https URL without query or fragment', async () => {
    const { issuer } = await serverMetadata(gateway.app)
    expect(new URL(issuer)).toMatchObject({ protocol: 'https:', search: '', hash: '' })
  })

  it('response_types_supported is there and holds code', async () => {
    expect((await serverMetadata(gateway.app)).response_types_supported).toContain('code')
  })

  it('grant_types_supported is stated, since leaving it out would mean the implicit grant too', async () => {
    const { grant_types_supported } = await serverMetadata(gateway.app)
    expect(grant_types_supported).toEqual([
      'authorization_code',
      'refresh_token',
      'urn:ietf:params:oauth:grant-type:device_code',
    ])
  })

  it('token_endpoint_auth_methods_supported is stated, since leaving it out would mean Basic only', async () => {
    const { token_endpoint_auth_methods_supported } = await serverMetadata(gateway.app)
    expect(new Set(token_endpoint_auth_methods_supported)).toEqual(
      new Set(['none', 'client_secret_post', 'client_secret_basic', 'private_key_jwt']),
    )
  })

  it.each([
    ['authorization_endpoint', 'GET', 400],
    ['token_endpoint', 'POST', 415],
    ['registration_endpoint', 'POST', 415],
    ['jwks_uri', 'GET', 200],
  ] as const)('%s is an address where something answers', async (member, method, status) => {
    const url = new URL((await serverMetadata(gateway.app))[member])
    expect(url.protocol).toBe('https:')
    const answer = await gateway.app.inject({
      method,
      url: url.pathname,
      headers: { host: url.host, 'content-type': 'text/plain' },
      ...(method === 'POST' && { payload: 'nothing it takes' }),
    })
    expect(answer.statusCode).toBe(status)
  })

  it('jwks_uri holds signing keys, each with an id of its own, and nothing private', async () => {
    const { jwks_uri } = await serverMetadata(gateway.app)
    const { keys } = (await fetchFrom(gateway.app, jwks_uri)).json()
    expect(keys.length).toBeGreaterThan(0)
    const ids = keys.map(({ kid }: { kid: string }) => kid)
    expect(new Set(ids).size).toBe(keys.length)
    for (const key of keys) {
      expect(key).toMatchObject({ kty: key.alg === 'ES256' ? 'EC' : 'RSA', use: 'sig' })
      expect(['ES256', 'RS256']).toContain(key.alg)
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) {
        expect(key).not.toHaveProperty(secret)
      }
    }
  })

  it('every grant type it lists is one the token endpoint knows', async () => {
    const { grant_types_supported } = await serverMetadata(gateway.app)
    const client = (
      await gateway.app.inject({
        method: 'POST',
        url: '/register',
        payload: {
          redirect_uris: ['http://127.0.0.1/callback'],
          token_endpoint_auth_method: 'none',
          grant_types: grant_types_supported,
        },
      })
    ).json()
    for (const grantType of grant_types_supported) {
      const answer = await gateway.app.inject({
        method: 'POST',
        url: '/token',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        payload: `grant_type=${grantType}&client_id=${client.client_id}`,
      })
      expect(answer.json().error).toBe('invalid_request')
    }
  })
})

it('section 5: the OpenID Connect address serves the same document, with what its clients demand besides', async () => {
  const openid = await fetchFrom(gateway.app, `${ISSUER}/.well-known/openid-configuration`)
  expect(openid.json()).toEqual(await serverMetadata(gateway.app))
  expect(openid.json()).toMatchObject({
    jwks_uri: expect.any(String),
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  })
})
