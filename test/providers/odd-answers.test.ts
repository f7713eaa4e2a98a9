import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import { ANYONE, resource } from '../support/build-app.ts'
import type { Lies } from '../support/hostile-provider.ts'
import { check, codeOf, redeem } from '../support/oauth-client.ts'
import {
  isFailedSignIn,
  type Journey,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'

/** What comes of it: the person is in, with or without a log line, or refused with these words. */
type Expected = 'in' | 'noted' | RegExp

const ODD = { null: null, empty: '', number: 7, list: [], object: {} } as const
type Kind = keyof typeof ODD
const KINDS: readonly Kind[] = ['null', 'empty', 'number', 'list', 'object']

const all = (expected: Expected): Record<Kind, Expected> => ({
  null: expected,
  empty: expected,
  number: expected,
  list: expected,
  object: expected,
})

const start = () => startJourney({ resources: [resource({ allow: ANYONE })] })
const notes = (journey: Journey) =>
  journey.logs.filter(({ msg }) => msg === 'an answer of the provider is a little off')

async function expectOutcome(journey: Journey, expected: Expected): Promise<void> {
  const answer = await signInThere(journey).catch((error: unknown) => error)
  const failure = journey.logs.find(isFailedSignIn)?.reason
  if (expected instanceof RegExp) {
    expect(failure).toMatch(expected)
    return
  }
  expect(failure).toBeUndefined()
  expect(answer).toMatchObject({ statusCode: 302 })
  expect(notes(journey)).toHaveLength(expected === 'noted' ? 1 : 0)
}

/** Sets one member of an answer to each kind of value. */
function feed(
  table: Readonly<Record<string, Record<Kind, Expected>>>,
  lie: (member: string, value: unknown) => Lies,
): void {
  const cases = Object.entries(table).flatMap(([member, expected]) =>
    KINDS.map((kind) => [member, kind, expected[kind]] as const),
  )
  it.each(cases)('%s as %s: %s', async (member, kind, expected) => {
    const journey = await start()
    journey.provider.lies = lie(member, structuredClone(ODD[kind]))
    await expectOutcome(journey, expected)
  })
}

describe('ed4: a member of the token answer', () => {
  feed(
    {
      access_token: all(/"access_token"/),
      id_token: all(/"id_token"/),
      token_type: all('noted'),
      expires_in: { ...all('noted'), number: 'in' },
      refresh_token: all('noted'),
      scope: { ...all('noted'), empty: 'in' },
      not_before_policy: all('in'),
    },
    (member, value) => ({ tokens: (answer) => Object.assign(answer, { [member]: value }) }),
  )
})

describe('ed4: a claim of the ID token', () => {
  const email = /claim email is not a string/
  feed(
    {
      sub: all(/"sub"|subject/),
      iss: all(/"iss"/),
      aud: all(/"aud"/),
      azp: all(/azp/),
      nonce: all(/"nonce"/),
      exp: all(/"exp"/),
      iat: { ...all(/"iat"/), number: 'in' },
      nbf: { ...all(/"nbf"/), null: 'noted', number: 'in' },
      auth_time: { ...all('noted'), number: 'in' },
      email: { null: 'in', empty: 'in', number: email, list: email, object: email },
      email_verified: { ...all('noted'), null: 'in' },
      name: { ...all('noted'), null: 'in' },
      preferred_username: { ...all('noted'), null: 'in' },
      groups: { null: 'in', empty: 'noted', number: 'noted', list: 'in', object: 'noted' },
      locale: all('in'),
    },
    (member, value) => ({ claims: (claims) => Object.assign(claims, { [member]: value }) }),
  )

  it.each(KINDS)('email_verified as %s makes no e-mail count', async (kind) => {
    const journey = await start()
    journey.provider.person.email_verified = ODD[kind]
    expect((await headersOf(journey))['x-forwarded-email']).toBe('')
  })
})

describe('ed4: a member of userinfo', () => {
  const email = /claim email is not a string/
  feed(
    {
      sub: all(/^userinfo: .*"sub"/),
      email: { null: 'in', empty: 'in', number: email, list: email, object: email },
      email_verified: { ...all('noted'), null: 'in' },
      groups: { null: 'in', empty: 'noted', number: 'noted', list: 'in', object: 'noted' },
      name: { ...all('noted'), null: 'in' },
      picture: all('in'),
    },
    (member, value) => ({
      claims: (claims) => {
        for (const name of ['email', 'email_verified', 'groups', 'name']) delete claims[name]
      },
      userinfo: (answer) => Object.assign(answer, { [member]: value }),
    }),
  )
})

describe('ed4: a member of the discovery document', () => {
  const endpoint = {
    null: 'noted',
    empty: 'noted',
    number: 'in',
    list: 'in',
    object: 'in',
  } as const
  const list = { ...all('noted'), list: 'in' } as const
  feed(
    {
      issuer: all(/"issuer"/),
      authorization_endpoint: all(/authorization_endpoint/),
      token_endpoint: all(/no usable token_endpoint/),
      jwks_uri: all(/no usable jwks_uri/),
      userinfo_endpoint: endpoint,
      introspection_endpoint: endpoint,
      end_session_endpoint: endpoint,
      token_endpoint_auth_methods_supported: list,
      id_token_signing_alg_values_supported: list,
      userinfo_signing_alg_values_supported: list,
      prompt_values_supported: list,
      scopes_supported: all('in'),
      authorization_response_iss_parameter_supported: all('in'),
      code_challenge_methods_supported: all('in'),
      claims_supported: all('in'),
    },
    (member, value) => ({ discovery: (it) => Object.assign(it, { [member]: value }) }),
  )
})

async function headersOf(journey: Journey) {
  const code = codeOf(await signInThere(journey))
  const tokens = (await redeem(journey.app, journey.client, code)).json()
  const answer = await check(journey.app, { authorization: `Bearer ${tokens.access_token}` })
  return answer.headers
}

describe('ed4: a list of groups', () => {
  it.each<readonly [string, readonly unknown[], string]>([
    ['an empty text', ['staff', '', 'admins'], 'staff,admins'],
    ['a text of a page', ['staff', 'g'.repeat(257)], 'staff'],
    ['a number and an object', [1, 'staff', { name: 'admins' }], 'staff'],
    ['null', [null, 'staff'], 'staff'],
    ['a line break', ['staff\r\nX-Admin: 1', 'staff'], 'staff'],
    ['nothing good', [null, 7], ''],
  ])('with %s loses that entry, with one log line', async (_what, groups, expected) => {
    const journey = await start()
    journey.provider.person.groups = groups
    expect((await headersOf(journey))['x-forwarded-groups']).toBe(expected)
    expect(notes(journey)).toEqual([
      expect.objectContaining({
        level: 40,
        provider: 'oidc',
        reason: expect.stringContaining('the claim groups has an entry'),
      }),
    ])
    expect(JSON.stringify(journey.logs)).not.toContain('X-Admin')
  })
})

describe('ed4: an answer as some providers give it', () => {
  it('signs people in: a list of scopes, no refresh token, a time as text, a type in lower case', async () => {
    const journey = await start()
    journey.provider.lies.tokens = (answer) =>
      Object.assign(answer, {
        scope: ['openid', 'email'],
        refresh_token: null,
        expires_in: '300',
        token_type: 'bearer',
      })
    await expectOutcome(journey, 'noted')
    expect(notes(journey)[0]?.reason).toBe(
      'the token answer: refresh_token is null, scope is a list',
    )
    // The next person brings the same words.
    await signInThere(journey)
    expect(notes(journey)).toHaveLength(1)
  })

  it('is refused in its own words, also beside a challenge', async () => {
    const journey = await start()
    journey.provider.lies.answer = (request, response) => {
      if (request.url !== '/token') return false
      response
        .writeHead(401, {
          'www-authenticate': 'Basic realm="x"',
          'content-type': 'application/json',
        })
        .end('{"error":"invalid_client","error_description":"Client is disabled"}')
      return true
    }
    await expectOutcome(
      journey,
      /^the provider refused the code: invalid_client, Client is disabled$/,
    )
  })

  it('has a strange key beside the good one', async () => {
    const journey = await start()
    journey.provider.lies.keys = (answer) => {
      answer.keys = [null, { kty: 7 }, ...(Array.isArray(answer.keys) ? answer.keys : [])]
    }
    await expectOutcome(journey, 'noted')
  })
})

describe.each([
  ['/.well-known/openid-configuration', 'the discovery document'],
  ['/jwks', 'the keys'],
])('ed4: a redirect at %s', (path) => {
  const moved =
    (location: (request: IncomingMessage) => string, status = 301): NonNullable<Lies['answer']> =>
    (request, response) => {
      if (request.url !== path) return false
      response.writeHead(status, { location: location(request) }).end()
      return true
    }
  it.each([301, 302, 303, 307, 308])('%i within the origin is followed once', async (status) => {
    const journey = await start()
    journey.provider.lies.answer = moved(() => `${path}?moved`, status)
    await expectOutcome(journey, 'in')
  })

  it('a second one is not followed', async () => {
    const journey = await start()
    journey.provider.lies.answer = (request, response) => {
      if (!request.url?.startsWith(path)) return false
      response.writeHead(302, { location: `${path}?again` }).end()
      return true
    }
    await expectOutcome(journey, /redirects more than once/)
  })

  it.each([
    ['https://evil.example/x?y=z', 'https://evil.example/x'],
    ['//evil.example/x', 'http://evil.example/x'],
    ['http://localhost:1/x', 'http://localhost:1/x'],
  ])('one to %s is named and not followed', async (location, named) => {
    const journey = await start()
    journey.provider.lies.answer = moved(() => location)
    await expectOutcome(journey, new RegExp(`${path} redirects to another origin: ${named}$`))
  })
})

describe('ed4: clocks that differ: an ID token', () => {
  const at = (seconds: number) => Math.floor(Date.now() / 1000) + seconds
  it.each<readonly [string, () => Record<string, number>, Expected]>([
    ['that ended 20 s ago', () => ({ exp: at(-20) }), 'in'],
    ['that ended 40 s ago', () => ({ exp: at(-40) }), /"exp"/],
    ['that begins in 20 s', () => ({ nbf: at(20) }), 'in'],
    ['that begins in 40 s', () => ({ nbf: at(40) }), /"nbf"/],
    ['of the next hour, which says nothing of its end', () => ({ iat: at(3600) }), 'in'],
  ])('%s: %s', async (_what, times, expected) => {
    const journey = await start()
    journey.provider.lies.claims = (claims) => Object.assign(claims, times())
    await expectOutcome(journey, expected)
  })
})
