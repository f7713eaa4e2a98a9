/**
 * `/auth/connect` on a host that the gateway shares with a protected server, whose pages are of the same origin (T35).
 */
import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { resource } from '../support/build-app.ts'
import { typeIn } from '../support/steps.ts'
import { buildEdgeApp, CONNECT } from './support.ts'

const HOST = 'auth.example.com'
const PROOF = '__Host-gw_opened'
const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }
const build = () =>
  buildEdgeApp({
    resources: [resource({ url: `https://${HOST}/mcp`, sharedHost: 'sandboxed' })],
  })

/** Signs in for `/auth/connect` as a person does, up to the redirect that leads back to it. */
async function signedIn(test: Awaited<ReturnType<typeof build>>) {
  const browser = createBrowser(test.app)
  let page = await browser.get(CONNECT, { 'sec-fetch-site': 'none' })
  while (page.headers.location !== undefined)
    page = await browser.get(String(page.headers.location))
  const back = await typeIn(browser, page)
  return { browser, back: String(back.headers.location) }
}

describe('at1, T35: /auth/connect on a shared host', () => {
  it('is there after our own login, whose page is of the same origin', async () => {
    const { browser, back } = await signedIn(await build())
    expect(back).toBe(`https://${HOST}${CONNECT}`)
    const page = await browser.get(back, SAME_ORIGIN)
    expect(page.statusCode).toBe(200)
    expect(page.body).toContain('Connect your terminal?')
    expect(page.headers['cross-origin-opener-policy']).toBe('same-origin')
  })

  it('is there for a person who opens it', async () => {
    const { browser } = await signedIn(await build())
    for (const site of ['none', 'cross-site', 'same-site']) {
      const page = await browser.get(CONNECT, { 'sec-fetch-site': site })
      expect(page.statusCode).toBe(200)
    }
  })

  it('is not there for a page of the server, and shows it no session', async () => {
    const test = await build()
    const { browser, back } = await signedIn(test)
    // A proof counts for its parameters alone.
    for (const url of [
      back.replace('49152', '9'),
      back.replace('K7M', 'AAA'),
      `${back}&x=1`,
      `${back}&callback_port=9`,
    ]) {
      const page = await browser.get(url, SAME_ORIGIN)
      expect([400, 403], url).toContain(page.statusCode)
      expect(page.body).not.toContain('Connect your terminal?')
    }
    // A script may plant the proof of another browser: it counts for its session alone.
    const other = await signedIn(test)
    for (const planted of [other.browser.cookies.get(PROOF) ?? '', 'AAAA', '', undefined]) {
      if (planted === undefined) browser.cookies.delete(PROOF)
      else browser.cookies.set(PROOF, planted)
      const page = await browser.get(CONNECT, SAME_ORIGIN)
      expect(page.statusCode).toBe(403)
      expect(page.body).not.toContain('Connect your terminal?')
    }
  })

  it('is not there for a frame or a worker, with a proof either', async () => {
    const { browser, back } = await signedIn(await build())
    for (const headers of [
      { 'sec-fetch-dest': 'iframe' },
      { 'sec-fetch-mode': 'cors' },
      { 'service-worker': 'script' },
      { 'service-worker-navigation-preload': 'true' },
    ]) {
      expect((await browser.get(back, { ...SAME_ORIGIN, ...headers })).statusCode).toBe(403)
    }
  })

  it('a page that opens it by the login gets no further than the person', async () => {
    const { app } = await build()
    const browser = createBrowser(app)
    const refused = await browser.get(CONNECT, SAME_ORIGIN)
    expect(refused.statusCode).toBe(403)
    expect(refused.headers.location).toBeUndefined()
  })
})
