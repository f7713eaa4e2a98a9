import { decodeJwt } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Browser, createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, PASSWORD, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  consentTo,
  type RegisteredClient,
  redeem,
  refresh,
  register,
} from '../support/oauth-client.ts'
import {
  decide,
  expectPage,
  expectStartAgain,
  followToLogin,
  moved,
  typeIn,
} from '../support/steps.ts'
import { storedKeys, storedRecords } from '../support/stored.ts'

let gateway: TestApp
let client: RegisteredClient
let browser: Browser
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await register(gateway.app)
  browser = createBrowser(gateway.app)
})

const toLogin = (who = browser) => consentTo(who, authorizeUrl(client, { prompt: 'login' }))

describe('the login page', () => {
  it('says for which program and server, and knows password managers', async () => {
    const page = await toLogin()
    expectPage(page, 200)
    expect(page.body).toContain('Test client')
    expect(page.body).toContain('Team notes')
    expect(page.body).toContain('autocomplete="username"')
    expect(page.body).toContain('autocomplete="current-password"')
  })

  it('T13: cannot be framed, cached or read by others', async () => {
    const { headers } = await toLogin()
    expect(headers).toMatchObject({ 'x-frame-options': 'DENY', 'cache-control': 'no-store' })
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(headers).not.toHaveProperty('access-control-allow-origin')
  })

  it('keeps the typed name after a mistake, but never the password', async () => {
    const wrong = await typeIn(browser, await toLogin(), { name: '"><b>x', password: 'my guess' })
    expectPage(wrong, 401)
    expect(wrong.body).toContain('value="&quot;&gt;&lt;b&gt;x"')
    expect(wrong.body).not.toContain('my guess')
    expect((await typeIn(browser, wrong)).statusCode).toBe(303)
  })

  it('says the same of an unknown name and of a wrong password', async () => {
    const masked = (body: string, name: string) =>
      body.replaceAll(hiddenField(body, 'interaction'), '').replaceAll(name, 'NAME')
    const page = await toLogin()
    const known = await typeIn(browser, page, { name: 'ann', password: 'wrong' })
    const unknown = await typeIn(browser, page, { name: 'zed', password: 'wrong' })
    expect(unknown.statusCode).toBe(known.statusCode)
    expect(masked(unknown.body, 'zed')).toBe(masked(known.body, 'ann'))
    expect(Object.keys(unknown.headers)).toEqual(Object.keys(known.headers))
  })
})

it('T32: sends the person on without a referrer, by a redirect that posts nothing', async () => {
  const answer = await typeIn(browser, await toLogin())
  expect(answer.statusCode).toBe(303)
  expect(answer.headers['referrer-policy']).toBe('no-referrer')
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.body).toBe('')
})

it('T32: leaves no password, code, cookie or interaction in the log', async () => {
  const page = await toLogin()
  await typeIn(browser, page, { password: 'a mistyped password' })
  const cookies = [...browser.cookies.values()]
  const answer = await typeIn(browser, page)
  await typeIn(browser, page, { name: 'bob' })
  const log = JSON.stringify(gateway.logs)
  const interaction = hiddenField(page.body, 'interaction')
  for (const secret of [PASSWORD, 'a mistyped password', codeOf(answer), interaction, ...cookies]) {
    expect(secret.length).toBeGreaterThan(10)
    expect(log).not.toContain(secret)
  }
})

it.each(['ann', 'ANN', ' ann ', 'ann@example.com', 'Ann@Example.COM'])(
  'knows ann by %j as one account',
  async (name) => {
    const code = codeOf(await typeIn(browser, await toLogin(), { name }))
    const tokens = (await redeem(gateway.app, client, code)).json()
    const other = codeOf(await typeIn(browser, await toLogin()))
    const again = (await redeem(gateway.app, client, other)).json()
    expect(decodeJwt(tokens.access_token).sub).toBe(decodeJwt(again.access_token).sub)
  },
)

describe('a button pressed twice', () => {
  it('gets the first answer both times, and one grant', async () => {
    const page = await toLogin()
    const answers = await Promise.all([typeIn(browser, page), typeIn(browser, page)])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([303, 303])
    expect(answers[1]?.headers.location).toBe(answers[0]?.headers.location)
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
    expect((await redeem(gateway.app, client, codeOf(answers[1]))).statusCode).toBe(200)
  })

  it('gets the first answer a moment later as well', async () => {
    const page = await toLogin()
    const before = moved(browser, gateway.app)
    const first = await typeIn(browser, page)
    gateway.clock.advance(9)
    expect((await typeIn(before, page)).headers.location).toBe(first.headers.location)
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
  })

  it('gets no second code later, from another process or with another password', async () => {
    const page = await toLogin()
    const before = moved(browser, gateway.app)
    const first = await typeIn(browser, page)
    const { app } = await gateway.restart()
    expectStartAgain(await typeIn(moved(before, app), page))
    expectPage(await typeIn(before, page, { password: 'wrong' }), 401)
    gateway.clock.advance(10)
    expectStartAgain(await typeIn(before, page))
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
    expect((await redeem(gateway.app, client, codeOf(first))).statusCode).toBe(200)
  })

  it('T2: gets nothing with the password of somebody who is not the person of that tab', async () => {
    const page = await toLogin()
    const before = moved(browser, gateway.app)
    await typeIn(browser, page)
    expectPage(await typeIn(before, page, { name: 'bob' }), 403)
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
  })
})

it('an answered interaction is over for its own browser too', async () => {
  const page = await toLogin()
  await typeIn(browser, page)
  expectStartAgain(await typeIn(browser, page))
})

describe('a person who may not use this server', () => {
  const refusedPage = async () => typeIn(browser, await toLogin(), { name: 'bob' })
  const links = (body: string) =>
    [...body.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href = '']) =>
      href.replaceAll('&amp;', '&'),
    )

  it('is told so, as whom, and nothing is granted', async () => {
    const page = await refusedPage()
    expectPage(page, 403)
    expect(page.body).toContain('bob@elsewhere.test')
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
    expect(await storedKeys(gateway.storage, 'interaction:')).toEqual([])
  })

  it('may sign in as someone else', async () => {
    const [again = ''] = links((await refusedPage()).body)
    const login = await browser.get(again, { 'sec-fetch-site': 'same-origin' })
    expectPage(login, 200)
    const answer = await typeIn(browser, login)
    expect((await redeem(gateway.app, client, codeOf(answer))).statusCode).toBe(200)
  })

  it('may go back to the program, which learns that access was denied', async () => {
    const back = links((await refusedPage()).body)[1] ?? ''
    expect(back.startsWith('http://127.0.0.1:33418/callback?')).toBe(true)
    expect(Object.fromEntries(new URL(back).searchParams)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: 'the-state',
      iss: 'https://auth.example.com',
    })
  })
})

describe('T11: a login that another page posts is refused and tries nothing:', () => {
  it.each<[string, Record<string, string>]>([
    ['cross-site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['same-site', { 'sec-fetch-site': 'same-site', origin: 'https://mcp.example.com' }],
    ['another origin', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
    ['an opaque origin', { 'sec-fetch-site': 'cross-site', origin: 'null' }],
  ])('%s', async (_what, headers) => {
    const page = await toLogin()
    const before = await storedRecords(gateway.storage)
    const response = await typeIn(browser, page, {}, headers)
    expectPage(response, 403)
    expect(response.headers['set-cookie']).toBeUndefined()
    expect(await storedRecords(gateway.storage)).toEqual(before)
  })
})

it('goes on after a restart between any two steps, so that nobody logs in again', async () => {
  let { app } = gateway
  const restart = async () => {
    ;({ app } = await gateway.restart())
    browser = moved(browser, app)
  }
  const consent = await browser.get(authorizeUrl(client))
  await restart()
  const approved = await decide(browser, consent)
  await restart()
  const login = await followToLogin(browser, approved)
  await restart()
  const wrong = await typeIn(browser, login, { password: 'wrong' })
  await restart()
  const code = codeOf(await typeIn(browser, wrong))
  await restart()
  const tokens = (await redeem(app, client, code)).json()
  await restart()
  const allowed = await check(app, { authorization: `Bearer ${tokens.access_token}` })
  expect(allowed.statusCode).toBe(200)
  expect((await refresh(app, client, tokens.refresh_token)).statusCode).toBe(200)
})

it('T14: keeps nothing of all who look at the page and never sign in', async () => {
  const before = await storedRecords(gateway.storage)
  for (let i = 0; i < 10; i += 1) await toLogin(createBrowser(gateway.app))
  expect(await storedRecords(gateway.storage)).toEqual(before)
})
