import { describe, expect, it } from 'vitest'
import {
  domainCookieName,
  everyPlace,
  isSessionCookie,
  presentedSessions,
  sessionCookie,
} from '../../src/sessions/cookies.ts'
import type { CookieScope } from '../../src/sessions/target.ts'

const ISSUER = 'https://auth.example.com'
const SHARED = domainCookieName(ISSUER)
const NONE = { own: [], domain: [], byHand: [] }
const HTTPS = { secure: true, domain: SHARED }

describe('the sessions in a Cookie header', () => {
  it.each([
    ['', {}],
    ['theme=dark', {}],
    ['CF_Authorization=', {}],
    ['CF_Authorization=t', { byHand: ['t'] }],
    ['a=b; CF_Authorization=t; c=d', { byHand: ['t'] }],
    ['a=b;CF_Authorization=t;c=d', { byHand: ['t'] }],
    [' CF_Authorization = t ', { byHand: ['t'] }],
    ['CF_Authorization=t==', { byHand: ['t=='] }],
    ['__Host-gw_session=t', { own: ['t'] }],
    [`${SHARED}=t`, { domain: ['t'] }],
    [`${SHARED}=s; __Host-gw_session=h`, { own: ['h'], domain: ['s'] }],
    [`CF_Authorization=c; ${SHARED}=s; ${SHARED}=r`, { domain: ['s', 'r'], byHand: ['c'] }],
    ['CF_Authorization=; CF_Authorization=s', { byHand: ['s'] }],
    ['__Host-gw_session=h; a=b; __Host-gw_session=i', { own: ['h', 'i'] }],
    ['XCF_Authorization=t', {}],
    ['CF_AuthorizationX=t', {}],
    ['cf_authorization=t', {}],
    ['a=CF_Authorization=t', {}],
    ['a="; CF_Authorization=t"', { byHand: ['t"'] }],
    ['CF_Authorization', {}],
    ['gw_session=t', {}],
    [`${SHARED.replace('__Secure-', '')}=t`, {}],
    [`__Host-${SHARED.replace('__Secure-', '')}=t`, {}],
    ['__Secure-gw_session=t', {}],
    [`${domainCookieName('https://auth.dev.example.com')}=t`, {}],
  ])('of an https host: %s', (header, expected) => {
    expect(presentedSessions(header, HTTPS)).toEqual({ ...NONE, ...expected })
  })

  it.each([
    ['gw_session=t', { own: ['t'] }],
    ['gw_session=t; CF_Authorization=s', { own: ['t'], byHand: ['s'] }],
    ['__Host-gw_session=t', {}],
    ['gw_session=t; gw_session=u', { own: ['t', 'u'] }],
    [`${SHARED}=t`, {}],
  ])('of an http host without a cookie domain: %s', (header, expected) => {
    const found = presentedSessions(header, { secure: false, domain: undefined })
    expect(found).toEqual({ ...NONE, ...expected })
  })

  it('is found among 30 others', () => {
    const others = Array.from({ length: 30 }, (_, i) => `c${i}=${'v'.repeat(100)}`)
    const header = [...others.slice(0, 20), 'CF_Authorization=t', ...others.slice(20)].join('; ')
    expect(presentedSessions(header, HTTPS)).toEqual({ ...NONE, byHand: ['t'] })
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
    expect(presentedSessions(`${header}gw_session`, HTTPS)).toEqual(NONE)
    expect(performance.now() - started).toBeLessThan(200)
  })
})

it('of very many session cookies the first are looked at', () => {
  const header = Array.from({ length: 500 }, (_, i) => `__Host-gw_session=t${i}`).join('; ')
  expect(presentedSessions(header, HTTPS).own).toHaveLength(32)
})

it('knows its names, which never reach a server', () => {
  const names = [SHARED, 'CF_Authorization', '__Host-gw_session', 'gw_session']
  expect([...names, domainCookieName('http://auth.lan')].every(isSessionCookie)).toBe(true)
  expect(['cf_authorization', 'session', '__Host-CF_Authorization'].some(isSessionCookie)).toBe(
    false,
  )
})

it('at9: deployments in domains above and below have cookies of different names', () => {
  const issuers = ['https://auth.example.com', 'https://auth.dev.example.com', 'http://auth.lan']
  const names = issuers.map(domainCookieName)
  expect(new Set(names).size).toBe(3)
  for (const name of names) expect(name).toMatch(/^(__Secure-)?gw_session_[\w-]{8}$/)
})

const attributes = { path: '/', httpOnly: true, sameSite: 'lax' }
const DOMAIN: CookieScope = { kind: 'domain', domain: 'example.com' }

it.each([
  [DOMAIN, true, SHARED, { domain: 'example.com' }],
  [{ kind: 'own-host' }, true, '__Host-gw_session', {}],
  [{ kind: 'own-host' }, false, 'gw_session', {}],
  [{ kind: 'host' }, true, '__Host-gw_session', {}],
  [{ kind: 'host' }, false, 'gw_session', {}],
] as const)('the cookie of %j with https %s', (scope, secure, name, more) => {
  expect(sessionCookie(scope, { secure, issuer: ISSUER })).toEqual({
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
])('the places where a browser may hold a cookie for %s', (host, domains) => {
  const shared = sessionCookie(DOMAIN, { secure: true, issuer: ISSUER })
  const places = everyPlace(shared, host).map(({ options }) => options.domain)
  expect(places).toEqual([undefined, ...domains])
  const own = sessionCookie({ kind: 'host' }, { secure: true, issuer: ISSUER })
  expect(everyPlace(own, host)).toEqual([own])
})
