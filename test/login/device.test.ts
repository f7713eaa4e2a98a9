/** The device grant (RFC 8628), as people see it: the code, consent, sign-in, and the tricks of others. */
import { beforeEach, describe, expect, it } from 'vitest'
import { type Browser, createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  approveDevice,
  beginDevice,
  type Codes,
  poll,
  registerDevice,
  typeCode,
} from '../support/device.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import type { RegisteredClient } from '../support/oauth-client.ts'
import { decide, expectConsent, expectPage, followToLogin, typeIn } from '../support/steps.ts'
import { storedKeys } from '../support/stored.ts'

let gateway: TestApp
let client: RegisteredClient
let codes: Codes
let browser: Browser
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await registerDevice(gateway.app)
  codes = await beginDevice(gateway.app, client)
  browser = createBrowser(gateway.app)
})

const errorOf = async (of: Pick<Codes, 'device_code'> = codes) =>
  (await poll(gateway.app, client, of)).json().error

const UNKNOWN = 'This code is not known here, or it has expired'

describe('a code', () => {
  it('that is unknown, expired, answered or no code at all gets one and the same page', async () => {
    const expired = await beginDevice(gateway.app, client)
    const denied = await beginDevice(gateway.app, client)
    await decide(browser, await typeCode(browser, denied.user_code), 'deny')
    const approved = await beginDevice(gateway.app, client)
    await approveDevice(browser, approved)
    const pages = [
      await typeCode(browser, denied.user_code),
      await typeCode(browser, approved.user_code),
    ]
    gateway.clock.advance(600)
    for (const typed of [expired.user_code, 'BBBB-BBBB', 'BBBB', 'what code?', 'ßßßßßßßß', '\0']) {
      pages.push(await typeCode(browser, typed))
    }
    for (const page of pages) {
      expectPage(page, 400)
      expect(page.body).toContain(UNKNOWN)
      expect(page.body).toBe(pages[0]?.body)
    }
  })

  it('that was typed wrong too often is not looked up any more, from that address alone', async () => {
    for (let tries = 0; tries < 20; tries += 1) await typeCode(browser, 'BBBB-BBBB')
    const locked = await typeCode(browser, codes.user_code)
    expectPage(locked, 429)
    expect(locked.body).toContain('There were too many wrong codes')
    const elsewhere = { 'x-forwarded-for': '192.0.2.7' }
    expectConsent(await typeCode(browser, codes.user_code, elsewhere))
    gateway.clock.advance(599)
    expect((await typeCode(browser, 'BBBB-BBBB')).statusCode).toBe(429)
    gateway.clock.advance(2)
    expect((await typeCode(browser, 'BBBB-BBBB')).statusCode).toBe(400)
  })

  it('security review 6, T38: wrong codes of strangers lock out nobody at the address who is signed in', async () => {
    await approveDevice(browser, await beginDevice(gateway.app, client))
    const stranger = createBrowser(gateway.app)
    for (let tries = 0; tries < 20; tries += 1) await typeCode(stranger, 'BBBB-BBBB')
    expect((await typeCode(stranger, codes.user_code)).statusCode).toBe(429)
    expectConsent(await typeCode(browser, codes.user_code))
    for (let tries = 0; tries < 20; tries += 1) await typeCode(browser, 'BBBB-BBBB')
    const elsewhere = { 'x-forwarded-for': '192.0.2.7' }
    expect((await typeCode(browser, codes.user_code, elsewhere)).statusCode).toBe(429)
  })

  it('that is right does not count, so a whole office types at once', async () => {
    for (let tries = 0; tries < 50; tries += 1) {
      expectConsent(await typeCode(browser, codes.user_code))
    }
  })

  it('cannot be guessed at once by many requests that outrun the count', async () => {
    const answers = await Promise.all(
      Array.from({ length: 100 }, () => typeCode(browser, 'BBBB-BBBB')),
    )
    expect(answers.filter(({ statusCode }) => statusCode === 400)).toHaveLength(20)
  })

  it('T38: guesses from everywhere shut out nobody who made none, and nobody who is signed in', async () => {
    for (let block = 0; block < 200; block += 1) {
      const from = { 'x-forwarded-for': `198.51.100.${block}` }
      for (let tries = 0; tries < 10; tries += 1) await typeCode(browser, 'BBBB-BBBB', from)
    }
    const guesser = { 'x-forwarded-for': '198.51.100.1' }
    expect((await typeCode(browser, codes.user_code, guesser)).statusCode).toBe(429)
    expectConsent(await typeCode(browser, codes.user_code, { 'x-forwarded-for': '192.0.2.7' }))
    await approveDevice(browser, await beginDevice(gateway.app, client))
    expectConsent(await typeCode(browser, codes.user_code, guesser))
  })

  it('is never in a line of the log, and each wrong one is', async () => {
    await typeCode(browser, 'BBBB-BBBC')
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        event: 'sign-in-failed',
        reason: 'unknown or expired device code',
      }),
    )
    expect(JSON.stringify(gateway.logs)).not.toContain('BBBC')
  })

  it('that the address holds is shown only if it can be one', async () => {
    const page = await browser.get('/device?user_code=%22%3E%3Cscript%3Ewdjbmjht')
    expect(page.statusCode).toBe(200)
    expect(page.body).not.toContain('<script')
    const blank = await browser.get('/device?user_code=%22%3E%3Cscript%3E&user_code=x')
    expect(blank.body).toContain('value=""')
  })
})

describe('a person', () => {
  it('who is signed in is named, and allows in one step', async () => {
    await approveDevice(browser, codes)
    const next = await beginDevice(gateway.app, client)
    const consent = await typeCode(browser, next.user_code)
    expect(consent.body).toContain('Signed in as')
    const done = await decide(browser, consent)
    expect(done.headers.location).toBe('/device/allowed')
    expect((await poll(gateway.app, client, next)).statusCode).toBe(200)
  })

  it('is asked every time, also for the same device', async () => {
    await approveDevice(browser, codes)
    for (let times = 0; times < 2; times += 1) {
      const next = await beginDevice(gateway.app, client)
      expectConsent(await typeCode(browser, next.user_code))
      expect(await errorOf(next)).toBe('authorization_pending')
    }
  })

  it('who is somebody else signs in as that', async () => {
    gateway = await buildTestApp({
      resources: [resource({ allow: { ...resource().allow, anyone: true } })],
    })
    client = await registerDevice(gateway.app)
    browser = createBrowser(gateway.app)
    await approveDevice(browser, await beginDevice(gateway.app, client))
    codes = await beginDevice(gateway.app, client)
    const consent = await typeCode(browser, codes.user_code)
    const interaction = hiddenField(consent.body, 'interaction')
    const asked = await browser.post('/consent', { interaction, decision: 'someone-else' })
    expectConsent(asked)
    expect(asked.body).toContain(codes.user_code)
    expect(asked.body).not.toContain('Signed in as')
    await typeIn(browser, await followToLogin(browser, await decide(browser, asked)), {
      name: 'bob',
    })
    await poll(gateway.app, client, codes)
    expect(gateway.events).toContainEqual(
      expect.objectContaining({ event: 'token-issued', user: 'bob@elsewhere.test' }),
    )
  })

  it('who is on no list reads so, and may refuse the device, which then is told', async () => {
    const refused = await approveDevice(browser, codes, { name: 'bob' })
    expectPage(refused, 403)
    expect(refused.body).toContain('You may not use Team notes')
    expect(await errorOf()).toBe('authorization_pending')
    expect(refused.body).toContain('Refuse the device')
    const denied = await decide(browser, refused, 'deny')
    expect(denied.headers.location).toBe('/device/denied')
    expect(await errorOf()).toBe('access_denied')
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
  })

  it('who is on no list may sign in as somebody who is', async () => {
    const refused = await approveDevice(browser, codes, { name: 'bob' })
    const href = /href="([^"]*\/login\?interaction=[^"]+)"/.exec(refused.body)?.[1] ?? ''
    const login = await browser.get(href.replaceAll('&amp;', '&'), {
      'sec-fetch-site': 'same-origin',
    })
    const done = await typeIn(browser, login)
    expect(done.headers.location).toBe('/device/allowed')
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(200)
  })

  it('who answers after the code has expired is told, and nothing is granted', async () => {
    const consent = await typeCode(browser, codes.user_code)
    const login = await followToLogin(browser, await decide(browser, consent))
    gateway.clock.advance(600)
    const late = await typeIn(browser, login)
    expectPage(late, 400)
    expect(late.body).toContain('Type a code')
    expect(late.body).toContain('action="/device"')
    expectPage(await decide(browser, consent), 400)
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
    expect(hiddenField(late.body, 'another')).toBe('yes')
    expectPage(await browser.post('/device', { another: 'yes' }), 200)
    expectPage(await browser.post('/device', {}), 400)
  })

  it('who answers in two windows, differently, is held to the first answer', async () => {
    const [first, second] = [
      await typeCode(browser, codes.user_code),
      await typeCode(browser, codes.user_code),
    ]
    await decide(browser, first, 'deny')
    const approved = await typeIn(
      browser,
      await followToLogin(browser, await decide(browser, second)),
    )
    expectPage(approved, 400)
    expect(approved.body).toContain('This code is over')
    expect(await errorOf()).toBe('access_denied')
    expect(await storedKeys(gateway.storage, 'grant:')).toEqual([])
    expectPage(await decide(browser, first, 'deny'), 400)
  })

  it('who denies after allowing changes nothing, and reads that', async () => {
    const consent = await typeCode(browser, codes.user_code)
    await typeIn(browser, await followToLogin(browser, await decide(browser, consent)))
    const denied = await decide(browser, consent, 'deny')
    expect(denied.body).toContain('This code is over')
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(200)
  })
})

describe('a person who signs in at a provider', () => {
  const start = async () => {
    const provider = await startHostileProvider()
    gateway = await buildTestApp({ provider: provider.config, users: [] })
    client = await registerDevice(gateway.app)
    codes = await beginDevice(gateway.app, client)
    browser = createBrowser(gateway.app)
    const consented = await decide(browser, await typeCode(browser, codes.user_code))
    return { provider, there: refreshTarget(consented.body) }
  }

  it('comes back, and the device goes on; the same address does nothing twice', async () => {
    const { provider, there } = await start()
    const back = await provider.signIn(there)
    const done = await browser.get(back)
    expect(done.headers.location).toBe('/device/allowed')
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(200)
    await browser.get(back)
    expect(await storedKeys(gateway.storage, 'grant:')).toHaveLength(1)
  })

  it('T2: comes back in another browser, and nothing is allowed', async () => {
    const { provider, there } = await start()
    const back = await provider.signIn(there)
    expectPage(await createBrowser(gateway.app).get(back), 400)
    expect(await errorOf()).toBe('authorization_pending')
  })

  it('gives up there, and may try again or refuse the device', async () => {
    const { provider, there } = await start()
    const state = new URL(there).searchParams.get('state') ?? ''
    const said = { error: 'access_denied', state, iss: provider.config.issuerUrl }
    const denied = await browser.get(`/callback?${new URLSearchParams(said)}`)
    expectPage(denied, 403)
    expect(denied.body).toContain('Try again')
    expect(await errorOf()).toBe('authorization_pending')
    expect((await decide(browser, denied, 'deny')).headers.location).toBe('/device/denied')
    expect(await errorOf()).toBe('access_denied')
  })
})

describe('another website', () => {
  it.each<[string, Record<string, string>]>([
    ['cross-site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['same-site', { 'sec-fetch-site': 'same-site', origin: 'https://mcp.example.com' }],
    ['without fetch metadata', { 'sec-fetch-site': '', origin: 'https://evil.example' }],
  ])('T12: cannot post a code into a browser, %s', async (_how, headers) => {
    const answer = await typeCode(browser, codes.user_code, headers)
    expectPage(answer, 403)
    expect(answer.body).not.toContain('value="approve"')
    expect(browser.cookies.size).toBe(0)
  })

  it('T12: cannot post an approval of its own browser into another one', async () => {
    const attacker = createBrowser(gateway.app)
    const interaction = hiddenField((await typeCode(attacker, codes.user_code)).body, 'interaction')
    await approveDevice(browser, await beginDevice(gateway.app, client))
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
    expectPage(await browser.post('/consent', { interaction, decision: 'approve' }, headers), 403)
    // The form itself, brought to the victim in another way, leads to the page where the victim compares the code.
    const led = await browser.post('/consent', { interaction, decision: 'approve' })
    expect(led.statusCode).toBe(303)
    expect(led.headers.location).toBe(`/device?user_code=${codes.user_code}`)
    const opened = await browser.get(`/authorize/login?interaction=${interaction}`)
    expect(opened.headers.location).toBe(`/device?user_code=${codes.user_code}`)
    expect(await errorOf()).toBe('authorization_pending')
  })

  it('T2, T4: cannot bring its own approved sign-in to another browser', async () => {
    const attacker = createBrowser(gateway.app)
    const login = await followToLogin(
      attacker,
      await decide(attacker, await typeCode(attacker, codes.user_code)),
    )
    expectPage(await typeIn(browser, login), 400)
    expect(await errorOf()).toBe('authorization_pending')
  })

  it('cannot frame, fetch or prefetch the page, and gets no consent by opening the address', async () => {
    const opened = await browser.get(codes.verification_uri_complete)
    expect(opened.headers['x-frame-options']).toBe('DENY')
    expect(opened.headers['content-security-policy']).toContain("frame-ancestors 'none'")
    expect(opened.body).not.toContain('value="approve"')
    for (const headers of [
      { 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
    ]) {
      expectPage(await browser.get(codes.verification_uri_complete, headers), 403)
      expectPage(await typeCode(browser, codes.user_code, headers), 403)
    }
    const consent = await typeCode(browser, codes.user_code)
    expect(consent.headers['x-frame-options']).toBe('DENY')
    expect(await errorOf()).toBe('authorization_pending')
  })

  it('T35: on our own host cannot lead a person to the page', async () => {
    const shared = resource({ url: 'https://auth.example.com/mcp' })
    const { app } = await buildTestApp({ resources: [shared] })
    const own = { 'sec-fetch-site': 'same-origin' }
    expectPage(await createBrowser(app).get('/device?user_code=WDJBMJHT', own), 403)
    const opened = await createBrowser(app).get('/device', { 'sec-fetch-site': 'none' })
    expect(opened.headers['cross-origin-opener-policy']).toBe('same-origin')
  })

  it('K8: on the host of a protected server the page does not exist', async () => {
    const there = createBrowser(gateway.app, 'https://mcp.example.com')
    expect((await there.get('/device')).body).not.toContain('name="user_code"')
    expect((await typeCode(there, codes.user_code)).statusCode).toBe(404)
  })
})
