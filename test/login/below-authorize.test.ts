/** Sign-ins through a proxy that routes the endpoints and nothing else (seeds sp1). */
import { describe, expect, it } from 'vitest'
import { connectSdk1 } from '../e2e/support/mcp-clients.ts'
import { type Browser, createBrowser, formAction, hiddenField } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { narrowNetwork } from '../support/narrow-network.ts'
import {
  authorizeUrl,
  codeOf,
  consentTo,
  redeem,
  register,
  signIn,
} from '../support/oauth-client.ts'
import { approve, asking, startJourney } from '../support/provider-journey.ts'
import { decide, expectStartAgain, typeIn } from '../support/steps.ts'

const ROUTED = ['/authorize', '/callback', '/token', '/register', '/.well-known/']

/** The prefix routes of other gateways' files. */
const isRouted = ({ pathname }: URL) => ROUTED.some((path) => pathname.startsWith(path))

/** A browser that gets nothing from any other address. */
function narrowBrowser(app: TestApp['app']): Browser {
  const browser = createBrowser(app)
  const arrive = (url: string) => {
    const { pathname } = new URL(url, 'https://auth.example.com')
    if (!isRouted(new URL(url, 'https://auth.example.com'))) throw new Error(`404 at ${pathname}`)
  }
  return {
    cookies: browser.cookies,
    async get(url, headers) {
      arrive(url)
      return browser.get(url, headers)
    },
    async post(url, fields, headers) {
      arrive(url)
      return browser.post(url, fields, headers)
    },
  }
}

describe('with routes for the endpoints alone', () => {
  it('a client of the TypeScript SDK signs in', async () => {
    const { app } = await buildTestApp({ resources: [resource({ allow: ANYONE })] })
    const { fetch, asked } = narrowNetwork(app, { isRouted })
    const session = await connectSdk1({
      url: 'https://mcp.example.com/notes/mcp',
      memory: { signIns: 0 },
      fetch,
      signIn: async (url) => {
        const back = await signIn(narrowBrowser(app), url.href)
        await globalThis.fetch(String(back.headers.location))
      },
    })
    await session.close()
    expect(asked).toContain('auth.example.com/token')
  })

  it('a person signs in at a provider', async () => {
    const journey = await startJourney()
    const browser = narrowBrowser(journey.app)
    const approved = await approve(browser, asking(journey))
    const there = /url=([^"]*)"/.exec(approved.body)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const back = await browser.get(await journey.provider.signIn(there))
    expect((await redeem(journey.app, journey.client, codeOf(back))).statusCode).toBe(200)
  })

  it('a person mistypes, says no, starts again, and is somebody else', async () => {
    const { app, clock } = await buildTestApp()
    const client = await register(app)
    const browser = narrowBrowser(app)
    const wrong = await signIn(browser, authorizeUrl(client), { password: 'wrong' })
    expect(wrong.statusCode).toBe(401)
    expect((await typeIn(browser, wrong)).headers.location).toContain('code=')
    const known = await browser.get(authorizeUrl(client))
    expect(known.body).toContain('ann@example.com')
    const interaction = hiddenField(known.body, 'interaction')
    const decision = 'someone-else'
    const unknown = await browser.post(formAction(known.body), { interaction, decision })
    expect(unknown.body).not.toContain('ann@example.com')
    expect((await decide(browser, unknown, 'deny')).headers.location).toContain('access_denied')
    const late = await consentTo(browser, authorizeUrl(client))
    clock.advance(3600)
    const again = await typeIn(browser, late)
    expectStartAgain(again)
    expect((await decide(browser, again, 'restart')).body).toContain('decision')
  })

  it('a person who is not let in reads why, and can sign in as somebody else', async () => {
    const { app } = await buildTestApp()
    const browser = narrowBrowser(app)
    const refused = await signIn(browser, authorizeUrl(await register(app)), { name: 'bob' })
    expect(refused.statusCode).toBe(403)
    const links = [...refused.body.matchAll(/(?:href|action)="(\/[^"]*)"/g)].map(([, to]) => to)
    expect(links.length).toBeGreaterThan(0)
    for (const to of links) expect(to).toMatch(/^\/authorize\//)
  })
})

it.each([
  ['/consent', '/login'],
  ['/authorize/consent', '/authorize/login'],
])('a sign-in goes on at %s and %s', async (consent, login) => {
  const { app } = await buildTestApp()
  const browser = createBrowser(app)
  const page = await browser.get(authorizeUrl(await register(app)))
  const approved = await browser.post(consent, {
    interaction: hiddenField(page.body, 'interaction'),
    decision: 'approve',
  })
  const sealed = /interaction=([^"]*)"/.exec(approved.body)?.[1] ?? ''
  const form = await browser.get(`${login}?interaction=${sealed}`)
  const back = await browser.post(login, {
    interaction: hiddenField(form.body, 'interaction'),
    username: 'ann',
    password: 'correct horse',
  })
  expect(codeOf(back)).not.toBe('')
})

it('sets cookies that count at both addresses', async () => {
  const { app } = await buildTestApp()
  const client = await register(app)
  const browser = createBrowser(app)
  const page = await browser.get(authorizeUrl(client))
  const answers = [page, await decide(browser, page)]
  const cookies = answers.flatMap((answer) => answer.cookies)
  expect(cookies.length).toBeGreaterThan(1)
  for (const { name, path } of cookies) {
    expect(name).toMatch(/^__Host-/)
    expect(path).toBe('/')
  }
})

it.each(['/authorize/consent', '/authorize/login'])(
  'has no %s on a protected host',
  async (url) => {
    const { app } = await buildTestApp()
    const headers = { host: 'mcp.example.com' }
    for (const method of ['GET', 'POST'] as const) {
      const answer = await app.inject({ method, url, headers })
      expect(answer.statusCode).toBe(404)
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  },
)
