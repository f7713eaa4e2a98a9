/** fh2, fh3, B19, K35: a browser that signed in at the gateway is known there; consent and policy are asked every time. */
import { hash } from '@node-rs/argon2'
import type { LightMyRequestResponse } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { createRecords, type SignIn } from '../../src/records/records.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { type Browser, createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { ANN, ANYONE, BOB, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  type RegisteredClient,
  redeem,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { approve, signInThere, startJourney } from '../support/provider-journey.ts'
import { testKeyring } from '../support/signing.ts'
import {
  decide,
  expectConsent,
  expectPage,
  followToLogin,
  moved,
  typeIn,
} from '../support/steps.ts'
import { believed, storedKeys } from '../support/stored.ts'
import { createVisitor, isLetIn, linkOf, webApp } from '../support/visitor.ts'

const COOKIE = '__Host-gw_login'
const OWN = 'https://auth.example.com'
const resources = [resource({ allow: ANYONE })]

let gateway: TestApp
let first: RegisteredClient
let second: RegisteredClient
let browser: Browser
beforeEach(async () => {
  gateway = await buildTestApp({ resources })
  first = await register(gateway.app)
  second = await register(gateway.app, { client_name: 'Second client' })
  browser = createBrowser(gateway.app)
  codeOf(await signIn(browser, authorizeUrl(first)))
})

const open = (changes: Record<string, string | undefined> = {}, who = browser) =>
  who.get(authorizeUrl(second, changes))
const namesAnn = (page: LightMyRequestResponse) =>
  page.body.includes('ann@example.com') && page.body.includes('value="someone-else"')
const someoneElse = (page: LightMyRequestResponse) =>
  browser.post('/consent', {
    interaction: hiddenField(page.body, 'interaction'),
    decision: 'someone-else',
  })
/** True if the next consent page names nobody and Allow leads to the login. */
async function isAsked(who = browser): Promise<boolean> {
  const page = await who.get(authorizeUrl(second))
  expectConsent(page)
  const answer = await decide(who, page)
  return !namesAnn(page) && refreshTarget(answer.body).startsWith('/authorize/login')
}
/** The same browser in front of another process, which listens: it ends then what no check takes any more. */
async function movedTo({ app }: TestApp, who = browser): Promise<Browser> {
  await app.listen({ port: 0 })
  return moved(who, app)
}
const signIns = async () => storedKeys(gateway.storage, 'sign-in:')
const onlySignIn = async (): Promise<SignIn> => {
  const [key = ''] = await signIns()
  const found = await believed(gateway.storage).get<SignIn>(key)
  if (!found) throw new Error('no sign-in is stored')
  return found
}

describe('fh2: the second client in a browser', () => {
  it('needs only Allow on a page that names the person, and no password', async () => {
    const page = await open()
    expectConsent(page)
    expect(namesAnn(page)).toBe(true)
    const answer = await decide(browser, page)
    expect(answer.statusCode).toBe(303)
    const tokens = await redeem(gateway.app, second, codeOf(answer))
    const allowed = await check(gateway.app, {
      authorization: `Bearer ${tokens.json().access_token}`,
    })
    expect(allowed.headers['x-forwarded-user']).toBe('ann@example.com')
  })

  it('needs no way to the provider either', async () => {
    const journey = await startJourney({ resources })
    const visitor = createBrowser(journey.app)
    await signInThere(journey, { browser: visitor })
    const page = await visitor.get(authorizeUrl(journey.client))
    expect(page.body).toContain('Not you?')
    codeOf(await decide(visitor, page))
  })

  it('is denied as ever', async () => {
    const answer = await decide(browser, await open(), 'deny')
    expect(String(answer.headers.location)).toContain('error=access_denied')
  })

  it('is asked about after a sign-in for a page, and a page opens after a sign-in for a client', async () => {
    const pages = [webApp('wiki.example.org'), webApp('notes.example.net')]
    const test = await buildTestApp({ resources: [...resources, ...pages] })
    const visitor = createVisitor(test)
    await visitor.signIn(await visitor.open('https://wiki.example.org/a'))
    const url = OWN + authorizeUrl(await register(test.app))
    const consent = await visitor.open(url)
    expect(namesAnn(consent.answer)).toBe(true)
    const other = await visitor.open('https://notes.example.net/b?c')
    expect(other.url.href).toBe('https://notes.example.net/b?c')
    expect(isLetIn(other)).toBe(true)
  })
})

it('T3: consent is asked for every time, and Allow is inert for the first second', async () => {
  for (const url of [authorizeUrl(first), authorizeUrl(second), authorizeUrl(second)]) {
    const page = await browser.get(url)
    expectConsent(page)
    expect(page.body).toMatch(/class="hold"><button[^>]*value="approve"/)
  }
})

describe('fh2: "Not you?"', () => {
  it('ends the sign-in, and Allow leads to an empty login for anybody', async () => {
    const page = await someoneElse(await open({ login_hint: 'ann' }))
    expectConsent(page)
    expect(namesAnn(page)).toBe(false)
    expect(await signIns()).toEqual([])
    expect(browser.cookies.has(COOKIE)).toBe(false)
    const login = await followToLogin(browser, await decide(browser, page))
    expect(login.body).not.toContain('value="ann"')
    const answer = await typeIn(browser, login, { name: 'bob' })
    const tokens = await redeem(gateway.app, second, codeOf(answer))
    const allowed = await check(gateway.app, {
      authorization: `Bearer ${tokens.json().access_token}`,
    })
    expect(allowed.headers['x-forwarded-user']).toBe('bob@elsewhere.test')
    expect((await open()).body).toContain('bob@elsewhere.test')
  })

  it('leads to the list of accounts of a provider, or to its login', async () => {
    const journey = await startJourney({ resources })
    const visitor = createBrowser(journey.app)
    await signInThere(journey, { browser: visitor })
    const page = await visitor.get(authorizeUrl(journey.client))
    const again = await visitor.post('/consent', {
      interaction: hiddenField(page.body, 'interaction'),
      decision: 'someone-else',
    })
    const away = refreshTarget((await decide(visitor, again)).body)
    expect(new URL(away).searchParams.get('prompt')).toMatch(/^(?:select_account|login)$/)
  })

  it('by a page of another site ends nothing', async () => {
    const interaction = hiddenField((await open()).body, 'interaction')
    const forged = await browser.post(
      '/consent',
      { interaction, decision: 'someone-else' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    )
    expectPage(forged, 403)
    expect(namesAnn(await open())).toBe(true)
  })
})

describe('the wishes of a client are kept:', () => {
  it.each<Record<string, string>>([
    { prompt: 'login' },
    { prompt: 'select_account' },
    { prompt: 'consent login' },
    { max_age: '0' },
    { max_age: '60' },
    { acr_values: 'mfa' },
    { login_hint: 'bob' },
  ])('%j asks the person to sign in', async (wish) => {
    gateway.clock.advance(100)
    const page = await open(wish)
    expect(namesAnn(page)).toBe(false)
    expect(refreshTarget((await decide(browser, page)).body)).toMatch(/^\/authorize\/login/)
  })

  it.each<Record<string, string>>([
    { prompt: 'consent' },
    { max_age: '200' },
    { login_hint: 'ANN@example.com' },
    { login_hint: 'ann' },
  ])('%j is met by what is known', async (wish) => {
    gateway.clock.advance(100)
    const page = await open(wish)
    expect(namesAnn(page)).toBe(true)
    codeOf(await decide(browser, page))
  })

  it('max_age also counts when Allow is pressed', async () => {
    const page = await open({ max_age: '200' })
    gateway.clock.advance(300)
    expect(refreshTarget((await decide(browser, page)).body)).toMatch(/^\/authorize\/login/)
  })

  it('any max_age leads to a provider, which alone knows since when the person is there', async () => {
    const journey = await startJourney({ resources })
    const visitor = createBrowser(journey.app)
    await signInThere(journey, { browser: visitor })
    const answer = await approve(visitor, authorizeUrl(journey.client, { max_age: '3600' }))
    expect(new URL(refreshTarget(answer.body)).origin).toBe(journey.provider.issuer)
  })
})

const newHash = await hash('another password', { memoryCost: 8, timeCost: 1 })

describe('K35: a sign-in ends', () => {
  it('after SESSION_LIFETIME, however much it is used', async () => {
    for (let hour = 0; hour < 24; hour += 4) {
      expect(namesAnn(await open())).toBe(true)
      gateway.clock.advance(4 * 3600)
    }
    expect(await isAsked()).toBe(true)
  })

  it('after SESSION_IDLE without use', async () => {
    gateway.clock.advance(7 * 3600)
    expect(namesAnn(await open())).toBe(true)
    gateway.clock.advance(7 * 3600)
    expect(namesAnn(await open())).toBe(true)
    gateway.clock.advance(9 * 3600)
    expect(await isAsked()).toBe(true)
  })

  it('when the person signs out, also for a copy of the cookie', async () => {
    const copy = browser.cookies.get(COOKIE) ?? ''
    await browser.post('/logout', {})
    expect(browser.cookies.has(COOKIE)).toBe(false)
    browser.cookies.set(COOKIE, copy)
    expect(await isAsked()).toBe(true)
  })

  it('between the page and Allow: the person signs in first', async () => {
    const page = await open()
    await browser.post('/logout', {})
    expect(refreshTarget((await decide(browser, page)).body)).toMatch(/^\/authorize\/login/)
  })

  it.each<[string, (now: number) => Partial<Config>]>([
    ['REVOKE_BEFORE', (now) => ({ revokeBefore: Math.floor(now / 1000) })],
    ['a person who left the configuration', () => ({ users: [BOB] })],
    ['another password', () => ({ users: [{ ...ANN, passwordHash: newHash }, BOB] })],
  ])('with %s, for good', async (_what, changes) => {
    gateway.clock.advance(60)
    const there = await movedTo(await gateway.restart(changes(gateway.clock())))
    expect(await isAsked(there)).toBe(true)
    await expect.poll(signIns).toEqual([])
    expect(await isAsked(await movedTo(await gateway.restart()))).toBe(true)
  })

  it('with another provider', async () => {
    const journey = await startJourney({ resources })
    const visitor = createBrowser(journey.app)
    await signInThere(journey, { browser: visitor })
    const changed = await journey.restart({ provider: { type: 'builtin' }, users: [ANN] })
    second = journey.client
    expect(await isAsked(moved(visitor, changed.app))).toBe(true)
  })

  it.each(['https://wiki.example.org', 'https://notes.example.net'])(
    'with a session that it made at another host: signing out at %s is no circle',
    async (page) => {
      const pages = [webApp('wiki.example.org'), webApp('notes.example.net')]
      const visitor = createVisitor(await buildTestApp({ resources: pages }))
      await visitor.signIn(await visitor.open('https://wiki.example.org/'))
      expect(isLetIn(await visitor.open('https://notes.example.net/'))).toBe(true)
      await visitor.open(`${page}/.gatewarden/logout`)
      expect((await visitor.open(page)).url.pathname).toBe('/authorize/login')
    },
  )

  it('with an older session of the same person, signed in again since', async () => {
    const visitor = createVisitor(await buildTestApp({ resources: [webApp('wiki.example.org')] }))
    await visitor.signIn(await visitor.open('https://wiki.example.org/'))
    const again = `${OWN}/.gatewarden/login?prompt=login&rd=https://wiki.example.org/`
    const session = visitor.jar.header(new URL('https://wiki.example.org/')) ?? ''
    await visitor.signIn(await visitor.open(again))
    await visitor.step('https://wiki.example.org/.gatewarden/logout', { cookie: session })
    expect((await visitor.open(again.replace('prompt=login&', ''))).url.pathname).toBe(
      '/authorize/login',
    )
  })

  it('and takes the sessions with it that it made without a login', async () => {
    const pages = [webApp('wiki.example.org'), webApp('notes.example.net')]
    const test = await buildTestApp({ resources: pages })
    const visitor = createVisitor(test)
    await visitor.signIn(await visitor.open('https://wiki.example.org/'))
    test.clock.advance(7 * 3600)
    await visitor.open('https://notes.example.net/')
    for (let hour = 7; hour < 24; hour += 1) {
      expect(isLetIn(await visitor.open('https://notes.example.net/'))).toBe(true)
      test.clock.advance(3600)
    }
    expect((await visitor.open('https://notes.example.net/')).url.pathname).toBe('/authorize/login')
  })
})

describe('policy is asked every time:', () => {
  it('a person who may not use the second server is told so, and may be somebody else', async () => {
    const closed = resource({ id: 'closed', url: 'https://closed.example.com' })
    gateway = await buildTestApp({ resources: [...resources, closed] })
    second = await register(gateway.app)
    browser = createBrowser(gateway.app)
    const url = authorizeUrl(second, { resource: closed.url })
    codeOf(await signIn(browser, authorizeUrl(second), { name: 'bob' }))
    const refused = await decide(browser, await browser.get(url))
    expectPage(refused, 403)
    expect(refused.body).toContain('bob@elsewhere.test')
    const href =
      /href="(\/authorize\/login[^"]*)"/.exec(refused.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
    codeOf(await typeIn(browser, await browser.get(href)))
    expect(namesAnn(await open())).toBe(true)
  })

  it('also for a page', async () => {
    const pages = [
      webApp('wiki.example.org', { allow: ANYONE }),
      webApp('closed.example.net', { name: 'Closed' }),
    ]
    const visitor = createVisitor(await buildTestApp({ resources: pages }))
    await visitor.signIn(await visitor.open('https://wiki.example.org/'), { name: 'bob' })
    const refused = await visitor.open('https://closed.example.net/')
    expect(refused.answer.statusCode).toBe(403)
    const login = await visitor.open(linkOf(refused, 'Sign in as someone else'))
    expect(isLetIn(await visitor.signIn(login))).toBe(true)
  })
})

describe('K36, T35: on a host that a protected server shares', () => {
  it.each([
    ['sandboxed', true],
    ['pages', false],
    [undefined, false],
  ] as const)('with shared_host %s people are known: %s', async (sharedHost, isKnown) => {
    const shared = resource({
      id: 'shared',
      url: `${OWN}/mcp`,
      allow: ANYONE,
      ...(sharedHost && { sharedHost }),
    })
    gateway = await buildTestApp({ resources: [...resources, shared] })
    second = await register(gateway.app)
    browser = createBrowser(gateway.app)
    codeOf(await signIn(browser, authorizeUrl(second)))
    expect(browser.cookies.has(COOKIE)).toBe(isKnown)
    expect(namesAnn(await open())).toBe(isKnown)
  })
})

describe('attacks on the known browser', () => {
  const parts = () => (browser.cookies.get(COOKIE) ?? '').split('.')

  it('T11: a value that somebody made up is never taken up, and each login makes a new one', async () => {
    const visitor = createBrowser(gateway.app)
    const planted = `${'p'.repeat(22)}.${'s'.repeat(22)}`
    visitor.cookies.set(COOKIE, planted)
    codeOf(await signIn(visitor, authorizeUrl(first)))
    const value = visitor.cookies.get(COOKIE)
    expect(value).not.toBe(planted)
    expect(await signIns()).not.toContain(`sign-in:${'p'.repeat(22)}`)
    codeOf(await signIn(visitor, authorizeUrl(first, { prompt: 'login' })))
    expect(visitor.cookies.get(COOKIE)).not.toBe(value)
    visitor.cookies.set(COOKIE, value ?? '')
    expect(await isAsked(visitor)).toBe(true)
  })

  it('T11: the login of a victim never goes into the sign-in that an attacker planted', async () => {
    const victim = createBrowser(gateway.app)
    victim.cookies.set(COOKIE, browser.cookies.get(COOKIE) ?? '')
    codeOf(await signIn(victim, authorizeUrl(first, { prompt: 'login' }), { name: 'bob' }))
    expect((await open()).body).not.toContain('bob@')
    expect((await open({}, victim)).body).toContain('bob@')
  })

  it('T43: two cookies of the name are none: over http a neighbour may have put its own first', async () => {
    const [id] = parts()
    browser.cookies.set(`${COOKIE}=${id}.x; ${COOKIE}`, browser.cookies.get(COOKIE) ?? '')
    expect(await isAsked()).toBe(true)
  })

  it('the name of a record without its secret opens nothing', async () => {
    const [id] = parts()
    for (const value of [id, `${id}.`, `${id}.${'A'.repeat(22)}`, `.${parts()[1]}`]) {
      browser.cookies.set(COOKIE, value ?? '')
      expect(await isAsked()).toBe(true)
    }
  })

  it('T44: a record that another program wrote into the store is nobody', async () => {
    const { storage } = gateway
    const record = { ...(await onlySignIn()), subject: 'bob' }
    await storage.set(`sign-in:${record.id}`, { mac: 'x', value: record }, 'forever')
    expect(await isAsked()).toBe(true)
  })

  it('T12: an answer that another site posts gets no code, though the person is known', async () => {
    const answer = await decide(browser, await open(), 'approve', {
      'sec-fetch-site': 'cross-site',
      origin: 'https://evil.example',
    })
    expectPage(answer, 403)
  })

  it("T2: the consent of an attacker's browser gives no code in a browser that is known", async () => {
    const page = await open({}, createBrowser(gateway.app))
    expectConsent(await decide(browser, page))
    const attacker = createBrowser(gateway.app)
    codeOf(await signIn(attacker, authorizeUrl(first), { name: 'bob' }))
    expectConsent(await decide(browser, await open({}, attacker)))
  })

  it('an answer counts for the person whom its page named, and for nobody else', async () => {
    const page = await open()
    codeOf(await signIn(browser, authorizeUrl(first, { prompt: 'login' }), { name: 'bob' }))
    const again = await decide(browser, page)
    expectConsent(again)
    expect(again.body).toContain('bob@elsewhere.test')
    codeOf(await decide(browser, again))
  })

  it('an answer to a page that named nobody lets nobody in without a login', async () => {
    const visitor = createBrowser(gateway.app)
    const page = await open({}, visitor)
    codeOf(await signIn(visitor, authorizeUrl(first)))
    expect(refreshTarget((await decide(visitor, page)).body)).toMatch(/^\/authorize\/login/)
  })

  it('no check takes the cookie, and no server gets it', async () => {
    const cookie = `${COOKIE}=${browser.cookies.get(COOKIE)}`
    const answer = await check(gateway.app, { cookie: `${cookie}; theirs=1` })
    expect(answer.statusCode).toBe(401)
    const { tokens } = await redeemed()
    const allowed = await check(gateway.app, {
      authorization: `Bearer ${tokens}`,
      cookie: `${cookie}; theirs=1`,
    })
    expect(allowed.headers.cookie).toBe('theirs=1')
  })

  it('two presses of Allow make one grant, and both get its code', async () => {
    const before = await storedKeys(gateway.storage, 'grant:')
    const page = await open()
    const [one, two] = await Promise.all([decide(browser, page), decide(browser, page)])
    expect(codeOf(one)).toBe(codeOf(two))
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(before.length + 1)
  })

  it('a sign-in that ends while it is used stays ended', async () => {
    const record = await onlySignIn()
    const records = createRecords(gateway.storage, { keyring: testKeyring() })
    await records.signIns.end(record.id)
    await records.signIns.renew(record, 3600)
    expect(await signIns()).toEqual([])
  })

  it('the sign-in of a person costs one record, however often they sign in', async () => {
    for (let times = 0; times < 3; times += 1) {
      codeOf(await signIn(browser, authorizeUrl(first, { prompt: 'login' })))
    }
    expect(await signIns()).toHaveLength(1)
  })

  it('a state that leaves no room for the person still works: the person signs in', async () => {
    const seen = new Set<boolean>()
    for (let length = 2000; length < 2700; length += 20) {
      const page = await open({ state: 's'.repeat(length) + String(Math.random()) })
      // Longer ones are refused, as they always were.
      if (page.statusCode !== 200) continue
      const isNamed = namesAnn(page)
      const answer = await decide(browser, page)
      if (isNamed) codeOf(answer)
      else expect(refreshTarget(answer.body)).toMatch(/^\/authorize\/login/)
      seen.add(isNamed)
    }
    expect([...seen]).toEqual([true, false])
  })

  async function redeemed(): Promise<{ tokens: string }> {
    const answer = await decide(browser, await open())
    return { tokens: (await redeem(gateway.app, second, codeOf(answer))).json().access_token }
  }
})

it('while the store does not answer, the person is asked to sign in, and no page fails', async () => {
  const { storage } = gateway
  const { get } = storage
  storage.get = <T>(key: string) =>
    key.startsWith('sign-in:')
      ? Promise.reject<T | undefined>(new StorageUnavailable(new Error('away')))
      : get.call<Storage, [string], Promise<T | undefined>>(storage, key)
  expect(await isAsked()).toBe(true)
  storage.get = get
  expect(namesAnn(await open())).toBe(true)
})

describe('fl7: the log', () => {
  const signedOut = () => gateway.events.filter(({ event }) => event === 'signed-out')
  const ANNS = expect.objectContaining({
    user: 'ann@example.com',
    userId: expect.stringMatching(/^u_/),
    by: 'person',
    host: 'auth.example.com',
  })

  it('has a sign-out of a browser that was known, and had no page', async () => {
    const answer = await browser.get('/logout', { 'sec-fetch-site': 'none' })
    expect(answer.body).toContain('You are signed out')
    expect(signedOut()).toEqual([ANNS])
    await browser.get('/logout', { 'sec-fetch-site': 'none' })
    expect(signedOut()).toHaveLength(1)
  })

  it('has the person who leaves for another account', async () => {
    await someoneElse(await open())
    expect(signedOut()).toEqual([ANNS])
  })
})
