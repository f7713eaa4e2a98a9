/** Single demands of clients that we know of, beside the way that `client-fixtures.test.ts` goes with each of them. */
import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  redeem,
  register,
  signIn,
  token,
  VERIFIER,
} from '../support/oauth-client.ts'
import { decide } from '../support/steps.ts'

const CURSOR = [
  'cursor://anysphere.cursor-mcp/oauth/callback',
  'http://cursor.internal/callback',
  'http://localhost:8787/callback',
]

it('Cursor is registered although one of its redirect URIs is not possible here', async () => {
  const { app } = await buildTestApp()
  const answer = await app.inject({
    method: 'POST',
    url: '/register',
    payload: { client_name: 'Cursor', redirect_uris: CURSOR, token_endpoint_auth_method: 'none' },
  })
  expect(answer.statusCode).toBe(201)
  expect(answer.json().redirect_uris).toEqual([CURSOR[0], CURSOR[2]])
})

it.each([
  ['code_challenge', { code_challenge: undefined, code_challenge_method: undefined }],
  ['code_challenge_method', { code_challenge_method: undefined }],
])('an old Cursor without %s is told so, by the redirect that it waits for', async (name, left) => {
  const { app } = await buildTestApp()
  const client = await register(app)
  const url = authorizeUrl(client, { ...left, state: undefined })
  const answer = await app.inject({ url, headers: { host: 'auth.example.com' } })
  const { searchParams, href } = new URL(String(answer.headers.location))
  expect(href.startsWith(`${REDIRECT_URI}?error=invalid_request&`)).toBe(true)
  expect(searchParams.get('error_description')).toContain(name)
  expect(searchParams.get('iss')).toBe('https://auth.example.com')
  expect(searchParams.has('state')).toBe(false)
})

it('the Go SDK tries Basic without a password first, which uses up no code', async () => {
  const { app } = await buildTestApp()
  const client = await register(app, { token_endpoint_auth_method: 'client_secret_post' })
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
  const request = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: REDIRECT_URI,
    code_verifier: VERIFIER,
  }
  const authorization = `Basic ${Buffer.from(`${client.client_id}:`).toString('base64')}`
  const first = await token(app, request, { authorization })
  expect([first.statusCode, first.json().error]).toEqual([401, 'invalid_client'])
  const { client_id, client_secret } = client
  const second = await token(app, { ...request, client_id, client_secret })
  expect(second.statusCode).toBe(200)
})

describe('ChatGPT, which registers once and for ever', () => {
  it('is still known two years later', async () => {
    const { app, clock } = await buildTestApp()
    const client = await register(app)
    clock.advance(2 * 365 * 86_400)
    const { tokens } = await obtainTokens(app, { client })
    expect(tokens.access_token).toBeTruthy()
  })

  it('gets iss with a refusal, too', async () => {
    const { app } = await buildTestApp()
    const browser = createBrowser(app)
    const answer = await decide(
      browser,
      await browser.get(authorizeUrl(await register(app))),
      'deny',
    )
    const { searchParams } = new URL(String(answer.headers.location))
    expect(Object.fromEntries(searchParams)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: 'https://auth.example.com',
    })
  })
})

it('mcp-remote, which first sends GET without a token, is challenged and not sent to a login page', async () => {
  const { app } = await buildTestApp()
  const answer = await check(app, {
    'x-forwarded-method': 'GET',
    accept: 'application/json, text/event-stream',
    'sec-fetch-mode': 'cors',
    'user-agent': 'undici',
  })
  expect(answer.statusCode).toBe(401)
  expect(answer.headers['www-authenticate']).toMatch(/^Bearer /)
  expect(answer.headers.location).toBeUndefined()
})

it.each([
  ['GET', '/.well-known/oauth-protected-resource/notes/mcp', 'mcp.example.com'],
  ['GET', '/.well-known/oauth-authorization-server', 'auth.example.com'],
  ['GET', '/.well-known/openid-configuration', 'auth.example.com'],
  ['POST', '/register', 'auth.example.com'],
  ['POST', '/token', 'auth.example.com'],
  ['POST', '/revoke', 'auth.example.com'],
])('the Inspector, a web page, may send %s %s', async (method, url, host) => {
  const { app } = await buildTestApp()
  const asked = 'authorization,content-type,mcp-protocol-version'
  const { statusCode, headers } = await app.inject({
    method: 'OPTIONS',
    url,
    headers: {
      host,
      origin: 'http://localhost:6274',
      'access-control-request-method': method,
      'access-control-request-headers': asked,
    },
  })
  expect(statusCode).toBe(204)
  expect(headers['access-control-allow-origin']).toBe('*')
  expect(String(headers['access-control-allow-methods'])).toContain(method)
  const allowed = String(headers['access-control-allow-headers']).toLowerCase().split(/, */)
  // `*` never covers Authorization (Fetch standard).
  for (const name of asked.split(',')) expect(allowed).toContain(name)
})

it.each([
  '/.well-known/oauth-authorization-server/notes/mcp',
  '/.well-known/openid-configuration/notes/mcp',
  '/notes/mcp/.well-known/openid-configuration',
  '/.well-known/oauth-protected-resource',
  '/.well-known/nothing-of-the-kind',
])('the TypeScript SDK gets no 5xx from %s, for which it would give up', async (url) => {
  const { app } = await buildTestApp()
  for (const host of ['auth.example.com', 'mcp.example.com']) {
    const { statusCode } = await app.inject({ url, headers: { host } })
    expect([200, 404]).toContain(statusCode)
  }
})

it('a client that is removed deletes its registration, and is unknown from then on', async () => {
  const { app } = await buildTestApp()
  const registered = Object.assign(
    { registration_client_uri: '', registration_access_token: '' },
    await register(app),
  )
  const { tokens } = await obtainTokens(app, { client: registered })
  const { host, pathname, search } = new URL(registered.registration_client_uri)
  const answer = await app.inject({
    method: 'DELETE',
    url: pathname + search,
    headers: { host, authorization: `Bearer ${registered.registration_access_token}` },
  })
  expect(answer.statusCode).toBe(204)
  const authorization = `Bearer ${tokens.access_token}`
  expect((await check(app, { authorization })).statusCode).toBe(401)
  const again = await redeem(app, registered, 'any-code')
  expect([again.statusCode, again.json().error]).toEqual([401, 'invalid_client'])
})
