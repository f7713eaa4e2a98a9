/** Every way that ends in an app: the browser keeps the page in front, so that page has to say how it went. */
import type { LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { type Browser, createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { buildTestApp, PASSWORD } from '../support/build-app.ts'
import { authorizeUrl, consentTo, redeem, register, signIn } from '../support/oauth-client.ts'
import { approve, startJourney } from '../support/provider-journey.ts'

const URI = 'cursor://anysphere.cursor-mcp/oauth/callback'
const CONFIGURED = {
  id: 'desktop',
  name: 'Desktop',
  redirectUris: [URI],
  grantTypes: ['authorization_code', 'refresh_token'],
  authMethod: 'none',
} as const

/** The address of the page's only link; the page leads nowhere by itself, and its form is gone. */
function linkOf(answer: LightMyRequestResponse): URL {
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toContain('text/html')
  expect(answer.headers.location).toBeUndefined()
  expect(answer.headers['referrer-policy']).toBe('no-referrer')
  expect(answer.headers['cache-control']).toBe('no-store')
  expect(answer.body).not.toMatch(/http-equiv="refresh"|<form|type="password"/)
  expect(answer.body).toContain('you can close this page')
  const links = [...answer.body.matchAll(/<a [^>]*href="([^"]*)"/g)]
  expect(links).toHaveLength(1)
  const link = new URL(String(links[0]?.[1]).replaceAll('&amp;', '&'))
  expect(link.href.startsWith(`${URI}?`)).toBe(true)
  expect(link.searchParams.get('state')).toBe('the-state')
  expect(link.searchParams.get('iss')).toBe('https://auth.example.com')
  return link
}

const deny = async (browser: Browser, url: string) => {
  const page = await browser.get(url)
  return browser.post('/consent', {
    interaction: hiddenField(page.body, 'interaction'),
    decision: 'deny',
  })
}

describe('cl2: the exit towards an app is a page with a link', () => {
  it('after the password, also when the button is pressed twice', async () => {
    const { app } = await buildTestApp()
    const client = await register(app, { redirect_uris: [URI] })
    const browser = createBrowser(app)
    const login = await consentTo(browser, authorizeUrl(client, { redirect_uri: URI }))
    const fields = {
      interaction: hiddenField(login.body, 'interaction'),
      username: 'ann',
      password: PASSWORD,
    }
    const cookies = new Map(browser.cookies)
    const link = linkOf(await browser.post('/login', fields))
    for (const [name, value] of cookies) browser.cookies.set(name, value)
    const again = await browser.post('/login', fields)
    expect(linkOf(again).href).toBe(link.href)
    expect(again.body).toContain('You are signed in')
    const code = String(link.searchParams.get('code'))
    const tokens = await redeem(app, client, code, { redirect_uri: URI })
    expect(tokens.statusCode).toBe(200)
  })

  it('after the callback of a provider', async () => {
    const journey = await startJourney()
    const client = await register(journey.app, { redirect_uris: [URI] })
    const browser = createBrowser(journey.app)
    const approved = await approve(browser, authorizeUrl(client, { redirect_uri: URI }))
    const back = await journey.provider.signIn(refreshTarget(approved.body))
    expect(linkOf(await browser.get(back)).searchParams.get('code')).toBeTruthy()
  })

  it('T48: after Deny, for a self-registered client and for one of the configuration', async () => {
    const { app } = await buildTestApp({ clients: [CONFIGURED] })
    const registered = await register(app, { redirect_uris: [URI] })
    for (const client of [registered, { client_id: 'desktop' }]) {
      const answer = await deny(createBrowser(app), authorizeUrl(client, { redirect_uri: URI }))
      expect(linkOf(answer).searchParams.get('error')).toBe('access_denied')
      expect(answer.body).toContain('Nothing was shared')
    }
  })

  it('after a fault in the request of a configured client', async () => {
    const { app } = await buildTestApp({ clients: [CONFIGURED] })
    const url = authorizeUrl(
      { client_id: 'desktop' },
      { redirect_uri: URI, response_type: 'token' },
    )
    const link = linkOf(await createBrowser(app).get(url))
    expect(link.searchParams.get('error')).toBe('unsupported_response_type')
  })

  it('after a failure of the provider, for a configured client', async () => {
    const journey = await startJourney({ clients: [CONFIGURED] })
    journey.provider.lies = {
      redirect: (query) => {
        query.delete('code')
        query.set('error', 'access_denied')
      },
    }
    const browser = createBrowser(journey.app)
    const url = authorizeUrl({ client_id: 'desktop' }, { redirect_uri: URI })
    const approved = await approve(browser, url)
    const back = await journey.provider.signIn(refreshTarget(approved.body))
    expect(linkOf(await browser.get(back)).searchParams.get('error')).toBe('access_denied')
  })

  it('for a refused person, whose page stays in front', async () => {
    const { app } = await buildTestApp()
    const client = await register(app, { redirect_uris: [URI] })
    const url = authorizeUrl(client, { redirect_uri: URI })
    const answer = await signIn(createBrowser(app), url, { name: 'bob' })
    expect(answer.statusCode).toBe(403)
    expect(answer.body).toContain('You may not use ')
    expect(answer.body).toMatch(/href="cursor:[^"]*error=access_denied/)
    expect(answer.body).not.toContain('http-equiv="refresh"')
  })

  it('and a program on this computer still gets its redirect', async () => {
    const { app } = await buildTestApp()
    const client = await register(app)
    expect((await signIn(createBrowser(app), authorizeUrl(client))).statusCode).toBe(303)
    expect((await deny(createBrowser(app), authorizeUrl(client))).statusCode).toBe(303)
  })
})
