/**
 * `X-Forwarded-Scopes` holds only scopes of the server that is asked for (case at13, threat T47).
 *
 * @module
 */
import { expect, it } from 'vitest'
import { buildTestApp, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { startAccepting } from '../support/provider-tokens.ts'
import { startScopedServer } from '../support/scoped-server.ts'
import { HAND_COOKIE, makeSession } from '../support/session.ts'

const A = resource({
  id: 'a',
  url: 'https://a.example.com',
  scopes: { read: 'Read', write: 'Write' },
  defaultScopes: ['read'],
})
const B = resource({
  id: 'b',
  url: 'https://b.example.com',
  scopes: { write: 'Write', admin: 'Admin' },
  defaultScopes: ['write', 'admin'],
})
const at = (name: 'a' | 'b') => ({
  'x-forwarded-host': `${name}.example.com`,
  'x-forwarded-uri': '/',
})

it('at13: T47: a session of several servers has only the default scopes of each, in any order', async () => {
  const test = await buildTestApp({ cookieDomain: 'example.com', resources: [A, B] })
  const { token } = await makeSession(test, {
    grant: { resource: 'https://example.com', scopes: ['read', 'write', 'admin'] },
  })
  const scopes = async (name: 'a' | 'b') => {
    const answer = await check(test.app, {
      cookie: `${HAND_COOKIE}=${token}`,
      'x-forwarded-method': 'GET',
      ...at(name),
    })
    expect(answer.statusCode).toBe(200)
    return answer.headers['x-forwarded-scopes']
  }
  for (const name of ['a', 'b', 'a', 'a', 'b'] as const) {
    expect(await scopes(name)).toBe(name === 'a' ? 'read' : 'write admin')
  }
})

it('at13: T47: a bearer token keeps no scope that its server no longer offers, nor offline_access', async () => {
  const before = await buildTestApp({
    resources: [resource({ scopes: { read: 'R', write: 'W' }, defaultScopes: ['read', 'write'] })],
  })
  const { tokens } = await obtainTokens(before.app, {
    authorize: { scope: 'read write offline_access' },
  })
  const { app } = await before.restart({
    resources: [resource({ scopes: { read: 'R', other: 'O' }, defaultScopes: ['other'] })],
  })
  const answer = await check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['x-forwarded-scopes']).toBe('read')
})

it('B8: T47: a server learns no scope of the provider by saying that it has it', async () => {
  const server = await startScopedServer([{ name: 'admin' }, { name: 'read' }])
  const beside = { read: 'Read' }
  const one = resource({
    acceptProviderTokens: true,
    scopes: beside,
    scopesBeside: beside,
    scopesEndpoint: server.url,
  })
  const accepting = await startAccepting({ resources: [one] })
  const described = await accepting.app.inject({
    url: '/.well-known/oauth-protected-resource/notes/mcp',
    headers: { host: 'mcp.example.com' },
  })
  expect(described.statusCode).toBe(200)
  expect(server.called).toContain('tools/list')
  const token = await accepting.token({ scope: 'admin read' })
  expect((await accepting.bring(token, {})).headers['x-forwarded-scopes']).toBe('read')
})

it('at13: T47: a token of the provider brings no scopes of other servers', async () => {
  const one = resource({ acceptProviderTokens: true, scopes: { mcp: 'Use it', read: 'Read' } })
  const other = resource({
    acceptProviderTokens: true,
    id: 'other',
    url: 'https://other.example.com',
    scopes: { admin: 'Admin' },
  })
  const accepting = await startAccepting({ resources: [one, other] })
  const token = await accepting.token({ scope: 'mcp admin root' })
  const scopes = async (headers = {}) =>
    (await accepting.bring(token, headers)).headers['x-forwarded-scopes']
  const there = { 'x-forwarded-host': 'other.example.com', 'x-forwarded-uri': '/' }
  expect([await scopes(), await scopes(there), await scopes()]).toEqual(['mcp', 'admin', 'mcp'])
})
