import { describe, expect, it } from 'vitest'
import {
  everySession,
  isSessionCookie,
  presentedSession,
  sessionCookie,
  sharedScopes,
} from '../../src/sessions/cookies.ts'

const NONE = { kind: 'none' }
const DOUBLED = { kind: 'doubled' }
const one = (token: string) => ({ kind: 'one', token })

describe('the session in a Cookie header', () => {
  it.each([
    ['', NONE],
    ['theme=dark', NONE],
    ['CF_Authorization=', NONE],
    ['CF_Authorization=t', one('t')],
    ['a=b; CF_Authorization=t; c=d', one('t')],
    ['a=b;CF_Authorization=t;c=d', one('t')],
    [' CF_Authorization = t ', one('t')],
    ['CF_Authorization=t==', one('t==')],
    ['__Host-gw_session=t', one('t')],
    ['CF_Authorization=s; __Host-gw_session=h', one('h')],
    ['__Host-gw_session=h; CF_Authorization=s; CF_Authorization=s', one('h')],
    ['CF_Authorization=s; CF_Authorization=s', DOUBLED],
    ['CF_Authorization=; CF_Authorization=s', DOUBLED],
    ['__Host-gw_session=h; a=b; __Host-gw_session=h', DOUBLED],
    ['XCF_Authorization=t', NONE],
    ['CF_AuthorizationX=t', NONE],
    ['cf_authorization=t', NONE],
    ['a=CF_Authorization=t', NONE],
    ['a="; CF_Authorization=t"', one('t"')],
    ['CF_Authorization', NONE],
    ['gw_session=t', NONE],
    ['gw_session=t; CF_Authorization=s', one('s')],
  ])('of an https host: %s', (header, expected) => {
    expect(presentedSession(header, true)).toEqual(expected)
  })

  it.each([
    ['gw_session=t', one('t')],
    ['gw_session=t; CF_Authorization=s', one('t')],
    ['__Host-gw_session=t', NONE],
    ['gw_session=t; gw_session=t', DOUBLED],
  ])('of an http host: %s', (header, expected) => {
    expect(presentedSession(header, false)).toEqual(expected)
  })

  it('is found among 30 others', () => {
    const others = Array.from({ length: 30 }, (_, i) => `c${i}=${'v'.repeat(100)}`)
    const header = [...others.slice(0, 20), 'CF_Authorization=t', ...others.slice(20)].join('; ')
    expect(presentedSession(header, true)).toEqual(one('t'))
  })

  it.each([
    ';'.repeat(64_000),
    '; '.repeat(32_000),
    ' '.repeat(64_000),
    `;${' '.repeat(64_000)}`,
    'CF_Authorization '.repeat(3700),
    `CF_Authorization${' '.repeat(60_000)}`,
    'gw_session'.repeat(6000),
    '__Host-'.repeat(9000),
  ])('takes no longer for a header that is made to be slow', (header) => {
    const started = performance.now()
    expect(presentedSession(`${header}gw_session`, true)).toEqual(NONE)
    expect(performance.now() - started).toBeLessThan(200)
  })
})

it('every session of a request is found, up to a limit', () => {
  const header = 'CF_Authorization=a; __Host-gw_session=b; CF_Authorization=; CF_Authorization=c'
  expect(everySession(header, true, 4)).toEqual(['b', 'a', 'c'])
  expect(everySession(header, true, 2)).toEqual(['b', 'a'])
})

it('knows its names, which never reach a server', () => {
  const names = ['CF_Authorization', '__Host-gw_session', 'gw_session']
  expect(names.every(isSessionCookie)).toBe(true)
  expect(['cf_authorization', 'session', '__Host-CF_Authorization'].some(isSessionCookie)).toBe(
    false,
  )
})

const attributes = { path: '/', httpOnly: true, sameSite: 'lax' }

it.each([
  [{ kind: 'domain', domain: 'example.com' }, true, 'CF_Authorization', { domain: 'example.com' }],
  [{ kind: 'own-host' }, true, 'CF_Authorization', {}],
  [{ kind: 'own-host' }, false, 'CF_Authorization', {}],
  [{ kind: 'host' }, true, '__Host-gw_session', {}],
  [{ kind: 'host' }, false, 'gw_session', {}],
] as const)('the cookie of %j with https %s', (scope, secure, name, more) => {
  expect(sessionCookie(scope, secure)).toEqual({
    name,
    options: { ...attributes, secure, ...more },
  })
})

it.each([
  ['auth.example.com', ['auth.example.com', 'example.com']],
  ['a.b.example.com:8443', ['a.b.example.com', 'b.example.com', 'example.com']],
  ['localhost:8080', []],
  ['10.0.0.5', []],
  ['[::1]:80', []],
])('the scopes in which a browser may hold a cookie for %s', (host, domains) => {
  expect(sharedScopes(host)).toEqual([
    { kind: 'own-host' },
    ...domains.map((domain) => ({ kind: 'domain', domain })),
  ])
})
