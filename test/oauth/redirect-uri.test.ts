import { describe, expect, it } from 'vitest'
import {
  destinationOf,
  type RedirectRules,
  redirectUriProblem,
  sameRedirectUri,
  withParameters,
} from '../../src/oauth/redirect-uri.ts'
import { buildTestApp } from '../support/build-app.ts'
import { authorizeUrl, REDIRECT_URI, register } from '../support/oauth-client.ts'

const OWN = 'https://auth.example.com'
const rules = (ownOrigin: string): RedirectRules => ({
  ownOrigin,
  isProtected: () => false,
  isOpenedScheme: () => false,
})

describe('a client may have', () => {
  it.each([
    'https://claude.ai/api/mcp/auth_callback',
    'https://vscode.dev/redirect',
    'https://app.example/cb?tenant=1',
    'http://127.0.0.1/',
    'http://127.0.0.1:33418/callback',
    'http://localhost:8787/callback',
    'http://localhost',
    'http://[::1]:5000/cb',
    'http://LOCALHOST:8787/callback',
    'HTTP://127.0.0.1:33418/Callback',
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'com.example.app:/oauth',
    'com.example.app://oauth/cb',
  ])('%s', (uri) => {
    expect(redirectUriProblem(uri, rules(OWN))).toBeUndefined()
  })
})

describe('T16: a client may not have', () => {
  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)//https://app.example',
    'data:text/html,<script>alert(1)</script>',
    'vbscript:msgbox(1)',
    'file:///etc/passwd',
    'blob:https://app.example/1',
    'mailto:a@example.com',
    'about:blank',
    'myapp://callback',
  ])('%s', (uri) => {
    expect(redirectUriProblem(uri, rules(OWN))).toEqual(expect.any(String))
  })
})

describe('T5: a client may not have', () => {
  it.each([
    ['http beyond loopback', 'http://evil.example/cb'],
    ['a host that only begins like loopback', 'http://localhost.evil.example/cb'],
    ['a host that only begins like an address', 'http://127.0.0.1.evil.example/cb'],
    ['loopback as user name', 'http://localhost:80@evil.example/cb'],
    ['a user name', 'https://good.example@evil.example/cb'],
    ['an empty user name', 'https://@evil.example/cb'],
    ['a backslash', 'https://good.example\\@evil.example/cb'],
    ['a fragment', 'https://app.example/cb#x'],
    ['an empty fragment', 'https://app.example/cb#'],
    ['a dot segment', 'https://app.example/a/../cb'],
    ['an encoded dot segment', 'https://app.example/a/%2e%2E/cb'],
    ['a final dot segment', 'https://app.example/a/..'],
    ['letters beyond ASCII', 'https://ex\u00e4mple.com/cb'],
    ['a space', 'https://app.example/a b'],
    ['a line break', 'https://app.example/\r\nset-cookie:x'],
    ['a tab that a browser drops', 'java\tscript:alert(1)'],
    ['markup', 'https://app.example/"><script>'],
    ['no scheme', '//evil.example/cb'],
    ['a path only', '/callback'],
    ['nothing', ''],
    ['a wildcard port', 'http://localhost:*/cb'],
    ['too much', `https://app.example/${'a'.repeat(512)}`],
  ])('%s', (_what, uri) => {
    expect(redirectUriProblem(uri, rules(OWN))).toEqual(expect.any(String))
  })
})

describe('T6: a client may not have the authorization server itself', () => {
  it.each([
    [OWN, `${OWN}/callback`],
    [OWN, 'https://AUTH.example.com/callback'],
    [OWN, 'https://auth.example.com:443/login'],
    ['http://localhost:8080', 'http://localhost:8080/callback'],
  ])('of %s: %s', (own, uri) => {
    expect(redirectUriProblem(uri, rules(own))).toBe('points to the authorization server itself')
  })
})

describe('T5: a requested URI is the registered one', () => {
  it.each([
    ['https://app.example/cb', 'https://app.example/cb'],
    ['http://127.0.0.1:1/cb', 'http://127.0.0.1:65535/cb'],
    ['http://localhost/cb', 'http://localhost:4000/cb'],
    ['http://localhost:4000', 'http://localhost/'],
    ['http://[::1]/cb?a=1', 'http://[::1]:9/cb?a=1'],
    ['cursor://x/cb', 'cursor://x/cb'],
  ])('%s = %s', (registered, requested) => {
    expect(sameRedirectUri(requested, registered)).toBe(true)
  })
  it.each([
    ['https://app.example/cb', 'https://app.example/cb/'],
    ['https://app.example/cb', 'https://app.example/cb/x'],
    ['https://app.example/cb', 'https://app.example/cb?x=1'],
    ['https://app.example/cb', 'https://app.example:8443/cb'],
    ['https://app.example/cb', 'https://APP.example/cb'],
    ['https://app.example/cb', 'https://sub.app.example/cb'],
    ['https://app.example/cb', 'http://app.example/cb'],
    ['https://localhost/cb', 'https://localhost:4000/cb'],
    ['http://localhost/cb', 'http://127.0.0.1/cb'],
    ['http://localhost/cb', 'http://localhost:4000/other'],
    ['http://localhost/cb', 'http://localhost:4000/cb?x=1'],
    ['http://localhost/cb', 'http://localhost:80@evil.example/cb'],
    ['http://localhost/cb', 'http://localhost:4000.evil.example/cb'],
    ['http://localhost/cb', 'http://localhost:123456/cb'],
    ['cursor://x/cb', 'cursor://x:1/cb'],
  ])('%s is not %s', (registered, requested) => {
    expect(sameRedirectUri(requested, registered)).toBe(false)
  })
})

it.each([
  ['http://localhost:1/cb', { kind: 'loopback', host: 'localhost:1' }],
  ['https://claude.ai/cb', { kind: 'host', host: 'claude.ai' }],
  ['cursor://x/cb', { kind: 'app', scheme: 'cursor' }],
])('tells people where %s leads', (uri, destination) => {
  expect(destinationOf(uri)).toEqual(destination)
})

it.each([
  ['https://a.example/cb', 'https://a.example/cb?code=a%26b&iss=https%3A%2F%2Fi'],
  ['https://a.example/cb?', 'https://a.example/cb?code=a%26b&iss=https%3A%2F%2Fi'],
  ['https://a.example/cb?t=1', 'https://a.example/cb?t=1&code=a%26b&iss=https%3A%2F%2Fi'],
  ['cursor://x/cb', 'cursor://x/cb?code=a%26b&iss=https%3A%2F%2Fi'],
])('adds the answer to %s and keeps what is there', (uri, expected) => {
  const parameters = { code: 'a&b', state: undefined, iss: 'https://i' }
  expect(withParameters(uri, parameters)).toBe(expected)
})

describe('T5: at the authorization endpoint', () => {
  it.each([
    'https://evil.example/cb',
    `${REDIRECT_URI}/x`,
    `${REDIRECT_URI}?x=1`,
    'http://localhost:33418/callback',
    'http://127.0.0.1:33418@evil.example/callback',
    'http://127.0.0.1:33418/callback#x',
  ])('%s is answered with a page and leads nowhere', async (redirect_uri) => {
    const { app } = await buildTestApp()
    const client = await register(app)
    const response = await app.inject({
      url: authorizeUrl(client, { redirect_uri }),
      headers: { host: 'auth.example.com' },
    })
    expect(response.statusCode).toBe(400)
    expect(response.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(response.headers.location).toBeUndefined()
    expect(response.headers['set-cookie']).toBeUndefined()
    expect(response.body).not.toContain('evil.example')
  })

  it('another port of a loopback redirect is asked about and kept', async () => {
    const { app } = await buildTestApp()
    const client = await register(app)
    const response = await app.inject({
      url: authorizeUrl(client, { redirect_uri: 'http://127.0.0.1:1234/callback' }),
      headers: { host: 'auth.example.com' },
    })
    expect(response.statusCode).toBe(200)
    expect(response.body).toContain('127.0.0.1:1234')
  })

  it('T6: a registration that became ours after a move is refused', async () => {
    const before = await buildTestApp()
    const uri = 'https://new.example.com/callback'
    const client = await register(before.app, { redirect_uris: [uri] })
    const { app } = await before.restart({
      publicUrl: { origin: 'https://new.example.com', host: 'new.example.com', secure: true },
    })
    const response = await app.inject({
      url: authorizeUrl(client, { redirect_uri: uri }),
      headers: { host: 'new.example.com' },
    })
    expect(response.statusCode).toBe(400)
    expect(response.headers.location).toBeUndefined()
  })
})
