/**
 * Our own pages against pages of a protected server, on a host that both share and on a host of our own (threat T35).
 */
import { describe, expect, it } from 'vitest'
import { CONSENT_PATH, LOGIN_PATH, LOGOUT_PATH, SESSION_LOGIN_PATH } from '../../src/paths.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import {
  authorizeUrl,
  codeOf,
  consentTo,
  redeem,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { decide, expectStartAgain, typeIn } from '../support/steps.ts'

const OWN = 'https://auth.example.com'
const shared = resource({ id: 'shared', url: `${OWN}/mcp`, sharedHost: 'sandboxed' })
const alone = resource()
const wildcard = resource({ id: 'wild', url: 'https://*.example.com' })

const SAME_ORIGIN = { 'sec-fetch-site': 'same-origin' }
const CUT = 'cross-origin-opener-policy'

/** A request that a page's script, frame or worker makes, and no person. */
const NO_TAB: Record<string, string>[] = [
  { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
  { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
  { 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'empty' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'frame' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'embed' },
  { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': '' },
  { 'sec-fetch-mode': 'websocket' },
  { 'sec-fetch-mode': '' },
  { 'service-worker': 'script' },
  { 'service-worker-navigation-preload': 'true' },
  { 'service-worker-navigation-preload': '' },
]

describe.each(NO_TAB)('at1, T35: a request that no tab makes (%j)', (headers) => {
  it('gets no page of ours, sets no cookie, and decides nothing', async () => {
    const { app } = await buildTestApp({ resources: [shared] })
    const browser = createBrowser(app, OWN)
    const url = authorizeUrl(await register(app), { resource: shared.url })
    const consent = await browser.get(url)
    const login = await consentTo(browser, url)
    const before = [...browser.cookies]
    const answers = [
      await browser.get(url, headers),
      await browser.get(`${SESSION_LOGIN_PATH}?rd=/mcp`, headers),
      await browser.get(LOGOUT_PATH, headers),
      await decide(browser, consent, 'approve', headers),
      await typeIn(browser, login, {}, headers),
      await browser.post(LOGOUT_PATH, {}, headers),
    ]
    for (const answer of answers) {
      expect(answer.statusCode).toBe(403)
      expect(answer.body).toContain('This page only works when you open it yourself')
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
    expect([...browser.cookies]).toEqual(before)
  })
})

it('the fetch of a program reads that its redirect URI is wrong, and gets nothing else', async () => {
  const { app } = await buildTestApp({ resources: [shared] })
  const client = await register(app)
  const headers = { host: 'auth.example.com', 'sec-fetch-mode': 'cors' }
  const ask = (changes: Record<string, string>, more = {}) =>
    app.inject({ url: authorizeUrl(client, changes), headers: { ...headers, ...more } })
  const evil = { redirect_uri: 'https://evil.example/callback' }
  const answer = await ask(evil)
  expect(answer.statusCode).toBe(400)
  expect(answer.body).toContain('redirect_uri')
  for (const refused of [
    await ask(evil, SAME_ORIGIN),
    await ask({ resource: shared.url }),
    await ask({ prompt: 'none', resource: shared.url }),
  ]) {
    expect(refused.statusCode).toBe(403)
    expect(refused.headers['set-cookie']).toBeUndefined()
  }
})

describe('at1, T35: a tab that a page of the same origin opened', () => {
  it('gets no consent page where we share the host', async () => {
    const { app } = await buildTestApp({ resources: [alone, shared] })
    const answer = await createBrowser(app).get(authorizeUrl(await register(app)), SAME_ORIGIN)
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('A page of a server on this host opened this page')
    expect(answer.headers['set-cookie']).toBeUndefined()
  })

  it.each([
    ['a host of our own', [alone]],
    ['a wildcard, which does not cover our host', [alone, wildcard]],
    ['another port of our host', [alone, { ...shared, url: `${OWN}:8443/mcp` }]],
  ])('gets it on %s', async (_what, resources) => {
    const { app } = await buildTestApp({ resources })
    const url = authorizeUrl(await register(app), { resource: alone.url })
    expect((await createBrowser(app).get(url, SAME_ORIGIN)).statusCode).toBe(200)
  })

  it.each(['none', 'cross-site', 'same-site', undefined])(
    'gets it from elsewhere: %s',
    async (site) => {
      const { app } = await buildTestApp({ resources: [shared] })
      const url = authorizeUrl(await register(app), { resource: shared.url })
      const { 'sec-fetch-site': _site, ...others } = SAME_ORIGIN
      const headers = {
        ...others,
        host: 'auth.example.com',
        ...(site && { 'sec-fetch-site': site }),
      }
      expect((await app.inject({ url, headers })).statusCode).toBe(200)
    },
  )

  it('goes on from our own "Start again", and the whole sign-in works', async () => {
    const { app, clock } = await buildTestApp({ resources: [shared] })
    const client = await register(app)
    const browser = createBrowser(app)
    const url = authorizeUrl(client, { resource: shared.url })
    const old = await browser.get(url)
    clock.advance(31 * 60)
    const late = await decide(browser, old)
    expectStartAgain(late)
    const again = await decide(browser, late, 'restart')
    expect(again.statusCode).toBe(200)
    const code = codeOf(await signIn(browser, url))
    expect((await redeem(app, client, code)).statusCode).toBe(200)
  })
})

describe('at1, T35: our pages', () => {
  const pages = async (resources: (typeof alone)[]) => {
    const { app } = await buildTestApp({ resources })
    const browser = createBrowser(app)
    const [first] = resources
    const url = authorizeUrl(await register(app), { resource: first?.url })
    return [
      await browser.get(url),
      await consentTo(browser, url),
      await browser.get('/authorize?nonsense'),
      await browser.get(LOGOUT_PATH),
      await browser.get(`${SESSION_LOGIN_PATH}?rd=/nowhere`),
      await browser.post(CONSENT_PATH, {}),
      await browser.post(LOGIN_PATH, {}),
      // A page that refuses is a page of ours, too.
      await browser.get(url, { 'sec-fetch-mode': 'cors' }),
    ]
  }

  it('are cut off from their opener where we share the host', async () => {
    for (const answer of await pages([shared])) expect(answer.headers[CUT]).toBe('same-origin')
  })

  it('keep it on a host of our own, since clients sign in by pop-up', async () => {
    for (const resources of [[alone], [alone, wildcard]]) {
      for (const answer of await pages(resources)) expect(answer.headers[CUT]).toBeUndefined()
    }
  })

  it('keep it on the other hosts of a gateway that shares its own', async () => {
    const { app } = await buildTestApp({ resources: [shared, alone] })
    const elsewhere = createBrowser(app, 'https://mcp.example.com')
    const answer = await elsewhere.get(`${SESSION_LOGIN_PATH}?rd=/notes/mcp`)
    expect(answer.headers[CUT]).toBeUndefined()
  })
})
