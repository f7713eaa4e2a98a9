/**
 * Rows about mcpauth's `/auth`, step by step.
 *
 * @module
 */
import { expect } from 'vitest'
import { challengeOf } from '../../conformance/wire.ts'
import { buildTestApp, resource } from '../../support/build-app.ts'
import { check, obtainTokens } from '../../support/oauth-client.ts'
import { both, type Proofs, provedBy, startWith } from '../proof.ts'

const STATIC_TOKEN = 'nU0o7QpY1xJ4rTz8vKcW3mBdLs6HfGae'
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const READ = { ALLOWED_SCOPES: 'read,write', REQUIRED_SCOPES: 'write' }

export const checks: Proofs = {
  async A1() {
    const { app } = await buildTestApp()
    const origin = 'http://localhost:6274'
    const answer = await check(app, { 'x-forwarded-method': 'OPTIONS', origin }, '/auth')
    expect(answer.statusCode).toBe(401)
    expect(Object.keys(answer.headers).join()).not.toContain('access-control')
  },

  async A2() {
    const { app } = await buildTestApp()
    const { access_token } = (await obtainTokens(app)).tokens
    const lower = { authorization: `bearer ${access_token}` }
    expect((await check(app, lower, '/auth')).statusCode).toBe(200)
    const query = { 'x-forwarded-uri': `/notes/mcp?access_token=${access_token}` }
    expect((await check(app, query, '/auth')).statusCode).toBe(401)
    const asked = await check(app, {}, `/auth?access_token=${access_token}`)
    expect(asked.statusCode).toBe(401)
  },

  async A3() {
    const { app } = await startWith(READ)
    const answer = await check(app, {}, '/auth')
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters).toEqual({
      resource_metadata: 'https://mcp.example.com/.well-known/oauth-protected-resource/notes/mcp',
      scope: 'write',
    })
  },

  async A4() {
    const { app } = await startWith({ ...READ, AUTHORIZATION_BEARER_TOKEN: STATIC_TOKEN })
    const answer = await check(app, bearer(STATIC_TOKEN), '/auth')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'static-authorized-user',
      'x-forwarded-scopes': 'read write',
      'x-forwarded-email': '',
    })
  },

  async A5() {
    const { app } = await buildTestApp()
    const answer = await check(app, bearer('bad'), '/auth')
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters).toMatchObject({ error: 'invalid_token', scope: 'mcp' })
  },

  async A6() {
    const before = await startWith({ ALLOWED_SCOPES: 'read,write' })
    const { access_token } = (await obtainTokens(before.app, { authorize: { scope: 'read' } }))
      .tokens
    const scopes = { read: 'R', write: 'W' }
    const { app } = await before.restart({
      resources: [resource({ scopes, requiredScopes: ['write'] })],
    })
    const answer = await check(app, bearer(access_token), '/auth')
    expect(answer.statusCode).toBe(403)
    expect(challengeOf(answer).parameters).toMatchObject({
      error: 'insufficient_scope',
      scope: 'write',
    })
  },

  async A7() {
    const before = await startWith({ ALLOWED_EMAILS: 'ann@example.com' })
    const { access_token } = (await obtainTokens(before.app)).tokens
    const nobody = { anyone: false, emails: ['zed@example.com'], domains: [], groups: [] }
    const { app } = await before.restart({ resources: [resource({ allow: nobody })] })
    const answer = await check(app, bearer(access_token), '/auth')
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).not.toHaveProperty('www-authenticate')
  },

  A8: both(
    async () => {
      const { app } = await buildTestApp()
      const { access_token } = (await obtainTokens(app)).tokens
      const answer = await check(app, bearer(access_token), '/auth')
      expect([answer.statusCode, answer.body]).toEqual([200, ''])
      expect(answer.headers).toMatchObject({
        'x-forwarded-user': 'ann@example.com',
        'x-forwarded-scopes': 'mcp',
      })
    },
    provedBy('test/check/one-person.test.ts', 'at5: T39: is our own id for a user name that is %s'),
  ),

  async A9() {
    const wiki = resource({ id: 'wiki', url: 'https://wiki.example.com' })
    const { app } = await buildTestApp({ resources: [resource(), wiki] })
    const { access_token } = (await obtainTokens(app)).tokens
    expect((await check(app, bearer(access_token), '/auth')).statusCode).toBe(200)
    const there = { 'x-forwarded-host': 'wiki.example.com', 'x-forwarded-uri': '/' }
    const elsewhere = await check(app, { ...bearer(access_token), ...there }, '/auth')
    expect(elsewhere.statusCode).toBe(401)
  },
}
