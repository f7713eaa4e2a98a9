/**
 * Questions without a proxy (decision K40), and the addresses of the check that users of mcpauth have (sp3, sa6 to sa8).
 *
 * @module
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { obtainTokens } from '../support/oauth-client.ts'

const PATHS = ['/auth', '/sse', '/verify', '/_ws_tunnel']

const ask = (
  { app }: TestApp,
  url: string,
  options: { headers?: Record<string, string>; remoteAddress?: string } = {},
) => app.inject({ url, remoteAddress: '127.0.0.1', ...options })

const build = (changes: Parameters<typeof buildTestApp>[0] = {}) =>
  buildTestApp({ edgeAuth: true, ...changes })

describe.each(PATHS)('K40: %s, asked with curl on the same machine', (url) => {
  it('sa7: judges the only server', async () => {
    const gateway = await build()
    expect((await ask(gateway, url)).statusCode).toBe(401)
    expect((await ask(gateway, url, { remoteAddress: '::1' })).statusCode).toBe(401)
    expect((await ask(gateway, url, { remoteAddress: '::ffff:127.0.0.1' })).statusCode).toBe(401)
  })

  it.each([
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-original-url',
    'x-original-method',
    'x-real-ip',
    'forwarded',
    'via',
    'cf-connecting-ip',
  ])('is refused as before beside a lone %s', async (name) => {
    const gateway = await build()
    expect((await ask(gateway, url, { headers: { [name]: '127.0.0.1' } })).statusCode).toBe(403)
  })

  it('is refused from another machine, also if it is a trusted proxy', async () => {
    const gateway = await build({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] })
    expect((await ask(gateway, url, { remoteAddress: '10.0.0.7' })).statusCode).toBe(403)
  })

  it('is refused from this machine if its proxy is not trusted', async () => {
    const gateway = await build({ trustedProxies: ['10.0.0.0/8'] })
    expect((await ask(gateway, url)).statusCode).toBe(403)
  })

  it('is refused with a second server, or with a wildcard', async () => {
    const second = resource({ id: 'second', url: 'https://mcp.example.com/second' })
    const several = await build({ resources: [resource(), second] })
    expect((await ask(several, url)).statusCode).toBe(403)
    const wildcard = await build({ resources: [resource({ url: 'https://*.example.com' })] })
    expect((await ask(wildcard, url)).statusCode).toBe(403)
  })

  it('is refused under PROD_MODE', async () => {
    const gateway = await build({ directChecks: false })
    expect((await ask(gateway, url)).statusCode).toBe(403)
  })
})

it('sa8: a good token is 200 with the person, a bad one 401, at /auth and /sse', async () => {
  const gateway = await build()
  const { tokens } = await obtainTokens(gateway.app)
  for (const url of ['/auth', '/sse']) {
    const good = await ask(gateway, url, {
      headers: { authorization: `Bearer ${tokens.access_token}` },
    })
    expect(good.statusCode).toBe(200)
    expect(good.headers['x-forwarded-user']).toBe('ann@example.com')
    const bad = await ask(gateway, url, { headers: { authorization: 'Bearer nonsense' } })
    expect(bad.statusCode).toBe(401)
    expect(bad.headers['www-authenticate']).toContain('resource_metadata=')
  }
})

it('sa7: the tunnel answers in the words of mcpauth', async () => {
  const gateway = await build()
  expect((await ask(gateway, '/_ws_tunnel')).json()).toEqual({ error: 'authentication required' })
  const headers = { cookie: 'CF_Authorization=nonsense' }
  expect((await ask(gateway, '/_ws_tunnel', { headers })).json()).toEqual({
    error: 'invalid or expired token',
  })
})

it('says so in the log', async () => {
  const gateway = await build()
  await ask(gateway, '/auth')
  await ask(gateway, '/auth')
  expect(gateway.logs.filter(({ event }) => event === 'asked-directly')).toHaveLength(1)
})

describe('sp3: PROTECTED_PATH', () => {
  const forwarded = {
    'x-forwarded-method': 'POST',
    'x-forwarded-host': 'mcp.example.com',
    'x-forwarded-uri': '/notes/mcp',
    'x-forwarded-proto': 'https',
  }

  it('is the check with the headers of Traefik, at /sse by default', async () => {
    const gateway = await build()
    const answer = await ask(gateway, '/sse', { headers: forwarded })
    expect(answer.statusCode).toBe(401)
    expect(answer.headers['www-authenticate']).toContain('resource_metadata=')
  })

  it('is the server of a host where one is behind Gatewarden at this path', async () => {
    const upstream = 'http://127.0.0.1:9'
    const whole = resource({ url: 'https://mcp.example.com', upstream })
    const gateway = await build({ resources: [whole], directChecks: false })
    const { headers } = await ask(gateway, '/sse', { headers: { host: 'mcp.example.com' } })
    expect(headers['www-authenticate']).toContain('https://mcp.example.com/.well-known')
    const health = await ask(gateway, '/health', { headers: { host: 'mcp.example.com' } })
    expect(health.statusCode).toBe(401)
  })
})
