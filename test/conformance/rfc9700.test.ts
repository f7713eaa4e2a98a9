/**
 * RFC 9700: Best Current Practice for OAuth 2.0 Security (row A25 of docs/conformance.md). Demands that it takes from
 * other standards are tested under their names: exact redirects in rfc8252 and oauth-2.1, PKCE in rfc7636, audience in
 * rfc8707, mix-up in rfc9207.
 */
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, PASSWORD, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  consentTo,
  obtainTokens,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { serverMetadata, staysHere } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
})

it('section 2.1.2: there is no implicit grant', async () => {
  expect((await serverMetadata(gateway.app)).response_types_supported).toEqual(['code'])
  const answer = await createBrowser(gateway.app).get(
    authorizeUrl(client, { response_type: 'token' }),
  )
  expect(String(answer.headers.location)).not.toContain('access_token')
})

it('section 2.4: there is no grant that hands a password to the client', async () => {
  expect((await serverMetadata(gateway.app)).grant_types_supported).not.toContain('password')
})

it('section 2.6: the server publishes its metadata', async () => {
  expect((await serverMetadata(gateway.app)).issuer).toBe('https://auth.example.com')
})

it('section 4.2.4: no address with a code or state in it becomes a Referer', async () => {
  const browser = createBrowser(gateway.app)
  const page = await browser.get(authorizeUrl(client))
  expect(page.headers['referrer-policy']).toBe('same-origin')
  const answer = await signIn(browser, authorizeUrl(client))
  expect(answer.headers['referrer-policy']).toBe('no-referrer')
})

it('section 4.2.4: no page loads anything from elsewhere', async () => {
  const page = await createBrowser(gateway.app).get(authorizeUrl(client))
  expect(page.headers['content-security-policy']).toContain("default-src 'none'")
})

it('section 4.5.3: an injected code is worth nothing to a client with another verifier', async () => {
  const stolen = codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(client)))
  const answer = await redeem(gateway.app, client, stolen, {
    code_verifier: 'the-verifier-of-the-session-it-was-injected-into',
  })
  expect(answer.json().error).toBe('invalid_grant')
})

describe('section 4.7: a login that another site began in this browser', () => {
  it('ends without a code: the consent was posted from there', async () => {
    const attacker = createBrowser(gateway.app)
    const page = await attacker.get(authorizeUrl(client))
    const victim = createBrowser(gateway.app)
    const answer = await victim.post(
      '/consent',
      { interaction: hiddenField(page.body, 'interaction'), decision: 'approve' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    )
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('ends without a code: the consent was given in the browser of the attacker', async () => {
    const login = await consentTo(createBrowser(gateway.app), authorizeUrl(client))
    const victim = createBrowser(gateway.app)
    await victim.get(authorizeUrl(client))
    const answer = await victim.post('/login', {
      interaction: hiddenField(login.body, 'interaction'),
      username: 'ann',
      password: PASSWORD,
    })
    expect(staysHere(answer)).toBe(true)
  })
})

it('section 4.8.2: PKCE cannot be taken out on the way', async () => {
  const answer = await createBrowser(gateway.app).get(
    authorizeUrl(client, { code_challenge: undefined, code_challenge_method: undefined }),
  )
  expect(String(answer.headers.location)).toContain('error=invalid_request')
})

it('section 4.11.2: no address leads on to a host that no client registered', async () => {
  for (const path of [
    '/authorize',
    '/authorize/login',
    '/authorize/consent',
    '/login',
    '/consent',
    '/callback',
  ]) {
    const answer = await gateway.app.inject({
      url: `${path}?redirect_uri=https://evil.example/&state=https://evil.example/`,
      headers: { host: 'auth.example.com' },
    })
    expect(answer.headers.location, path).toBeUndefined()
  }
})

describe('section 4.13: headers that say who somebody is', () => {
  const forged = { 'x-forwarded-user': 'ceo@example.com', 'x-user-id': 'ceo' }

  it('do not sign anybody in', async () => {
    expect((await check(gateway.app, forged)).statusCode).toBe(401)
  })

  it('are replaced for the server behind, every one of them', async () => {
    const { tokens } = await obtainTokens(gateway.app)
    const answer = await check(gateway.app, {
      ...forged,
      authorization: `Bearer ${tokens.access_token}`,
    })
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-user-id': decodeJwt(tokens.access_token).sub,
    })
  })

  it('count only from a proxy that we trust, as do those that say where somebody is', async () => {
    const { tokens } = await obtainTokens(gateway.app)
    const stranger = await gateway.restart({ trustedProxies: ['192.0.2.0/24'] })
    const answer = await check(stranger.app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(403)
  })
})

it('section 4.14.2: a refresh token used again after its successor ends the grant for thief and owner', async () => {
  const { client: owner, tokens } = await obtainTokens(gateway.app)
  const second = (await refresh(gateway.app, owner, tokens.refresh_token)).json()
  const third = (await refresh(gateway.app, owner, second.refresh_token)).json()
  const reused = await refresh(gateway.app, owner, tokens.refresh_token)
  expect(reused.json().error).toBe('invalid_grant')
  expect((await refresh(gateway.app, owner, third.refresh_token)).json().error).toBe(
    'invalid_grant',
  )
  const call = await check(gateway.app, { authorization: `Bearer ${third.access_token}` })
  expect(call.statusCode).toBe(401)
})

it('section 4.15: no client can have the sub of a person', async () => {
  const { tokens } = await obtainTokens(gateway.app)
  const { sub = '' } = decodeJwt(tokens.access_token)
  expect(sub).toMatch(/^u_[A-Za-z0-9_-]{43}$/)
  expect(client.client_id.startsWith('u_')).toBe(false)
})

it('section 4.16: no page can be framed', async () => {
  const browser = createBrowser(gateway.app)
  const pages = [
    await browser.get(authorizeUrl(client)),
    await consentTo(browser, authorizeUrl(client)),
    await browser.get(authorizeUrl(client, { client_id: 'nobody' })),
  ]
  for (const page of pages) {
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(page.headers['x-frame-options']).toBe('DENY')
  }
})
