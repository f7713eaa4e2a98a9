/**
 * OAuth 2.1 (draft-ietf-oauth-v2-1-16). Rules that it takes over from other RFCs are tested under their names: PKCE in
 * rfc7636, bearer tokens in rfc6750, `iss` in rfc9207, loopback redirects in rfc8252.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
  token,
} from '../support/oauth-client.ts'
import { responseOf, staysHere } from './wire.ts'

let gateway: TestApp
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
})

const ask = (changes: Record<string, string | undefined> = {}, more = '') =>
  createBrowser(gateway.app).get(authorizeUrl(client, changes) + more)

const newCode = async (by = client) =>
  codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(by)))

const basic = ({ client_id, client_secret = '' }: RegisteredClient) => ({
  authorization: `Basic ${Buffer.from(`${client_id}:${client_secret}`).toString('base64')}`,
})

describe('section 2.4, client authentication:', () => {
  let confidential: RegisteredClient
  beforeEach(async () => {
    confidential = await register(gateway.app, { token_endpoint_auth_method: 'client_secret_post' })
  })

  it('the secret may come in the body', async () => {
    const answer = await redeem(gateway.app, confidential, await newCode(confidential), {
      client_secret: confidential.client_secret,
    })
    expect(answer.statusCode).toBe(200)
  })

  it('the secret may come by HTTP Basic', async () => {
    const form = {
      grant_type: 'authorization_code',
      code: await newCode(confidential),
      code_verifier: 'a-code-verifier-of-at-least-forty-three-characters',
    }
    expect((await token(gateway.app, form, basic(confidential))).statusCode).toBe(200)
  })

  it('but not both in one request', async () => {
    const answer = await token(
      gateway.app,
      { grant_type: 'authorization_code', code: 'x', client_secret: confidential.client_secret },
      basic(confidential),
    )
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toBe('invalid_request')
  })

  it('and not in the query', async () => {
    const answer = await gateway.app.inject({
      method: 'POST',
      url: `/token?client_id=${confidential.client_id}&client_secret=${confidential.client_secret}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      payload: 'grant_type=authorization_code&code=x&code_verifier=y',
    })
    expect(answer.statusCode).toBe(401)
  })

  it('a client that has a secret cannot do without', async () => {
    const answer = await redeem(gateway.app, confidential, await newCode(confidential))
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
  })

  it('failed Basic is answered with 401 and a challenge of that scheme', async () => {
    const answer = await token(
      gateway.app,
      { grant_type: 'authorization_code' },
      basic({ ...confidential, client_secret: 'wrong' }),
    )
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toMatch(/^Basic /)
  })
})

describe('section 3.1, the authorization endpoint:', () => {
  it('ignores parameters it does not know', async () => {
    expect((await ask({ unheard_of: 'x' })).statusCode).toBe(200)
  })

  it('takes a parameter without a value as left out', async () => {
    const answer = await ask({ code_challenge_method: '' })
    expect(responseOf(answer).error).toBe('invalid_request')
  })

  it('refuses a parameter that is there twice', async () => {
    expect(responseOf(await ask({}, '&scope=mcp&scope=mcp')).error).toBe('invalid_request')
  })

  it('has no CORS: no script of another origin may read it', async () => {
    const answer = await gateway.app.inject({
      url: authorizeUrl(client),
      headers: { host: 'auth.example.com', origin: 'https://client.example.com' },
    })
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
  })
})

describe('section 4.1.1, the authorization request:', () => {
  it.each([
    ['an unknown client', { client_id: 'nobody' }],
    ['no client at all', { client_id: undefined }],
    ['a redirect URI that is not registered', { redirect_uri: 'https://evil.example/callback' }],
    ['a redirect URI with something appended', { redirect_uri: `${REDIRECT_URI}/more` }],
    ['a redirect URI with a query appended', { redirect_uri: `${REDIRECT_URI}?more` }],
  ])('%s is told to the person and never redirected', async (_what, changes) => {
    const answer = await ask(changes)
    expect(answer.statusCode).toBe(400)
    expect(staysHere(answer)).toBe(true)
  })
})

describe('section 4.1.2, the authorization response:', () => {
  it('brings code and state back', async () => {
    const answer = await signIn(createBrowser(gateway.app), authorizeUrl(client))
    expect(responseOf(answer)).toMatchObject({ code: expect.any(String), state: 'the-state' })
  })

  it('keeps the query that the redirect URI has', async () => {
    const redirectUri = 'http://127.0.0.1/callback?tenant=a%20b'
    const other = await register(gateway.app, { redirect_uris: [redirectUri] })
    const url = authorizeUrl(other, { redirect_uri: redirectUri })
    const answer = await signIn(createBrowser(gateway.app), url)
    expect(responseOf(answer)).toMatchObject({ tenant: 'a b', code: expect.any(String) })
  })

  it.each([
    ['unsupported_response_type', { response_type: 'token' }],
    ['invalid_request', { response_type: undefined }],
  ])('says %s, with state', async (error, changes) => {
    expect(responseOf(await ask(changes))).toMatchObject({ error, state: 'the-state' })
  })

  it('says access_denied, with state, when the person refused', async () => {
    const browser = createBrowser(gateway.app)
    const page = await browser.get(authorizeUrl(client))
    const answer = await browser.post('/consent', {
      interaction: hiddenField(page.body, 'interaction'),
      decision: 'deny',
    })
    expect(responseOf(answer)).toMatchObject({ error: 'access_denied', state: 'the-state' })
  })
})

describe('section 4.1.3, the code:', () => {
  it('lives ten minutes at most', async () => {
    const code = await newCode()
    gateway.clock.advance(600)
    expect((await redeem(gateway.app, client, code)).json().error).toBe('invalid_grant')
  })

  it('is bound to its client', async () => {
    const other = await register(gateway.app)
    expect((await redeem(gateway.app, other, await newCode())).json().error).toBe('invalid_grant')
  })

  it('is bound to its redirect URI, where the client still sends that', async () => {
    const answer = await redeem(gateway.app, client, await newCode(), {
      redirect_uri: 'http://127.0.0.1:33418/another',
    })
    expect(answer.json().error).toBe('invalid_grant')
  })

  it('is redeemed without a redirect URI, which this version no longer sends', async () => {
    const answer = await redeem(gateway.app, client, await newCode(), { redirect_uri: undefined })
    expect(answer.statusCode).toBe(200)
  })

  it('is good once; a second use ends the tokens of the first', async () => {
    const code = await newCode()
    const { access_token } = (await redeem(gateway.app, client, code)).json()
    const call = () => check(gateway.app, { authorization: `Bearer ${access_token}` })
    expect((await call()).statusCode).toBe(200)
    expect((await redeem(gateway.app, client, code)).json().error).toBe('invalid_grant')
    expect((await call()).statusCode).toBe(401)
  })
})

describe('section 3.2, the token endpoint:', () => {
  it('takes POST only', async () => {
    const answer = await gateway.app.inject({ url: '/token' })
    expect(answer.statusCode).toBe(405)
    expect(answer.headers.allow).toContain('POST')
  })

  it('answers with the members that the standard names, as JSON that nobody keeps', async () => {
    const answer = await redeem(gateway.app, client, await newCode())
    expect(answer.headers['content-type']).toMatch(/^application\/json(;|$)/)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json()).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: expect.any(Number),
      scope: 'mcp',
      refresh_token: expect.any(String),
    })
  })

  it.each([
    ['invalid_request', { grant_type: undefined }],
    ['invalid_request', { grant_type: 'authorization_code' }],
    ['unsupported_grant_type', { grant_type: 'password', username: 'ann', password: 'x' }],
    ['unauthorized_client', { grant_type: 'client_credentials' }],
    ['invalid_grant', { grant_type: 'refresh_token', refresh_token: 'not one of ours' }],
  ])('answers 400 %s to %j', async (error, parameters) => {
    const answer = await token(gateway.app, { client_id: client.client_id, ...parameters })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(answer.json().error).toBe(error)
    expect(answer.json().error_description).toMatch(/^[\x20-\x21\x23-\x5b\x5d-\x7e]+$/)
  })

  it('answers 401 invalid_client to a client it does not know', async () => {
    const answer = await token(gateway.app, { grant_type: 'refresh_token', client_id: 'nobody' })
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
  })

  it('may be called by a script of any origin', async () => {
    const answer = await gateway.app.inject({
      method: 'OPTIONS',
      url: '/token',
      headers: {
        origin: 'https://client.example.com',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type, mcp-protocol-version',
      },
    })
    expect(answer.statusCode).toBeLessThan(300)
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(String(answer.headers['access-control-allow-headers']).toLowerCase()).toContain(
      'mcp-protocol-version',
    )
  })
})

describe('section 4.3, refreshing:', () => {
  it('brings a new refresh token', async () => {
    const { client: owner, tokens } = await obtainTokens(gateway.app)
    const answer = await refresh(gateway.app, owner, tokens.refresh_token)
    expect(answer.json().refresh_token).not.toBe(tokens.refresh_token)
  })

  it('is for the client the token was issued to', async () => {
    const { tokens } = await obtainTokens(gateway.app)
    const answer = await refresh(gateway.app, client, tokens.refresh_token)
    expect(answer.json().error).toBe('invalid_grant')
  })

  it('never grants more than was granted', async () => {
    const scopes = { mcp: 'Use it', admin: 'Manage it' }
    const wider = await buildTestApp({ resources: [resource({ scopes })] })
    const { client: owner, tokens } = await obtainTokens(wider.app, { authorize: { scope: 'mcp' } })
    const answer = await refresh(wider.app, owner, tokens.refresh_token, { scope: 'mcp admin' })
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toBe('invalid_scope')
  })
})

describe('section 7.5.4, redirects:', () => {
  it('an answer to a POST is redirected by 303, so that a password is posted nowhere else', async () => {
    const answer = await signIn(createBrowser(gateway.app), authorizeUrl(client))
    expect(answer.statusCode).toBe(303)
  })
})

describe('section 7.13, open redirectors:', () => {
  it('a client on a host nobody here knows gets an error only if the person follows a link', async () => {
    const far = 'https://client.example.com/callback'
    const other = await register(gateway.app, { redirect_uris: [far] })
    const answer = await createBrowser(gateway.app).get(
      authorizeUrl(other, { redirect_uri: far, response_type: 'token' }),
    )
    expect(staysHere(answer)).toBe(true)
    expect(answer.body).toContain('client.example.com')
  })
})
