/**
 * Edge auth on a host where several servers live.
 */
import { describe, expect, it } from 'vitest'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, type buildTestApp, resource } from '../support/build-app.ts'
import { DOMAIN_COOKIE, HAND_COOKIE, HOST_COOKIE, makeSession } from '../support/session.ts'
import { typeIn } from '../support/steps.ts'
import { storedKeys } from '../support/stored.ts'
import { ask, askTunnel, buildEdgeApp, CONNECT, HOST, open } from './support.ts'

type Resources = NonNullable<Parameters<typeof buildTestApp>[0]>['resources']

const NOTES = 'https://mcp.example.com/notes/mcp'
const WIKI = 'https://mcp.example.com/wiki/mcp'
const ONLY_ANN = { anyone: false, emails: ['ann@example.com'], domains: [], groups: [] }
const NOBODY = { ...ONLY_ANN, emails: [] }
const wiki = resource({ id: 'wiki', url: WIKI, name: 'Wiki' })
const two = [resource(), wiki]
const shared = { cookieDomain: 'example.com' }
const marked = [resource(), { ...wiki, isDefault: true }]

const audienceAt = async (changes: Parameters<typeof buildTestApp>[0], host = HOST) =>
  (await ask((await buildEdgeApp(changes)).app, '/auth/oidc-config', { host })).json().audience

describe('which of them /auth/connect is about', () => {
  it('is the one marked default, if it lives there', async () => {
    expect(await audienceAt({ resources: marked })).toBe(WIKI)
    const elsewhere = resource({ id: 'x', url: 'https://x.example.org', isDefault: true })
    expect(await audienceAt({ resources: [...two, elsewhere] })).toBeUndefined()
  })

  it('is the one marked default of a host that a wildcard covers', async () => {
    const resources = [
      resource({ url: 'https://*.tools.example.com/notes' }),
      { ...wiki, url: 'https://*.tools.example.com/wiki', isDefault: true },
    ]
    const audience = await audienceAt({ resources }, 'a.tools.example.com')
    expect(audience).toBe('https://a.tools.example.com/wiki')
  })

  it('is none where none is marked and a session would be for one of them', async () => {
    const { app } = await buildEdgeApp({ resources: two })
    expect((await open(app, CONNECT)).statusCode).toBe(404)
    expect((await ask(app, '/auth/oidc-config')).statusCode).toBe(404)
  })

  it('makes no difference to the session under the cookie domain, and only there', async () => {
    const far = ['notes', 'wiki'].map((id) =>
      resource({ id, url: `https://far.example.org/${id}` }),
    )
    const changes = { ...shared, resources: [...two, ...far] }
    expect(await audienceAt(changes)).toBe('https://example.com')
    expect(await audienceAt(changes, 'far.example.org')).toBeUndefined()
    const { app } = await buildEdgeApp(changes)
    const answer = await open(app, CONNECT)
    expect(answer.statusCode).toBe(302)
    expect(answer.headers.location).toContain('https://auth.example.com/.gatewarden/login?rd=')
  })
})

/** Signs in at `/auth/connect` under the cookie domain. */
async function connect(resources: Resources, name: string) {
  const test = await buildEdgeApp({ ...shared, ...(resources && { resources }) })
  const browser = createBrowser(test.app)
  let page = await browser.get(CONNECT, { host: HOST })
  for (let step = 0; step < 5 && page.headers.location !== undefined; step++) {
    page = await browser.get(String(page.headers.location))
  }
  const done = await typeIn(browser, page, { name })
  return { test, browser, done }
}

describe('the policy asked when the session is made', () => {
  it('is that of the first one of the host, in the order of the configuration', async () => {
    const first = [resource({ allow: ONLY_ANN }), { ...wiki, allow: ANYONE }]
    const refused = await connect(first, 'bob')
    expect(refused.done.statusCode).toBe(403)
    expect(refused.done.body).toContain('You may not use ')
    expect(await storedKeys(refused.test.storage, 'grant:')).toEqual([])
    expect(refused.browser.cookies.has(DOMAIN_COOKIE)).toBe(false)
    const welcome = await connect(first.toReversed(), 'bob')
    expect(welcome.done.headers.location).toBe(`https://${HOST}${CONNECT}`)
  })

  it('lets nobody in whom no server of the host would, whatever others would', async () => {
    const closed = two.map((one) => ({ ...one, allow: NOBODY }))
    const elsewhere = resource({ id: 'x', url: 'https://x.example.com', allow: ANYONE })
    const { test, browser, done } = await connect([...closed, elsewhere], 'ann')
    expect(done.statusCode).toBe(403)
    expect(await storedKeys(test.storage, 'grant:')).toEqual([])
    expect(browser.cookies.has(DOMAIN_COOKIE)).toBe(false)
  })

  it('opens no other server of the host: each asks its own', async () => {
    const { test, browser } = await connect([resource(), { ...wiki, allow: NOBODY }], 'ann')
    const cookie = `${HAND_COOKIE}=${browser.cookies.get(DOMAIN_COOKIE)}`
    const at = async (uri: string) =>
      (await askTunnel(test.app, { cookie, 'x-forwarded-uri': uri })).statusCode
    expect(await at('/notes/mcp')).toBe(200)
    expect(await at('/wiki/mcp')).toBe(403)
  })
})

describe('a tunnel at an address that none of them covers', () => {
  it('is about the one marked default', async () => {
    const test = await buildEdgeApp({ resources: marked })
    const status = async (audience: string) => {
      const { token } = await makeSession(test, { grant: { resource: audience } })
      return (await askTunnel(test.app, { cookie: `${HOST_COOKIE}=${token}` })).statusCode
    }
    expect(await status(WIKI)).toBe(200)
    expect(await status(NOTES)).toBe(401)
  })

  it('under the cookie domain is about the first one', async () => {
    const status = async (resources: Resources) => {
      const test = await buildEdgeApp({ ...shared, ...(resources && { resources }) })
      const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
      return (await askTunnel(test.app, { cookie: `${HAND_COOKIE}=${token}` })).statusCode
    }
    const opened = [resource({ allow: ANYONE }), { ...wiki, allow: NOBODY }]
    expect(await status(opened)).toBe(200)
    expect(await status(opened.toReversed())).toBe(403)
  })

  it('is about the one that the proxy pins it to, and no other', async () => {
    const test = await buildEdgeApp({
      ...shared,
      resources: [...two, { ...wiki, id: 'shut', url: `${WIKI}/shut`, allow: NOBODY }],
    })
    const { token } = await makeSession(test, { grant: { resource: 'https://example.com' } })
    const cookie = `${HAND_COOKIE}=${token}`
    const at = async (url: string) => (await askTunnel(test.app, { cookie }, { url })).statusCode
    expect(await at('/_ws_tunnel/r/wiki')).toBe(200)
    expect(await at('/_ws_tunnel/r/shut')).toBe(403)
    expect(await at('/_ws_tunnel/r/unknown')).toBe(403)
  })

  it('is refused where no session could be for it', async () => {
    const test = await buildEdgeApp({ resources: two })
    const { cookie } = await makeSession(test)
    expect((await askTunnel(test.app, { cookie })).statusCode).toBe(403)
  })
})
