import { beforeEach, describe, expect, it } from 'vitest'
import { type Browser, createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  consentTo,
  type RegisteredClient,
  redeem,
  register,
} from '../support/oauth-client.ts'
import {
  decide,
  expectConsent,
  expectPage,
  expectStartAgain,
  followToLogin,
  typeIn,
} from '../support/steps.ts'
import { storedRecords } from '../support/stored.ts'

const HALF_AN_HOUR = 30 * 60

let gateway: TestApp
let client: RegisteredClient
let browser: Browser
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
  browser = createBrowser(gateway.app)
})

const open = (who = browser) => who.get(authorizeUrl(client))

/** The means of an attacker: an interaction of his own browser, and the address that his own consent led to. */
async function attack(): Promise<{ interaction: string; loginUrl: string }> {
  const attacker = createBrowser(gateway.app)
  const page = await open(attacker)
  const approved = await decide(attacker, page)
  return {
    interaction: hiddenField(page.body, 'interaction'),
    loginUrl: refreshTarget(approved.body),
  }
}

const flowCookies = (who: Browser) => [...who.cookies.keys()].filter((name) => /flow/.test(name))

it('goes on to the login by a page, so that no redirect hangs on the form', async () => {
  const approved = await decide(browser, await open())
  expect(approved.statusCode).toBe(200)
  expect(approved.headers.location).toBeUndefined()
  expect(approved.headers['referrer-policy']).toBe('no-referrer')
  expect(refreshTarget(approved.body)).toMatch(/^\/authorize\/login\?interaction=/)
})

describe('a denial', () => {
  it.each(['http://127.0.0.1:33418/callback', 'https://app.example/cb?x=1'])(
    'always goes back to %s with state and iss',
    async (redirect_uri) => {
      client = await register(gateway.app, { redirect_uris: [redirect_uri] })
      const page = await browser.get(authorizeUrl(client, { redirect_uri }))
      const answer = await decide(browser, page, 'deny')
      expect(answer.statusCode).toBe(303)
      expect(answer.headers['referrer-policy']).toBe('no-referrer')
      expect(answer.headers['cache-control']).toBe('no-store')
      const location = String(answer.headers.location)
      expect(location.startsWith(redirect_uri)).toBe(true)
      const query = new URL(location).searchParams
      expect(query.get('error')).toBe('access_denied')
      expect(query.get('state')).toBe('the-state')
      expect(query.get('iss')).toBe('https://auth.example.com')
      expect(query.has('code')).toBe(false)
    },
  )

  it('after an approval takes the approval back', async () => {
    const page = await open()
    const approved = await decide(browser, page)
    await decide(browser, page, 'deny')
    expect(flowCookies(browser)).toEqual([])
    expectStartAgain(await followToLogin(browser, approved))
  })
})

it('fp3: Cancel at the login goes back to the program, and the login is over', async () => {
  const login = await followToLogin(browser, await decide(browser, await open()))
  expect(login.body).toContain('form="cancel" name="decision" value="deny"')
  const answer = await decide(browser, login, 'deny')
  expect(answer.statusCode).toBe(303)
  const query = new URL(String(answer.headers.location)).searchParams
  expect(query.get('error')).toBe('access_denied')
  expect(query.get('state')).toBe('the-state')
  expect(flowCookies(browser)).toEqual([])
  expectStartAgain(await typeIn(browser, login))
})

describe('fp6: a person who opens an address of the login by hand', () => {
  it.each(['/authorize', '/authorize?', '/login'])('%s is told what it is for', async (url) => {
    const answer = await browser.get(url, { 'sec-fetch-site': 'none' })
    expectPage(answer, 400)
    expect(answer.body).toContain('This page is opened by your program')
    expect(answer.body).not.toContain('set up wrongly')
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it('is told so at the host of a protected server, too', async () => {
    const there = { host: 'mcp.example.com', 'sec-fetch-site': 'none' }
    const answer = await browser.get('/authorize', there)
    const page = await browser.get(String(answer.headers.location))
    expect(page.body).toContain('This page is opened by your program')
  })
})

describe('T12: a consent that another page posts gets nowhere and sets nothing:', () => {
  it.each<[string, Record<string, string>]>([
    ['cross-site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['cross-site, by fetch metadata alone', { 'sec-fetch-site': 'cross-site' }],
    ['same-site', { 'sec-fetch-site': 'same-site', origin: 'https://mcp.example.com' }],
    ['same-site, by fetch metadata alone', { 'sec-fetch-site': 'same-site' }],
    ['by no page at all', { 'sec-fetch-site': 'none' }],
    [
      'another origin, without fetch metadata',
      { 'sec-fetch-site': '', origin: 'https://evil.example' },
    ],
    ['an opaque origin', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
    [
      'our host on another port',
      { 'sec-fetch-site': 'same-site', origin: 'https://auth.example.com:8443' },
    ],
    ['our host over http', { 'sec-fetch-site': 'cross-site', origin: 'http://auth.example.com' }],
  ])('%s', async (_what, headers) => {
    const { interaction } = await attack()
    const before = await storedRecords(gateway.storage)
    for (const victim of [createBrowser(gateway.app), browser]) {
      if (victim === browser) await open()
      const response = await victim.post('/consent', { interaction, decision: 'approve' }, headers)
      expectPage(response, 403)
      expect(response.headers['set-cookie']).toBeUndefined()
    }
    expect(await storedRecords(gateway.storage)).toEqual(before)
  })

  it("not even with the victim's own interaction", async () => {
    const page = await open()
    const cross = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    const response = await decide(browser, page, 'approve', cross)
    expectPage(response, 403)
    expect(response.headers['set-cookie']).toBeUndefined()
    expect(flowCookies(browser)).toEqual([])
  })

  it('from a browser that sends neither header: it is asked again, and nothing is decided', async () => {
    const { interaction, loginUrl } = await attack()
    const silent = {
      host: 'auth.example.com',
      'content-type': 'application/x-www-form-urlencoded',
    }
    const response = await gateway.app.inject({
      method: 'POST',
      url: '/consent',
      headers: silent,
      payload: new URLSearchParams({ interaction, decision: 'approve' }).toString(),
    })
    expectConsent(response)
    expect(response.cookies.map(({ name }) => name)).toEqual(['__Host-gw_browser'])
    expect(hiddenField(response.body, 'interaction')).not.toBe(interaction)

    const victim = createBrowser(gateway.app)
    for (const { name, value } of response.cookies) victim.cookies.set(name, value)
    expectStartAgain(await victim.get(loginUrl))
  })
})

it('takes the answer of a matching browser that sends neither header', async () => {
  const page = await open()
  const response = await gateway.app.inject({
    method: 'POST',
    url: '/consent',
    headers: {
      host: 'auth.example.com',
      'content-type': 'application/x-www-form-urlencoded',
      cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    },
    payload: new URLSearchParams({
      interaction: hiddenField(page.body, 'interaction'),
      decision: 'approve',
    }).toString(),
  })
  expect(refreshTarget(response.body)).toMatch(/^\/authorize\/login/)
})

it('T12: the same page may be opened twice, and both answered', async () => {
  const [one, two] = [await open(), await open()]
  for (const page of [one, two]) {
    const login = await followToLogin(browser, await decide(browser, page))
    expect((await typeIn(browser, login)).statusCode).toBe(303)
  }
})

it('lets two tabs finish that were the first visit of a browser, both at once', async () => {
  const tabs = [createBrowser(gateway.app), createBrowser(gateway.app)] as const
  const pages = await Promise.all(tabs.map((tab) => open(tab)))
  // Each answer sets its cookie in the same jar: the later cookie stays.
  for (const [name, value] of [...tabs[0].cookies, ...tabs[1].cookies]) {
    browser.cookies.set(name, value)
  }
  const codes: string[] = []
  let askedAgain = 0
  for (const page of pages) {
    let answer = await decide(browser, page)
    if (answer.body.includes('value="approve"')) {
      askedAgain += 1
      expectConsent(answer)
      answer = await decide(browser, answer)
    }
    codes.push(codeOf(await typeIn(browser, await followToLogin(browser, answer))))
  }
  expect(askedAgain).toBe(1)
  for (const code of codes) {
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(200)
  }
})

describe('T2: an approval that an attacker gave in his own browser', () => {
  it.each(['with no cookie', 'with a cookie of its own'])(
    'leads no victim %s to a login',
    async (which) => {
      const { loginUrl } = await attack()
      if (which !== 'with no cookie') await open()
      expectStartAgain(await browser.get(loginUrl))
      expectStartAgain(await browser.get(loginUrl, { 'sec-fetch-site': 'same-origin' }))
    },
  )

  it('is worth nothing where the victim is logging in himself', async () => {
    const { loginUrl } = await attack()
    const login = await consentTo(browser, authorizeUrl(client))
    const interaction = new URL(loginUrl, 'https://x').searchParams.get('interaction') ?? ''
    const before = await storedRecords(gateway.storage)
    const fields = { interaction, username: 'ann', password: 'correct horse' }
    expectStartAgain(await browser.post('/login', fields))
    expect(await storedRecords(gateway.storage)).toEqual(before)
    expect((await typeIn(browser, login)).statusCode).toBe(303)
  })

  it('begins anew with a consent of the victim, under another id', async () => {
    const { loginUrl } = await attack()
    const again = await decide(browser, await browser.get(loginUrl), 'restart')
    expectConsent(again)
    const login = await followToLogin(browser, await decide(browser, again))
    expect((await typeIn(browser, login)).statusCode).toBe(303)
    expectStartAgain(await browser.get(loginUrl))
  })
})

it('T2: a browser that did not approve this very interaction cannot log in to it', async () => {
  const approved = await decide(browser, await open())
  for (const name of flowCookies(browser)) browser.cookies.delete(name)
  expectStartAgain(await followToLogin(browser, approved))
})

it('T2: an approval is worth nothing in a browser that has become another', async () => {
  const approved = await decide(browser, await open())
  browser.cookies.set('__Host-gw_browser', 'A'.repeat(22))
  expectStartAgain(await followToLogin(browser, approved))
})

it('T2: the approval of one interaction is worth nothing for another', async () => {
  const [one, two] = [await decide(browser, await open()), await decide(browser, await open())]
  const [first, second] = flowCookies(browser)
  if (!first || !second) throw new Error('expected a cookie a flow')
  browser.cookies.set(first, browser.cookies.get(second) ?? '')
  browser.cookies.delete(second)
  expectStartAgain(await followToLogin(browser, one))
  expectStartAgain(await followToLogin(browser, two))
})

it('asks for consent, not for a password, with an interaction nobody has allowed', async () => {
  const page = await open()
  const interaction = hiddenField(page.body, 'interaction')
  expectConsent(await browser.get(`/login?interaction=${encodeURIComponent(interaction)}`))
  expectConsent(await typeIn(browser, page))
})

describe('after half an hour', () => {
  it('an answer is too late, and the page offers to start again', async () => {
    const page = await open()
    gateway.clock.advance(HALF_AN_HOUR - 1)
    expect((await decide(browser, page)).statusCode).toBe(200)
    gateway.clock.advance(1)
    for (const decision of ['approve', 'deny'] as const) {
      expectStartAgain(await decide(browser, page, decision))
    }
  })

  it('starting again asks anew and comes through to the client', async () => {
    const late = await open()
    gateway.clock.advance(2 * HALF_AN_HOUR)
    const page = await decide(browser, await decide(browser, late), 'restart')
    expectConsent(page)
    expect(hiddenField(page.body, 'interaction')).not.toBe(hiddenField(late.body, 'interaction'))
    const login = await followToLogin(browser, await decide(browser, page))
    const answer = await typeIn(browser, login)
    expect((await redeem(gateway.app, client, codeOf(answer))).statusCode).toBe(200)
  })

  it('a login is too late', async () => {
    const login = await consentTo(browser, authorizeUrl(client))
    gateway.clock.advance(HALF_AN_HOUR)
    expectStartAgain(await typeIn(browser, login))
  })

  it('another browser is told to start again as well, and can', async () => {
    const late = await open()
    gateway.clock.advance(HALF_AN_HOUR)
    const other = createBrowser(gateway.app)
    const told = await other.post('/consent', {
      interaction: hiddenField(late.body, 'interaction'),
      decision: 'approve',
    })
    expectStartAgain(told)
    expectConsent(await decide(other, told, 'restart'))
  })
})

it.each<[string, () => string]>([
  ['nothing', () => ''],
  ['nonsense', () => 'nonsense'],
  ['a client_id, which is sealed too', () => client.client_id],
  ['an endless one', () => 'a'.repeat(20_000)],
])('takes %s for no interaction', async (_what, interaction) => {
  await open()
  for (const path of ['/authorize/consent', '/authorize/login', '/consent', '/login']) {
    const response = await browser.post(path, { interaction: interaction(), decision: 'approve' })
    expectPage(response, 403)
    expect(response.body).toContain('no longer valid')
  }
})

it('ends when the server was taken out of the configuration meanwhile', async () => {
  const login = await consentTo(browser, authorizeUrl(client))
  const { app } = await gateway.restart({
    resources: [{ ...gateway.config.resources[0], url: 'https://moved.example.com' } as never],
  })
  const after = createBrowser(app)
  for (const [name, value] of browser.cookies) after.cookies.set(name, value)
  const response = await typeIn(after, login)
  expectPage(response, 400)
  expect(response.body).toContain('no longer here')
})
