/**
 * Rows about how mcpauth judges tokens.
 *
 * @module
 */
import { expect } from 'vitest'
import { load } from '../../config/harness.ts'
import { ANYONE, buildTestApp, resource } from '../../support/build-app.ts'
import { check, obtainTokens } from '../../support/oauth-client.ts'
import { startJourney } from '../../support/provider-journey.ts'
import { startAccepting } from '../../support/provider-tokens.ts'
import { makeSession } from '../../support/session.ts'
import { forgedTokens } from '../forged.ts'
import { both, type Proofs, provedBy } from '../proof.ts'

export const tokens: Proofs = {
  T1: provedBy(
    'test/check/check.test.ts',
    'is answered without a promise, a signature check or any I/O but one peek',
  ),

  async T2() {
    const { app } = await buildTestApp()
    for (const token of forgedTokens()) {
      const answer = await check(app, { authorization: `Bearer ${token}` }, '/auth')
      expect(answer.statusCode).toBe(401)
    }
  },

  T3: both(
    provedBy(
      'test/forward-auth/revocation.test.ts',
      'is refused at the very next check when its grant is gone',
    ),
    provedBy('test/conformance/rfc8707.test.ts', 'section 2: and refused at every other resource'),
  ),

  async T4() {
    const { bring, token, provider } = await startAccepting()
    expect((await bring(await token())).statusCode).toBe(200)
    for (const changes of [{ iss: `${provider.issuer}/more` }, { iss: undefined }, { typ: 'ID' }]) {
      expect((await bring(await token(changes))).statusCode, JSON.stringify(changes)).toBe(401)
    }
    // The line that the start proposes, and the audience that all of mcpauth's servers shared.
    const url = 'https://*.example.com'
    const wide = await startAccepting({
      resources: [resource({ url, acceptProviderTokens: true })],
    })
    const shared = { azp: 'an-mcp-client', aud: ['https://auth.example.com', 'account'] }
    expect((await wide.bring(await wide.token(shared))).statusCode).toBe(200)
  },

  T5: provedBy(
    'test/credentials/provider-tokens/load.test.ts',
    'answers for a token it has seen at once, with the very credential of before',
  ),
  T6: provedBy('test/credentials/static-tokens.test.ts', "['a letter less',"),

  T7: () =>
    expect(
      load({ env: { PROVIDER: 'github', CLIENT_ID: 'x', CLIENT_SECRET: 'x'.repeat(32) } }).config
        .provider.type,
    ).toBe('github'),

  T8: both(
    provedBy(
      'test/providers/oidc.test.ts',
      'carries state, nonce and a PKCE challenge, new ones for each attempt',
    ),
    provedBy('test/resources/policy.test.ts', 'is not met by a user name that reads like the'),
  ),
  T9: provedBy(
    'test/login/callback.test.ts',
    'says nothing of the provider: no code, token or secret of it reaches the client',
  ),

  async T10() {
    const scopes = { openid: 'Who you are', email: 'Your address' }
    const required = resource({ scopes, requiredScopes: ['openid'], defaultScopes: ['openid'] })
    const { app } = await buildTestApp({ resources: [required] })
    const { access_token, scope } = (await obtainTokens(app)).tokens
    expect(scope).toBe('openid')
    const authorization = `Bearer ${access_token}`
    expect((await check(app, { authorization }, '/auth')).statusCode).toBe(200)
  },

  T11: provedBy(
    'test/conformance/rfc8707.test.ts',
    'section 2: and refused at every other resource',
  ),

  async T12() {
    const test = await startJourney({ resources: [resource({ allow: ANYONE })] })
    const { issuer } = test.provider
    const { cookie } = await makeSession(test, {
      grant: { provider: test.provider.config.id, issuer, subject: 'somebody' },
    })
    expect((await check(test.app, { cookie }, '/auth')).statusCode).toBe(200)
  },
}
