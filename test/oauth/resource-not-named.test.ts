/** K43: the resource of a client that names none, and what the consent page says about it. */

import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { authorizeUrl, codeOf, redeem, register, signIn } from '../support/oauth-client.ts'

const NOTES = resource()
const FILES = resource({
  id: 'files',
  url: 'https://files.example.com/mcp',
  name: 'Files',
  scopes: { mcp: 'Use this server', 'files:read': 'Read files' },
})
const TRACKER = resource({
  id: 'tracker',
  url: 'https://mcp.example.com/tracker',
  name: 'Tracker',
  scopes: { 'tracker:read': 'Read issues', 'tracker:write': 'Write issues' },
  defaultScopes: ['tracker:read'],
})
const WILD = resource({ id: 'wild', url: 'https://*.apps.example.com', name: 'Apps' })

let test: TestApp
const start = async (resources = [NOTES, FILES, TRACKER, WILD]) => {
  test = await buildTestApp({ resources })
}
beforeEach(() => start())

/** Asks without a resource at a host, follows to the gateway, and tells which server the page names. */
async function named(host: string, scope?: string) {
  const client = await register(test.app)
  const browser = createBrowser(test.app)
  const url = authorizeUrl(client, { resource: undefined, scope })
  const first = await browser.get(url, { host })
  if (host === 'auth.example.com') return first
  expect(first.statusCode).toBe(302)
  const location = new URL(String(first.headers.location))
  expect(location.origin).toBe('https://auth.example.com')
  return browser.get(location.href)
}

describe('K43: a client that names no resource means', () => {
  it.each([
    [
      'the server of the host that it asked',
      'files.example.com',
      undefined,
      'files.example.com/mcp',
    ],
    [
      'that host before a scope of another',
      'files.example.com',
      'tracker:read',
      'files.example.com/mcp',
    ],
    [
      'the server of a host under a wildcard',
      'a.apps.example.com',
      undefined,
      'a.apps.example.com',
    ],
    ['one of the host by a scope', 'mcp.example.com', 'tracker:read', 'mcp.example.com/tracker'],
    [
      'the server that alone has the scope',
      'auth.example.com',
      'openid files:read mcp',
      'files.example.com/mcp',
    ],
    [
      'one that has all the scopes',
      'auth.example.com',
      'tracker:read tracker:write',
      'mcp.example.com/tracker',
    ],
  ])('%s', async (_what, host, scope, address) => {
    const page = await named(host, scope)
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain(`<bdi>${address}</bdi>`)
  })

  it.each([
    ['a scope that several have', 'mcp'],
    ['scopes of two servers', 'files:read tracker:read'],
    ['an unknown scope', 'openid'],
    ['no scope', undefined],
  ])('none by %s, and learns which setting decides', async (_what, scope) => {
    const answer = await named('auth.example.com', scope)
    const location = new URL(String(answer.headers.location))
    expect(location.searchParams.get('error')).toBe('invalid_target')
    expect(location.searchParams.get('error_description')).toContain('default: true')
  })

  it('the default one otherwise', async () => {
    await start([NOTES, { ...FILES, isDefault: true }, TRACKER])
    expect((await named('auth.example.com')).body).toContain('<bdi>files.example.com/mcp</bdi>')
    expect((await named('mcp.example.com')).body).toContain('<bdi>files.example.com/mcp</bdi>')
    const scoped = await named('auth.example.com', 'tracker:read')
    expect(scoped.body).toContain('<bdi>mcp.example.com/tracker</bdi>')
  })

  it('the same at the token endpoint, where it names none either', async () => {
    const client = await register(test.app)
    const url = authorizeUrl(client, { resource: undefined, scope: 'tracker:read' })
    const answer = await signIn(createBrowser(test.app), url)
    const tokens = await redeem(test.app, client, codeOf(answer))
    expect(decodeJwt(tokens.json().access_token).aud).toBe(TRACKER.url)
  })
})

describe('K43: the host that was asked', () => {
  it('is not carried where the client names a resource, or from a host that is not protected', async () => {
    const client = await register(test.app)
    const at = async (host: string, changes: Record<string, string | undefined>) =>
      String(
        (await createBrowser(test.app).get(authorizeUrl(client, changes), { host })).headers
          .location,
      )
    expect(await at('files.example.com', {})).not.toContain('gw_host')
    expect(await at('elsewhere.example.com', { resource: undefined })).not.toContain('gw_host')
    expect(await at('files.example.com', { resource: undefined })).toContain('gw_host')
  })

  it.each(['elsewhere.example.com', '%00', 'a b', 'https://files.example.com'])(
    'counts only where it is one: %s',
    async (host) => {
      const client = await register(test.app)
      const url = `${authorizeUrl(client, { resource: undefined })}&gw_host=${host}`
      const answer = await createBrowser(test.app).get(url)
      expect(String(answer.headers.location)).toMatch(/error=invalid_(?:target|request)/)
    },
  )
})
