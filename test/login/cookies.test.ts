import { expect, it } from 'vitest'
import { createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import { authorizeUrl, consentTo, register } from '../support/oauth-client.ts'
import { decide, expectConsent, followToLogin, typeIn } from '../support/steps.ts'

/** The Set-Cookie lines of a whole sign-in, step by step. */
async function cookiesOfSignIn(origin: string): Promise<Record<string, string[]>> {
  const url = new URL(origin)
  const { app } = await buildTestApp({
    publicUrl: { origin, host: url.host, secure: url.protocol === 'https:' },
  })
  const browser = createBrowser(app, origin)
  const page = await browser.get(authorizeUrl(await register(app)))
  const approved = await decide(browser, page)
  const login = await followToLogin(browser, approved)
  const done = await typeIn(browser, login)
  expect(done.statusCode).toBe(303)
  const lines = Object.entries({ page, approved, login, done }).map(([step, { headers }]) => [
    step,
    [headers['set-cookie'] ?? []].flat(),
  ])
  return Object.fromEntries(lines)
}

it('are __Host- cookies over https, for this host, out of reach of scripts', async () => {
  const { page, approved, login, done } = await cookiesOfSignIn('https://auth.example.com')
  const attributes = 'Path=/; HttpOnly; Secure; SameSite=Lax'
  expect(page).toEqual([
    expect.stringMatching(new RegExp(`^__Host-gw_browser=[\\w-]{22}; ${attributes}$`)),
  ])
  expect(approved).toEqual([
    expect.stringMatching(
      /^__Host-gw_flow_[\w-]{22}=[\w-]{43}; Max-Age=1800; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    ),
  ])
  expect(login).toEqual([])
  expect(done).toHaveLength(3)
  // K35: it lives as long as SESSION_LIFETIME, whatever COOKIE_DOMAIN is.
  expect(done).toContainEqual(
    expect.stringMatching(
      /^__Host-gw_login=[\w-]{22}\.[\w-]{22}; Max-Age=86400; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    ),
  )
  expect(done).toContainEqual(
    expect.stringMatching(
      /^__Host-gw_device=[\w.-]+; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    ),
  )
  const gone = (done ?? []).find((line) => line.startsWith('__Host-gw_flow_'))
  expect(gone).toMatch(
    /^__Host-gw_flow_[\w-]{22}=; (?:Max-Age=0; )?Path=\/; Expires=Thu, 01 Jan 1970/,
  )
  expect(gone).toContain('Secure')
})

it('are the same without prefix and Secure over http', async () => {
  const lines = Object.values(await cookiesOfSignIn('http://localhost:8080')).flat()
  expect(lines).toHaveLength(5)
  for (const line of lines) {
    expect(line).toMatch(/^gw_(browser|device|login|flow_[\w-]{22})=/)
    expect(line).toContain('HttpOnly')
    expect(line).toContain('SameSite=Lax')
    expect(line).not.toContain('Secure')
    expect(line).not.toContain('Domain')
  }
})

it('name the browser once: the next page keeps what is there', async () => {
  const { app } = await buildTestApp()
  const client = await register(app)
  const browser = createBrowser(app)
  await browser.get(authorizeUrl(client))
  const again = await browser.get(authorizeUrl(client))
  expect(again.headers['set-cookie']).toBeUndefined()
})

it.each(['', 'short', 'x'.repeat(22).replace('x', '%'), 'a'.repeat(500)])(
  'T11: a browser name not made here (%j) is replaced',
  async (value) => {
    const { app } = await buildTestApp()
    const browser = createBrowser(app)
    browser.cookies.set('__Host-gw_browser', value)
    const page = await browser.get(authorizeUrl(await register(app)))
    expectConsent(page)
    expect(browser.cookies.get('__Host-gw_browser')).toMatch(/^[\w-]{22}$/)
    expect(browser.cookies.get('__Host-gw_browser')).not.toBe(value)
  },
)

it('T11: without the prefix count for nothing over https, so no subdomain can plant them', async () => {
  const { app } = await buildTestApp()
  const browser = createBrowser(app)
  const login = await consentTo(browser, authorizeUrl(await register(app)))
  const planted = createBrowser(app)
  for (const [name, value] of browser.cookies) {
    planted.cookies.set(name.replace('__Host-', ''), value)
  }
  const interaction = encodeURIComponent(hiddenField(login.body, 'interaction'))
  expect((await browser.get(`/login?interaction=${interaction}`)).statusCode).toBe(200)
  expect((await planted.get(`/login?interaction=${interaction}`)).statusCode).toBe(400)
})

it('do nothing when they are forged', async () => {
  const { app } = await buildTestApp()
  const browser = createBrowser(app)
  const login = await consentTo(browser, authorizeUrl(await register(app)))
  for (const name of browser.cookies.keys()) {
    if (name.includes('flow')) browser.cookies.set(name, 'A'.repeat(43))
  }
  browser.cookies.set('__Host-gw_device', 'nonsense')
  expect((await typeIn(browser, login)).statusCode).toBe(400)
})
