/**
 * Applications behind a browser session that have bearer tokens of their own.
 */
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/crypto.ts'
import { asTraefikAsks } from '../check/asked.ts'
import { load, problemsOf } from '../config/harness.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { makeSession } from '../support/session.ts'
import { startUpstream } from '../support/upstream-server.ts'

const APP = resource({ applicationBearer: true })
const OWN = 'Bearer app-own-token'

async function signedIn(changes: Parameters<typeof buildTestApp>[0] = {}) {
  const test = await buildTestApp({ resources: [APP], ...changes })
  return { ...test, ...(await makeSession(test)) }
}

describe("ed14: an application's own bearer token", () => {
  it.each([
    ['a read', {}],
    ['a write', { 'x-forwarded-method': 'PUT', origin: 'https://mcp.example.com' }],
    ['a WebSocket', { upgrade: 'websocket', origin: 'https://mcp.example.com' }],
  ])('goes on unchanged beside a good session: %s', async (_what, headers) => {
    const { app, cookie } = await signedIn()
    const sent = Object.fromEntries(Object.entries({ ...headers, cookie, authorization: OWN }))
    const answer = await check(app, sent)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.authorization).toBe(OWN)
    expect(answer.headers['x-forwarded-user']).toBe('ann@example.com')
    expect(answer.headers.cookie).toBeUndefined()
  })

  it.each([
    'Basic YXBwOnB3',
    'Digest username="x"',
    'DPoP a.b.c',
    'Bearer "odd", x',
    'Bearer',
    'x',
  ])('may be of any scheme and shape: %s', async (authorization) => {
    const { app, cookie } = await signedIn()
    const answer = await check(app, { cookie, authorization })
    expect([answer.statusCode, answer.headers.authorization]).toEqual([200, authorization])
  })

  it('reaches the upstream in proxy mode, without our cookie', async () => {
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const { app, cookie } = await signedIn({ resources: [{ ...APP, upstream: upstream.origin }] })
    const answer = await app.inject({
      url: '/notes/mcp/api',
      headers: { host: 'mcp.example.com', cookie: `${cookie}; theirs=1`, authorization: OWN },
    })
    expect(answer.statusCode).toBe(200)
    const { headers } = upstream.requests.at(-1) ?? {}
    expect(headers?.authorization).toBe(OWN)
    expect(headers?.cookie).toBe('theirs=1')
  })

  it('without a good session is as no credential', async () => {
    const { app } = await signedIn()
    const bare = await check(app)
    const answer = await check(app, { authorization: OWN })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toBe(bare.headers['www-authenticate'])
    const person = await check(app, {
      authorization: OWN,
      accept: 'text/html',
      'x-forwarded-method': 'GET',
    })
    expect(person.statusCode).toBe(302)
  })

  it('does not make a foreign page a good one', async () => {
    const { app, cookie } = await signedIn()
    const origin = 'http://localhost:3000'
    const answer = await check(app, { cookie, authorization: OWN, origin })
    expect(answer.statusCode).toBe(403)
  })

  it('on two lines is malformed', async () => {
    const { app, cookie } = await signedIn()
    const port = await listen(app)
    const lines = [`Cookie: ${cookie}`, `Authorization: ${OWN}`, 'Authorization: Basic x']
    expect((await exchange(port, asTraefikAsks(lines))).status).toBe(400)
  })

  it('is never one of ours: those are refused, in whatever form, expired too', async () => {
    const static_ = { name: 'ci', tokenHash: sha256('t'.repeat(40)) }
    const test = await buildTestApp({
      resources: [APP, resource({ id: 'other', url: 'https://mcp.example.com/other' })],
      staticTokens: [static_],
    })
    const { tokens } = await obtainTokens(test.app)
    const { cookie, token: session } = await makeSession(test)
    const ours = [tokens.access_token, session, 't'.repeat(40)]
    const refuseAll = async () => {
      for (const token of ours) {
        for (const authorization of [
          `Bearer ${token}`,
          `bearer\t${token}`,
          `Token ${token}`,
          token,
          `Bearer "${token}"`,
          `Basic x, Bearer ${token}`,
          `Bearer x,${token}`,
          `DPoP proof="${token}"`,
        ]) {
          const answer = await check(test.app, { cookie, authorization })
          expect(answer.statusCode, authorization).toBe(401)
          expect(answer.headers.authorization).toBeUndefined()
        }
      }
    }
    await refuseAll()
    test.clock.advance(3601)
    await refuseAll()
    expect((await check(test.app, { cookie, authorization: OWN })).statusCode).toBe(200)
  })

  it('is refused as before where the setting is off', async () => {
    const { app, cookie } = await signedIn({ resources: [resource()] })
    expect((await check(app, { cookie, authorization: OWN })).statusCode).toBe(401)
  })

  it('cannot be set beside the tokens of the provider', () => {
    const yaml = (settings: string) =>
      `resources: { notes: { url: "https://mcp.example.com", application_bearer: true, ${settings} } }\n`
    const given = { env: { RESOURCES: undefined } }
    expect(problemsOf(() => load({ ...given, yaml: yaml('name: Notes') }))).toEqual([])
    expect(
      problemsOf(() => load({ ...given, yaml: yaml('accept_provider_tokens: true') })).join(),
    ).toContain('resources.notes.application_bearer: conflicts with accept_provider_tokens')
  })
})
