/**
 * MCP 2026-07-28, authorization: its demands on the protected server, which the gateway answers for (rows R1-R24 of
 * this folder's README).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens, type Tokens } from '../support/oauth-client.ts'
import { linesOf, startUpstream, type UpstreamServer } from '../support/upstream-server.ts'
import {
  challengeOf,
  fetchFrom,
  ISSUER,
  MCP_HOST,
  resourceMetadata,
  serverMetadata,
} from './wire.ts'

const PRM = 'https://mcp.example.com/.well-known/oauth-protected-resource/notes/mcp'
const SCOPES = { read: 'Read notes', write: 'Write notes', admin: 'Manage notes' }

let gateway: TestApp
let tokens: Tokens
beforeEach(async () => {
  gateway = await buildTestApp()
  ;({ tokens } = await obtainTokens(gateway.app))
})

const bearer = (issued = tokens) => ({ authorization: `Bearer ${issued.access_token}` })

describe('discovery', () => {
  it('R1, R2: the protected resource is described, with an authorization server', async () => {
    const metadata = await resourceMetadata(gateway.app, PRM)
    expect(metadata.resource).toBe('https://mcp.example.com/notes/mcp')
    expect(metadata.authorization_servers).toEqual([ISSUER])
  })

  it('R3: from the challenge', async () => {
    const { resource_metadata } = challengeOf(await check(gateway.app)).parameters
    expect(resource_metadata).toBe(PRM)
  })

  it.each([
    ['at the path of the endpoint', PRM],
    ['at the root', 'https://mcp.example.com/.well-known/oauth-protected-resource'],
  ])('R3: %s, without a challenge', async (_where, url) => {
    expect((await fetchFrom(gateway.app, url)).statusCode).toBe(200)
  })

  it('R6: scopes_supported is what basic use needs, and never offline_access', async () => {
    const { app } = await buildTestApp({
      resources: [resource({ scopes: SCOPES, requiredScopes: ['read'], defaultScopes: ['read'] })],
    })
    expect((await resourceMetadata(app, PRM)).scopes_supported).toEqual(['read'])
    expect(challengeOf(await check(app)).parameters.scope).toBe('read')
    expect((await serverMetadata(app)).scopes_supported).toContain('offline_access')
  })
})

describe('a request is answered with 401', () => {
  it('R4, R5, R15: and a bare challenge naming the scope when it brings no token', async () => {
    const answer = await check(gateway.app)
    expect(answer.statusCode).toBe(401)
    const { scheme, parameters } = challengeOf(answer)
    expect(scheme).toBe('Bearer')
    expect(parameters).toEqual({ resource_metadata: PRM, scope: 'mcp' })
  })

  it('R4, R15: and invalid_token when it brings one that is none', async () => {
    const answer = await check(gateway.app, { authorization: 'Bearer x' })
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters.error).toBe('invalid_token')
  })

  it('R4: and invalid_token when the token has expired', async () => {
    gateway.clock.advance(tokens.expires_in)
    const answer = await check(gateway.app, bearer())
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters.error).toBe('invalid_token')
  })

  it('R11: when the token was issued for another server of the same gateway', async () => {
    const wiki = resource({ id: 'wiki', url: 'https://mcp.example.com/wiki', allow: ANYONE })
    const two = await gateway.restart({ resources: [resource(), wiki] })
    const answer = await check(two.app, { ...bearer(), 'x-forwarded-uri': '/wiki' })
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters.error).toBe('invalid_token')
  })

  it('R13: when the token comes in the query', async () => {
    const answer = await check(gateway.app, {
      'x-forwarded-uri': `/notes/mcp?access_token=${tokens.access_token}`,
    })
    expect(answer.statusCode).toBe(401)
  })

  it.each(['GET', 'POST', 'DELETE', 'PUT', 'HEAD'])(
    'R14: by %s as by any method',
    async (method) => {
      const answer = await check(gateway.app, {
        'x-forwarded-method': method,
        accept: 'text/event-stream',
      })
      expect(answer.statusCode).toBe(401)
    },
  )

  it('R14: on each request anew, be the token good a moment ago', async () => {
    expect((await check(gateway.app, bearer())).statusCode).toBe(200)
    expect((await check(gateway.app)).statusCode).toBe(401)
  })

  it('R24: when it is server/discover as when it is any other', async () => {
    const answer = await check(gateway.app, {
      'mcp-method': 'server/discover',
      'mcp-protocol-version': '2026-07-28',
    })
    expect(answer.statusCode).toBe(401)
    expect(challengeOf(answer).parameters.resource_metadata).toBe(PRM)
  })
})

it('R10: a malformed credential is answered with 400', async () => {
  const answer = await check(gateway.app, { authorization: 'Bearer a b' })
  expect(answer.statusCode).toBe(400)
  expect(challengeOf(answer).parameters.error).toBe('invalid_request')
})

describe('scopes', () => {
  const strict = resource({ scopes: SCOPES, requiredScopes: ['read', 'write'] })

  it('R7, R8: too few are answered with 403 and all that are needed, in one challenge', async () => {
    const open = resource({ scopes: SCOPES, defaultScopes: ['read'] })
    const before = await buildTestApp({ resources: [open] })
    const narrow = await obtainTokens(before.app, { authorize: { scope: 'read' } })
    const after = await before.restart({ resources: [strict] })
    const answer = await check(after.app, bearer(narrow.tokens))
    expect(answer.statusCode).toBe(403)
    expect(challengeOf(answer).parameters).toMatchObject({
      error: 'insufficient_scope',
      scope: 'read write',
      resource_metadata: PRM,
    })
  })

  it('R9: more than needed is enough', async () => {
    const { app } = await buildTestApp({ resources: [strict] })
    const broad = await obtainTokens(app, { authorize: { scope: 'read write admin' } })
    expect((await check(app, bearer(broad.tokens))).statusCode).toBe(200)
  })
})

describe.each(['https://mcp.example.com/notes/mcp/', 'HTTPS://MCP.EXAMPLE.COM/notes/mcp'])(
  'R16: the resource written as %s',
  (spelling) => {
    it('is the same resource', async () => {
      const { tokens: issued } = await obtainTokens(gateway.app, {
        authorize: { resource: spelling },
      })
      expect((await check(gateway.app, bearer(issued))).statusCode).toBe(200)
    })
  },
)

it('R17: a web page of a foreign origin is answered with 403, token or not', async () => {
  const answer = await check(gateway.app, { ...bearer(), origin: 'https://evil.example' })
  expect(answer.statusCode).toBe(403)
})

it('R19: no token is in the log', async () => {
  await check(gateway.app, bearer())
  await check(gateway.app, { authorization: 'Bearer a-token-of-somebody-else' })
  const log = JSON.stringify(gateway.logs)
  expect(log.length).toBeGreaterThan(2)
  for (const secret of [tokens.access_token, tokens.refresh_token, 'a-token-of-somebody-else']) {
    expect(log).not.toContain(secret)
  }
})

it('R23: an answer for one caller is never another one’s', async () => {
  const answer = await check(gateway.app, bearer())
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.headers.vary).toMatch(/\bAuthorization\b/)
})

it('R12: a forward-auth answer leaves the proxy no token to pass on', async () => {
  const answer = await check(gateway.app, bearer())
  expect(answer.statusCode).toBe(200)
  expect(answer.headers.authorization ?? '').toBe('')
})

describe('the server behind the reverse proxy', () => {
  let upstream: UpstreamServer
  let proxied: TestApp
  beforeEach(async () => {
    upstream = await startUpstream((_request, response) => response.end('{}'))
    proxied = await gateway.restart({
      resources: [resource({ upstream: `${upstream.origin}/mcp` })],
    })
  })
  afterEach(() => upstream.stop())

  const call = (headers: Record<string, string>) =>
    proxied.app.inject({
      method: 'POST',
      url: '/notes/mcp',
      headers: { host: MCP_HOST, 'content-type': 'application/json', ...bearer(), ...headers },
      payload: '{}',
    })

  it('R12: never gets the token of the client', async () => {
    expect((await call({})).statusCode).toBe(200)
    const [request] = upstream.requests
    expect(request && linesOf(request, 'authorization')).toEqual([])
  })

  it('R20: gets Mcp-Param headers that nobody here knows', async () => {
    await call({ 'mcp-param-region': '=?base64?w4k=?=', 'mcp-param-unheard-of': '1' })
    const [request] = upstream.requests
    expect(request && linesOf(request, 'mcp-param-region')).toEqual(['=?base64?w4k=?='])
    expect(request && linesOf(request, 'mcp-param-unheard-of')).toEqual(['1'])
  })
})
