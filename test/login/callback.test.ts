import { describe, expect, it } from 'vitest'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { type Browser, createBrowser, hiddenField } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { check, codeOf, redeem, refresh } from '../support/oauth-client.ts'
import {
  approve,
  asking,
  cameBack,
  type Journey,
  obtainTokensThere,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'
import { moved } from '../support/steps.ts'
import { believed, storedKeys } from '../support/stored.ts'

function withCode(callback: string, code: string): string {
  const url = new URL(callback)
  url.searchParams.set('code', code)
  return url.href
}

/** The browser comes back while the store takes no grants, and gets 503. */
async function cameTooEarly(
  { storage, clock }: Pick<TestApp, 'storage' | 'clock'>,
  browser: Browser,
  callback: string,
): Promise<void> {
  const { set } = storage
  storage.set = (key, ...rest) =>
    key.startsWith('grant:')
      ? Promise.reject(new StorageUnavailable(new Error('away')))
      : set(key, ...rest)
  expect((await browser.get(callback)).statusCode).toBe(503)
  storage.set = set
  // The login is given back by a record that expires at once.
  clock.advance(0.001)
}

describe('the callback', () => {
  it('does nothing in a browser that did not allow the client (CVE-2026-27124)', async () => {
    const journey = await startJourney()
    const attacker = createBrowser(journey.app)
    const callback = await cameBack(journey, attacker)
    const victim = createBrowser(journey.app)
    expect((await victim.get(callback)).statusCode).toBe(400)
    await victim.get(asking(journey))
    const answer = await victim.get(callback)
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toContain('Start again')
    expect(journey.provider.redeemed).toEqual([])
    expect(await storedKeys(journey.storage, 'grant:')).toEqual([])
  })

  it('goes on where it was when our store went away: the code of the provider is not redeemed again', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    await cameTooEarly(journey, browser, callback)
    codeOf(await browser.get(callback))
    expect(journey.provider.redeemed).toHaveLength(1)
    expect(await storedKeys(journey.storage, 'grant:')).toHaveLength(1)
  })

  describe('ed32: an address that is sent again after our store was away, to another replica', () => {
    /** A person who came back to one replica while the store took no grants, and got 503. */
    async function cutShort(person: Record<string, unknown> = {}) {
      const journey = await startJourney()
      Object.assign(journey.provider.person, person)
      const browser = createBrowser(journey.app)
      const callback = await cameBack(journey, browser)
      await cameTooEarly(journey, browser, callback)
      const other = await journey.restart()
      return { journey, other, callback, browser: moved(browser, other.app) }
    }

    it('signs the person in, and redeems the code of the provider no second time', async () => {
      const { journey, other, callback, browser } = await cutShort()
      const code = codeOf(await browser.get(callback))
      expect((await redeem(other.app, journey.client, code)).statusCode).toBe(200)
      expect(journey.provider.redeemed).toHaveLength(1)
      expect((await browser.get(callback)).body).toContain('Start again')
      expect(journey.provider.redeemed).toHaveLength(1)
    })

    it('says nothing about the person in the cookie, which no other callback and no later time may use', async () => {
      const { other, callback, browser } = await cutShort()
      const note = browser.cookies.get('__Host-gw_identified') ?? ''
      expect(note.length).toBeGreaterThan(50)
      expect(Buffer.from(note, 'base64url').toString('latin1')).not.toContain('ann')
      expect((await browser.get(`${callback}&x=1`)).headers.location ?? '').not.toContain('code=')
      other.clock.advance(600)
      expect((await browser.get(callback)).headers.location ?? '').not.toContain('code=')
    })

    it('sets no cookie that a browser would drop', async () => {
      const groups = Array.from({ length: 150 }, (_, index) => `a-group-with-a-long-name-${index}`)
      const { browser } = await cutShort({ groups })
      expect(browser.cookies.has('__Host-gw_identified')).toBe(false)
    })
  })

  it('does nothing in the right browser without the cookie of this very flow', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    for (const name of [...browser.cookies.keys()]) {
      if (name.includes('gw_flow_')) browser.cookies.delete(name)
    }
    expect((await browser.get(callback)).body).toContain('Start again')
    expect(journey.provider.redeemed).toEqual([])
  })

  it('shows consent for a state that was never allowed', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const consent = await browser.get(asking(journey))
    const state = hiddenField(consent.body, 'interaction')
    const answer = await browser.get(`/callback?code=x&state=${encodeURIComponent(state)}`)
    expect(answer.statusCode).toBe(200)
    expect(hiddenField(answer.body, 'interaction')).not.toBe(state)
    expect(journey.provider.redeemed).toEqual([])
  })

  it('at17, T51: makes few calls to the provider for made-up codes of one browser', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, i) => browser.get(withCode(callback, `made-up-${i}`))),
    )
    expect(journey.provider.asked('/token')).toBe(5)
    expect(answers.at(-1)?.body).toContain('Start again')
  })

  it('at17, T51: makes a bounded number of calls for one address, whatever sign-ins it begins', async () => {
    const journey = await startJourney({ rateLimit: 0 })
    const statuses: number[] = []
    const from = { 'x-forwarded-for': '198.51.100.1' }
    for (let i = 0; i < 10; i += 1) {
      const browser = createBrowser(journey.app)
      const callback = await cameBack(journey, browser)
      for (let k = 0; k < 5; k += 1) {
        statuses.push((await browser.get(withCode(callback, `made-up-${k}`), from)).statusCode)
      }
    }
    expect(journey.provider.asked('/token')).toBe(30)
    expect(statuses.slice(30)).toEqual(Array.from({ length: 20 }, () => 429))
    const elsewhere = createBrowser(journey.app)
    codeOf(await elsewhere.get(await cameBack(journey, elsewhere)))
    journey.clock.advance(60)
    const later = createBrowser(journey.app)
    codeOf(await later.get(await cameBack(journey, later), from))
  })

  it('at17: people behind one address do not wait for each other', async () => {
    const journey = await startJourney()
    for (let i = 0; i < 40; i += 1) codeOf(await signInThere(journey))
  })

  it.each(['', '?code=x', '?code=x&state=made-up', '?code=x&state=a&state=b'])(
    'with nothing of ours shows a page: %s',
    async (query) => {
      const { app } = await startJourney()
      const answer = await createBrowser(app).get(`/callback${query}`)
      expect(answer.statusCode).toBe(400)
      expect(answer.headers['content-type']).toContain('text/html')
    },
  )

  it('that comes after 30 minutes leads to the beginning, with the code unspent', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    journey.clock.advance(30 * 60)
    const late = await browser.get(callback)
    expect(late.statusCode).toBe(400)
    expect(late.body).toContain('Start again')
    expect(journey.provider.redeemed).toEqual([])
    const consent = await browser.post('/consent', {
      interaction: hiddenField(late.body, 'interaction'),
      decision: hiddenField(late.body, 'decision'),
    })
    expect(consent.body).toContain('Team notes')
  })

  it('that a browser sends twice at once redeems the code once, and both get the same answer', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    const answers = await Promise.all([1, 2, 3].map(() => browser.get(callback)))
    const locations = new Set(answers.map((answer) => answer.headers.location))
    expect(locations.size).toBe(1)
    expect([...locations][0]).toContain('code=')
    expect(journey.provider.redeemed).toHaveLength(1)
    expect(await storedKeys(journey.storage, 'grant:')).toHaveLength(1)
  })

  it('that comes back later never redeems the code again, not even after a restart', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    const cookies = new Map(browser.cookies)
    codeOf(await browser.get(callback))
    journey.clock.advance(120)
    const again = await journey.restart()
    const later = createBrowser(again.app)
    for (const [name, value] of cookies) later.cookies.set(name, value)
    expect((await later.get(callback)).body).toContain('Start again')
    expect(journey.provider.redeemed).toHaveLength(1)
    expect(journey.provider.replayed).toBe(0)
  })

  it('does not redeem a code for a request that only looks', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    const cookie = [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    for (const method of ['HEAD', 'POST', 'OPTIONS'] as const) {
      const url = callback.replace('https://auth.example.com', '')
      const headers = { host: 'auth.example.com', cookie }
      const answer = await journey.app.inject({ method, url, headers })
      expect(answer.statusCode).toBeGreaterThanOrEqual(400)
    }
    expect(journey.provider.redeemed).toEqual([])
    codeOf(await browser.get(callback))
  })

  it('lets two tabs finish, in any order', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const first = await cameBack(journey, browser)
    const second = await cameBack(journey, browser)
    codeOf(await browser.get(second))
    codeOf(await browser.get(first))
  })

  it('does not take the answer of a provider for a login that was begun with another', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    const { app } = await journey.restart({ provider: { ...journey.provider.config, id: 'corp' } })
    const later = createBrowser(app)
    for (const [name, value] of browser.cookies) later.cookies.set(name, value)
    expect((await later.get(callback)).body).toContain('Start again')
    expect(journey.provider.redeemed).toEqual([])
  })

  it('is not there with the built-in login', async () => {
    const { app } = await buildTestApp()
    expect((await createBrowser(app).get('/callback?code=x&state=y')).statusCode).toBe(404)
  })

  it('says nothing of the provider: no code, token or secret of it reaches the client', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const approved = await approve(browser, asking(journey))
    const callback = await cameBack(journey, browser)
    const answer = await browser.get(callback)
    const tokens = await redeem(journey.app, journey.client, codeOf(answer))
    const [form] = journey.provider.redeemed
    const told = JSON.stringify([approved.body, answer.headers, answer.body, tokens.body])
    for (const secret of [
      journey.provider.config.clientSecret,
      form?.get('code'),
      form?.get('code_verifier'),
      'of-the-provider',
    ]) {
      expect(told).not.toContain(secret)
    }
  })
})

describe('a grant of a person elsewhere', () => {
  const ask = async ({ app }: Pick<Journey, 'app'>, token: string) =>
    check(app, { authorization: `Bearer ${token}` })

  it('follows the record of who they are, in warm checks too', async () => {
    const journey = await startJourney()
    const { access_token } = await obtainTokensThere(journey)
    expect((await ask(journey, access_token)).headers['x-user-name']).toBe('Ann Adams')
    const [key = ''] = await storedKeys(journey.storage, 'identity:')
    const renamed = { email: 'ann@example.com', name: 'Ann Brown', groups: ['staff', 'admins'] }
    await believed(journey.storage).set(key, renamed, 3600)
    const answer = await ask(journey, access_token)
    expect(answer.headers).toMatchObject({
      'x-user-name': 'Ann Brown',
      'x-forwarded-groups': 'staff,admins',
    })
    await believed(journey.storage).set(key, { ...renamed, email: 'ann@elsewhere.test' }, 3600)
    expect((await ask(journey, access_token)).statusCode).toBe(403)
  })

  it('ends when that record is gone', async () => {
    const journey = await startJourney()
    const tokens = await obtainTokensThere(journey)
    expect((await ask(journey, tokens.access_token)).statusCode).toBe(200)
    const [key = ''] = await storedKeys(journey.storage, 'identity:')
    await journey.storage.delete(key)
    expect((await ask(journey, tokens.access_token)).statusCode).toBe(401)
    const refreshed = await refresh(journey.app, journey.client, tokens.refresh_token)
    expect(refreshed.json()).toMatchObject({ error: 'invalid_grant' })
    expect(await storedKeys(journey.storage, 'grant:')).toEqual([])
  })

  it('works after a restart, while the provider is down', async () => {
    const journey = await startJourney()
    const tokens = await obtainTokensThere(journey)
    await journey.provider.stop()
    const again = await journey.restart()
    expect((await ask(again, tokens.access_token)).statusCode).toBe(200)
    expect((await refresh(again.app, journey.client, tokens.refresh_token)).statusCode).toBe(200)
  })

  it.each([
    ['another provider', { id: 'corp' }],
    ['another issuer', { issuerUrl: 'https://other.example' }],
  ])('ends when %s is configured', async (_what, changes) => {
    const journey = await startJourney()
    const tokens = await obtainTokensThere(journey)
    const again = await journey.restart({ provider: { ...journey.provider.config, ...changes } })
    expect((await ask(again, tokens.access_token)).statusCode).toBe(401)
    const refreshed = await refresh(again.app, journey.client, tokens.refresh_token)
    expect(refreshed.json()).toMatchObject({ error: 'invalid_grant' })
  })

  it('is the issuer that the provider calls itself, with a slash at its end too', async () => {
    const journey = await startJourney()
    const slashed = `${journey.provider.issuer}/`
    journey.provider.lies = {
      discovery: (document) => Object.assign(document, { issuer: slashed }),
      redirect: (query) => query.set('iss', slashed),
      claims: (claims) => Object.assign(claims, { iss: slashed }),
    }
    const answer = await signInThere(journey)
    const tokens = (await redeem(journey.app, journey.client, codeOf(answer))).json()
    expect((await ask(journey, tokens.access_token)).statusCode).toBe(200)
  })
})
