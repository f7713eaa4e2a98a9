/** RFC 7591: OAuth 2.0 Dynamic Client Registration. */
import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import { buildTestApp, type TestApp } from '../support/build-app.ts'

const REDIRECT = 'https://client.example.com/callback'

let gateway: TestApp
beforeEach(async () => {
  gateway = await buildTestApp()
})

function register(metadata: object): Promise<LightMyRequestResponse> {
  return gateway.app.inject({ method: 'POST', url: '/register', payload: metadata })
}

describe('section 2', () => {
  it('metadata that a client leaves out gets the default of the RFC, and refresh_token besides', async () => {
    expect((await register({ redirect_uris: [REDIRECT] })).json()).toMatchObject({
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    })
  })

  it('metadata that is not understood is ignored', async () => {
    const answer = await register({
      redirect_uris: [REDIRECT],
      'client_name#ja': 'クライアント名',
      unheard_of: { deeply: ['nested'] },
    })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).not.toHaveProperty('unheard_of')
  })

  it('grant types that are not supported are dropped from those registered', async () => {
    const answer = await register({
      redirect_uris: [REDIRECT],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    })
    expect(answer.json().grant_types).toEqual(['authorization_code'])
  })
})

describe('section 3.2.1: the answer to a registration', () => {
  it('is 201, application/json and never cached', async () => {
    const answer = await register({ redirect_uris: [REDIRECT] })
    expect(answer.statusCode).toBe(201)
    expect(answer.headers['content-type']).toMatch(/^application\/json(;|$)/)
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  it('says back all that was registered', async () => {
    const metadata = {
      redirect_uris: [REDIRECT, 'http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code'],
      response_types: ['code'],
      client_name: 'A program',
    }
    expect((await register(metadata)).json()).toMatchObject(metadata)
  })

  it('says when a secret expires if and only if there is a secret', async () => {
    const confidential = (await register({ redirect_uris: [REDIRECT] })).json()
    expect(confidential.client_secret).toMatch(/^[\x21-\x7e]{22,}$/)
    expect(confidential.client_secret_expires_at).toBe(0)
    const shared = { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none' }
    const open = (await register(shared)).json()
    expect(open).not.toHaveProperty('client_secret')
    expect(open).not.toHaveProperty('client_secret_expires_at')
  })

  it('says when the id was issued, in seconds', async () => {
    const answer = (await register({ redirect_uris: [REDIRECT] })).json()
    expect(answer.client_id_issued_at).toBe(Math.floor(gateway.clock() / 1000))
  })

  it('gives every registration an id of its own', async () => {
    const [one, other] = await Promise.all([
      register({ redirect_uris: [REDIRECT] }),
      register({ redirect_uris: [REDIRECT] }),
    ])
    expect(one.json().client_id).not.toBe(other.json().client_id)
  })
})

describe('section 3.2.2: a registration is refused with 400 and', () => {
  it.each([
    ['invalid_redirect_uri', 'without redirect URIs', {}],
    ['invalid_redirect_uri', 'with a bad one', { redirect_uris: ['http://client.example.com/'] }],
    [
      'invalid_client_metadata',
      'with a response type we lack',
      { redirect_uris: [REDIRECT], response_types: ['token'] },
    ],
    [
      'invalid_client_metadata',
      'with an authentication method we lack',
      { redirect_uris: [REDIRECT], token_endpoint_auth_method: 'tls_client_auth' },
    ],
  ])('%s %s', async (error, _what, metadata) => {
    const answer = await register(metadata)
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toMatchObject({ error, error_description: expect.any(String) })
  })
})

it('section 5: a redirect URI of a host beyond this computer needs TLS', async () => {
  const remote = await register({ redirect_uris: ['http://client.example.com/callback'] })
  expect(remote.json().error).toBe('invalid_redirect_uri')
  expect((await register({ redirect_uris: [REDIRECT] })).statusCode).toBe(201)
})
