import { describe, expect, it } from 'vitest'
import { ANYONE, resource } from '../support/build-app.ts'
import { CLIENT_ID } from '../support/hostile-provider.ts'
import { check, codeOf } from '../support/oauth-client.ts'
import {
  type Journey,
  obtainTokensThere,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'

type Json = Record<string, unknown>

/** A person of whom the ID token says `person`, and userinfo says `userinfo`. */
async function start(person: Json, userinfo: Json = {}): Promise<Journey> {
  const journey = await startJourney({ resources: [resource({ allow: ANYONE })] })
  journey.provider.person = { sub: 'subject-of-ann', ...person }
  journey.provider.userinfo = userinfo
  return journey
}

/** The identity that a protected server is told of them. */
async function headersOf(journey: Journey) {
  const tokens = await obtainTokensThere(journey)
  const answer = await check(journey.app, { authorization: `Bearer ${tokens.access_token}` })
  return answer.headers
}

const MAIL: Json = { email: 'ann@example.com', email_verified: true }

describe('userinfo', () => {
  it('says what the ID token leaves out', async () => {
    const journey = await start({}, { ...MAIL, name: 'Ann Adams', groups: ['staff'] })
    expect(await headersOf(journey)).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
      'x-user-name': 'Ann Adams',
    })
    expect(journey.provider.asked('/userinfo')).toBe(1)
  })

  it('names a person who has no e-mail', async () => {
    const journey = await start({ groups: [] }, { preferred_username: 'ann' })
    expect((await headersOf(journey))['x-user-name']).toBe('ann')
  })

  it('lets in whom the policy lets in by their e-mail or group', async () => {
    const allow = { anyone: false, emails: [], domains: ['example.com'], groups: ['staff'] }
    const journey = await startJourney({ resources: [resource({ allow })] })
    journey.provider.person = { sub: 'ann' }
    expect((await signInThere(journey, { trusted: false })).statusCode).toBe(403)
    journey.provider.userinfo = MAIL
    codeOf(await signInThere(journey))
    journey.provider.userinfo = { groups: ['staff'] }
    codeOf(await signInThere(journey))
  })

  it.each([
    ['an e-mail', { groups: [] }],
    ['groups', MAIL],
    ['an e-mail other than null', { email: null, email_verified: null, groups: [] }],
    ['groups other than null', { ...MAIL, groups: null }],
  ])('is asked when the ID token has no %s', async (_what, person) => {
    const journey = await start(person)
    codeOf(await signInThere(journey))
    expect(journey.provider.asked('/userinfo')).toBe(1)
  })

  it('is not asked when the ID token says everything, be it that there are no groups', async () => {
    const journey = await start({ ...MAIL, groups: [] })
    codeOf(await signInThere(journey))
    expect(journey.provider.asked('/userinfo')).toBe(0)
  })

  it('is not missed where the provider has none', async () => {
    const journey = await start({ preferred_username: 'ann' }, MAIL)
    journey.provider.lies.discovery = (document) => delete document.userinfo_endpoint
    expect(await headersOf(journey)).toMatchObject({
      'x-user-name': 'ann',
      'x-forwarded-email': '',
      'x-forwarded-groups': '',
    })
    expect(journey.provider.asked('/userinfo')).toBe(0)
  })

  it('does not overrule the ID token', async () => {
    const person = { ...MAIL, name: 'Ann Adams', preferred_username: 'ann' }
    const boss = { email: 'boss@example.com', name: 'The Boss', preferred_username: 'boss' }
    expect(await headersOf(await start(person, { ...boss, groups: ['staff'] }))).toMatchObject({
      'x-forwarded-user': 'ann@example.com',
      'x-forwarded-email': 'ann@example.com',
      'x-forwarded-groups': 'staff',
      'x-user-name': 'Ann Adams',
    })
    const groups = await start({ groups: ['guests'] }, { ...MAIL, groups: ['staff'] })
    expect((await headersOf(groups))['x-forwarded-groups']).toBe('guests')
  })

  it('cannot say that the person is another one', async () => {
    const journey = await start({}, MAIL)
    const before = await headersOf(journey)
    journey.provider.userinfo = { ...MAIL, iss: 'https://evil.example', azp: 'other' }
    const after = await headersOf(journey)
    expect(after['x-forwarded-email']).toBe('ann@example.com')
    expect(after['x-user-id']).toBe(before['x-user-id'])
  })

  it('is read when it is signed', async () => {
    const journey = await start({ groups: [] })
    const { provider } = journey
    const signed = await provider.signToken({
      iss: provider.issuer,
      aud: CLIENT_ID,
      sub: 'subject-of-ann',
      ...MAIL,
    })
    provider.lies = {
      discovery: (document) => {
        document.userinfo_signing_alg_values_supported = ['ES256']
      },
      answer(request, response) {
        if (request.url !== '/userinfo') return false
        response.writeHead(200, { 'content-type': 'application/jwt' }).end(signed)
        return true
      },
    }
    expect((await headersOf(journey))['x-forwarded-email']).toBe('ann@example.com')
  })
})

describe('an e-mail and whether it is verified are never of two answers:', () => {
  it.each<readonly [string, { person: Json; userinfo: Json; email: string }]>([
    [
      'the ID token says the address, only userinfo that it is verified',
      { person: { email: 'ceo@corp.example' }, userinfo: MAIL, email: '' },
    ],
    [
      'the ID token says that it is verified, only userinfo the address',
      { person: { email_verified: true }, userinfo: { email: 'ceo@corp.example' }, email: '' },
    ],
    [
      'the ID token has no address, and so none that is verified',
      { person: { email_verified: false }, userinfo: MAIL, email: 'ann@example.com' },
    ],
    [
      'userinfo has another address that is not verified',
      {
        person: MAIL,
        userinfo: { email: 'ceo@corp.example', email_verified: false },
        email: 'ann@example.com',
      },
    ],
  ])('%s', async (_what, { person, userinfo, email }) => {
    const journey = await start(person)
    journey.provider.lies.userinfo = (answer) => {
      for (const name of ['email', 'email_verified']) delete answer[name]
      Object.assign(answer, userinfo)
    }
    expect((await headersOf(journey))['x-forwarded-email']).toBe(email)
    expect(journey.provider.asked('/userinfo')).toBe(1)
  })
})
