/**
 * MCP 2026-07-28, authorization: its demands on the authorization server (rows A1-A36 of this folder's README).
 */
import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, PASSWORD, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  consentTo,
  obtainTokens,
  RESOURCE,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
  token,
} from '../support/oauth-client.ts'
import {
  fetchFrom,
  ISSUER,
  resourceMetadata,
  responseOf,
  serverMetadata,
  staysHere,
} from './wire.ts'

const PRM = 'https://mcp.example.com/.well-known/oauth-protected-resource/notes/mcp'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
})

describe('discovery', () => {
  it('A1: it serves public and confidential clients', async () => {
    const { token_endpoint_auth_methods_supported: methods } = await serverMetadata(gateway.app)
    expect(methods).toContain('none')
    expect(methods).toContain('client_secret_post')
  })

  it.each([
    `${ISSUER}/.well-known/oauth-authorization-server`,
    `${ISSUER}/.well-known/openid-configuration`,
    'https://mcp.example.com/.well-known/oauth-authorization-server/notes/mcp',
    'https://mcp.example.com/.well-known/openid-configuration/notes/mcp',
    'https://mcp.example.com/notes/mcp/.well-known/openid-configuration',
  ])('A2, A33: the same document is at %s', async (url) => {
    const answer = await fetchFrom(gateway.app, url)
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual(await serverMetadata(gateway.app))
  })

  it('A3: issuer is the string that the protected resource names', async () => {
    const { authorization_servers } = await resourceMetadata(gateway.app, PRM)
    expect((await serverMetadata(gateway.app)).issuer).toBe(authorization_servers[0])
  })

  it('A4: the OAuth and the OpenID document both list S256', async () => {
    for (const name of ['oauth-authorization-server', 'openid-configuration']) {
      const answer = await fetchFrom(gateway.app, `${ISSUER}/.well-known/${name}`)
      expect(answer.json().code_challenge_methods_supported).toEqual(['S256'])
    }
  })

  it('A5: it says that it reads client id metadata documents', async () => {
    const metadata = await serverMetadata(gateway.app)
    expect(metadata).toHaveProperty('client_id_metadata_document_supported', true)
  })

  it('A1, A35: it lists none, secrets and signed assertions, with their algorithms', async () => {
    expect(await serverMetadata(gateway.app)).toMatchObject({
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none', 'private_key_jwt']),
      token_endpoint_auth_signing_alg_values_supported: expect.arrayContaining(['RS256', 'ES256']),
    })
  })

  it('A21: every endpoint is on https', async () => {
    const metadata = await serverMetadata(gateway.app)
    for (const [name, value] of Object.entries(metadata)) {
      if (!/(_endpoint|_uri)$/.test(name)) continue
      expect(new URL(String(value)).protocol, name).toBe('https:')
    }
  })
})

describe('dynamic registration', () => {
  it('A15: is there', async () => {
    const { registration_endpoint } = await serverMetadata(gateway.app)
    expect(registration_endpoint).toBe(`${ISSUER}/register`)
    expect(client.client_id).toBeTypeOf('string')
  })

  it.each(['native', undefined])('A16: takes loopback from application type %s', async (type) => {
    await expect(register(gateway.app, { application_type: type })).resolves.toHaveProperty(
      'client_id',
    )
  })

  it('A22: takes loopback and https redirects, and no other http', async () => {
    const ask = (uri: string) =>
      gateway.app.inject({ method: 'POST', url: '/register', payload: { redirect_uris: [uri] } })
    expect((await ask('https://client.example.com/cb')).statusCode).toBe(201)
    expect((await ask('http://127.0.0.1/cb')).statusCode).toBe(201)
    const refused = await ask('http://evil.example/cb')
    expect(refused.statusCode).toBe(400)
    expect(refused.json().error).toBe('invalid_redirect_uri')
  })

  it('A34: the id of another authorization server is none here', async () => {
    const elsewhere = await buildTestApp({}, { secret: 'the root secret of another installation' })
    const foreign = await register(elsewhere.app)
    const answer = await redeem(gateway.app, foreign, 'a code')
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
  })
})

describe('the authorization endpoint', () => {
  it('A23: compares redirect URIs exactly', async () => {
    const answer = await createBrowser(gateway.app).get(
      authorizeUrl(client, { redirect_uri: 'http://127.0.0.1:33418/callback/x' }),
    )
    expect(answer.statusCode).toBe(400)
    expect(staysHere(answer)).toBe(true)
  })

  it('A24: does not send a browser to a redirect URI that only its own client vouches for', async () => {
    const redirectUri = 'https://client.example.com/cb'
    const fresh = await register(gateway.app, { redirect_uris: [redirectUri] })
    const answer = await createBrowser(gateway.app).get(
      authorizeUrl(fresh, { redirect_uri: redirectUri, response_type: 'nonsense' }),
    )
    expect(staysHere(answer)).toBe(true)
  })

  it.each([
    ['success', {}],
    ['error', { response_type: 'nonsense' }],
  ])('A17, A18: says iss in a %s, as announced', async (_kind, changes) => {
    const url = authorizeUrl(client, changes)
    const browser = createBrowser(gateway.app)
    const answer = 'response_type' in changes ? await browser.get(url) : await signIn(browser, url)
    const metadata = await serverMetadata(gateway.app)
    expect(metadata.authorization_response_iss_parameter_supported).toBe(true)
    expect(responseOf(answer).iss).toBe(metadata.issuer)
  })
})

describe('consent', () => {
  it('A12: shows the host of the redirect URI', async () => {
    const redirectUri = 'https://client.example.com/cb'
    const remote = await register(gateway.app, { redirect_uris: [redirectUri] })
    const page = await createBrowser(gateway.app).get(
      authorizeUrl(remote, { redirect_uri: redirectUri }),
    )
    expect(page.body).toContain('client.example.com')
  })

  it('A13: warns when the answer goes to a program on this computer', async () => {
    const page = await createBrowser(gateway.app).get(authorizeUrl(client))
    expect(page.body).toContain('Any program on this computer can ask under this name')
  })

  it('A26: is asked for every client before anybody is sent to a login', async () => {
    const { browser } = await obtainTokens(gateway.app, { client })
    const unseen = await register(gateway.app, { client_name: 'Never seen before' })
    const page = await browser.get(authorizeUrl(unseen))
    expect(page.statusCode).toBe(200)
    expect(page.headers.location).toBeUndefined()
    expect(page.body).toContain('Never seen before')
  })

  it('A27: given by one person does not count for another', async () => {
    await obtainTokens(gateway.app, { client })
    const page = await createBrowser(gateway.app).get(authorizeUrl(client))
    expect(page.body).toContain('value="approve"')
  })

  it('A28: names client, scopes and redirect, and cannot be framed', async () => {
    const page = await createBrowser(gateway.app).get(authorizeUrl(client))
    for (const text of ['Test client', 'Use this server', '127.0.0.1:33418']) {
      expect(page.body).toContain(text)
    }
    expect(page.headers['x-frame-options']).toBe('DENY')
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
  })

  it('A28: posted by another site decides nothing', async () => {
    const browser = createBrowser(gateway.app)
    const page = await browser.get(authorizeUrl(client))
    const answer = await browser.post(
      '/consent',
      { interaction: hiddenField(page.body, 'interaction'), decision: 'approve' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    )
    expect(answer.statusCode).toBe(403)
  })

  it('A28: posted without what the page holds is forbidden', async () => {
    const browser = createBrowser(gateway.app)
    await browser.get(authorizeUrl(client))
    const answer = await browser.post('/consent', { decision: 'approve' })
    expect(answer.statusCode).toBe(403)
  })

  it('A29: is kept in cookies of this host alone that no script and no other site sees', async () => {
    const browser = createBrowser(gateway.app)
    const page = await browser.get(authorizeUrl(client))
    const approved = await browser.post('/consent', {
      interaction: hiddenField(page.body, 'interaction'),
      decision: 'approve',
    })
    const cookies = [...page.cookies, ...approved.cookies]
    expect(cookies.length).toBeGreaterThanOrEqual(2)
    for (const cookie of cookies) {
      expect(cookie.name).toMatch(/^__Host-/)
      expect(cookie).toMatchObject({ secure: true, httpOnly: true, path: '/' })
      expect(cookie.sameSite?.toLowerCase()).toBe('lax')
      expect(cookie).not.toHaveProperty('domain')
    }
  })

  it('A30: in one browser lets no other go on', async () => {
    const login = await consentTo(createBrowser(gateway.app), authorizeUrl(client))
    const other = createBrowser(gateway.app)
    const answer = await other.post('/login', {
      interaction: hiddenField(login.body, 'interaction'),
      username: 'ann',
      password: PASSWORD,
    })
    expect(answer.statusCode).toBe(400)
    expect(staysHere(answer)).toBe(true)
  })

  it('A30: is good for one answer', async () => {
    const browser = createBrowser(gateway.app)
    const login = await consentTo(browser, authorizeUrl(client))
    const fields = {
      interaction: hiddenField(login.body, 'interaction'),
      username: 'ann',
      password: PASSWORD,
    }
    expect(responseOf(await browser.post('/login', fields))).toHaveProperty('code')
    expect(staysHere(await browser.post('/login', fields))).toBe(true)
  })
})

describe('tokens', () => {
  it('A19: live an hour at most', async () => {
    const { tokens } = await obtainTokens(gateway.app)
    expect(tokens.expires_in).toBeLessThanOrEqual(3600)
  })

  it('A20: come with a new refresh token each time', async () => {
    const { client: owner, tokens } = await obtainTokens(gateway.app)
    const answer = await refresh(gateway.app, owner, tokens.refresh_token)
    expect(answer.json().refresh_token).toBeTypeOf('string')
    expect(answer.json().refresh_token).not.toBe(tokens.refresh_token)
  })

  it('A31: are for the resource that was named', async () => {
    const { tokens } = await obtainTokens(gateway.app)
    expect(decodeJwt(tokens.access_token).aud).toBe(RESOURCE)
  })

  it('A31: cannot be had for a resource that was not granted', async () => {
    const wiki = 'https://mcp.example.com/wiki'
    const two = await buildTestApp({ resources: [resource(), resource({ id: 'wiki', url: wiki })] })
    const registered = await register(two.app)
    const code = codeOf(await signIn(createBrowser(two.app), authorizeUrl(registered)))
    const answer = await redeem(two.app, registered, code, { resource: wiki })
    expect(answer.json().error).toBe('invalid_target')
  })

  it('A32: offline_access is listed, and honoured', async () => {
    expect((await serverMetadata(gateway.app)).scopes_supported).toContain('offline_access')
    const { tokens } = await obtainTokens(gateway.app, {
      authorize: { scope: 'mcp offline_access' },
    })
    expect(tokens.refresh_token).toBeTypeOf('string')
  })

  it('A32: a client that registered without the refresh grant gets no refresh token', async () => {
    const short = await register(gateway.app, { grant_types: ['authorization_code'] })
    const { tokens } = await obtainTokens(gateway.app, { client: short })
    expect(tokens).not.toHaveProperty('refresh_token')
  })

  it('A35: an assertion does not authenticate a client that registered no keys', async () => {
    const confidential = await register(gateway.app, {
      token_endpoint_auth_method: 'client_secret_post',
    })
    const answer = await token(gateway.app, {
      grant_type: 'authorization_code',
      client_id: confidential.client_id,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: 'a.b.c',
      code: 'a code',
    })
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
  })
})
