/**
 * Session cookies that somebody else put into the browser: a neighbouring host, another deployment, a setting of
 * yesterday. None lets a person work as somebody else where a cookie of one host is enough, and none locks a person out.
 */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { domainCookieName } from '../../src/sessions/cookies.ts'
import { ANYONE, buildTestApp, type TestApp } from '../support/build-app.ts'
import { DOMAIN_COOKIE, HAND_COOKIE, HOST_COOKIE, makeSession } from '../support/session.ts'
import { createVisitor, isLetIn, webApp } from '../support/visitor.ts'

const PAGE = 'https://auth.example.com/app'
const ALONE = { resources: [webApp('app', { url: PAGE, allow: ANYONE })] }
const DOMAIN = {
  cookieDomain: 'example.com',
  resources: [webApp('wiki.example.com', { allow: ANYONE })],
}
const BROWSER = {
  accept: 'text/html',
  'sec-fetch-mode': 'navigate',
  'sec-fetch-dest': 'document',
  'sec-fetch-site': 'none',
}
const protects = ['/app']

/** A session token of a person: at the page alone, or for the whole domain. */
async function tokenOf(test: TestApp, subject: string): Promise<string> {
  const { cookieDomain } = test.config
  const resource = cookieDomain === undefined ? PAGE : `https://${cookieDomain}`
  return (await makeSession(test, { grant: { subject, resource } })).token
}

/** The answer to a check of the only page, with these cookies. */
function ask(
  { app, config }: TestApp,
  cookies: readonly (readonly [string, string])[],
  headers: Record<string, string> = BROWSER,
): Promise<LightMyRequestResponse> {
  const { host, pathname } = new URL(config.resources[0]?.url ?? '')
  return app.inject({
    url: '/auth/traefik',
    headers: {
      'x-forwarded-method': 'GET',
      'x-forwarded-host': host,
      'x-forwarded-uri': pathname,
      cookie: cookies.map(([name, value]) => `${name}=${value}`).join('; '),
      ...headers,
    },
  })
}

const userOf = ({ statusCode, headers }: LightMyRequestResponse) =>
  statusCode === 200 ? headers['x-forwarded-user'] : statusCode

/** The setters of a cookie of this name in a browser, over https, at a page of `auth.example.com`. */
const SETTERS = [
  { name: HOST_COOKIE, setter: 'the host itself', browser: true, program: true },
  { name: HAND_COOKIE, setter: 'a neighbouring host', browser: false, program: true },
  { name: DOMAIN_COOKIE, setter: 'a neighbouring host', browser: false, program: false },
  { name: 'gw_session', setter: 'a page of plain http', browser: false, program: false },
  { name: '__Secure-gw_session', setter: 'a neighbouring host', browser: false, program: false },
  { name: 'gw_session_12345678', setter: 'a page of plain http', browser: false, program: false },
] as const

describe('at9, T43: without COOKIE_DOMAIN, on the host of PUBLIC_URL', () => {
  it.each(SETTERS)('$name, which $setter can have set', async ({ name, browser, program }) => {
    const test = await buildTestApp(ALONE)
    const planted = await tokenOf(test, 'bob')
    const good = await tokenOf(test, 'ann')
    const bob = 'bob@elsewhere.test'
    const ann = 'ann@example.com'
    expect(userOf(await ask(test, [[name, planted]]))).toBe(browser ? bob : 302)
    expect(userOf(await ask(test, [[name, planted]], {}))).toBe(program ? bob : 401)
    if (name === HOST_COOKIE) return
    for (const order of [[0, 1] as const, [1, 0] as const]) {
      const cookies = [[name, planted] as const, [HOST_COOKIE, good] as const]
      const sent = order.flatMap((index) => cookies.slice(index, index + 1))
      expect(userOf(await ask(test, sent))).toBe(ann)
    }
  })

  it('a sibling that sets its session before the sign-in and after it changes nothing', async () => {
    const test = await buildTestApp(ALONE)
    const visitor = createVisitor(test, { protects })
    const planted = await tokenOf(test, 'bob')
    const plant = () => {
      for (const name of ['CF_Authorization', 'gw_session', DOMAIN_COOKIE]) {
        visitor.jar.store(new URL('https://blog.example.com'), [
          `${name}=${planted}; Domain=example.com; Path=/; Secure`,
        ])
      }
    }
    plant()
    const login = await visitor.open(PAGE)
    expect(login.url.pathname).toBe('/authorize/login')
    const back = await visitor.signIn(login)
    expect(back.answer.headers['x-forwarded-user']).toBe('ann@example.com')
    plant()
    const later = await visitor.open(PAGE)
    expect(later.answer.headers['x-forwarded-user']).toBe('ann@example.com')
  })

  it.each([
    [{}, 'bob@elsewhere.test'],
    [{ 'sec-fetch-mode': 'cors' }, 'bob@elsewhere.test'],
    [{ 'sec-fetch-mode': 'websocket' }, 'bob@elsewhere.test'],
    [{ origin: 'https://auth.example.com' }, 401],
    [{ 'sec-fetch-site': 'none' }, 401],
    [{ 'sec-fetch-site': 'same-origin' }, 401],
    [{ 'sec-fetch-dest': 'empty' }, 401],
    [{ accept: 'text/html' }, 302],
    [{ ...BROWSER, 'sec-fetch-dest': 'iframe' }, 401],
  ])('the cookie of a command line counts from a program: %j', async (headers, user) => {
    const test = await buildTestApp(ALONE)
    const cookies = [[HAND_COOKIE, await tokenOf(test, 'bob')]] as const
    expect(userOf(await ask(test, cookies, headers))).toBe(user)
  })
})

it('K24: under COOKIE_DOMAIN the session is in CF_Authorization, too, and counts there alone', async () => {
  const test = await buildTestApp(DOMAIN)
  const token = await tokenOf(test, 'ann')
  expect(userOf(await ask(test, [[HAND_COOKIE, token]]))).toBe('ann@example.com')
  const planted = await tokenOf(test, 'bob')
  const both = [
    [HAND_COOKIE, planted],
    [DOMAIN_COOKIE, token],
  ] as const
  for (const order of [both, [both[1], both[0]]]) {
    expect(userOf(await ask(test, order))).toBe('ann@example.com')
  }
})

describe('at9: under COOKIE_DOMAIN, of several session cookies', () => {
  it('the one that is ours and good counts, wherever it stands', async () => {
    const test = await buildTestApp(DOMAIN)
    const good = await tokenOf(test, 'ann')
    const [head, payload] = good.split('.')
    const ended = await makeSession(test, { grant: { resource: 'https://example.com' } })
    await ended.records.grants.revoke(ended.grant.id)
    const others = [
      'x',
      '',
      'a.b.c',
      `${head}.${payload}.${'A'.repeat(342)}`,
      `${good}x`,
      ended.token,
      (await makeSession(test, { grant: { resource: 'https://wiki.example.org' } })).token,
    ]
    for (const other of others) {
      for (const order of [
        [other, good],
        [good, other],
        [other, good, other],
        [good, good],
      ]) {
        const answer = await ask(
          test,
          order.map((token) => [DOMAIN_COOKIE, token] as const),
        )
        expect(userOf(answer), other).toBe('ann@example.com')
      }
    }
  })

  it('two good ones of different people lead to the login, and to none of the two', async () => {
    const test = await buildTestApp(DOMAIN)
    const tokens = [await tokenOf(test, 'ann'), await tokenOf(test, 'bob')]
    for (const order of [tokens, tokens.toReversed()]) {
      const cookies = order.map((token) => [DOMAIN_COOKIE, token] as const)
      expect(userOf(await ask(test, cookies))).toBe(302)
      const program = await ask(test, cookies, {})
      expect(program.statusCode).toBe(401)
      expect(program.json()).toMatchObject({ error: 'invalid_token' })
    }
  })

  it('one that only the host itself can set counts before those of the domain', async () => {
    const test = await buildTestApp(DOMAIN)
    const own = (
      await makeSession(test, { grant: { subject: 'ann', resource: 'https://wiki.example.com' } })
    ).token
    const cookies = [
      [DOMAIN_COOKIE, await tokenOf(test, 'bob')],
      [HOST_COOKIE, own],
    ] as const
    expect(userOf(await ask(test, cookies))).toBe('ann@example.com')
    const ended = [[HOST_COOKIE, 'x'] as const, cookies[0]]
    expect(userOf(await ask(test, ended))).toBe('bob@elsewhere.test')
  })

  it('a hundred in front of the good one cost a sign-in, never a 400', async () => {
    const test = await buildTestApp(DOMAIN)
    const many = Array.from({ length: 100 }, (_, i) => [DOMAIN_COOKIE, `a.b.${i}`] as const)
    const answer = await ask(test, [...many, [DOMAIN_COOKIE, await tokenOf(test, 'ann')]])
    expect(answer.statusCode).toBe(302)
  })

  it('that of a deployment in a domain above does not count and is not replaced', async () => {
    const test = await buildTestApp(DOMAIN)
    const visitor = createVisitor(test)
    const above = domainCookieName('https://login.test')
    visitor.jar.store(new URL('https://auth.example.com'), [
      `${above}=theirs; Domain=example.com; Path=/; Secure`,
    ])
    const page = 'https://wiki.example.com/'
    expect(isLetIn(await visitor.signIn(await visitor.open(page)))).toBe(true)
    expect(visitor.jar.header(new URL(page))).toContain(`${above}=theirs`)
  })

  it('those that a sign-in finds beside its own are cleared', async () => {
    const test = await buildTestApp(DOMAIN)
    const visitor = createVisitor(test)
    const planted = await tokenOf(test, 'bob')
    visitor.jar.store(new URL('https://auth.example.com'), [
      `${DOMAIN_COOKIE}=${planted}; Domain=auth.example.com; Path=/; Secure`,
    ])
    const back = await visitor.signIn(await visitor.open('https://wiki.example.com/'))
    expect(back.answer.headers['x-forwarded-user']).toBe('ann@example.com')
    const header = visitor.jar.header(new URL('https://auth.example.com/')) ?? ''
    expect(header).not.toContain(planted)
  })
})

describe('at9: sign-ins that were begun', () => {
  it('stay bounded, and the newest can be finished', async () => {
    const test = await buildTestApp(ALONE)
    const visitor = createVisitor(test, { protects })
    let last = await visitor.open(PAGE)
    for (let tab = 0; tab < 60; tab += 1) last = await visitor.open(`${PAGE}?tab=${tab}`)
    const flows = visitor.jar.names().filter((name) => name.includes('gw_flow_'))
    expect(flows).toHaveLength(16)
    expect((visitor.jar.header(new URL(PAGE)) ?? '').length).toBeLessThan(2000)
    expect((await visitor.signIn(last)).url.href).toBe(`${PAGE}?tab=59`)
  })

  it('cost one more press where they were given up', async () => {
    const test = await buildTestApp(ALONE)
    const visitor = createVisitor(test, { protects })
    const first = await visitor.open(`${PAGE}?tab=first`)
    for (let tab = 0; tab < 16; tab += 1) await visitor.open(`${PAGE}?tab=${tab}`)
    const late = await visitor.signIn(first)
    expect(late.answer.statusCode).toBe(400)
    expect(late.answer.body).toContain('Start again')
  })

  it('are bounded in bytes, whatever a script of the host wrote', async () => {
    const test = await buildTestApp(ALONE)
    const visitor = createVisitor(test, { protects })
    const huge = Array.from({ length: 5 }, (_, i) => `__Host-gw_flow_${i}=${'x'.repeat(3000)}`)
    visitor.jar.store(
      new URL(PAGE),
      huge.map((line) => `${line}; Path=/; Secure`),
    )
    const back = await visitor.signIn(await visitor.open(PAGE))
    expect(isLetIn(back)).toBe(true)
    expect((visitor.jar.header(new URL(PAGE)) ?? '').length).toBeLessThan(2000)
  })

  it('at a host that sets its own cookie stay bounded, too, although a sibling sets some', async () => {
    const test = await buildTestApp({ resources: [webApp('wiki.example.com')] })
    const visitor = createVisitor(test)
    const url = new URL('https://wiki.example.com/.gatewarden/login')
    const value = 'n'.repeat(22)
    for (let i = 0; i < 30; i += 1) {
      visitor.jar.store(url, [
        `__Host-gw_nonce_0000000${i % 10}${i}=${value}; Path=/; Secure`.replace(
          /(gw_nonce_.{8})[^=]*/,
          '$1',
        ),
        `gw_nonce_planted${i % 10}=${value}; Domain=example.com; Path=/; Secure`,
      ])
    }
    const back = await visitor.signIn(await visitor.open('https://wiki.example.com/'))
    expect(isLetIn(back)).toBe(true)
    const nonces = visitor.jar.names().filter((name) => name.startsWith('__Host-gw_nonce_'))
    expect(nonces.length).toBeLessThanOrEqual(8)
  })
})
