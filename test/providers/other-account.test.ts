import { text } from 'node:stream/consumers'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { type Browser, createBrowser, refreshTarget } from '../support/browser.ts'
import { type Lies, startHostileProvider } from '../support/hostile-provider.ts'
import { authorizeUrl, codeOf } from '../support/oauth-client.ts'
import {
  approve,
  asking,
  type Journey,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'
import { decide } from '../support/steps.ts'

const BOB = { sub: 'bob', email: 'bob@elsewhere.test', email_verified: true }
const ANN = { sub: 'ann', email: 'ann@example.com', email_verified: true }

interface Refused {
  readonly journey: Journey
  readonly browser: Browser
  readonly page: string
  /** Where "Sign in as someone else" leads. */
  readonly url: URL
}

/** bob is remembered by the provider and not let in here; `more` is in its discovery document. */
async function refuseBob(
  more: (issuer: string) => Record<string, unknown>,
  person: Record<string, unknown> = BOB,
): Promise<Refused> {
  const journey = await startJourney()
  const { provider } = journey
  provider.lies.discovery = (document) => Object.assign(document, more(provider.issuer))
  provider.person = person
  const browser = createBrowser(journey.app)
  const refused = await signInThere(journey, { browser })
  expect(refused.statusCode).toBe(403)
  return { journey, browser, page: refused.body, url: linkOf(refused.body) }
}

function linkOf(page: string): URL {
  const [, href = ''] = /href="([^"]*)"[^>]*>(?:<[^>]*>)*Sign in as someone else/.exec(page) ?? []
  return new URL(href.replaceAll('&amp;', '&'))
}

/** The lies of a provider that takes pushed authorization requests alone (RFC 9126); they go into `pushed`. */
const pushes = (
  issuer: string,
  pushed: URLSearchParams[],
  prompts: readonly string[] | undefined,
): Lies => ({
  discovery: (document) =>
    Object.assign(document, {
      require_pushed_authorization_requests: true,
      pushed_authorization_request_endpoint: `${issuer}/pushed`,
      ...(prompts && { prompt_values_supported: prompts }),
    }),
  answer(request, response) {
    if (request.url !== '/pushed') return false
    void text(request).then((form) => {
      const request_uri = `urn:ietf:params:oauth:request_uri:${pushed.push(new URLSearchParams(form))}`
      response.writeHead(201, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ request_uri, expires_in: 60 }))
    })
    return true
  },
})

/** The address with the request that was pushed for it; fails where it says anything else. */
function unpushed(address: string, issuer: string, pushed: readonly URLSearchParams[]): string {
  const { request_uri: uri, ...rest } = Object.fromEntries(new URL(address).searchParams)
  expect(rest).toEqual({ client_id: 'gatewarden' })
  return `${issuer}/authorize?${pushed[Number(uri?.replace(/^.*:/, '')) - 1]}`
}

const withEndSession = (issuer: string) => ({ end_session_endpoint: `${issuer}/logout?realm=x` })
const ADVICE = 'Look there for a link or an arrow'

describe('ed5: sign in as someone else', () => {
  it('signs the person out at the provider, and brings them back to an empty form', async () => {
    const { journey, browser, page, url } = await refuseBob(withEndSession)
    const { provider } = journey
    expect(url.origin + url.pathname).toBe(`${provider.issuer}/logout`)
    const sent = Object.fromEntries(url.searchParams)
    expect(sent).toEqual({
      realm: 'x',
      client_id: 'gatewarden',
      post_logout_redirect_uri: 'https://auth.example.com/callback',
      id_token_hint: expect.any(String),
      state: expect.any(String),
    })
    expect(decodeJwt(String(sent.id_token_hint)).sub).toBe('bob')
    expect(page).not.toContain(ADVICE)
    const again = await browser.get(`/callback?state=${encodeURIComponent(String(sent.state))}`)
    expect(again.statusCode).toBe(302)
    const login = new URL(String(again.headers.location))
    expect(login.pathname).toBe('/authorize')
    expect(login.searchParams.get('prompt')).toBe('login')
    provider.person = ANN
    codeOf(await browser.get(await provider.signIn(login.href)))
    expect(JSON.stringify(journey.logs)).not.toContain('eyJ')
  })

  it('T4: nobody else comes back from that sign-out', async () => {
    const { journey, url } = await refuseBob(withEndSession)
    const state = encodeURIComponent(String(url.searchParams.get('state')))
    const stranger = await createBrowser(journey.app).get(`/callback?state=${state}`)
    expect(stranger.statusCode).toBe(400)
    expect(stranger.headers.location).toBeUndefined()
  })

  it('a code beside that state is not redeemed', async () => {
    const { journey, browser, url } = await refuseBob(withEndSession)
    const state = encodeURIComponent(String(url.searchParams.get('state')))
    const answer = await browser.get(`/callback?state=${state}&code=stolen`)
    expect(new URL(String(answer.headers.location)).pathname).toBe('/authorize')
    expect(journey.provider.asked('/token')).toBe(1)
  })

  it.each<readonly [string, (issuer: string) => Record<string, unknown>, string, boolean]>([
    [
      'a list of accounts',
      () => ({ prompt_values_supported: ['login', 'select_account'] }),
      'select_account',
      false,
    ],
    ['neither', () => ({}), 'login', true],
    ['other prompts', () => ({ prompt_values_supported: ['none', 'login'] }), 'login', true],
    [
      'a script for a sign-out',
      () => ({ end_session_endpoint: 'javascript:alert(1)' }),
      'login',
      true,
    ],
    ['a number for a sign-out', () => ({ end_session_endpoint: 7 }), 'login', true],
    [
      'a sign-out in plain http on a network',
      () => ({ end_session_endpoint: 'http://kc.example.test/logout' }),
      'login',
      true,
    ],
  ])('at a provider with %s', async (_what, more, prompt, advises) => {
    const { page, url } = await refuseBob(more)
    expect(url.pathname).toBe('/authorize')
    expect(url.searchParams.get('prompt')).toBe(prompt)
    expect(page.includes(ADVICE)).toBe(advises)
  })

  it.each([
    ['with a list of accounts', ['login', 'select_account'], 'select_account', false],
    ['without one', undefined, 'login', true],
  ])(
    'at a provider that takes pushed requests alone, %s, the link pushes one when it is used',
    async (_what, prompts, prompt, advises) => {
      const pushed: URLSearchParams[] = []
      const journey = await startJourney()
      const { provider } = journey
      Object.assign(provider.lies, pushes(provider.issuer, pushed, prompts))
      provider.person = BOB
      const browser = createBrowser(journey.app)
      const first = refreshTarget((await approve(browser, asking(journey))).body)
      const back = await browser.get(
        await provider.signIn(unpushed(first, provider.issuer, pushed)),
      )
      expect(back.body.includes(ADVICE)).toBe(advises)
      const link = linkOf(back.body)
      expect(link.origin + link.pathname).toBe('https://auth.example.com/callback')
      expect(pushed).toHaveLength(1)
      journey.clock.advance(600)
      const stranger = await createBrowser(journey.app).get(link.pathname + link.search)
      expect([stranger.statusCode, pushed.length]).toEqual([400, 1])
      const again = await browser.get(link.pathname + link.search)
      expect(pushed[1]?.get('prompt')).toBe(prompt)
      provider.person = ANN
      const away = unpushed(String(again.headers.location), provider.issuer, pushed)
      codeOf(await browser.get(await provider.signIn(away)))
    },
  )

  it('goes without the sign-out where the ID token is too long for an address', async () => {
    const groups = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(60, 'g'))
    const { url } = await refuseBob(withEndSession, { ...BOB, groups })
    expect(url.pathname).toBe('/authorize')
    expect(url.href.length).toBeLessThan(6000)
  })
})

describe('"Use another account" on the consent page, when the ID token is long gone', () => {
  /** Where Allow leads after ann, whom the browser knows, said that she is somebody else. */
  async function leave(type: 'keycloak' | 'oidc') {
    const provider = await startHostileProvider()
    provider.lies.discovery = (document) => Object.assign(document, withEndSession(provider.issuer))
    const config = { ...provider.config, type }
    const journey = await startJourney({ provider: config }, provider)
    const browser = createBrowser(journey.app)
    codeOf(await signInThere(journey, { browser }))
    const known = await browser.get(authorizeUrl(journey.client))
    const asked = await decide(browser, known, 'someone-else')
    const url = new URL(refreshTarget((await decide(browser, asked, 'approve')).body))
    return { journey, browser, url, provider }
  }

  it('signs out at Keycloak, which asks, and brings the person back to an empty form', async () => {
    const { journey, browser, url, provider } = await leave('keycloak')
    expect(url.origin + url.pathname).toBe(`${provider.issuer}/logout`)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      realm: 'x',
      client_id: 'gatewarden',
      post_logout_redirect_uri: 'https://auth.example.com/callback',
      state: expect.any(String),
    })
    const state = encodeURIComponent(String(url.searchParams.get('state')))
    const login = new URL(String((await browser.get(`/callback?state=${state}`)).headers.location))
    expect(login.pathname).toBe('/authorize')
    provider.person = ANN
    codeOf(await browser.get(await provider.signIn(login.href)))
    expect(journey.events.at(-1)).toMatchObject({ event: 'signed-in' })
  })

  it('asks other providers for a new sign-in: some refuse a sign-out without the token', async () => {
    const { url } = await leave('oidc')
    expect(url.pathname).toBe('/authorize')
    expect(url.searchParams.get('prompt')).toBe('login')
  })
})
