import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { ANYONE } from '../support/build-app.ts'
import { CLIENT_ID, type Lies, startHostileProvider } from '../support/hostile-provider.ts'
import { check, codeOf } from '../support/oauth-client.ts'
import {
  isFailedSignIn,
  type Journey,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'
import { ACCEPTING, startAccepting } from '../support/provider-tokens.ts'

const BASIC = 'client_secret_basic'
const POST = 'client_secret_post'

type Accepts = NonNullable<Lies['accepts']>

const listing =
  (methods: unknown, member = 'token_endpoint_auth_methods_supported'): Lies['discovery'] =>
  (document) => {
    if (methods === undefined) delete document[member]
    else document[member] = methods
  }

/** The code of the client, or the reason in the log. */
async function outcome(journey: Journey): Promise<string> {
  const answer = await signInThere(journey)
  const error = new URL(String(answer.headers.location)).searchParams.get('error')
  if (error === null) {
    codeOf(answer)
    return 'in'
  }
  return String(journey.logs.findLast(isFailedSignIn)?.reason)
}

const REFUSED = 'the provider refused the code: invalid_client'

/** What the document lists, what the provider takes, the outcome, and the calls of a first and a second login. */
const MATRIX: readonly (readonly [unknown, Accepts, string, number, number])[] = [
  [[BASIC, POST], 'basic', 'in', 1, 2],
  [[BASIC, POST], 'post', 'in', 2, 3],
  [[POST, BASIC], 'basic', 'in', 1, 2],
  [[BASIC], 'basic', 'in', 1, 2],
  [[BASIC], 'post', REFUSED, 1, 2],
  [[POST], 'post', 'in', 1, 2],
  [[POST], 'basic', REFUSED, 1, 2],
  [undefined, 'basic', 'in', 1, 2],
  [undefined, 'post', 'in', 2, 3],
  // Lists that say nothing.
  [[], 'post', 'in', 2, 3],
  [null, 'post', 'in', 2, 3],
  ['', 'post', 'in', 2, 3],
  [7, 'post', 'in', 2, 3],
  [{ post: true }, 'post', 'in', 2, 3],
  [[7], 'post', 'in', 2, 3],
  [POST, 'post', 'in', 1, 2],
  [['private_key_jwt', POST], 'post', 'in', 1, 2],
  [['private_key_jwt'], 'basic', 'in', 1, 2],
  [['private_key_jwt'], 'post', REFUSED, 1, 2],
]

describe('ed1: at the token endpoint', () => {
  it.each(MATRIX)(
    'a document that lists %j and a provider that takes only %s: %s, after %i and %i calls',
    async (methods, accepts, expected, first, second) => {
      const journey = await startJourney()
      journey.provider.lies = { discovery: listing(methods), accepts }
      expect(await outcome(journey)).toBe(expected)
      expect(journey.provider.asked('/token')).toBe(first)
      expect(await outcome(journey)).toBe(expected)
      expect(journey.provider.asked('/token')).toBe(second)
      expect(journey.provider.replayed).toBe(0)
    },
  )

  it.each<readonly [string, (response: ServerResponse) => void]>([
    [
      'in a challenge and in JSON',
      (response) =>
        response
          .writeHead(401, {
            'content-type': 'application/json',
            'www-authenticate': 'Basic realm="clients"',
          })
          .end('{"error":"invalid_client","error_description":"use POST"}'),
    ],
    [
      'in a challenge alone',
      (response) =>
        response.writeHead(401, { 'www-authenticate': 'Basic error="invalid_client"' }).end(),
    ],
    ['as 400', (response) => response.writeHead(400).end('{"error":"invalid_client"}')],
    [
      'as a page by its type',
      (response) =>
        response.writeHead(401, { 'content-type': 'text/html' }).end('{"error":"invalid_client"}'),
    ],
    ['as 200', (response) => response.writeHead(200).end('{"error":"invalid_client"}')],
  ])('a refusal %s is one as well', async (_where, refuseClient) => {
    const journey = await startJourney()
    journey.provider.lies = { accepts: 'post', refuseClient }
    expect(await outcome(journey)).toBe('in')
    expect(journey.provider.asked('/token')).toBe(2)
  })

  it.each(['invalid_request', 'unauthorized_client', 'invalid_grant', 'access_denied'])(
    '%s is not tried a second time',
    async (error) => {
      const journey = await startJourney()
      journey.provider.lies = {
        accepts: 'post',
        refuseClient: (response) => response.writeHead(401).end(JSON.stringify({ error })),
      }
      expect(await outcome(journey)).toBe(`the provider refused the code: ${error}`)
      expect(journey.provider.asked('/token')).toBe(1)
    },
  )

  it('a wrong secret costs two calls, and the log has the first refusal', async () => {
    const provider = await startHostileProvider()
    const config = { ...provider.config, clientSecret: 'another secret' }
    const journey = await startJourney({ provider: config }, provider)
    provider.lies.refuseClient = (response) =>
      response.writeHead(401).end(
        JSON.stringify({
          error: 'invalid_client',
          error_description: `no. ${provider.asked('/token')}`,
        }),
      )
    expect(await outcome(journey)).toBe(`${REFUSED}, no. 1`)
    expect(provider.asked('/token')).toBe(2)
  })

  it('the way that worked is forgotten neither by a new document nor for good', async () => {
    const journey = await startJourney()
    const { provider, clock } = journey
    provider.lies.accepts = 'post'
    expect(await outcome(journey)).toBe('in')
    clock.advance(3601)
    expect(await outcome(journey)).toBe('in')
    expect(provider.asked('/.well-known/openid-configuration')).toBe(2)
    expect(provider.asked('/token')).toBe(3)
    provider.lies.accepts = 'basic'
    expect(await outcome(journey)).toBe('in')
    expect(provider.asked('/token')).toBe(5)
  })

  it('the way that worked is kept even if the code of that login was refused', async () => {
    const journey = await startJourney()
    const { provider } = journey
    provider.lies = { accepts: 'post', redirect: (query) => query.set('code', 'made-up') }
    expect(await outcome(journey)).toContain('invalid_grant')
    provider.lies = { accepts: 'post' }
    expect(await outcome(journey)).toBe('in')
    expect(provider.asked('/token')).toBe(3)
  })

  it.each([
    [POST, 'post', 'in'],
    [BASIC, 'basic', 'in'],
    [POST, 'basic', REFUSED],
    [BASIC, 'post', REFUSED],
  ] as const)(
    'TOKEN_ENDPOINT_AUTH_METHOD=%s ends all guessing at a provider that takes %s',
    async (tokenEndpointAuthMethod, accepts, expected) => {
      const provider = await startHostileProvider()
      const config = { ...provider.config, tokenEndpointAuthMethod }
      const journey = await startJourney({ provider: config }, provider)
      provider.lies = { accepts, discovery: listing(['private_key_jwt']) }
      expect(await outcome(journey)).toBe(expected)
      expect(provider.asked('/token')).toBe(1)
    },
  )

  it.each(['a:b:c', '100%41+1', 'a+b c', 'schlüssel-ключ-🔑', '&client_id=x', '%', '-._~!*()'])(
    'the secret %s arrives as it is, both ways',
    async (secret) => {
      const provider = await startHostileProvider(secret)
      const journey = await startJourney({}, provider)
      for (const accepts of ['basic', 'post'] as const) {
        provider.lies.accepts = accepts
        expect(await outcome(journey)).toBe('in')
      }
    },
  )

  it('no form of the secret gets into the log', async () => {
    const secret = 's:1%'
    const provider = await startHostileProvider(secret)
    const journey = await startJourney({}, provider)
    const sent = ['s:1%', 's%3A1%25', Buffer.from(`${CLIENT_ID}:s%3A1%25`).toString('base64')]
    for (const form of sent) {
      provider.lies = {
        accepts: 'post',
        refuseClient: (response) =>
          response
            .writeHead(400)
            .end(JSON.stringify({ error: 'invalid_request', error_description: `bad ${form}` })),
      }
      await outcome(journey)
      expect(JSON.stringify(journey.logs)).not.toContain(form)
    }
  })
})

describe('ed1: at the introspection endpoint', () => {
  const start = () => startAccepting({ resources: [{ ...ACCEPTING, allow: ANYONE }] })
  const own = 'introspection_endpoint_auth_methods_supported'

  it.each<readonly [string, Lies, readonly [number, number, number]]>([
    ['both and it takes POST', { accepts: 'post' }, [200, 2, 3]],
    ['both and it takes Basic', { accepts: 'basic' }, [200, 1, 2]],
    [
      'POST in a list of its own',
      { accepts: 'post', discovery: listing([POST], own) },
      [200, 1, 2],
    ],
    [
      'Basic in a list of its own, and takes POST',
      { accepts: 'post', discovery: listing([BASIC], own) },
      [503, 1, 2],
    ],
  ])('with %s', async (_what, lies, [status, first, second]) => {
    const test = await start()
    test.provider.lies = lies
    for (const calls of [first, second]) {
      expect((await test.bring(test.opaque())).statusCode).toBe(status)
      expect(test.provider.asked('/introspect')).toBe(calls)
    }
  })

  it('a second call counts in the budget', async () => {
    const { provider, restart } = await start()
    const { app } = await restart({
      provider: { ...provider.config, clientSecret: 'another secret' },
    })
    for (let index = 0; index < 70; index += 1) {
      const answer = await check(app, { authorization: `Bearer opaque-${index}` })
      expect(answer.statusCode).toBe(503)
    }
    // 100 of the common budget, and two each for the first three tokens of this address, which have one of their own.
    expect(provider.asked('/introspect')).toBe(106)
  })
})
