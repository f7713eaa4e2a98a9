import { generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { ORIGINAL_ID_TOKEN } from '../../src/providers/token-answer.ts'
import { createBrowser, hiddenField, refreshTarget } from '../support/browser.ts'
import { ANYONE, resource } from '../support/build-app.ts'
import {
  ACCESS_TOKEN,
  CLIENT_ID,
  CLIENT_SECRET,
  type Lies,
  startHostileProvider,
} from '../support/hostile-provider.ts'
import { codeOf } from '../support/oauth-client.ts'
import {
  approve,
  asking,
  cameBack,
  isFailedSignIn,
  type Journey,
  signInThere,
  startJourney,
} from '../support/provider-journey.ts'
import { storedRecords } from '../support/stored.ts'

const secretKey = new TextEncoder().encode(CLIENT_SECRET)
const stranger = await generateKeyPair('ES256')
const html = '<!doctype html><title>Welcome</title>'

const answerAt =
  (
    path: string,
    status: number,
    body: string,
    type = 'application/json',
  ): NonNullable<Lies['answer']> =>
  (request, response) => {
    if (!request.url?.startsWith(path)) return false
    response.writeHead(status, { 'content-type': type }).end(body)
    return true
  }
const challengeAt =
  (path: string, parameters: string): NonNullable<Lies['answer']> =>
  (request, response) => {
    if (request.url !== path) return false
    response.writeHead(401, { 'www-authenticate': `Bearer ${parameters}` }).end()
    return true
  }
const claims = (change: (claims: JWTPayload) => void): Lies => ({ claims: change })
const withoutEmail = (lies: Lies): Lies => ({ claims: (it) => delete it.email, ...lies })

const NOT_A_STRING = /^the claim email is not a string$/

/** Each lie, with the words of the log. */
const LIES: readonly (readonly [string, Lies, RegExp])[] = [
  [
    'is for another issuer',
    claims((it) => Object.assign(it, { iss: 'https://evil.example' })),
    /"iss"/,
  ],
  ['is for another audience', claims((it) => Object.assign(it, { aud: 'other' })), /"aud"/],
  [
    'is for several audiences, and issued to another',
    claims((it) => Object.assign(it, { aud: [CLIENT_ID, 'other'], azp: 'other' })),
    /"azp"/,
  ],
  ['was issued to another client', claims((it) => Object.assign(it, { azp: 'other' })), /azp/],
  ['has another nonce', claims((it) => Object.assign(it, { nonce: 'other' })), /"nonce"/],
  ['has no nonce', claims((it) => delete it.nonce), /"nonce"/],
  [
    'has expired',
    claims((it) => Object.assign(it, { exp: Math.floor(Date.now() / 1000) - 60 })),
    /"exp"/,
  ],
  ['never expires', claims((it) => delete it.exp), /"exp"/],
  ['has no subject', claims((it) => delete it.sub), /"sub"/],
  ['has an empty subject', claims((it) => Object.assign(it, { sub: '' })), /subject/],
  ['has a number for a subject', claims((it) => Object.assign(it, { sub: 7 })), /"sub"/],
  ['has a subject of two lines', claims((it) => Object.assign(it, { sub: 'a\nb' })), /subject/],
  [
    'has a list for an e-mail',
    claims((it) => Object.assign(it, { email: [it.email] })),
    NOT_A_STRING,
  ],
  ['has an object for an e-mail', claims((it) => Object.assign(it, { email: {} })), NOT_A_STRING],
  [
    'has a number for an e-mail that is not verified',
    claims((it) => Object.assign(it, { email: 7, email_verified: false })),
    NOT_A_STRING,
  ],
  ['is not signed', { sign: (it) => new UnsecuredJWT(it).encode() }, /alg|algorithm/i],
  [
    'is signed with our own secret',
    { sign: (it) => new SignJWT(it).setProtectedHeader({ alg: 'HS256' }).sign(secretKey) },
    /"alg" .* not allowed/,
  ],
  [
    'is signed with a key that is not published',
    {
      sign: (it) =>
        new SignJWT(it).setProtectedHeader({ alg: 'ES256', kid: 'x' }).sign(stranger.privateKey),
    },
    /no applicable key/,
  ],
  [
    'brings its own key',
    {
      sign: async (it) =>
        new SignJWT(it)
          .setProtectedHeader({
            alg: 'ES256',
            jwk: { kty: 'EC' },
            jku: 'http://127.0.0.1:1/keys',
          })
          .sign(stranger.privateKey),
    },
    /signature verification failed/,
  ],
  [
    'is another one than the answer says was signed',
    {
      tokens(answer) {
        const signed = String(answer.id_token)
        const [header, payload = '', signature] = signed.split('.')
        const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
        const forged = Buffer.from(JSON.stringify({ ...claims, email: 'boss@example.com' }))
        answer.id_token = `${header}.${forged.toString('base64url')}.${signature}`
        answer[ORIGINAL_ID_TOKEN] = signed
      },
    },
    /signature verification failed/,
  ],
  ['is no token', { sign: () => 'a.b' }, /JWT/],
]

const TOKEN_ANSWERS: readonly (readonly [string, Lies, RegExp])[] = [
  ['no ID token', { tokens: (answer) => delete answer.id_token }, /"id_token"/],
  ['a list for an ID token', { tokens: (it) => Object.assign(it, { id_token: [] }) }, /"id_token"/],
  ['a page', { answer: answerAt('/token', 200, html, 'text/html') }, /content-type/],
  ['a page that claims to be JSON', { answer: answerAt('/token', 200, html) }, /JSON/],
  ['a redirect', { answer: answerAt('/token', 302, '') }, /302/],
  ['a list', { answer: answerAt('/token', 200, '[]') }, /object/],
  ['more than anyone reads', { answer: answerAt('/token', 200, ' '.repeat(2 ** 20 + 1)) }, /bytes/],
  [
    'that we are not its client',
    { answer: answerAt('/token', 401, '{"error":"invalid_client"}') },
    /invalid_client/,
  ],
]

const KEY_ANSWERS: readonly (readonly [string, Lies, RegExp])[] = [
  ['a page', { answer: answerAt('/jwks', 200, html, 'text/html') }, /keys cannot be read/],
  ['nothing', { keys: (answer) => Object.assign(answer, { keys: [] }) }, /no applicable key/],
  ['numbers', { keys: (answer) => Object.assign(answer, { keys: [1] }) }, /keys cannot be read/],
  [
    'that there is nothing',
    { answer: answerAt('/jwks', 404, '{}') },
    /keys cannot be read \(404\)/,
  ],
]

/** Each answer is about a person whose ID token has no e-mail. */
const USERINFO_ANSWERS: readonly (readonly [string, Lies, RegExp])[] = [
  [
    'is about another subject',
    { userinfo: (answer) => Object.assign(answer, { sub: 'somebody-else' }) },
    /^userinfo: .*"sub"/,
  ],
  ['is about nobody', { userinfo: (answer) => delete answer.sub }, /^userinfo: .*"sub"/],
  [
    'has a list for an e-mail',
    { userinfo: (answer) => Object.assign(answer, { email: ['ann@example.com'] }) },
    NOT_A_STRING,
  ],
  ['is a page', { answer: answerAt('/userinfo', 200, html, 'text/html') }, /^userinfo: .*-type/],
  ['is a page that claims to be JSON', { answer: answerAt('/userinfo', 200, html) }, /JSON/],
  ['is a list', { answer: answerAt('/userinfo', 200, '[]') }, /^userinfo: .*object/],
  ['repeats the access token', { answer: answerAt('/userinfo', 200, ACCESS_TOKEN) }, /^userinfo: /],
  ['is a JWT of nobody', { answer: answerAt('/userinfo', 200, 'a.b.c', 'application/jwt') }, /JWT/],
  ['is a redirect', { answer: answerAt('/userinfo', 302, '') }, /^userinfo: .*\(302\)/],
  ['says no', { answer: answerAt('/userinfo', 401, '') }, /^userinfo: .*\(401\)/],
  [
    'says no and why',
    {
      answer: challengeAt('/userinfo', 'error="invalid_token", error_description="The user left"'),
    },
    /^the provider refused userinfo: invalid_token, The user left$/,
  ],
  [
    'says no and repeats the access token',
    {
      answer: challengeAt(
        '/userinfo',
        `error="invalid_token", error_description="${ACCESS_TOKEN}"`,
      ),
    },
    /^the provider refused userinfo: \(it repeats a secret\)$/,
  ],
  [
    'says no and only where',
    { answer: challengeAt('/userinfo', 'realm="people"') },
    /^the provider refused userinfo: 401$/,
  ],
  [
    'has an address that is none',
    { discovery: (it) => Object.assign(it, { userinfo_endpoint: 'javascript:alert(1)' }) },
    /no usable userinfo_endpoint/,
  ],
  [
    'has a number for an address',
    { discovery: (it) => Object.assign(it, { userinfo_endpoint: 7 }) },
    /no usable userinfo_endpoint/,
  ],
]

it('T32: a refusal of a pushed request that repeats our secret, in the form in which it was sent, leaves no trace of it', async () => {
  const journey = await startJourney({}, await startHostileProvider('s 3&c+ret'))
  const words = JSON.stringify({ error: 'invalid_request', error_description: 's+3%26c%2Bret' })
  Object.assign(journey.provider.lies, {
    discovery: (it: object) =>
      Object.assign(it, {
        require_pushed_authorization_requests: true,
        pushed_authorization_request_endpoint: `${journey.provider.issuer}/pushed`,
      }),
    answer: answerAt('/pushed', 400, words),
  } satisfies Lies)
  await approve(createBrowser(journey.app), asking(journey))
  expect(journey.logs.find(isFailedSignIn)?.reason).toBe(
    'the provider refused the sign-in: (it repeats a secret)',
  )
  expect(JSON.stringify(journey.logs)).not.toContain('s+3%26c')
})

const WAYS_BACK: readonly (readonly [string, Lies, RegExp])[] = [
  ['from another issuer', { redirect: (it) => it.set('iss', 'https://evil.example') }, /"iss"/],
  ['without the issuer it promised', { redirect: (it) => it.delete('iss') }, /"iss"/],
  ['without a code', { redirect: (it) => it.delete('code') }, /no authorization code/],
  ['with a made-up code', { redirect: (it) => it.set('code', 'made-up') }, /Code not valid/],
  ['with two codes', { redirect: (it) => it.append('code', 'another') }, /code/],
  [
    'with an error of the provider',
    {
      redirect: (it) => {
        it.delete('code')
        it.set('error', 'server_error')
      },
    },
    /server_error/,
  ],
]

/** The outcome of every lie, for a trusted client and for a person. */
async function expectRefusal(lies: Lies, reason: RegExp): Promise<void> {
  const journey = await startJourney({ resources: [resource({ allow: ANYONE })] })
  const before = await storedRecords(journey.storage)
  journey.provider.lies = lies

  const answer = await signInThere(journey)
  expect(answer.statusCode).toBe(302)
  expect(String(answer.headers.location)).toMatch(/^http:\/\/127\.0\.0\.1:33418\/callback\?/)
  expect(parametersOf(answer.headers.location)).toEqual({
    error: 'server_error',
    error_description: expect.stringMatching(/^[\x20-\x7e]+, request [\w-]+$/),
    state: 'the-state',
    iss: 'https://auth.example.com',
  })

  const browser = createBrowser(journey.app)
  const page = await signInThere(journey, { browser, trusted: false })
  expect(page.statusCode).toBe(502)
  expect(page.body).toContain('Signing in did not work')
  expect(page.body).toContain('Try again')
  expect(page.body).toContain('Back to program.example')
  expectLogged(journey, { reason, page: page.body, lines: 2 })
  expect(await storedRecords(journey.storage)).toEqual(before)

  journey.provider.lies = {}
  journey.clock.advance(6)
  codeOf(await tryAgain(journey, browser, page.body))
}

/** The log has the reason and the request id of the page, and no secret. */
function expectLogged(
  journey: Journey,
  { reason, page, lines }: { reason: RegExp; page: string; lines: number },
): void {
  const failures = journey.logs.filter(isFailedSignIn)
  expect(failures).toHaveLength(lines)
  expect(failures.at(-1)).toMatchObject({ provider: 'oidc', reason: expect.stringMatching(reason) })
  expect(page).toContain(failures.at(-1)?.requestId)
  const logged = JSON.stringify(journey.logs)
  const secrets = journey.provider.redeemed.flatMap((form) => [
    form.get('code') ?? '',
    form.get('code_verifier') ?? '',
  ])
  for (const secret of [CLIENT_SECRET, 'of-the-provider', 'eyJ', 'state=', ...secrets]) {
    if (secret !== '') expect(logged).not.toContain(secret)
  }
}

async function tryAgain(journey: Journey, browser: ReturnType<typeof createBrowser>, page: string) {
  const approved = await browser.post('/consent', {
    interaction: hiddenField(page, 'interaction'),
    decision: hiddenField(page, 'decision'),
  })
  return browser.get(await journey.provider.signIn(refreshTarget(approved.body)))
}

const parametersOf = (location: unknown) =>
  Object.fromEntries(new URL(String(location)).searchParams)

describe('an ID token is refused that', () => {
  it.each(LIES)('%s', (_what, lies, reason) => expectRefusal(lies, reason))
})

describe('nobody is let in when the token endpoint answers', () => {
  it.each(TOKEN_ANSWERS)('%s', (_what, lies, reason) => expectRefusal(lies, reason))
})

describe('nobody is let in when the ID token has no e-mail, and userinfo', () => {
  it.each(USERINFO_ANSWERS)('%s', (_what, lies, reason) =>
    expectRefusal(withoutEmail(lies), reason),
  )
})

describe('nobody is let in when the keys are', () => {
  it.each(KEY_ANSWERS)('%s', (_what, lies, reason) => expectRefusal(lies, reason))
})

describe('T4: nobody is let in who comes back', () => {
  it.each(WAYS_BACK)('%s', (_what, lies, reason) => expectRefusal(lies, reason))
})

describe('T10: discovery', () => {
  it.each<readonly [string, Lies, RegExp]>([
    [
      'another issuer',
      { discovery: (it) => Object.assign(it, { issuer: 'https://evil.example' }) },
      /another issuer/,
    ],
    ['no issuer', { discovery: (it) => delete it.issuer }, /"issuer"/],
    ['a page', { answer: answerAt('/.well-known', 200, html, 'text/html') }, /content-type/],
    ['a list', { answer: answerAt('/.well-known', 200, '[]') }, /object/],
    ['that there is nothing', { answer: answerAt('/.well-known', 404, '{}') }, /404/],
    ['a redirect', { answer: answerAt('/.well-known', 302, '') }, /302/],
    [
      'an address to sign in at that runs in the page',
      {
        discovery: (it) => Object.assign(it, { authorization_endpoint: 'javascript:alert(1)' }),
      },
      /HTTP/,
    ],
    [
      'no address to sign in at',
      { discovery: (it) => delete it.authorization_endpoint },
      /authorization_endpoint/,
    ],
    [
      'a number to sign in at',
      { discovery: (it) => Object.assign(it, { authorization_endpoint: 1 }) },
      /authorization_endpoint/,
    ],
  ])('that says %s leads nowhere', async (_what, lies, reason) => {
    const journey = await startJourney()
    journey.provider.lies = lies
    const before = await storedRecords(journey.storage)
    const sent = await approve(createBrowser(journey.app), asking(journey))
    expect(sent.statusCode).toBe(303)
    expect(parametersOf(sent.headers.location)).toMatchObject({
      error: 'server_error',
      state: 'the-state',
      iss: 'https://auth.example.com',
    })
    const browser = createBrowser(journey.app)
    const page = await approve(browser, asking(journey, { trusted: false }))
    expect(page.statusCode).toBe(502)
    expectLogged(journey, { reason, page: page.body, lines: 2 })
    expect(await storedRecords(journey.storage)).toEqual(before)
    journey.provider.lies = {}
    // A document that was read is valid for an hour.
    journey.clock.advance(1799)
    const again = await journey.restart()
    codeOf(
      await tryAgain({ ...journey, ...again }, createBrowserLike(browser, again.app), page.body),
    )
  })
})

describe('a provider that is down', () => {
  const outages: readonly (readonly [string, Lies, RegExp])[] = [
    ['answers 503', { answer: answerAt('/', 503, html) }, /503/],
    ['says "too many requests"', { answer: answerAt('/', 429, '{}') }, /429/],
    [
      'cuts the line',
      {
        answer(request) {
          request.socket.destroy()
          return true
        },
      },
      /cannot be reached/,
    ],
  ]

  it.each(outages)('that %s is an outage, before the login', async (_what, lies, reason) => {
    const journey = await startJourney()
    journey.provider.lies = lies
    const sent = await approve(createBrowser(journey.app), asking(journey))
    expect(parametersOf(sent.headers.location)).toMatchObject({
      error: 'temporarily_unavailable',
      state: 'the-state',
      iss: 'https://auth.example.com',
    })
    const browser = createBrowser(journey.app)
    const page = await approve(browser, asking(journey, { trusted: false }))
    expect(page.statusCode).toBe(503)
    expect(page.headers['retry-after']).toBe('5')
    expect(page.body).toContain('The sign-in service does not answer')
    expectLogged(journey, { reason, page: page.body, lines: 2 })
    journey.provider.lies = {}
    journey.clock.advance(4)
    codeOf(await tryAgain(journey, browser, page.body))
  })

  it.each(outages)('that %s is an outage, after the login', async (_what, lies, reason) => {
    const journey = await startJourney()
    const before = await storedRecords(journey.storage)
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser, { trusted: false })
    journey.provider.lies = lies
    const page = await browser.get(callback)
    expect(page.statusCode).toBe(503)
    expectLogged(journey, { reason, page: page.body, lines: 1 })
    expect(await storedRecords(journey.storage)).toEqual(before)
    journey.provider.lies = {}
    // The code was not redeemed, so reloading the page is enough.
    codeOf(await browser.get(callback))
  })

  it('is not there at all', async () => {
    const journey = await startJourney()
    await journey.provider.stop()
    const page = await approve(createBrowser(journey.app), asking(journey, { trusted: false }))
    expect(page.statusCode).toBe(503)
    expectLogged(journey, {
      reason: /cannot be reached \(ECONNREFUSED\)/,
      page: page.body,
      lines: 1,
    })
  })

  it.each<readonly [string, NonNullable<Lies['answer']>, RegExp]>([
    ['answers 500', answerAt('/userinfo', 500, html), /\/userinfo answered 500$/],
    ['hangs', ({ url }) => url === '/userinfo', /\/userinfo did not answer within 5 s$/],
  ])(
    'is not believed without its userinfo that %s',
    { timeout: 20_000 },
    async (_what, answer, reason) => {
      const journey = await startJourney()
      const before = await storedRecords(journey.storage)
      journey.provider.lies = withoutEmail({ answer })
      const page = await signInThere(journey, { trusted: false })
      expect(page.statusCode).toBe(503)
      expect(page.headers['retry-after']).toBe('5')
      expect(page.body).toContain('The sign-in service does not answer')
      expectLogged(journey, { reason, page: page.body, lines: 1 })
      expect(await storedRecords(journey.storage)).toEqual(before)
    },
  )

  it('is not given a code again that it has taken, however often the page is reloaded', async () => {
    const journey = await startJourney()
    const browser = createBrowser(journey.app)
    const callback = await cameBack(journey, browser, { trusted: false })
    journey.provider.lies = withoutEmail({ answer: answerAt('/userinfo', 500, html) })
    const page = await browser.get(callback)
    expect(page.statusCode).toBe(503)
    journey.provider.lies = {}
    expect((await browser.get(callback)).statusCode).toBe(503)
    expect(journey.provider.asked('/token')).toBe(1)
    codeOf(await tryAgain(journey, browser, page.body))
  })

  it('is waited for, but not for ever', { timeout: 20_000 }, async () => {
    const journey = await startJourney()
    journey.provider.lies.answer = () => true
    const started = performance.now()
    const page = await approve(createBrowser(journey.app), asking(journey, { trusted: false }))
    expect(performance.now() - started).toBeGreaterThan(4_000)
    expect(page.statusCode).toBe(503)
    expectLogged(journey, { reason: /did not answer within 5 s/, page: page.body, lines: 1 })
  })
})

describe('a person who says no at the provider', () => {
  const deny: Lies = {
    redirect: (query) => {
      query.delete('code')
      query.set('error', 'access_denied')
      query.set('error_description', 'The user\u0007 said no')
    },
  }

  it('is taken back to a client that is trusted', async () => {
    const journey = await startJourney()
    journey.provider.lies = deny
    const answer = await signInThere(journey)
    expect(parametersOf(answer.headers.location)).toMatchObject({
      error: 'access_denied',
      state: 'the-state',
      iss: 'https://auth.example.com',
    })
  })

  it('sees where to go otherwise', async () => {
    const journey = await startJourney()
    journey.provider.lies = deny
    const browser = createBrowser(journey.app)
    const page = await signInThere(journey, { browser, trusted: false })
    expect(page.statusCode).toBe(403)
    expect(page.body).toContain('You did not sign in')
    expect(page.body).toContain('Back to program.example')
    expectLogged(journey, {
      reason: /access_denied, The user\? said no/,
      page: page.body,
      lines: 1,
    })
    journey.provider.lies = {}
    codeOf(await tryAgain(journey, browser, page.body))
  })
})

describe('a person in too many groups', () => {
  const groups = (count: number, name: (index: number) => string) =>
    Array.from({ length: count }, (_, index) => name(index))

  it.each<readonly [string, readonly string[], RegExp]>([
    ['201', groups(201, (index) => `g${index}`), /lists 201 groups; the limit is 200$/],
    ['300', groups(300, (index) => `g${index}`), /lists 300 groups; the limit is 200$/],
    [
      '8001 bytes of',
      [...groups(39, (index) => `${index}`.padStart(199, 'g')), 'g'.repeat(201)],
      /make a header of 8001 bytes; the limit is 8000$/,
    ],
    [
      'percent-encoded 8999 bytes of',
      groups(20, (index) => `${10 + index}${'\u0416'.repeat(74)},`),
      /make a header of 8999 bytes; the limit is 8000$/,
    ],
  ])('is told so: %s', async (_what, groups, reason) => {
    const journey = await startJourney()
    journey.provider.person.groups = groups
    const page = await signInThere(journey, { trusted: false })
    expect(page.statusCode).toBe(403)
    expect(page.body).toContain('Your account is in too many groups')
    expectLogged(journey, { reason, page: page.body, lines: 1 })
  })
})

describe('the log', () => {
  it.each([CLIENT_SECRET, 'the code'])(
    'holds no %s, even if the provider says it',
    async (secret) => {
      const journey = await startJourney()
      const browser = createBrowser(journey.app)
      const callback = await cameBack(journey, browser)
      const code = String(new URL(callback).searchParams.get('code'))
      const description = `no: ${secret === 'the code' ? code : secret}`
      journey.provider.lies.answer = answerAt(
        '/token',
        400,
        JSON.stringify({ error: 'invalid_grant', error_description: description }),
      )
      await browser.get(callback)
      expect(journey.logs.filter(isFailedSignIn)).toHaveLength(1)
      expect(JSON.stringify(journey.logs)).not.toContain(description)
    },
  )
})

/** The same browser in front of a restarted app. */
function createBrowserLike(browser: ReturnType<typeof createBrowser>, app: Journey['app']) {
  const next = createBrowser(app)
  for (const [name, value] of browser.cookies) next.cookies.set(name, value)
  return next
}
