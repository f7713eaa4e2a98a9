/**
 * A sign-in whose cookie does not come back is noticed and explained instead of repeated for ever.
 */
import { describe, expect, it } from 'vitest'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { DOMAIN_COOKIE, HAND_COOKIE } from '../support/session.ts'
import {
  createVisitor,
  isLetIn,
  linkOf,
  onwardOf,
  type Visit,
  type Visitor,
  webApp,
} from '../support/visitor.ts'

const HOSTS = [
  { where: 'the cookie domain', host: 'wiki.example.com', fix: 'COOKIE_DOMAIN (example.com)' },
  { where: 'a host of its own', host: 'far.example.org', fix: '/.gatewarden/' },
]
const CONFIG = { cookieDomain: 'example.com', resources: HOSTS.map(({ host }) => webApp(host)) }

/** Opens a page in a browser that loses session cookies, at a provider that asks nothing, until a page ends the loop. */
async function openForgetfully(
  test: TestApp,
  page: string,
): Promise<{ end: Visit; rounds: number; redirects: number }> {
  const provider = test.config.provider
  if (provider.type === 'builtin') throw new Error('this needs a provider elsewhere')
  const visitor = createVisitor(test)
  const forget = () => {
    for (const name of [DOMAIN_COOKIE, HAND_COOKIE, '__Host-gw_session']) {
      for (const host of [new URL(page).host, 'auth.example.com']) {
        const url = new URL(`https://${host}/`)
        visitor.jar.store(url, [
          `${name}=; Max-Age=0; Path=/; Secure`,
          `${name}=; Max-Age=0; Path=/; Secure; Domain=example.com`,
        ])
      }
    }
  }
  let address = page
  let redirects = 0
  for (let rounds = 0; rounds < 10; ) {
    const answer = await visitor.step(address)
    forget()
    const location = onwardOf(answer)
    if (location === undefined) {
      return { end: { url: new URL(address), answer, way: [] }, rounds, redirects }
    }
    redirects += 1
    address = new URL(location, address).href
    if (address.startsWith(provider.issuerUrl)) {
      const response = await fetch(address, { redirect: 'manual' })
      address = String(response.headers.get('location'))
      redirects += 1
      rounds += 1
    }
  }
  throw new Error('it goes on for ever')
}

describe.each(HOSTS)('a browser that keeps no cookie of $where', ({ host, fix }) => {
  const page = `https://${host}/deep?page`
  const start = async () => {
    const provider = await startHostileProvider()
    return buildTestApp({ provider: provider.config, users: [], ...CONFIG })
  }

  it('is told so, before it gives up by itself after 20 redirects', async () => {
    const { end, rounds, redirects } = await openForgetfully(await start(), page)
    expect(end.answer.statusCode).toBe(500)
    expect(end.answer.body).toContain('Signing in leads in a circle')
    expect(end.answer.body).toContain(host)
    // The second round needs no provider: the gateway knows the browser (K35).
    expect(rounds).toBe(1)
    expect(redirects).toBeLessThan(20)
  })

  it('leaves one line in the log that says what to look at', async () => {
    const test = await start()
    await openForgetfully(test, page)
    const lines = test.logs.filter(({ level }) => level === 40)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toMatchObject({
      event: 'sign-in-circle',
      requestId: expect.any(String),
      host,
      reason: expect.stringContaining(fix),
      msg: 'a browser signs in again and again',
    })
    expect(JSON.stringify(lines)).not.toContain('deep?page')
  })
})

it('names the cause if a resource has no https and its gateway has', async () => {
  const provider = await startHostileProvider()
  const resources = [webApp('wiki.example.com', { url: 'http://wiki.example.com' })]
  const config = { provider: provider.config, users: [], cookieDomain: 'example.com', resources }
  const test = await buildTestApp(config)
  const { end } = await openForgetfully(test, 'http://wiki.example.com/')
  expect(end.answer.statusCode).toBe(500)
  const [line] = test.logs.filter(({ level }) => level === 40)
  expect(line?.reason).toContain('Give the resource an https address')
})

describe('a browser that is not in a circle', () => {
  const page = 'https://wiki.example.com/'
  const loseSession = ({ jar }: Visitor) =>
    jar.store(
      new URL('https://auth.example.com/'),
      [DOMAIN_COOKIE, HAND_COOKIE].map(
        (name) => `${name}=; Max-Age=0; Path=/; Secure; Domain=example.com`,
      ),
    )

  it('may try again after a minute', async () => {
    const test = await buildTestApp(CONFIG)
    const visitor = createVisitor(test)
    for (let round = 0; round < 2; round += 1) {
      await visitor.enter(page)
      loseSession(visitor)
    }
    const circle = await visitor.open(page)
    expect(circle.answer.statusCode).toBe(500)
    test.clock.advance(60)
    expect(isLetIn(await visitor.enter(linkOf(circle, 'Try again')))).toBe(true)
  })

  it('may sign out and in again as often as its person likes', async () => {
    const visitor = createVisitor(await buildTestApp(CONFIG))
    for (let round = 0; round < 4; round += 1) {
      expect(isLetIn(await visitor.signIn(await visitor.open(page)))).toBe(true)
      await visitor.open('https://auth.example.com/logout')
    }
  })

  describe.each(HOSTS)('at $where', ({ host }) => {
    const page = `https://${host}/`

    it.each(['session', 'sessionIdle'] as const)(
      'may sign in whenever its session is over, however short the setting %s is',
      async (setting) => {
        const { lifetimes } = (await buildTestApp()).config
        const test = await buildTestApp({ ...CONFIG, lifetimes: { ...lifetimes, [setting]: 3 } })
        const visitor = createVisitor(test)
        for (let round = 0; round < 5; round += 1) {
          expect(isLetIn(await visitor.signIn(await visitor.open(page)))).toBe(true)
          test.clock.advance(3)
        }
      },
    )

    it('may sign out there and in again as often as its person likes', async () => {
      const visitor = createVisitor(await buildTestApp(CONFIG))
      for (let round = 0; round < 5; round += 1) {
        const wiki = await visitor.signIn(await visitor.open(page))
        expect(isLetIn(wiki)).toBe(true)
        const out = await visitor.post(wiki, '/.gatewarden/logout')
        expect(out.answer.body).toContain('You are signed out')
      }
    })

    it('may sign in as someone else again and again', async () => {
      const visitor = createVisitor(await buildTestApp(CONFIG))
      const login = `https://${host}/.gatewarden/login?rd=%2F&prompt=login`
      for (let round = 0; round < 5; round += 1) {
        expect(isLetIn(await visitor.signIn(await visitor.open(login)))).toBe(true)
      }
    })
  })

  it('may go back and forth between servers that share a host and its cookie', async () => {
    const urls = ['https://far.example.org/one', 'https://far.example.org/two']
    const resources = urls.map((url) => webApp('far.example.org', { id: url, url }))
    const visitor = createVisitor(await buildTestApp({ resources }))
    for (const url of [...urls, ...urls, ...urls]) {
      expect(isLetIn(await visitor.enter(url))).toBe(true)
    }
  })

  it('may sign in at many hosts one after another', async () => {
    const resources = [1, 2, 3, 4, 5, 6].map((n) => webApp(`app${n}.example.org`))
    const visitor = createVisitor(await buildTestApp({ resources }))
    for (const { url } of resources) {
      expect(isLetIn(await visitor.enter(`${url}/`))).toBe(true)
    }
  })
})
