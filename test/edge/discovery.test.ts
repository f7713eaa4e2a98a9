import { describe, expect, it } from 'vitest'
import { buildTestApp, resource } from '../support/build-app.ts'
import { makeSession } from '../support/session.ts'
import { ask, askTunnel, buildEdgeApp, CONNECT, HOST, open } from './support.ts'

describe('/auth/oidc-config', () => {
  it.each([
    ['a protected host', {}, HOST, 'https://mcp.example.com/notes/mcp'],
    ["the gateway's own host", {}, 'auth.example.com', 'https://mcp.example.com/notes/mcp'],
    ['the cookie domain', { cookieDomain: 'example.com' }, HOST, 'https://example.com'],
  ])('says issuer and audience of %s', async (_name, changes, host, audience) => {
    const { app } = await buildEdgeApp(changes)
    const answer = await ask(app, '/auth/oidc-config', { host, origin: 'https://any.test' })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['access-control-allow-origin']).toBe('*')
    expect(answer.json()).toEqual({ issuer: 'https://auth.example.com', audience })
  })

  it('knows the hosts of a wildcard, and no other', async () => {
    const { app } = await buildEdgeApp({
      resources: [resource({ url: 'https://*.tools.example.com' })],
    })
    const at = (host: string) => ask(app, '/auth/oidc-config', { host })
    expect((await at('a.tools.example.com')).json()).toMatchObject({
      audience: 'https://a.tools.example.com',
    })
    expect((await at('a.b.tools.example.com')).statusCode).toBe(404)
    expect((await at('unknown.example.com')).statusCode).toBe(404)
  })

  it('answers a preflight, and no other method', async () => {
    const { app } = await buildEdgeApp()
    const url = '/auth/oidc-config'
    expect((await app.inject({ method: 'OPTIONS', url })).statusCode).toBe(204)
    expect((await app.inject({ method: 'POST', url })).statusCode).toBe(405)
  })
})

it('does not exist at all unless it was asked for', async () => {
  const test = await buildTestApp()
  const { cookie } = await makeSession(test)
  expect((await open(test.app, CONNECT, { cookie })).statusCode).toBe(404)
  expect((await ask(test.app, CONNECT)).statusCode).toBe(404)
  expect((await ask(test.app, '/auth/oidc-config')).statusCode).toBe(404)
  expect((await askTunnel(test.app, { cookie })).statusCode).toBe(404)
})
