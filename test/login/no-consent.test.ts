/** K38: `consent: false` of a configured client leaves the question out. */
import { describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { DEVICE_CODE } from '../../src/oauth/grants/names.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import { beginDevice, typeCode } from '../support/device.ts'
import { authorizeUrl, check, codeOf, redeem, register } from '../support/oauth-client.ts'
import { expectStartAgain, moved, typeIn } from '../support/steps.ts'
import { storedKeys } from '../support/stored.ts'

const SECRET = 'the-secret-of-the-portal-that-nobody-may-read'
const CALLBACK = 'https://portal.example/callback'
const PORTAL = {
  id: 'portal',
  name: 'Portal',
  secret: SECRET,
  redirectUris: [CALLBACK],
  grantTypes: ['authorization_code', 'refresh_token', DEVICE_CODE],
  authMethod: 'client_secret_post',
  needsConsent: false,
} as const satisfies ClientConfig

const start = () => buildTestApp({ clients: [PORTAL] })
const url = (changes: Record<string, string> = {}) =>
  authorizeUrl({ client_id: PORTAL.id }, { redirect_uri: CALLBACK, ...changes })

/** Follows the redirect to the login page. */
async function loginPage(browser: ReturnType<typeof createBrowser>, at = url()) {
  const away = await browser.get(at)
  expect(away.statusCode, away.body).toBe(302)
  expect(away.headers['cache-control']).toBe('no-store')
  return browser.get(String(away.headers.location))
}

describe('a client that the configuration allows for everybody', () => {
  it('gets its code without a question, and the log says who allowed it', async () => {
    const { app, events } = await start()
    const browser = createBrowser(app)
    const answer = await typeIn(browser, await loginPage(browser))
    expect(String(answer.headers.location)).toContain(`${CALLBACK}?code=`)
    const tokens = await redeem(app, { client_id: PORTAL.id }, codeOf(answer), {
      redirect_uri: CALLBACK,
      client_secret: SECRET,
    })
    const { access_token } = tokens.json()
    const { headers } = await check(app, { authorization: `Bearer ${access_token}` })
    expect(headers['x-forwarded-user']).toBe('ann@example.com')
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'consent-given', client: 'Portal', by: 'configuration' }),
    )
  })

  it('gets it without any page where the browser knows the person', async () => {
    const { app, events } = await start()
    const browser = createBrowser(app)
    await typeIn(browser, await loginPage(browser))
    const again = await browser.get(url())
    expect(again.statusCode).toBe(302)
    expect(String(again.headers.location)).toContain(`${CALLBACK}?code=`)
    expect(events.filter(({ event }) => event === 'let-in')).toHaveLength(1)
  })

  it.each([
    ['a HEAD', 'HEAD', {}],
    ['a prefetch', 'GET', { 'sec-purpose': 'prefetch' }],
    ['a prerendering', 'GET', { 'sec-purpose': 'prefetch;prerender' }],
    ['a prefetch of an older browser', 'GET', { purpose: 'prefetch' }],
  ] as const)('T3: is not let in by %s, which no person sees', async (_what, method, headers) => {
    const { app, events, storage } = await start()
    const browser = createBrowser(app)
    await typeIn(browser, await loginPage(browser))
    const before = await storedKeys(storage, 'grant:')
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const looked = await app.inject({
      method,
      url: url(),
      headers: { host: 'auth.example.com', cookie, ...headers },
    })
    expect(looked.statusCode).toBe(200)
    expect(looked.headers.location).toBeUndefined()
    expect(await storedKeys(storage, 'grant:')).toEqual(before)
    expect(events.filter(({ event }) => event === 'consent-given')).toHaveLength(1)
    if (method === 'GET') expect(looked.body).toContain('Allow access?')
    expect((await browser.get(url())).headers.location).toContain('code=')
  })

  it('does not get in somebody whom the policy refuses', async () => {
    const { app } = await start()
    const browser = createBrowser(app)
    const refused = await typeIn(browser, await loginPage(browser), { name: 'bob' })
    expect(refused.statusCode).toBe(403)
    const known = await browser.get(url())
    expect(known.headers.location ?? '').not.toContain('code=')
  })

  it('gets the question if it asks for it', async () => {
    const { app } = await start()
    const page = await createBrowser(app).get(url({ prompt: 'consent' }))
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('Allow access?')
  })

  it('T2: is allowed in the browser that asked, and in no other', async () => {
    const { app } = await start()
    const attacker = createBrowser(app)
    const away = await attacker.get(url())
    expectStartAgain(await createBrowser(app).get(String(away.headers.location)))
    const withOtherFlow = moved(attacker, app)
    withOtherFlow.cookies.clear()
    expectStartAgain(await withOtherFlow.get(String(away.headers.location)))
  })

  it('T1: vouches for no other client, redirect or frame', async () => {
    const { app } = await start()
    const other = await register(app)
    const page = await createBrowser(app).get(authorizeUrl(other))
    expect(page.body).toContain('Allow access?')
    const elsewhere = await createBrowser(app).get(url({ redirect_uri: 'https://evil.example/' }))
    expect(elsewhere.statusCode).toBe(400)
    expect(elsewhere.headers.location).toBeUndefined()
    const framed = await createBrowser(app).get(url(), {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'iframe',
    })
    expect(framed.headers.location).toBeUndefined()
  })

  it('asks all the same for a device: somebody else may hold it', async () => {
    const { app } = await start()
    const portal = { client_id: PORTAL.id, client_secret: SECRET }
    const { user_code } = await beginDevice(app, portal)
    const page = await typeCode(createBrowser(app), user_code)
    expect(page.body).toContain('Allow access?')
  })
})
