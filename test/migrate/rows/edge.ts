/**
 * Rows about mcpauth's edge auth and its internal auth.
 *
 * @module
 */
import { expect } from 'vitest'
import { load, problemsOf } from '../../config/harness.ts'
import { ask as askEdge, askTunnel, buildEdgeApp, CONNECT, open } from '../../edge/support.ts'
import { createBrowser } from '../../support/browser.ts'
import { buildTestApp, PASSWORD } from '../../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  consentTo,
  obtainTokens,
  register,
} from '../../support/oauth-client.ts'
import { DOMAIN_COOKIE, HAND_COOKIE, makeSession } from '../../support/session.ts'
import { typeIn } from '../../support/steps.ts'
import { both, expectNothingAt, type Proofs, provedBy, startWith } from '../proof.ts'

/** A session as edge auth has it: shared by the hosts of a domain, sent by hand in the cookie of mcpauth's name. */
async function sharedSession() {
  const test = await buildEdgeApp({ cookieDomain: 'example.com' })
  const session = await makeSession(test, { grant: { resource: 'https://example.com' } })
  return { ...test, ...session, cookie: `${HAND_COOKIE}=${session.token}` }
}

export const edge: Proofs = {
  async X1() {
    const { app } = await buildEdgeApp()
    const answer = async (query: string) => (await askEdge(app, `/auth/connect?${query}`)).json()
    const required = { error: 'callback_port and code are required' }
    expect(await answer('callback_port=80')).toEqual(required)
    expect(await answer('code=A')).toEqual(required)
    for (const port of ['0', '65536', '1;alert(1)', '%2080', '1e3']) {
      expect((await answer(`callback_port=${port}&code=A`)).error).toContain('not a port')
    }
    expect((await answer('callback_port=80&code=%3C/script%3E')).error).toContain('code is not')
  },

  async X2() {
    const { app, token } = await sharedSession()
    const page = await open(app, CONNECT, { cookie: `${DOMAIN_COOKIE}=${token}` })
    expect(page.statusCode).toBe(200)
    for (const shown of ['K7M-2QXA', 'mcp.example.com', 'ann@example.com']) {
      expect(page.body).toContain(shown)
    }
  },

  async X3() {
    const { app } = await buildEdgeApp()
    const answer = await open(app, CONNECT)
    expect(answer.statusCode).toBe(302)
    expect(JSON.stringify(answer.headers)).not.toContain('edge_auth_params')
  },

  X4: async () =>
    expectNothingAt((await buildEdgeApp()).app, ['/auth/connect/callback?code=x&state=y']),

  X5: both(
    async () => {
      const { token } = await sharedSession()
      const [header = '', claims = ''] = token
        .split('.')
        .map((part) => Buffer.from(part, 'base64url').toString())
      expect(JSON.parse(header).alg).toBe('RS256')
      const { iat, exp, aud } = JSON.parse(claims)
      expect([exp - iat, aud]).toEqual([86_400, 'https://example.com'])
    },
    provedBy('test/edge/tunnel.test.ts', 'revoked or forged, it is refused'),
  ),

  async X6() {
    const { app, token } = await sharedSession()
    const page = await open(app, CONNECT, { cookie: `${DOMAIN_COOKIE}=${token}` })
    expect(page.body).toContain(JSON.stringify({ port: 49_152, token, code: 'K7M-2QXA' }))
    expect(page.headers['content-security-policy']).toContain('connect-src http://127.0.0.1:49152')
    expect(page.body).toContain('<form')
  },

  async X7() {
    const { app, cookie } = await sharedSession()
    const bad = await askTunnel(app, { cookie: `${HAND_COOKIE}=x` })
    const none = await askTunnel(app)
    expect([none.statusCode, none.body]).toEqual([401, '{"error":"authentication required"}'])
    expect([bad.statusCode, bad.body]).toEqual([401, '{"error":"invalid or expired token"}'])
    const good = await askTunnel(app, { cookie })
    expect([good.statusCode, good.body]).toEqual([200, 'authenticated'])
    expect(good.headers['x-forwarded-user']).toBe('ann@example.com')
  },

  X8: provedBy(
    'test/edge/tunnel.test.ts',
    'to a person who is not on the list, without a challenge',
  ),
  X9: provedBy('test/config/clients.test.ts', 'needs no client for the edge login'),
}

export const internal: Proofs = {
  I1() {
    for (const given of [{ argv: ['-useInternalAuth'] }, { env: { PROVIDER: 'internal' } }]) {
      expect(load(given).config.provider).toEqual({ type: 'builtin' })
    }
  },

  async I2() {
    const { app } = await buildTestApp()
    const browser = createBrowser(app)
    const page = await consentTo(browser, authorizeUrl(await register(app)))
    expect(page.body).toContain('type="password"')
    expect(page.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect([...browser.cookies.keys()].every((name) => name.startsWith('__Host-gw_'))).toBe(true)
    const address = '/login?error=<script>alert(1)</script>'
    expect((await browser.get(address)).body).not.toContain('alert(1)')
  },

  async I3() {
    const { app } = await buildTestApp()
    const browser = createBrowser(app)
    const page = await consentTo(browser, authorizeUrl(await register(app)))
    const again = await typeIn(browser, page, { password: 'mistyped' })
    expect(again.statusCode).toBe(401)
    expect(codeOf(await typeIn(browser, again, { password: PASSWORD }))).not.toBe('')
  },

  async I4() {
    const files = { '/srv/gatewarden.yaml': '' }
    expect(problemsOf(() => load({ env: { PROVIDER: 'internal' }, files }))).toEqual([
      expect.stringContaining('no users are listed, so nobody can log in'),
    ])
    const { app } = await startWith({ ALLOWED_EMAILS: '*' })
    const browser = createBrowser(app)
    const page = await consentTo(browser, authorizeUrl(await register(app)))
    for (const name of ['admin', 'admin@localhost']) {
      expect((await typeIn(browser, page, { name, password: 'admin123' })).statusCode).toBe(401)
    }
  },

  I5: provedBy(
    'test/oauth/token.test.ts',
    'T18: presented 50 times at once is redeemed once, and its tokens are dead afterwards',
  ),

  async I6() {
    const { app } = await startWith({ PROVIDER: 'internal' })
    expect((await obtainTokens(app)).tokens.access_token).not.toBe('')
  },
}
