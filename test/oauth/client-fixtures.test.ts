/**
 * Each client that we know of goes the whole way with exactly the requests that it sends, and every answer is one that it
 * can read: discovery, registration, sign-in, tokens, a check, a refresh, revocation, and the end of the registration.
 */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { challengeOf, fetchFrom, ISSUER, serverMetadata } from '../conformance/wire.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  postForm,
  type RegisteredClient,
  signIn,
  VERIFIER,
} from '../support/oauth-client.ts'
import { COMMAND_LINES } from './client-fixtures/command-lines.ts'
import { EDITORS } from './client-fixtures/editors.ts'
import { type ClientFixture, ROOT_SERVER } from './client-fixtures/fixture.ts'
import { HOSTED } from './client-fixtures/hosted.ts'
import { LIBRARIES } from './client-fixtures/libraries.ts'

const CLIENTS = [...HOSTED, ...EDITORS, ...COMMAND_LINES, ...LIBRARIES]

function gatewayFor({ identity }: ClientFixture): Promise<TestApp> {
  return buildTestApp({
    resources: [
      // Some clients name no resource.
      resource({ isDefault: true }),
      resource({ id: 'root', url: ROOT_SERVER, name: 'A whole host' }),
    ],
    ...('configured' in identity && { clients: [identity.configured] }),
    ...('publishes' in identity && {
      clientMetadata: {
        hosts: { allowed: [], denied: [] },
        pinned: {
          [identity.publishes]: JSON.stringify({
            client_id: identity.publishes,
            ...identity.document,
          }),
        },
        loopback: false,
      },
    }),
  })
}

/** The client's id, registered if it has to. */
async function identify(
  { app }: TestApp,
  { identity, origin }: ClientFixture,
): Promise<RegisteredClient> {
  if ('configured' in identity) return { client_id: identity.configured.id }
  if ('publishes' in identity) return { client_id: identity.publishes }
  const answer = await app.inject({
    method: 'POST',
    url: '/register',
    headers: { 'content-type': 'application/json', ...(origin !== undefined && { origin }) },
    payload: JSON.stringify(identity.registers),
  })
  expect(answer.statusCode, answer.body).toBe(201)
  expectPlainJson(answer, origin)
  const registered = answer.json()
  // The Go SDK sends Basic if the method is not said back; zod of the TypeScript SDK wants the redirect URIs.
  expect(registered.token_endpoint_auth_method).toBe(
    identity.registers.token_endpoint_auth_method || 'client_secret_basic',
  )
  expect(registered.redirect_uris).toEqual(identity.registers.redirect_uris)
  expect(Number.isInteger(registered.client_id_issued_at)).toBe(true)
  expect(registered).not.toHaveProperty('jwks')
  expect('client_secret' in registered).toBe(registered.token_endpoint_auth_method !== 'none')
  // The TypeScript SDK does not encode a secret in Basic. Nothing of ChatGPT's may expire.
  if ('client_secret' in registered) {
    expect(registered.client_secret).toMatch(/^[\w-]+$/)
    expect(registered.client_secret_expires_at).toBe(0)
  }
  return registered
}

/** JSON of the exact media type that the first Go SDK wants, without a `null`, and readable for a page elsewhere. */
function expectPlainJson(answer: LightMyRequestResponse, origin?: string): void {
  expect(answer.headers['content-type']).toBe('application/json')
  expect(answer.body).not.toContain('null')
  if (origin !== undefined) expect(answer.headers['access-control-allow-origin']).toBe('*')
}

/** Reads the challenge and both documents as the client does. */
async function discover(gateway: TestApp, { server, origin }: ClientFixture): Promise<void> {
  const { app } = gateway
  const { scheme, parameters } = challengeOf(await check(app, forwarded(server)))
  expect(scheme).toBe('Bearer')
  expect(Object.values(parameters)).not.toContain('')
  const document = await fetchFrom(app, parameters.resource_metadata ?? '')
  expect(document.statusCode).toBe(200)
  expectPlainJson(document, origin)
  // Go compares with the URL that was typed; claude.ai and VS Code normalise it first.
  expect(document.json().resource).toBe(server)
  const metadata = await serverMetadata(app)
  expect(document.json().authorization_servers).toEqual([metadata.issuer])
  expect(metadata.code_challenge_methods_supported).toContain('S256')
  // Claude takes a metadata document only with both; ChatGPT only with the third.
  expect(metadata.client_id_metadata_document_supported).toBe(true)
  expect(metadata.token_endpoint_auth_methods_supported).toContain('none')
  expect(metadata.authorization_response_iss_parameter_supported).toBe(true)
}

/** The headers of a proxy that passes on a request for the server. */
function forwarded(server: string): Record<string, string> {
  const { host, pathname } = new URL(server)
  return { 'x-forwarded-host': host, 'x-forwarded-uri': pathname }
}

/** Where the answer leads: by a redirect, or for an app by the only link of a page. */
function callbackOf({ headers, body }: LightMyRequestResponse): {
  readonly uri: string | undefined
  readonly parameters: URLSearchParams
} {
  const link = /<a [^>]*href="([^"]*)"/.exec(body)?.[1]?.replaceAll('&amp;', '&')
  const [uri, query] = (headers.location ?? link ?? '').split('?')
  return { uri, parameters: new URLSearchParams(query) }
}

describe.each(CLIENTS)('$client', (fixture) => {
  it('goes the whole way', async () => {
    const gateway = await gatewayFor(fixture)
    const { app } = gateway
    const { server, redirectUri, origin } = fixture
    await discover(gateway, fixture)
    const client = await identify(gateway, fixture)

    const state = fixture.authorize.state ?? 'c3RhdGU+with/base64='
    const url = authorizeUrl(client, {
      redirect_uri: redirectUri,
      resource: undefined,
      ...fixture.authorize,
      state,
    })
    const { uri, parameters } = callbackOf(await signIn(createBrowser(app), url))
    expect(uri).toBe(redirectUri)
    expect(parameters.get('state')).toBe(state)
    expect(parameters.get('iss')).toBe(ISSUER)

    const ask = (path: string, fields: Readonly<Record<string, string | undefined>>) => {
      const proof = fixture.proof(client)
      const from = origin === undefined ? {} : { origin }
      return postForm(app, path, { ...proof.fields, ...fields }, { ...proof.headers, ...from })
    }
    const issued = await ask('/token', {
      grant_type: 'authorization_code',
      code: parameters.get('code') ?? '',
      redirect_uri: redirectUri,
      code_verifier: VERIFIER,
      ...fixture.redeem,
    })
    expectTokens(issued, fixture)
    expect(await statusOf(issued)).toBe(200)

    const refreshing = (from: LightMyRequestResponse) =>
      ask('/token', {
        grant_type: 'refresh_token',
        refresh_token: from.json().refresh_token,
        ...fixture.refresh,
      })
    const refreshed = await refreshing(issued)
    expectTokens(refreshed, fixture)
    expect(refreshed.json().refresh_token).not.toBe(issued.json().refresh_token)
    expect(await statusOf(refreshed)).toBe(200)

    const revoked = await ask('/revoke', { token: refreshed.json().refresh_token })
    expect([revoked.statusCode, revoked.body]).toEqual([200, ''])
    expect(await statusOf(refreshed)).toBe(401)
    // Every client throws the tokens away for `invalid_grant`, and the whole registration for `invalid_client`.
    const dead = await refreshing(refreshed)
    expect([dead.statusCode, dead.json().error]).toEqual([400, 'invalid_grant'])

    async function statusOf(answer: LightMyRequestResponse): Promise<number> {
      const authorization = `Bearer ${answer.json().access_token}`
      return (await check(app, { ...forwarded(server), authorization })).statusCode
    }
  })
})

function expectTokens(answer: LightMyRequestResponse, { granted, origin }: ClientFixture): void {
  expect(answer.statusCode, answer.body).toBe(200)
  expectPlainJson(answer, origin)
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.json()).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 3600,
    refresh_token: expect.any(String),
    scope: granted,
  })
}
