/**
 * Rows about mcpauth's endpoints, and its management.
 *
 * @module
 */
import { expect } from 'vitest'
import { createBrowser } from '../../support/browser.ts'
import { buildTestApp } from '../../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  REDIRECT_URI,
  redeem,
  register,
  signIn,
  token,
} from '../../support/oauth-client.ts'
import { storedRecords } from '../../support/stored.ts'
import { ask, both, expectNothingAt, type Proofs, provedBy, startWith } from '../proof.ts'

const METADATA = '/.well-known/oauth-authorization-server'

const refusesLicences = async () => {
  const { app } = await buildTestApp()
  await expectNothingAt(app, ['/key'])
  // Ours is RFC 7662, which answers nobody without the credentials of a client.
  expect((await app.inject({ method: 'POST', url: '/introspect' })).statusCode).toBe(401)
  const { client_id, client_secret = '' } = await register(app, {
    token_endpoint_auth_method: 'client_secret_basic',
  })
  const basic = Buffer.from(`${client_id}:${client_secret}`).toString('base64')
  const answer = await token(
    app,
    { grant_type: 'rsl', license: '<rsl/>', resource: 'https://x.example' },
    { authorization: `Basic ${basic}` },
  )
  expect(answer.json().error).toBe('unsupported_grant_type')
}

export const endpoints: Proofs = {
  async E2() {
    const { app } = await buildTestApp()
    const headers = {
      origin: 'https://evil.example',
      'access-control-request-method': 'POST',
    }
    for (const path of [METADATA, '/.well-known/oauth-protected-resource', '/register', '/token']) {
      const answer = await ask(app, path, { method: 'OPTIONS', headers })
      expect(answer.headers['access-control-allow-origin'], path).toBe('*')
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
    }
    const page = await ask(app, '/authorize', { method: 'OPTIONS', headers })
    expect(page.headers).not.toHaveProperty('access-control-allow-origin')
  },

  async E3() {
    const { app } = await startWith()
    const document = (await ask(app, METADATA)).json()
    expect(document).toMatchObject({
      issuer: 'https://auth.example.com',
      authorization_endpoint: 'https://auth.example.com/authorize',
      token_endpoint: 'https://auth.example.com/token',
      registration_endpoint: 'https://auth.example.com/register',
      code_challenge_methods_supported: ['S256'],
    })
    const jwks = await ask(app, new URL(document.jwks_uri).pathname)
    expect(jwks.json().keys.length).toBeGreaterThan(0)
  },

  async E4() {
    const { app } = await startWith({ RESOURCES: 'https://mcp.example.com' })
    const headers = { host: 'mcp.example.com', 'x-forwarded-proto': 'gopher' }
    for (const path of ['', '/mcp']) {
      const answer = await ask(app, `/.well-known/oauth-protected-resource${path}`, { headers })
      expect(answer.json()).toMatchObject({
        resource: `https://mcp.example.com${path}`,
        authorization_servers: ['https://auth.example.com'],
      })
    }
  },

  async E5() {
    const { app, storage } = await buildTestApp()
    const before = await storedRecords(storage)
    const body = { client_name: 'Cursor', redirect_uris: [REDIRECT_URI] }
    const answer = await app.inject({ method: 'POST', url: '/register', payload: body })
    expect(answer.statusCode).toBe(201)
    expect(answer.json()).toMatchObject({ ...body, client_id: expect.any(String) })
    expect(await storedRecords(storage)).toEqual(before)
  },

  async E6() {
    const { app } = await buildTestApp()
    const client = await register(app)
    const answer = (changes: Record<string, string | undefined>) =>
      ask(app, authorizeUrl(client, changes))
    expect((await answer({})).body).toContain('value="approve"')
    const location = async (changes: Record<string, string | undefined>) =>
      String((await answer(changes)).headers.location)
    expect(await location({ code_challenge: undefined })).toContain('error=invalid_request')
    expect(await location({ response_type: 'token' })).toContain('error=unsupported_response_type')
    expect(await location({ resource: 'https://other.example' })).toContain('error=invalid_target')
    const evil = await answer({ redirect_uri: 'https://evil.example/' })
    expect([evil.statusCode, evil.headers.location]).toEqual([400, undefined])
  },

  E7: provedBy(
    'test/login/callback.test.ts',
    'says nothing of the provider: no code, token or secret of it reaches the client',
  ),

  async E8() {
    const { app } = await buildTestApp()
    const client = await register(app)
    const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
    const wrong = async (changes: Record<string, string | undefined>) =>
      (await redeem(app, client, code, changes)).json().error
    expect(await wrong({ client_id: 'client-made-up' })).toBe('invalid_client')
    expect(await wrong({ grant_type: 'anything' })).toBe('unsupported_grant_type')
    expect(await wrong({ code_verifier: 'x'.repeat(43) })).toBe('invalid_grant')
    expect(await wrong({ redirect_uri: 'https://evil.example/' })).toBe('invalid_grant')
    const answer = await redeem(app, client, code)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(Object.keys(answer.json()).toSorted()).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'scope',
      'token_type',
    ])
  },

  async E9() {
    const { app } = await buildTestApp()
    expect((await check(app, {}, '/auth')).statusCode).toBe(401)
    expect((await check(app, {}, '/sse')).statusCode).toBe(401)
  },

  async E10() {
    const { app } = await buildTestApp()
    await expectNothingAt(app, ['/internal/authorize?client_id=x', '/internal/login'])
  },

  async E11() {
    const { app } = await buildTestApp()
    await expectNothingAt(app, [
      '/users',
      '/users/1',
      '/clients',
      '/clients/x',
      '/scopes',
      '/admin',
      '/static/app.js',
    ])
  },

  E12: refusesLicences,

  async E13() {
    const off = await startWith()
    await expectNothingAt(off.app, ['/auth/connect?callback_port=1&code=x', '/_ws_tunnel'])
    const { app } = await startWith({ ENABLE_EDGE_AUTH: 'true' })
    expect((await ask(app, '/auth/connect')).json()).toEqual({
      error: 'callback_port and code are required',
    })
    expect((await check(app, {}, '/_ws_tunnel')).json()).toEqual({
      error: 'authentication required',
    })
  },
}

const isGone = (paths: readonly string[]) => async () =>
  expectNothingAt((await buildTestApp()).app, paths)

export const management: Proofs = {
  M1: both(
    isGone(['/users', '/users/1']),
    provedBy(
      'test/forward-auth/revocation.test.ts',
      'a person who is gone from the configuration is out',
    ),
  ),
  M2: both(
    isGone(['/clients', '/clients/x']),
    provedBy('test/config/clients.test.ts', 'is public and may do what a server offers'),
  ),
  M3: isGone(['/scopes']),
  M4: isGone(['/admin', '/admin/', '/static/admin.js']),
  M5: refusesLicences,
}
