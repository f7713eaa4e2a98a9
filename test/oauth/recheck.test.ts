import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Config } from '../../src/config/config.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { buildTestApp, resource } from '../support/build-app.ts'
import { REFRESH_TOKEN, startHostileProvider } from '../support/hostile-provider.ts'
import { authorizeUrl, check, codeOf, redeem, refresh, register } from '../support/oauth-client.ts'
import {
  approve,
  type Journey,
  obtainTokensThere,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'
import { startReplicas } from '../support/replicas.ts'
import { believed, storedKeys, storedRecords } from '../support/stored.ts'

afterEach(() => {
  vi.useRealTimers()
})

interface SignedIn extends Journey {
  readonly tokens: { readonly access_token: string; readonly refresh_token: string }
}

/** A person who signed in an hour ago, at a gateway that asks about them again. */
async function anHourAgo(changes: Partial<Config> = {}): Promise<SignedIn> {
  const provider = await startHostileProvider()
  const config = { ...provider.config, rechecks: true as const }
  const journey = await startJourney({ provider: config, ...changes }, provider)
  const tokens = await obtainTokensThere(journey)
  journey.clock.advance(3600)
  return { ...journey, tokens }
}

const use = ({ app, client, tokens }: SignedIn, token = tokens.refresh_token) =>
  refresh(app, client, token)

const headersWith = async ({ app }: Journey, accessToken: string) =>
  (await check(app, { authorization: `Bearer ${accessToken}` })).headers

/** How often the provider was asked with a refresh token. */
const asked = ({ provider }: Journey) =>
  provider.redeemed.filter((form) => form.get('grant_type') === 'refresh_token').length

const only = async ({ storage }: Journey, prefix: string) => {
  const keys = await storedKeys(storage, prefix)
  expect(keys).toHaveLength(1)
  return storage.get(String(keys[0]))
}

const gone = (journey: Journey) => journey.events.filter(({ event }) => event === 'grant-revoked')

/** The provider does not answer at this path. */
const silence = ({ provider }: Journey, path: string) => {
  provider.lies.answer = (request, response) => {
    if (request.url !== path) return false
    response.writeHead(503).end()
    return true
  }
}

describe('a refresh', () => {
  it('T31: brings the groups and the e-mail that the person has now', async () => {
    const journey = await anHourAgo()
    Object.assign(journey.provider.person, { email: 'ann.new@example.com', groups: ['cooks'] })
    const answer = await use(journey)
    expect(answer.statusCode).toBe(200)
    expect(await headersWith(journey, answer.json().access_token)).toMatchObject({
      'x-forwarded-email': 'ann.new@example.com',
      'x-forwarded-groups': 'cooks',
    })
    expect(asked(journey)).toBe(1)
  })

  it('T31: is refused to a person who was disabled at the provider, and so are all their tokens', async () => {
    const journey = await anHourAgo()
    const again = (await use(journey)).json()
    journey.clock.advance(3600)
    journey.provider.isDisabled = true
    const answer = await use(journey, again.refresh_token)
    expect(answer.statusCode).toBe(400)
    expect(answer.json().error).toBe('invalid_grant')
    const refused = await check(journey.app, { authorization: `Bearer ${again.access_token}` })
    expect(refused.statusCode).toBe(401)
    expect(gone(journey)).toMatchObject([
      { by: 'provider', reason: 'the provider refused: invalid_grant, Token is not active' },
    ])
    const left = Object.keys(await storedRecords(journey.storage))
    expect(left.filter((key) => /^(grant|identity|refresh|upstream|sign-in):/.test(key))).toEqual(
      [],
    )
  })

  it('is refused to a person whom no list names any more', async () => {
    const journey = await anHourAgo()
    journey.provider.person.email = 'ann@elsewhere.test'
    expect((await use(journey)).json().error).toBe('invalid_grant')
    expect(gone(journey)).toMatchObject([
      { by: 'provider', reason: 'the person is on no list of the server any more' },
    ])
  })

  it('is refused where the sign-in left no token to ask with, and the log says why it did not', async () => {
    const provider = await startHostileProvider()
    provider.lies.tokens = (answer) => delete answer.refresh_token
    const config = { ...provider.config, rechecks: true as const }
    const journey = await startJourney({ provider: config }, provider)
    const tokens = await obtainTokensThere(journey)
    expect(journey.events).toContainEqual(
      expect.objectContaining({
        event: 'provider-odd',
        reason: expect.stringContaining('has no refresh token'),
      }),
    )
    journey.clock.advance(3600)
    expect((await use({ ...journey, tokens })).json().error).toBe('invalid_grant')
    expect(asked(journey)).toBe(0)
  })

  it('asks at most once a minute', async () => {
    const journey = await anHourAgo()
    let current = journey.tokens.refresh_token
    for (const expected of [1, 1, 2]) {
      current = (await use(journey, current)).json().refresh_token
      expect(asked(journey)).toBe(expected)
      journey.clock.advance(45)
    }
  })

  it('asks nothing for a token that was replaced: it ends the grant', async () => {
    const journey = await anHourAgo()
    const second = (await use(journey)).json().refresh_token
    await use(journey, second)
    journey.clock.advance(3600)
    expect((await use(journey)).json().error).toBe('invalid_grant')
    expect(asked(journey)).toBe(1)
    expect(await storedKeys(journey.storage, 'upstream:')).toEqual([])
  })

  it('asks nothing unless the operator wants it, and keeps no token of the provider', async () => {
    const journey = await startJourney()
    const tokens = await obtainTokensThere(journey)
    journey.clock.advance(3600)
    journey.provider.isDisabled = true
    expect((await use({ ...journey, tokens })).statusCode).toBe(200)
    expect(asked(journey)).toBe(0)
    expect(await storedKeys(journey.storage, 'upstream')).toEqual([])
  })
})

describe('K30: a provider that cannot be asked', () => {
  it('changes nothing: 503 with Retry-After, and the same token works later', async () => {
    const journey = await anHourAgo()
    const before = await only(journey, 'refresh:')
    silence(journey, '/token')
    const answer = await use(journey)
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toBe('5')
    expect(answer.json().error).toBe('temporarily_unavailable')
    expect(await only(journey, 'refresh:')).toEqual(before)
    expect(journey.events).toContainEqual(
      expect.objectContaining({
        event: 'provider-failed',
        reason: expect.stringContaining('answered 503'),
      }),
    )
    journey.provider.lies = {}
    journey.clock.advance(5)
    expect((await use(journey)).statusCode).toBe(200)
  })

  it('is asked again after 5 s at the earliest, however often a client tries', async () => {
    const journey = await anHourAgo()
    silence(journey, '/token')
    for (let tries = 0; tries < 3; tries += 1) expect((await use(journey)).statusCode).toBe(503)
    expect(journey.provider.asked('/token')).toBe(2)
  })

  it('loses no token that it gave before it went away', async () => {
    const journey = await anHourAgo()
    const { provider, clock } = journey
    provider.userinfo = { email: 'ann@example.com', email_verified: true }
    provider.lies.claims = (claims) => delete claims.email
    silence(journey, '/userinfo')
    expect((await use(journey)).statusCode).toBe(503)
    provider.lies.answer = undefined as never
    clock.advance(5)
    expect((await use(journey)).statusCode).toBe(200)
    const [first, second] = provider.redeemed
      .map((form) => form.get('refresh_token'))
      .filter((token) => token !== null)
    expect(second).not.toBe(first)
  })

  it.each([
    ['for another account', { sub: 'somebody-else' }],
    ['with a claim that no provider states', { email: { address: 'ann@example.com' } }],
  ])('and one that answers %s is not believed', async (_what, claims) => {
    const journey = await anHourAgo()
    Object.assign(journey.provider.person, claims)
    expect((await use(journey)).statusCode).toBe(503)
    expect(gone(journey)).toEqual([])
  })

  it('is not taken at its word where it refuses our own credentials', async () => {
    const journey = await anHourAgo()
    journey.provider.lies.answer = (request, response) => {
      if (request.url !== '/token') return false
      response.writeHead(401, { 'content-type': 'application/json' })
      response.end('{"error":"invalid_client"}')
      return true
    }
    expect((await use(journey)).statusCode).toBe(503)
    expect(gone(journey)).toEqual([])
  })
})

describe('K30: requests at the same time', () => {
  it.each(['memory', 'announcing', 'lmdb'] as const)(
    'ask once, at two replicas of the store %s, and get one successor',
    async (store) => {
      const provider = await startHostileProvider()
      const changes = { provider: { ...provider.config, rechecks: true as const }, users: [] }
      const [one, other] = await startReplicas(store, changes)
      const client = await register(one.app)
      const journey = { ...one, provider, client, untrusted: client }
      const tokens = await obtainTokensThere(journey)
      one.clock.advance(3600)
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, at) =>
          refresh([one, other][at % 2]?.app ?? one.app, client, tokens.refresh_token),
        ),
      )
      expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(20).fill(200))
      expect(new Set(answers.map((answer) => answer.json().refresh_token)).size).toBe(1)
      expect(asked(journey)).toBe(1)
    },
  )

  it('wait for the one that asks, and none of them is told that its token is bad', async () => {
    const journey = await anHourAgo()
    silence(journey, '/token')
    const answers = await Promise.all([use(journey), use(journey), use(journey)])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([503, 503, 503])
    for (const { headers } of answers) expect(headers['retry-after']).toBe('5')
    expect(journey.provider.asked('/token')).toBe(2)
  })

  it('give up after 5 s where the one that asks died, and go on once its lock has ended', async () => {
    const journey = await anHourAgo()
    const [key = ''] = await storedKeys(journey.storage, 'upstream:')
    await journey.storage.create(
      key.replace('upstream:', 'upstream-lock:'),
      'of a dead process',
      30,
    )
    vi.useFakeTimers({ toFake: ['setTimeout'] })
    const answer = use(journey)
    for (let looks = 0; looks < 40; looks += 1) {
      await vi.advanceTimersByTimeAsync(250)
      await new Promise(setImmediate)
    }
    expect((await answer).statusCode).toBe(503)
    vi.useRealTimers()
    expect(asked(journey)).toBe(0)
    journey.clock.advance(30)
    expect((await use(journey)).statusCode).toBe(200)
  })

  it('take a no of the provider for no statement about the person where another one used the token up', async () => {
    const journey = await anHourAgo()
    const [key = ''] = await storedKeys(journey.storage, 'upstream:')
    const store = believed(journey.storage)
    journey.provider.lies.answer = (request, response) => {
      if (request.url !== '/token') return false
      // The request whose lock ran out comes back at last.
      void store.set(key, { held: 'the token that it got', checkedAt: 0 }, 3600).then(() => {
        response.writeHead(400, { 'content-type': 'application/json' })
        response.end('{"error":"invalid_grant"}')
      })
      return true
    }
    expect((await use(journey)).statusCode).toBe(503)
    expect(gone(journey)).toEqual([])
    expect(await storedKeys(journey.storage, 'grant:')).toHaveLength(1)
  })

  it.each(['memory', 'announcing', 'lmdb'] as const)(
    'change what the other replica of the store %s says of the person, at its next check',
    async (store) => {
      const provider = await startHostileProvider()
      const changes = { provider: { ...provider.config, rechecks: true as const }, users: [] }
      const [one, other] = await startReplicas(store, changes)
      const client = await register(one.app)
      const tokens = await obtainTokensThere({ ...one, provider, client, untrusted: client })
      one.clock.advance(600)
      const groupsAtOther = async () =>
        (await check(other.app, { authorization: `Bearer ${tokens.access_token}` })).headers[
          'x-forwarded-groups'
        ]
      expect(await groupsAtOther()).toBe('staff')
      provider.person.groups = ['cooks']
      expect((await refresh(one.app, client, tokens.refresh_token)).statusCode).toBe(200)
      expect(await groupsAtOther()).toBe('cooks')
    },
  )

  it('do not bring a grant back that was revoked while the provider was asked', async () => {
    const journey = await anHourAgo()
    const [key = ''] = await storedKeys(journey.storage, 'grant:')
    journey.provider.lies.claims = () => {
      for (const kind of ['grant:', 'refresh:', 'upstream:', 'identity:']) {
        void journey.storage.delete(key.replace('grant:', kind))
      }
    }
    journey.provider.person.groups = ['cooks']
    expect((await use(journey)).statusCode).not.toBe(200)
    for (const kind of ['grant:', 'refresh:', 'upstream:', 'identity:']) {
      expect(await storedKeys(journey.storage, kind)).toEqual([])
    }
  })
})

describe("the provider's token", () => {
  it('is in the store only sealed, and in no log', async () => {
    const journey = await anHourAgo()
    await use(journey)
    const everything = JSON.stringify([
      await storedRecords(journey.storage),
      journey.logs,
      journey.events,
    ])
    expect(everything).not.toContain(REFRESH_TOKEN)
    expect(await only(journey, 'upstream:')).toMatchObject({
      value: { held: expect.stringMatching(/^[\w-]{100,}$/) },
    })
  })

  it('of one grant asks about nobody else: its seal names the grant', async () => {
    const journey = await anHourAgo()
    const first = await only(journey, 'upstream:')
    const [before] = await storedKeys(journey.storage, 'upstream:')
    const tokens = await obtainTokensThere(journey)
    const keys = await storedKeys(journey.storage, 'upstream:')
    const moved = keys.find((key) => key !== before)
    await journey.storage.set(String(moved), first, 3600)
    journey.clock.advance(3600)
    expect((await use({ ...journey, tokens })).json().error).toBe('invalid_grant')
    expect(asked(journey)).toBe(0)
  })

  it('is not kept for a client without refresh tokens', async () => {
    const journey = await anHourAgo()
    const client = await register(journey.app, { grant_types: ['authorization_code'] })
    const before = await storedKeys(journey.storage, 'upstream:')
    await obtainTokensThere({ ...journey, client })
    expect(await storedKeys(journey.storage, 'upstream:')).toEqual(before)
  })

  it('ends with its grant', async () => {
    const journey = await anHourAgo()
    const { app, client, tokens } = journey
    const payload = new URLSearchParams({
      token: tokens.refresh_token,
      client_id: client.client_id,
    })
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    await app.inject({ method: 'POST', url: '/revoke', headers, payload: payload.toString() })
    expect(await storedKeys(journey.storage, 'upstream:')).toEqual([])
  })
})

describe('a sign-in whose grant is asked about again', () => {
  it('asks the provider for a token, and for consent as the standard wants it', async () => {
    const journey = await anHourAgo()
    const approved = await approve(createBrowser(journey.app), authorizeUrl(journey.client))
    const query = new URL(refreshTarget(approved.body)).searchParams
    expect(query.get('scope')).toBe('openid email profile offline_access')
    expect(query.get('prompt')).toBe('consent')
  })

  it('asks a provider for no scope that it does not have', async () => {
    const provider = await startHostileProvider()
    provider.lies.discovery = (document) =>
      Object.assign(document, { scopes_supported: ['openid', 'email', 'profile'] })
    const config = { ...provider.config, rechecks: true as const }
    const journey = await startJourney({ provider: config }, provider)
    const approved = await approve(createBrowser(journey.app), authorizeUrl(journey.client))
    const query = new URL(refreshTarget(approved.body)).searchParams
    expect(query.get('scope')).toBe('openid email profile')
  })

  it('begins at the provider for each client, also in a browser that knows its person', async () => {
    const journey = await anHourAgo()
    const browser = createBrowser(journey.app)
    await signInThere(journey, { browser })
    const answer = await approve(browser, authorizeUrl(journey.client))
    const back = await journey.provider.signIn(refreshTarget(answer.body))
    const response = await redeem(journey.app, journey.client, codeOf(await browser.get(back)))
    expect(response.statusCode).toBe(200)
    expect(await storedKeys(journey.storage, 'upstream:')).toHaveLength(3)
  })

  it('counts for a grant from before the setting: the person signs in again', async () => {
    const provider = await startHostileProvider()
    const before = await startJourney({}, provider)
    const tokens = await obtainTokensThere(before)
    const after = await before.restart({ provider: { ...provider.config, rechecks: true } })
    after.clock.advance(3600)
    const answer = await refresh(after.app, before.client, tokens.refresh_token)
    expect(answer.json().error).toBe('invalid_grant')
  })
})

it('asks a provider that sends no ID token at a refresh by userinfo', async () => {
  const journey = await anHourAgo()
  journey.provider.lies.tokens = (answer) => delete answer.id_token
  Object.assign(journey.provider.person, { groups: ['cooks'] })
  const { access_token } = (await use(journey)).json()
  expect((await headersWith(journey, access_token))['x-forwarded-groups']).toBe('cooks')
})

it('lets a person be who they were where the provider says only that the token is good', async () => {
  const provider = await startHostileProvider()
  provider.lies.discovery = (document) => delete document.userinfo_endpoint
  const config = { ...provider.config, rechecks: true as const }
  const test = await buildTestApp({ provider: config, users: [], resources: [resource()] })
  const client = await register(test.app)
  const journey = { ...test, provider, client, untrusted: client }
  const tokens = await obtainTokensThere(journey)
  provider.lies.tokens = (answer) => delete answer.id_token
  test.clock.advance(3600)
  const { access_token } = (await use({ ...journey, tokens })).json()
  expect((await headersWith(journey, access_token))['x-forwarded-groups']).toBe('staff')
})
