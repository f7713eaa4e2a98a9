/** cl6: what a client says about the sign-in, on its way to the provider and to our own login. */
import { beforeEach, describe, expect, it } from 'vitest'
import { createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { buildTestApp } from '../support/build-app.ts'
import type { Lies } from '../support/hostile-provider.ts'
import { authorizeUrl, codeOf, consentTo, redeem, register } from '../support/oauth-client.ts'
import { approve, type Journey, startJourney } from '../support/provider-journey.ts'

const ASKED = {
  prompt: 'select_account',
  login_hint: 'bob@example.test',
  max_age: '300',
  acr_values: 'mfa',
  ui_locales: 'de fr',
  display: 'popup',
}
const NAMES = Object.keys(ASKED)

const seconds = (ago = 0) => Math.floor(Date.now() / 1000) - ago
/** The provider says that the person signed in so many seconds ago. */
const signedInAgo = (ago: number): Lies => ({
  claims: (claims) => {
    claims.auth_time = seconds(ago)
  },
})

let journey: Journey
beforeEach(async () => {
  journey = await startJourney()
})

/** The wishes in an address of the provider. */
const wishesIn = (address: string) => {
  const query = new URL(address).searchParams
  return Object.fromEntries(
    NAMES.flatMap((name) => (query.has(name) ? [[name, query.get(name)]] : [])),
  )
}
const asked = (changes: Record<string, string | undefined>) => authorizeUrl(journey.client, changes)
async function providerAddress(changes: Record<string, string | undefined>): Promise<string> {
  return refreshTarget((await approve(createBrowser(journey.app), asked(changes))).body)
}

describe('cl6: the provider gets', () => {
  it('every wish of the client', async () => {
    expect(wishesIn(await providerAddress(ASKED))).toEqual(ASKED)
  })

  it('nothing where the client wishes nothing', async () => {
    expect(wishesIn(await providerAddress({}))).toEqual({})
  })

  it.each([
    ['consent', undefined],
    ['consent login', 'login'],
    ['login select_account', 'login select_account'],
    ['create', 'create'],
    ['something', undefined],
  ])('of prompt=%s what is left for it: %s', async (prompt, left) => {
    expect(wishesIn(await providerAddress({ prompt })).prompt).toBe(left)
  })

  it('the wishes also after "Start again"', async () => {
    const browser = createBrowser(journey.app)
    const consent = await browser.get(asked(ASKED))
    const interaction = hiddenField(consent.body, 'interaction')
    journey.clock.advance(3600)
    const expired = await browser.post('/consent', { interaction, decision: 'approve' })
    expect(expired.body).toContain('Start again')
    const again = await browser.post('/consent', {
      interaction: hiddenField(expired.body, 'interaction'),
      decision: 'restart',
    })
    const approved = await browser.post('/consent', {
      interaction: hiddenField(again.body, 'interaction'),
      decision: 'approve',
    })
    expect(wishesIn(refreshTarget(approved.body))).toEqual(ASKED)
  })

  it('for somebody else no hint of the first person', async () => {
    journey.provider.person = { sub: 'm', email: 'm@elsewhere.test', email_verified: true }
    journey.provider.lies = signedInAgo(0)
    const browser = createBrowser(journey.app)
    const approved = await approve(browser, asked(ASKED))
    const refused = await browser.get(await journey.provider.signIn(refreshTarget(approved.body)))
    expect(refused.statusCode).toBe(403)
    const other = /href="([^"]*)"[^>]*>(?:<[^>]*>)*Sign in as someone else/.exec(refused.body)?.[1]
    const { login_hint: _, ...rest } = ASKED
    expect(wishesIn(String(other).replaceAll('&amp;', '&'))).toEqual({ ...rest, prompt: 'login' })
  })

  it('the texts that fit: the longest is left out, max_age never', async () => {
    const long = 'x'.repeat(3000)
    const address = await providerAddress({ ...ASKED, ui_locales: long, state: 's'.repeat(500) })
    const { ui_locales: _, ...rest } = ASKED
    expect(wishesIn(address)).toEqual(rest)
    expect(
      wishesIn(await providerAddress({ ...ASKED, login_hint: long, acr_values: long })),
    ).toEqual({ prompt: 'select_account', max_age: '300', ui_locales: 'de fr', display: 'popup' })
  })
})

describe('cl6: max_age is checked by the auth_time of the ID token:', () => {
  const comeBack = async (max_age: string, auth_time: unknown) => {
    journey.provider.lies = {
      claims: (claims) => {
        if (auth_time !== undefined) claims.auth_time = auth_time
      },
    }
    const browser = createBrowser(journey.app)
    const approved = await approve(browser, asked({ max_age }))
    return browser.get(await journey.provider.signIn(refreshTarget(approved.body)))
  }

  it('a recent sign-in passes', async () => {
    const code = codeOf(await comeBack('300', seconds(200)))
    expect((await redeem(journey.app, journey.client, code)).statusCode).toBe(200)
  })

  it.each([
    ['an old one', '300', () => seconds(400)],
    ['any old one for max_age=0', '0', () => seconds(400)],
    ['none', '300', () => undefined],
    ['a text', '300', () => 'now'],
  ])('%s is refused', async (_what, maxAge, authTime) => {
    const answer = await comeBack(maxAge, authTime())
    expect(String(answer.headers.location)).toContain('error=server_error')
    expect(String(answer.headers.location)).not.toContain('code=')
  })

  it.each(['soon', '-1', '1.5', '99999999999'])(
    'max_age=%s is invalid_request',
    async (max_age) => {
      const answer = await createBrowser(journey.app).get(asked({ max_age }))
      expect(String(answer.headers.location)).toContain('error=invalid_request')
    },
  )
})

it('cl6: prompt=none is answered with interaction_required', async () => {
  const answer = await createBrowser(journey.app).get(asked({ prompt: 'none' }))
  expect(String(answer.headers.location)).toContain('error=interaction_required')
})

it('cl6: no log line has the login hint', async () => {
  journey.provider.lies = signedInAgo(4000)
  const browser = createBrowser(journey.app)
  const approved = await approve(browser, asked(ASKED))
  await browser.get(await journey.provider.signIn(refreshTarget(approved.body)))
  expect(JSON.stringify(journey.logs)).not.toContain('bob')
})

it('cl6: the built-in login fills in the name and asks for the password every time', async () => {
  const { app } = await buildTestApp()
  const url = authorizeUrl(await register(app), { ...ASKED, login_hint: 'b"ob@example.test' })
  const page = await consentTo(createBrowser(app), url)
  expect(page.body).toContain('value="b&quot;ob@example.test"')
  expect(page.body).toMatch(/type="password"[^>]* autofocus/)
})
