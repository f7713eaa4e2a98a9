import { createHmac, generateKeyPairSync, randomUUID } from 'node:crypto'
import { exportJWK, importPKCS8, SignJWT, UnsecuredJWT } from 'jose'
import { describe, expect, it } from 'vitest'
import { ANYONE } from '../../support/build-app.ts'
import { CLIENT_SECRET, startHostileProvider } from '../../support/hostile-provider.ts'
import { ACCEPTING, type Accepting, startAccepting } from '../../support/provider-tokens.ts'
import { startUpstream } from '../../support/upstream-server.ts'

type Forge = (test: Accepting) => string | Promise<string>

/** Anybody may pass, so that only the token can be wrong. */
const OPEN = { resources: [{ ...ACCEPTING, allow: ANYONE }] }
const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const strangerKey = await importPKCS8(
  stranger.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  'ES256',
)
const strangerJwk = await exportJWK(stranger.publicKey)

const withClaims =
  (changes: (test: Accepting) => Record<string, unknown>): Forge =>
  (test) =>
    test.token(changes(test))
const seconds = (test: Accepting) => Math.floor(test.clock() / 1000)
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (input: string, key: string) =>
  `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`

const KINDS: readonly (readonly [string, Forge])[] = [
  ['an ID token', withClaims(() => ({ typ: 'ID', aud: 'gatewarden', nonce: 'n', at_hash: 'h' }))],
  [
    'an ID token without a type',
    withClaims(() => ({ typ: undefined, aud: 'gatewarden', nonce: 'n', at_hash: 'h' })),
  ],
  ['a refresh token', withClaims(() => ({ typ: 'Refresh' }))],
  ['an offline token', withClaims(() => ({ typ: 'Offline' }))],
  ['a logout token', withClaims(() => ({ typ: 'Logout', events: {} }))],
  ['a token of no type', withClaims(() => ({ typ: undefined }))],
  ['a type of another case', withClaims(() => ({ typ: 'bearer' }))],
  ['a list for a type', withClaims(() => ({ typ: ['Bearer'] }))],
  [
    'an ID token in the clothes of an access token',
    (test) => test.provider.signToken(test.claims({ typ: 'ID' }), { typ: 'at+jwt' }),
  ],
  ['a token that is bound to a key', withClaims(() => ({ cnf: { jkt: 'thumbprint' } }))],
]

const ISSUERS: readonly (readonly [string, Forge])[] = [
  ['another issuer', withClaims(() => ({ iss: 'https://evil.example' }))],
  ['no issuer', withClaims(() => ({ iss: undefined }))],
  ['an issuer that begins alike', withClaims((test) => ({ iss: `${test.provider.issuer}2` }))],
  ['a path below the issuer', withClaims((test) => ({ iss: `${test.provider.issuer}/realms/x` }))],
  ['the issuer with a slash', withClaims((test) => ({ iss: `${test.provider.issuer}/` }))],
  ['the issuer in a list', withClaims((test) => ({ iss: [test.provider.issuer] }))],
  [
    'another provider with the same people',
    async (test) => (await startHostileProvider()).signToken(test.claims()),
  ],
]

const TIMES: readonly (readonly [string, Forge])[] = [
  ['expired', withClaims((test) => ({ exp: seconds(test) - 1 }))],
  ['expires now', withClaims((test) => ({ exp: seconds(test) }))],
  ['never expires', withClaims(() => ({ exp: undefined }))],
  ['a text for an expiry', withClaims((test) => ({ exp: String(seconds(test) + 60) }))],
  ['is not valid yet', withClaims((test) => ({ nbf: seconds(test) + 31 }))],
  ['a text for its beginning', withClaims(() => ({ nbf: '0' }))],
  ['a text for its birth', withClaims(() => ({ iat: '0' }))],
]

const SIGNATURES: readonly (readonly [string, Forge])[] = [
  ['no signature', (test) => new UnsecuredJWT(test.claims()).encode()],
  [
    'no algorithm, with something for a signature',
    (test) => `${part({ alg: 'none', typ: 'at+jwt' })}.${part(test.claims())}.AAAA`,
  ],
  [
    'HS256 with the public key',
    async (test) =>
      hmac(
        `${part({ alg: 'HS256', typ: 'JWT' })}.${part(test.claims())}`,
        await test.provider.publicKey(),
      ),
  ],
  [
    'HS256 with our secret',
    (test) => hmac(`${part({ alg: 'HS256' })}.${part(test.claims())}`, CLIENT_SECRET),
  ],
  [
    'HS256 with the key that all of mcpauth had',
    (test) => hmac(`${part({ alg: 'HS256' })}.${part(test.claims())}`, 'my-secret-key'),
  ],
  [
    'an unknown key',
    (test) =>
      new SignJWT(test.claims())
        .setProtectedHeader({ alg: 'ES256', kid: randomUUID(), typ: 'at+jwt' })
        .sign(strangerKey),
  ],
  [
    'a key that it brings itself',
    (test) =>
      new SignJWT(test.claims())
        .setProtectedHeader({ alg: 'ES256', jwk: strangerJwk, typ: 'at+jwt' })
        .sign(strangerKey),
  ],
  [
    'a signature of another token',
    async (test) => {
      const [header, , signature] = (await test.token()).split('.')
      return `${header}.${part(test.claims({ sub: 'somebody-else' }))}.${signature}`
    },
  ],
  [
    'an extension that must be understood',
    (test) =>
      test.provider
        .signToken(test.claims(), { typ: 'at+jwt' })
        .then((token) => token.replace(/^[^.]+/, part({ alg: 'ES256', crit: ['x'], x: 1 }))),
  ],
]

const PEOPLE: readonly (readonly [string, Forge])[] = [
  ['a number for a subject', withClaims(() => ({ sub: 7 }))],
  ['an empty subject', withClaims(() => ({ sub: '' }))],
  ['a subject of two lines', withClaims(() => ({ sub: 'a\nb' }))],
  [
    'more groups than anybody is in',
    withClaims(() => ({ groups: Array.from({ length: 201 }, (_, n) => `g${n}`) })),
  ],
  ['a list for an e-mail', withClaims(() => ({ email: ['ann@example.com'] }))],
  ['an object for an e-mail', withClaims(() => ({ email: { toString: 'ann@example.com' } }))],
]

/** Expects the challenge of any bad token, without a crash and without a reason. */
async function expectRefused(forge: Forge, reason: RegExp): Promise<void> {
  const test = await startAccepting(OPEN)
  expect((await test.bring(await test.token())).statusCode).toBe(200)
  const answer = await test.bring(await forge(test))
  expect(answer.statusCode).toBe(401)
  expect(answer.json()).toMatchObject({ error: 'invalid_token' })
  expect(answer.headers).not.toHaveProperty('x-forwarded-user')
  expect(test.logs.filter(({ level }) => Number(level) >= 50)).toEqual([])
  expect(test.logs.findLast(({ msg }) => msg === 'decision')?.reason).toMatch(reason)
}

describe('a token that is not an access token is refused:', () => {
  it.each(KINDS)('%s', (_what, forge) => expectRefused(forge, /not an access token|bound to a key/))
})
describe('T34: a token of another issuer is refused:', () => {
  it.each(ISSUERS)('%s', (_what, forge) =>
    expectRefused(forge, /another issuer|not one of ours|no applicable key/),
  )
})
describe('a token out of its time is refused:', () => {
  it.each(TIMES)('%s', (_what, forge) =>
    expectRefused(forge, /expired|not valid yet|is not a number/),
  )
})
describe('T34: a token that the provider did not sign is refused:', () => {
  it.each(SIGNATURES)('%s', (_what, forge) =>
    expectRefused(forge, /signature verification failed|no applicable key|"alg"|Extension/),
  )

  it.each(['jku', 'x5u'])('its %s is not followed', async (name) => {
    const elsewhere = await startUpstream((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ keys: [strangerJwk] }))
    })
    await expectRefused(
      (test) =>
        new SignJWT(test.claims())
          .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', [name]: `${elsewhere.origin}/keys` })
          .sign(strangerKey),
      /signature verification failed/,
    )
    expect(elsewhere.requests).toEqual([])
  })
})
describe('a token about nobody in order is refused:', () => {
  it.each(PEOPLE)('%s', (_what, forge) => expectRefused(forge, /no usable subject|groups|email/))
})

describe('claims of odd shapes', () => {
  it.each([
    ['a text for "verified"', { email_verified: 'true' }],
    ['two addresses for one', { email: 'a@evil.test@example.com' }],
    ['an e-mail of two lines', { email: 'ann@example.com\r\nX-Admin: 1' }],
  ])('vouch for no e-mail: %s', async (_what, changes) => {
    const test = await startAccepting()
    expect((await test.bring(await test.token(changes))).statusCode).toBe(403)
    const open = await startAccepting(OPEN)
    const answer = await open.bring(await open.token(changes))
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['x-forwarded-email']).toBe('')
    expect(answer.headers['x-forwarded-user']).toBe(answer.headers['x-user-id'])
  })

  it.each([[['openid']], [{ openid: true }], [7]])('grant no scope: %j', async (scope) => {
    const test = await startAccepting(OPEN)
    const answer = await test.bring(await test.token({ scope }))
    expect(answer.headers['x-forwarded-scopes']).toBe('')
  })
})

describe('a token that does not look like one of the provider', () => {
  it.each([
    ['a JWT of somebody else', (test: Accepting) => test.token({ iss: 'https://evil.example' })],
    ['a JWT of ours', (test: Accepting) => test.token({ iss: 'https://auth.example.com' })],
    ['more than any token is long', () => 'a'.repeat(16 * 1024 + 1)],
  ])('is refused without asking anybody: %s', async (_what, forge) => {
    const test = await startAccepting(OPEN)
    expect((await test.bring(await forge(test))).statusCode).toBe(401)
    expect(test.provider.asked('/.well-known/openid-configuration')).toBe(0)
  })
})
