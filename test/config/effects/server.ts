/**
 * The effects of the settings for the gateway itself and the servers behind it.
 *
 * @module
 */
import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import type { TestApp } from '../../support/build-app.ts'
import { authorizeUrl, check, obtainTokens, register } from '../../support/oauth-client.ts'
import { exchange, listen, open } from '../../support/raw-http.ts'
import { startUpstream } from '../../support/upstream-server.ts'
import { load, problemsOf } from '../harness.ts'
import { atProvider, expectPersonToken } from './provider.ts'
import { type Effect, start } from './start.ts'

export async function metadata({ app }: TestApp): Promise<Record<string, unknown>> {
  return (await app.inject('/.well-known/oauth-authorization-server')).json()
}

/** Sends ann's request through the gateway to an upstream, and returns the request that arrived there. */
export async function callThrough(
  startWith: (upstream: string) => Promise<TestApp>,
  lines: readonly string[] = [],
) {
  const upstream = await startUpstream((_request, response) => response.end('ok'))
  const { app } = await startWith(`${upstream.origin}/there`)
  const { tokens } = await obtainTokens(app)
  const answer = await exchange(await listen(app), [
    'GET /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    `Authorization: Bearer ${tokens.access_token}`,
    ...lines,
  ])
  expect(answer.status).toBe(200)
  // Our own question about scopes is not the request of a client.
  const request = upstream.requests.find(({ headers }) => headers['user-agent'] !== 'gatewarden')
  if (!request) throw new Error('nothing arrived')
  return request
}

const firstCookie = async (env: Record<string, string>) => {
  const { app } = await start(env)
  const { url, host } = { url: authorizeUrl(await register(app)), host: 'gateway.lan' }
  return (await app.inject({ url, headers: { host } })).headers['set-cookie']
}

/** The setting counts at this address, in place of `RATE_LIMIT`, and nowhere else. */
async function limits(setting: string, url: string, method: 'GET' | 'POST' = 'POST') {
  const headers = { host: 'auth.example.com' }
  const statuses = async (env: Record<string, string>) => {
    const { app } = await start(env)
    const found: boolean[] = []
    for (let i = 0; i < 3; i++) {
      found.push((await app.inject({ method, url, headers })).statusCode === 429)
    }
    return found
  }
  expect(await statuses({ RATE_LIMIT: '1', [setting]: '2' })).toEqual([false, false, true])
  expect(await statuses({ RATE_LIMIT: '2' })).toEqual([false, false, true])
  expect(await statuses({ RATE_LIMIT: '1', [setting]: '0' })).toEqual([false, false, false])
}

export const server: Record<
  | 'public_url'
  | 'path_prefix'
  | 'dev_mode'
  | 'resources'
  | 'resource_name'
  | 'upstream_url'
  | 'mcp_per_subject_concurrency'
  | 'mcp_per_subject_streams'
  | 'upstream_authorization_header'
  | 'upstream_provider_token'
  | 'upstream_body_limit'
  | 'upstream_header_limit'
  | 'upstream_idle_timeout'
  | 'trusted_proxies'
  | 'protected_path'
  | 'discovery_at'
  | 'allowed_origins'
  | 'api_key_header'
  | 'identity_headers'
  | 'assertion_header'
  | 'rate_limit'
  | 'rate_limit_discovery'
  | 'rate_limit_device'
  | 'rate_limit_register'
  | 'rate_limit_token'
  | 'rate_limit_revoke'
  | 'rate_limit_introspect'
  | 'rate_limit_login'
  | 'rate_limit_refused'
  | 'enable_edge_auth'
  | 'hsts'
  | 'prod_mode',
  Effect
> = {
  async hsts() {
    const policyWith = async (env: Record<string, string>) => {
      const { app } = await start(env)
      const headers = { host: 'auth.example.com' }
      return (await app.inject({ url: '/jwks', headers })).headers['strict-transport-security']
    }
    expect(await policyWith({})).toBe('max-age=31536000')
    for (const off of ['off', 'false', '0']) expect(await policyWith({ HSTS: off })).toBeUndefined()
  },
  async public_url() {
    expect(await metadata(await start({ PUBLIC_URL: 'https://login.example.org' }))).toMatchObject({
      issuer: 'https://login.example.org',
      token_endpoint: 'https://login.example.org/token',
    })
  },

  async path_prefix() {
    const env = { PUBLIC_URL: 'https://login.example.org', PATH_PREFIX: '/auth-gw' }
    expect(await metadata(await start(env))).toMatchObject({
      issuer: 'https://login.example.org/auth-gw',
      token_endpoint: 'https://login.example.org/auth-gw/token',
    })
  },

  async dev_mode() {
    const env = { PUBLIC_URL: 'http://gateway.lan' }
    expect(problemsOf(() => load({ env }))).toHaveLength(1)
    const cookie = await firstCookie({ ...env, DEV_MODE: 'true' })
    expect(String(cookie)).toMatch(/^gw_browser=/)
    expect(String(cookie)).not.toContain('Secure')
  },

  async resources() {
    const { app } = await start({ RESOURCES: 'https://a.example.com/mcp,https://b.example.com' })
    const ask = (host: string) =>
      check(app, { 'x-forwarded-host': host, 'x-forwarded-uri': '/mcp' })
    expect((await ask('a.example.com')).statusCode).toBe(401)
    expect((await ask('b.example.com')).statusCode).toBe(401)
    expect((await ask('mcp.example.com')).statusCode).toBe(403)
  },

  async resource_name() {
    const { app } = await start({ RESOURCE_NAME: 'Team notes' })
    const path = '/.well-known/oauth-protected-resource/notes/mcp'
    const headers = { host: 'mcp.example.com' }
    const document = await app.inject({ url: path, headers })
    expect(document.json()).toMatchObject({ resource_name: 'Team notes' })
    const yaml = 'resources: { a: { url: "https://a.example.com", name: Own } }\n'
    const env = { RESOURCES: undefined, RESOURCE_NAME: 'Other' }
    const { config, warnings } = load({ env, yaml })
    expect(config.resources).toMatchObject([{ name: 'Own' }])
    expect(warnings).toEqual(['RESOURCE_NAME: has no effect, because resources.a.name is set too.'])
  },

  async upstream_url() {
    const request = await callThrough((upstream) => start({ UPSTREAM_URL: upstream }))
    expect(request.url).toBe('/there')
  },

  async upstream_authorization_header() {
    const env = { UPSTREAM_AUTHORIZATION_HEADER: 'Bearer of-the-server' }
    const request = await callThrough((upstream) => start({ ...env, UPSTREAM_URL: upstream }))
    expect(request.headers.authorization).toBe('Bearer of-the-server')
    expect(problemsOf(() => load({ env }))).toEqual([
      expect.stringMatching(
        /^UPSTREAM_AUTHORIZATION_HEADER: needs exactly one resource with an upstream, but there are 0/,
      ),
    ])
    const bad = { UPSTREAM_AUTHORIZATION_HEADER: 'of-the-server' }
    const problems = problemsOf(() => load({ env: { ...bad, UPSTREAM_URL: 'http://notes' } }))
    expect(problems.join()).toContain('Write it with its scheme')
    expect(problems.join()).not.toContain('of-the-server')
  },

  async upstream_provider_token() {
    const header = (name: string) => ({ UPSTREAM_PROVIDER_TOKEN: name })
    await expectPersonToken(({ issuer }, upstream) =>
      start({ ...atProvider(issuer), ...header('X-Provider-Token'), UPSTREAM_URL: upstream }),
    )
    const problems = (more: Record<string, string>) =>
      problemsOf(() => load({ env: { ...atProvider('https://id.example.com'), ...more } })).join()
    expect(problems(header('X-Provider-Token'))).toContain(
      'UPSTREAM_PROVIDER_TOKEN: needs exactly one resource with an upstream, but there are 0',
    )
    const UPSTREAM_URL = 'http://notes'
    expect(problems({ ...header('true'), UPSTREAM_URL })).toContain('is not the name of a header')
    expect(problems({ ...header('Host'), UPSTREAM_URL })).toContain('already has another meaning')
  },

  async upstream_body_limit() {
    const statusOf = async (limit: string) => {
      const upstream = await startUpstream((_request, response) => response.end('ok'))
      const env = { UPSTREAM_URL: upstream.origin, UPSTREAM_BODY_LIMIT: limit }
      const { answer } = await callWith(env, ['Content-Length: 2000'], 'x'.repeat(2000))
      return answer.status
    }
    expect([await statusOf('1k'), await statusOf('2KiB'), await statusOf('0')]).toEqual([
      413, 200, 200,
    ])
    const bad = (value: string) => problemsOf(() => load({ env: { UPSTREAM_BODY_LIMIT: value } }))
    expect(bad('10 apples').join()).toContain('is not a size. Write it like')
    expect(bad('2000g').join()).toContain('is out of bounds')
  },

  async upstream_header_limit() {
    const upstream = await startUpstream((_request, response) =>
      response.writeHead(200, { 'x-long': 'x'.repeat(10_000) }).end(),
    )
    const env = { UPSTREAM_URL: upstream.origin }
    expect((await callWith(env)).answer.status).toBe(200)
    expect((await callWith({ ...env, UPSTREAM_HEADER_LIMIT: '8k' })).answer.status).toBe(502)
  },

  mcp_per_subject_concurrency: () => expectCap('MCP_PER_SUBJECT_CONCURRENCY', '*/*'),
  mcp_per_subject_streams: () => expectCap('MCP_PER_SUBJECT_STREAMS', 'text/event-stream'),

  async upstream_idle_timeout() {
    const silent = await startUpstream()
    const env = { UPSTREAM_URL: silent.origin, UPSTREAM_IDLE_TIMEOUT: '1s' }
    const { app } = await start(env)
    const { tokens } = await obtainTokens(app)
    const port = await listen(app)
    const authorization = `Authorization: Bearer ${tokens.access_token}`
    const head = ['GET /notes/mcp HTTP/1.1', 'Host: mcp.example.com', authorization]
    expect((await exchange(port, head)).status).toBe(502)
  },

  async protected_path() {
    const { app } = await start({ PROTECTED_PATH: '/mcp-auth/check' })
    expect((await app.inject('/mcp-auth/check')).statusCode).toBe(401)
    expect((await app.inject('/sse')).statusCode).toBe(404)
  },

  async discovery_at() {
    const document = async (env: Record<string, string>) => {
      const { headers } = await check((await start(env)).app)
      return /resource_metadata="([^"]*)"/.exec(String(headers['www-authenticate']))?.[1]
    }
    const PRM = '/.well-known/oauth-protected-resource'
    expect(await document({})).toBe(`https://mcp.example.com${PRM}/notes/mcp`)
    expect(await document({ DISCOVERY_AT: 'gateway' })).toBe(
      `https://auth.example.com${PRM}/auth/r/mcp.example.com/notes/mcp`,
    )
    expect(problemsOf(() => load({ env: { DISCOVERY_AT: 'login' } }))).toEqual([
      expect.stringContaining('DISCOVERY_AT'),
    ])
  },

  async trusted_proxies() {
    const ask = async (env: Record<string, string>) =>
      (await start(env)).app.inject({
        url: '/auth/traefik',
        remoteAddress: '203.0.113.9',
        headers: {
          'x-forwarded-method': 'POST',
          'x-forwarded-proto': 'https',
          'x-forwarded-host': 'mcp.example.com',
          'x-forwarded-uri': '/notes/mcp',
        },
      })
    expect((await ask({})).statusCode).toBe(403)
    expect((await ask({ TRUSTED_PROXIES: '203.0.113.0/24' })).statusCode).toBe(401)
  },

  async allowed_origins() {
    const page = 'https://app.example.net'
    const own = 'http://localhost:6274'
    const ask = async (origin: string, env: Record<string, string> = {}) =>
      (await check((await start(env)).app, { origin })).statusCode
    expect([await ask(page), await ask(own)]).toEqual([403, 401])
    const listed = { ALLOWED_ORIGINS: page }
    expect([await ask(page, listed), await ask(own, listed)]).toEqual([401, 403])
    const both = { ALLOWED_ORIGINS: `loopback,${page}` }
    expect([await ask(page, both), await ask(own, both)]).toEqual([401, 401])
    expect(await ask('https://evil.test', both)).toBe(403)
  },

  async api_key_header() {
    const { app } = await start({ API_KEY_HEADER: 'X-Key' })
    const answer = await check(app, { 'x-key': 'gwk_unknown' })
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
    const other = await check(app, { 'x-api-key': 'gwk_unknown' })
    expect(other.headers['www-authenticate']).not.toContain('error=')
  },
  async identity_headers() {
    const { app } = await start({ IDENTITY_HEADERS: 'X-Auth-Request-User=X-Forwarded-User' })
    const { tokens } = await obtainTokens(app)
    const { headers } = await check(app, { authorization: `Bearer ${tokens.access_token}` })
    expect(headers['x-auth-request-user']).toBe('ann@example.com')
    expect(headers).not.toHaveProperty('x-forwarded-user')
  },

  async assertion_header() {
    const ask = async (env: Record<string, string>) => {
      const { app } = await start(env)
      const { tokens } = await obtainTokens(app)
      return (await check(app, { authorization: `Bearer ${tokens.access_token}` })).headers
    }
    expect(await ask({})).not.toHaveProperty('cf-access-jwt-assertion')
    const headers = await ask({ ASSERTION_HEADER: 'Cf-Access-Jwt-Assertion' })
    const { email } = decodeJwt(String(headers['cf-access-jwt-assertion']))
    expect(email).toBe('ann@example.com')
    expect(headers['x-forwarded-user']).toBe('ann@example.com')
    for (const taken of ['X-User-Id', 'x-api-key', 'Authorization', 'no header']) {
      expect(problemsOf(() => load({ env: { ASSERTION_HEADER: taken } }))).toEqual([
        expect.stringContaining('ASSERTION_HEADER'),
      ])
    }
  },

  async rate_limit() {
    const { app } = await start({ RATE_LIMIT: '2' })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) {
      statuses.push((await app.inject({ method: 'POST', url: '/register' })).statusCode)
    }
    expect(statuses.map((status) => status === 429)).toEqual([false, false, true])
  },

  rate_limit_discovery: () => limits('RATE_LIMIT_DISCOVERY', '/jwks', 'GET'),
  rate_limit_device: () => limits('RATE_LIMIT_DEVICE', '/device_authorization'),
  rate_limit_register: () => limits('RATE_LIMIT_REGISTER', '/register'),
  rate_limit_token: () => limits('RATE_LIMIT_TOKEN', '/token'),
  rate_limit_revoke: () => limits('RATE_LIMIT_REVOKE', '/revoke'),
  rate_limit_introspect: () => limits('RATE_LIMIT_INTROSPECT', '/introspect'),
  rate_limit_login: () => limits('RATE_LIMIT_LOGIN', '/authorize', 'GET'),
  async rate_limit_refused() {
    const { app } = await start({ RATE_LIMIT: '1', RATE_LIMIT_REFUSED: '2' })
    const statuses: number[] = []
    for (let i = 0; i < 3; i++) statuses.push((await check(app)).statusCode)
    expect(statuses).toEqual([401, 401, 429])
  },

  async enable_edge_auth() {
    const ask = async (env: Record<string, string>) =>
      (await start(env)).app.inject({
        url: '/auth/connect?callback_port=49152&code=K7M-2QXA',
        headers: { host: 'mcp.example.com' },
      })
    expect((await ask({})).statusCode).toBe(404)
    expect((await ask({ ENABLE_EDGE_AUTH: 'true' })).headers.location).toContain(
      '/.gatewarden/login?rd=',
    )
  },

  async prod_mode() {
    const env = { ALLOWED_EMAILS: '*' }
    expect(problemsOf(() => load({ env }))).toEqual([])
    expect(problemsOf(() => load({ env: { ...env, PROD_MODE: 'true' } }))).toEqual([
      'ALLOWED_EMAILS: * lets in anyone who can log in, which PROD_MODE refuses. List who may pass.',
    ])
  },
}

/** Sends one request with a good token through pass-through. */
async function callWith(env: Record<string, string>, lines: readonly string[] = [], body = '') {
  const { app } = await start(env)
  const { tokens } = await obtainTokens(app)
  const port = await listen(app)
  const head = [
    'GET /notes/mcp HTTP/1.1',
    'Host: mcp.example.com',
    `Authorization: Bearer ${tokens.access_token}`,
  ]
  return { port, head, answer: await exchange(port, [...head, ...lines], body) }
}

/** With a cap of one, a second request is refused while the first is open. */
async function expectCap(name: string, accept: string): Promise<void> {
  const statusOf = async (cap: string) => {
    const upstream = await startUpstream((request, response) => {
      if (request.headers['x-short'] !== undefined) response.end('ok')
    })
    const env = { UPSTREAM_URL: upstream.origin, [name]: cap }
    const { port, head } = await callWith(env, ['X-Short: 1'])
    await upstream.next()
    const lines = [...head, `Accept: ${accept}`]
    const held = await open(port)
    held.send(`${lines.join('\r\n')}\r\n\r\n`)
    await upstream.next()
    const { status } = await exchange(port, [...lines, 'X-Short: 1'])
    held.leave()
    return status
  }
  expect([await statusOf('1'), await statusOf('2'), await statusOf('0')]).toEqual([429, 200, 200])
  expect(problemsOf(() => load({ env: { [name]: 'many' } })).join()).toContain('is not a number')
}
