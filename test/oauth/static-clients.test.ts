import { describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  redeem,
  refresh,
  signIn,
  token,
  VERIFIER,
} from '../support/oauth-client.ts'

const SECRET = 'the-secret-of-ci-which-nobody-may-read'
const CI: ClientConfig = {
  id: 'ci:nightly',
  name: 'Nightly report',
  secret: SECRET,
  redirectUris: [REDIRECT_URI, 'https://ci.example/cb'],
  grantTypes: ['authorization_code', 'refresh_token'],
  authMethod: 'client_secret_basic',
}
const client = { client_id: CI.id }
const scopes = { 'notes:read': 'Read', 'notes:write': 'Write' }

const gateway = (changes: Partial<ClientConfig> = {}, rules: Parameters<typeof resource>[0] = {}) =>
  buildTestApp({
    resources: [resource({ allow: ANYONE, scopes, defaultScopes: ['notes:read'], ...rules })],
    clients: [{ ...CI, ...changes }],
  })

/** The error in the redirect that answers an authorization request. */
async function refusal(
  { app }: Awaited<ReturnType<typeof gateway>>,
  scope: string | undefined,
): Promise<string | null> {
  const url = authorizeUrl(client, { scope })
  const answer = await app.inject({ url, headers: { host: 'auth.example.com' } })
  return new URL(String(answer.headers.location), 'https://x').searchParams.get('error')
}

it('goes the whole way without registering, and is shown as one the operator knows', async () => {
  const { app } = await gateway()
  const consent = await createBrowser(app).get(authorizeUrl(client))
  expect(consent.body).toContain('Nightly report')
  expect(consent.body).toContain('Known here: it was added by whoever runs this server.')

  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
  const tokens = await redeem(app, client, code, { client_secret: SECRET })
  expect(tokens.statusCode).toBe(200)
  const again = await refresh(app, client, tokens.json().refresh_token, { client_secret: SECRET })
  expect(again.statusCode).toBe(200)
})

it.each([undefined, '', `${SECRET}x`, SECRET.slice(1)])(
  'is refused with the secret %j',
  async (secret) => {
    const { app } = await gateway()
    const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
    const answer = await redeem(app, client, code, { client_secret: secret })
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
    const right = await redeem(app, client, code, { client_secret: SECRET })
    expect(right.statusCode).toBe(200)
  },
)

it.each([
  ['as sent', (text: string) => text],
  [
    'form-encoded',
    (text: string) => new URLSearchParams({ text }).toString().slice('text='.length),
  ],
])('proves a secret of several words by Basic, %s', async (_how, encode) => {
  const words = 'three plain words'
  const { app } = await gateway({ id: 'nightly', secret: words })
  const known = { client_id: 'nightly' }
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(known)))
  const ask = (secret: string) =>
    token(
      app,
      {
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
      },
      { authorization: `Basic ${Buffer.from(`nightly:${encode(secret)}`).toString('base64')}` },
    )
  expect((await ask('three other words')).statusCode).toBe(401)
  expect((await ask(words)).statusCode).toBe(200)
})

it('needs no secret where the configuration has none, and may send none', async () => {
  const { secret: _, ...open } = CI
  const { app } = await buildTestApp({
    resources: [resource({ allow: ANYONE })],
    clients: [{ ...open, authMethod: 'none' }],
  })
  const { tokens } = await obtainTokens(app, { client })
  const guessed = await refresh(app, client, tokens.refresh_token, { client_secret: SECRET })
  expect(guessed.json().error).toBe('invalid_client')
  expect((await refresh(app, client, tokens.refresh_token)).statusCode).toBe(200)
})

it('K10: learns of errors by a redirect, on any host it has', async () => {
  const { app } = await gateway()
  const url = authorizeUrl(client, {
    redirect_uri: 'https://ci.example/cb',
    code_challenge_method: 'plain',
  })
  const answer = await app.inject({ url, headers: { host: 'auth.example.com' } })
  expect(answer.statusCode).toBe(302)
  expect(answer.headers.location).toMatch(/^https:\/\/ci\.example\/cb\?error=invalid_request&/)
})

it('T5: redirects to nothing but what the configuration says', async () => {
  const { app } = await gateway()
  const url = authorizeUrl(client, { redirect_uri: 'https://ci.example/cb/../evil' })
  const answer = await app.inject({ url, headers: { host: 'auth.example.com' } })
  expect(answer.statusCode).toBe(400)
  expect(answer.headers.location).toBeUndefined()
})

it('is unknown once it is gone from the configuration', async () => {
  const test = await gateway()
  const code = codeOf(await signIn(createBrowser(test.app), authorizeUrl(client)))
  const { app } = await test.restart({ clients: [] })
  const answer = await redeem(app, client, code, { client_secret: SECRET })
  expect(answer.json().error).toBe('invalid_client')
})

it('T32: leaves its secret nowhere in the log', async () => {
  const { app, logs } = await gateway()
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
  await redeem(app, client, code, { client_secret: `${SECRET}-wrong` })
  await redeem(app, client, code, { client_secret: SECRET })
  expect(logs.length).toBeGreaterThan(0)
  expect(JSON.stringify(logs)).not.toContain(SECRET)
})

it('is granted no scope beyond its own', async () => {
  const { app } = await gateway({ scopes: ['notes:read'] })
  const authorize = { scope: 'notes:read notes:write offline_access' }
  const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client, authorize)))
  const answer = await redeem(app, client, code, { client_secret: SECRET })
  expect(answer.json().scope).toBe('notes:read offline_access')
})

it.each([
  ['only scopes beyond its own are asked for', 'notes:write', {}],
  ['nothing but to stay signed in is left', 'notes:write offline_access', {}],
  ['the default scopes are beyond its own', undefined, { defaultScopes: ['notes:write'] }],
  ['the server requires another one', 'notes:read', { requiredScopes: ['notes:write'] }],
])('is told invalid_scope when %s', async (_what, scope, rules) => {
  expect(await refusal(await gateway({ scopes: ['notes:read'] }, rules), scope)).toBe(
    'invalid_scope',
  )
})

it('gets less at the next refresh when it was limited since', async () => {
  const test = await gateway()
  const authorize = authorizeUrl(client, { scope: 'notes:read notes:write' })
  const code = codeOf(await signIn(createBrowser(test.app), authorize))
  const secret = { client_secret: SECRET }
  const { refresh_token } = (await redeem(test.app, client, code, secret)).json()
  const { app } = await test.restart({ clients: [{ ...CI, scopes: ['notes:read'] }] })
  expect((await refresh(app, client, refresh_token, secret)).json().scope).toBe('notes:read')
})

describe('a simple id with a secret as openssl makes them', () => {
  const secret = 'q+7Zk/0aVw3bX9yT5mN1cR8eL2uJ6hGdSfP4oIiKxE0='

  it.each([
    ['raw', (text: string) => text],
    ['form-encoded (RFC 6749 section 2.3.1)', encodeURIComponent],
  ])('is taken %s', async (_how, encode) => {
    const { app } = await gateway({ id: 'ci', secret })
    const url = authorizeUrl({ client_id: 'ci' })
    const code = codeOf(await signIn(createBrowser(app), url))
    const pair = Buffer.from(`${encode('ci')}:${encode(secret)}`).toString('base64')
    const tokens = await token(
      app,
      {
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: VERIFIER,
      },
      { authorization: `Basic ${pair}` },
    )
    expect(tokens.statusCode).toBe(200)
  })
})
