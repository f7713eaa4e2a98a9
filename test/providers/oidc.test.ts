import { describe, expect, it } from 'vitest'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import { check, codeOf, redeem } from '../support/oauth-client.ts'
import {
  approve,
  asking,
  cameBack,
  obtainTokensThere,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'

describe('a person of an OpenID Connect provider', () => {
  it('comes back to the client with a code', async () => {
    const journey = await startJourney()
    const answer = await signInThere(journey)
    expect(answer.statusCode).toBe(302)
    expect(answer.headers['referrer-policy']).toBe('no-referrer')
    const location = new URL(String(answer.headers.location))
    expect(location.origin).toBe('http://127.0.0.1:33418')
    expect(Object.fromEntries(location.searchParams)).toEqual({
      code: expect.any(String),
      state: 'the-state',
      iss: 'https://auth.example.com',
    })
  })

  it('is known to the protected server by what the provider verified', async () => {
    const journey = await startJourney()
    const tokens = await obtainTokensThere(journey)
    const answer = await check(journey.app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
      'x-user-name': 'Ann Adams',
    })
  })

  it('is told apart by issuer and subject, never by the e-mail', async () => {
    const journey = await startJourney()
    const userId = async () => {
      const tokens = await obtainTokensThere(journey)
      const answer = await check(journey.app, { authorization: `Bearer ${tokens.access_token}` })
      return answer.headers['x-user-id']
    }
    const before = await userId()
    journey.provider.person = { ...journey.provider.person, email: 'ann.new@example.com' }
    expect(await userId()).toBe(before)
    journey.provider.person = { ...journey.provider.person, sub: 'somebody-else' }
    expect(await userId()).not.toBe(before)
  })
})

describe('the way to the provider', () => {
  it('carries state, nonce and a PKCE challenge, new ones for each attempt', async () => {
    const journey = await startJourney()
    const send = async () => {
      const approved = await approve(createBrowser(journey.app), asking(journey))
      return Object.fromEntries(new URL(refreshTarget(approved.body)).searchParams)
    }
    const [first, second] = [await send(), await send()]
    expect(first).toEqual({
      response_type: 'code',
      client_id: 'gatewarden',
      redirect_uri: 'https://auth.example.com/callback',
      scope: 'openid email profile',
      state: expect.stringMatching(/^.{100,3800}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    })
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(second?.[name]).not.toBe(first?.[name])
    }
    expect(first.nonce).not.toBe(first.code_challenge)
  })

  it('asks nothing of the provider before somebody logs in', async () => {
    const { provider, restart } = await startJourney()
    await provider.stop()
    const again = await restart()
    const ready = await again.app.inject('/readyz')
    expect(ready.statusCode).toBe(200)
    expect(provider.asked('/.well-known/openid-configuration')).toBe(0)
  })

  it('reads discovery and keys once for everybody who comes at the same time', async () => {
    const journey = await startJourney()
    const answers = await Promise.all(Array.from({ length: 10 }, () => signInThere(journey)))
    expect(answers.map((answer) => codeOf(answer).length)).toEqual(Array(10).fill(43))
    expect(journey.provider.asked('/.well-known/openid-configuration')).toBe(1)
    expect(journey.provider.asked('/jwks')).toBe(1)
  })

  it('asks a provider that is down once, not once for every person', async () => {
    const journey = await startJourney()
    const { provider, clock } = journey
    provider.lies.answer = (_request, response) => {
      response.writeHead(503).end()
      return true
    }
    const tryIt = () => approve(createBrowser(journey.app), asking(journey, { trusted: false }))
    const answers = await Promise.all([tryIt(), tryIt(), tryIt()])
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([503, 503, 503])
    expect((await tryIt()).statusCode).toBe(503)
    expect(provider.asked('/.well-known/openid-configuration')).toBe(1)
    provider.lies = {}
    clock.advance(5)
    expect((await tryIt()).statusCode).toBe(200)
  })

  it.each([-3600, 3600])(
    'ed6: works as soon as the provider does, also if the clock is set by %d s meanwhile',
    async (seconds) => {
      const journey = await startJourney()
      const { provider, clock } = journey
      provider.lies.answer = (_request, response) => {
        response.writeHead(503).end()
        return true
      }
      const tryIt = () => approve(createBrowser(journey.app), asking(journey, { trusted: false }))
      expect((await tryIt()).statusCode).toBe(503)
      clock.set(seconds)
      provider.lies = {}
      expect((await tryIt()).statusCode).toBe(503)
      clock.advance(5)
      expect((await tryIt()).statusCode).toBe(200)
    },
  )
})

describe('keys of the provider', () => {
  it('work at once after a rotation', async () => {
    const journey = await startJourney()
    codeOf(await signInThere(journey))
    for (const _ of [1, 2, 3]) {
      await journey.provider.rotateKeys()
      codeOf(await signInThere(journey))
    }
    expect(journey.provider.asked('/jwks')).toBe(4)
  })

  it('are fetched once more for any number of logins after a rotation', async () => {
    const journey = await startJourney()
    codeOf(await signInThere(journey))
    await journey.provider.rotateKeys()
    const answers = await Promise.all(Array.from({ length: 10 }, () => signInThere(journey)))
    for (const answer of answers) codeOf(answer)
    expect(journey.provider.asked('/jwks')).toBe(2)
  })

  it('are not fetched again and again for a key that is not there', async () => {
    const journey = await startJourney()
    codeOf(await signInThere(journey))
    const { keys } = await fetch(`${journey.provider.issuer}/jwks`).then((answer) => answer.json())
    await journey.provider.rotateKeys()
    journey.provider.lies.keys = (answer) => {
      answer.keys = keys
    }
    const before = journey.provider.asked('/jwks')
    for (const _ of [1, 2, 3, 4]) {
      expect(
        new URL(String((await signInThere(journey)).headers.location)).searchParams.get('error'),
      ).toBe('server_error')
    }
    expect(journey.provider.asked('/jwks')).toBe(before + 1)
    journey.provider.lies = {}
    journey.clock.advance(6)
    codeOf(await signInThere(journey))
  })
})

describe('a claim about a person', () => {
  const seen = async (claims: Record<string, unknown>) => {
    const journey = await startJourney({ resources: [resource({ allow: ANYONE })] })
    journey.provider.person = { sub: 'subject', ...claims }
    const tokens = await obtainTokensThere(journey)
    const answer = await check(journey.app, { authorization: `Bearer ${tokens.access_token}` })
    return {
      user: answer.headers['x-forwarded-user'],
      email: answer.headers['x-forwarded-email'],
      groups: answer.headers['x-forwarded-groups'],
      name: answer.headers['x-user-name'],
    }
  }

  it.each([
    ['is not verified', { email: 'ceo@corp.example', email_verified: false }],
    ['is verified in words', { email: 'ceo@corp.example', email_verified: 'true' }],
    ['is not said to be verified', { email: 'ceo@corp.example' }],
    ['is null', { email: null, email_verified: true }],
    ['is empty', { email: '', email_verified: true }],
    ['is two', { email: 'a@evil.example@corp.example', email_verified: true }],
    ['holds a line break', { email: 'ceo@corp.example\r\nX-Admin: 1', email_verified: true }],
    ['is no address', { email: 'ceo', email_verified: true }],
  ])('is no e-mail when it %s', async (_what, claims) => {
    const { user, email } = await seen(claims)
    expect(email).toBe('')
    expect(user).toMatch(/^u_/)
  })

  it('is a user name that names nobody: such a provider may give it to several people', async () => {
    const { user, name } = await seen({ preferred_username: 'carol' })
    expect(user).toMatch(/^u_/)
    expect(name).toBe('carol')
  })

  it('puts the person into no group when it is absent', async () => {
    expect((await seen({})).groups).toBe('')
    expect((await seen({ groups: null })).groups).toBe('')
  })

  it('is any number of groups up to 200', async () => {
    const groups = Array.from({ length: 200 }, (_, index) => `/team/${index}`)
    expect((await seen({ groups })).groups).toBe(groups.join(','))
  })

  it('is 8000 bytes of groups, each group counted once', async () => {
    const groups = Array.from({ length: 40 }, (_, index) => String(index).padStart(199, 'g'))
    const longest = [...groups.slice(1), `${groups[0]}g`, ...groups.slice(1)]
    const header = String((await seen({ groups: longest })).groups)
    expect(header).toHaveLength(8000)
    expect(header.split(',')).toEqual(longest.slice(0, 40))
  })

  it.each([
    ['staff', 'staff'],
    ['CN=Staff,DC=example', 'CN=Staff%2CDC=example'],
  ])('is one group when it is the string %s', async (groups, header) => {
    expect((await seen({ groups })).groups).toBe(header)
  })

  it('lists the groups if it is the configured one', async () => {
    const journey = await startJourney()
    const { provider } = journey
    const claim = 'https://example.com/teams'
    const again = await journey.restart({
      provider: { ...provider.config, groupsClaim: claim },
      resources: [
        resource({ allow: { anyone: false, emails: [], domains: [], groups: ['writers'] } }),
      ],
    })
    provider.person = { sub: 'carol', groups: ['readers'], [claim]: ['writers'] }
    const answer = await signInThere({ ...journey, ...again })
    expect((await redeem(again.app, journey.client, codeOf(answer))).statusCode).toBe(200)
  })

  it('is no name when it is not a string', async () => {
    expect((await seen({ name: { first: 'Ann' }, preferred_username: 7 })).name).toBe('')
  })
})

describe('a person whom the policy does not let in', () => {
  it('is told so, and may sign in as someone else', async () => {
    const journey = await startJourney()
    journey.provider.person = {
      sub: 'mallory',
      email: 'mallory@example.com',
      email_verified: false,
      preferred_username: 'mallory',
    }
    const browser = createBrowser(journey.app)
    const refused = await signInThere(journey, { browser })
    expect(refused.statusCode).toBe(403)
    expect(refused.body).toContain('without a verified e-mail address')
    expect(journey.logs).toContainEqual(
      expect.objectContaining({
        msg: 'person refused',
        provider: 'oidc',
        reason:
          'the person is on no list, and has no verified e-mail address; claim groups is neither in the ID token nor in userinfo',
      }),
    )
    const other = /href="([^"]*)"[^>]*>(?:<[^>]*>)*Sign in as someone else/.exec(refused.body)?.[1]
    const url = new URL(String(other).replaceAll('&amp;', '&'))
    expect(url.searchParams.get('prompt')).toBe('login')
    journey.provider.person = { sub: 'ann', email: 'ann@example.com', email_verified: true }
    codeOf(await browser.get(await journey.provider.signIn(url.href)))
  })

  it('sees the same page again, without the code being redeemed again', async () => {
    const journey = await startJourney()
    journey.provider.person = { sub: 'mallory' }
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser)
    expect((await browser.get(callback)).statusCode).toBe(403)
    expect((await browser.get(callback)).statusCode).toBe(403)
    expect(journey.provider.redeemed).toHaveLength(1)
  })
})
