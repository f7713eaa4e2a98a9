import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { DOMAIN_COOKIE, HOST_COOKIE } from '../support/session.ts'
import { typeIn } from '../support/steps.ts'
import { askTunnel, buildEdgeApp, CONNECT, HOST } from './support.ts'

const passOn = (page: string) => /<input id="pass" value="([^"]+)"/.exec(page)?.[1] ?? ''

describe('from the command line to the tunnel', () => {
  it.each([
    ["on the gateway's own host", {}, 'auth.example.com', HOST_COOKIE, undefined],
    ['under a cookie domain', { cookieDomain: 'example.com' }, HOST, DOMAIN_COOKIE, 'example.com'],
  ])('%s: login, page, session', async (_name, changes, host, expected, domain) => {
    const test = await buildEdgeApp(changes)
    const browser = createBrowser(test.app)
    const turned = await browser.get(CONNECT, { host })
    expect(turned.statusCode).toBe(302)
    const login = await follow(browser, String(turned.headers.location))
    const back = await typeIn(browser, login)
    expect(back.headers.location).toBe(`https://${host}${CONNECT}`)
    const cookie = back.cookies.find(({ name }) => name === expected)
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax', path: '/' })
    expect(cookie?.domain).toBe(domain)
    const page = await browser.get(CONNECT, { host })
    expect(page.statusCode).toBe(200)
    expect(passOn(page.body)).toBe(cookie?.value)
    const tunnel = await askTunnel(test.app, {
      cookie: `CF_Authorization=${passOn(page.body)}`,
      'x-forwarded-host': host,
    })
    expect(tunnel.body).toBe('authenticated')
    expect(tunnel.headers['x-forwarded-user']).toBe('ann@example.com')
  })

  it('leads nobody past the policy', async () => {
    const test = await buildEdgeApp()
    const browser = createBrowser(test.app)
    const host = 'auth.example.com'
    const turned = await browser.get(CONNECT, { host })
    const login = await follow(browser, String(turned.headers.location))
    const refused = await typeIn(browser, login, { name: 'bob' })
    expect(refused.statusCode).toBe(403)
    expect(browser.cookies.has(HOST_COOKIE)).toBe(false)
    expect((await browser.get(CONNECT, { host })).statusCode).toBe(302)
  })
})

/** Follows redirects to the last one. */
async function follow(browser: ReturnType<typeof createBrowser>, location: string) {
  let page = await browser.get(location)
  for (let step = 0; step < 5 && page.headers.location !== undefined; step++) {
    page = await browser.get(String(page.headers.location))
  }
  return page
}
