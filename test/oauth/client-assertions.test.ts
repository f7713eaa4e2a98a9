/** `private_key_jwt` (RFC 7523 section 3 and its revision), for clients of documents and of the configuration. */
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  ASSERTION_TYPE,
  type DocumentHost,
  makeSigningKey,
  ON_LOOPBACK,
  type SigningKey,
  startDocumentHost,
} from '../support/document-host.ts'
import {
  authorizeUrl,
  codeOf,
  REDIRECT_URI,
  type RegisteredClient,
  redeem,
  refresh,
  register,
  signIn,
  token,
} from '../support/oauth-client.ts'

const ISSUER = 'https://auth.example.com'
const key = await makeSigningKey()

let gateway: TestApp
let host: DocumentHost
let client: RegisteredClient
beforeEach(async () => {
  gateway = await buildTestApp(ON_LOOPBACK)
  host = await startDocumentHost()
  client = host.publish({
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys: [key.publicJwk] },
  })
})

const now = () => Math.floor(gateway.clock() / 1000)
const code = async (of = client) =>
  codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(of)))
const withAssertion = (client_assertion: string) => ({
  client_assertion_type: ASSERTION_TYPE,
  client_assertion,
})

/** Asks for a refresh that can only fail because of the token: `invalid_grant` says that the client was authenticated. */
async function authenticated(
  assertion: string,
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  const answer = await refresh(gateway.app, client, 'no-such-token', {
    ...withAssertion(assertion),
    ...changes,
  })
  const { error, error_description: text } = answer.json()
  if (error === 'invalid_client') expect(answer.statusCode).toBe(401)
  return error === 'invalid_grant' ? 'yes' : `${error}: ${text}`
}

describe('a client with keys', () => {
  it('gets and refreshes tokens with a new assertion for each request', async () => {
    const first = withAssertion(await key.assertion(client.client_id, now()))
    const answer = await redeem(gateway.app, client, await code(), first)
    expect(answer.statusCode).toBe(200)
    const second = withAssertion(await key.assertion(client.client_id, now()))
    const { refresh_token } = answer.json()
    expect((await refresh(gateway.app, client, refresh_token, second)).statusCode).toBe(200)
  })

  it('may leave client_id out, since the assertion names the client', async () => {
    const assertion = await key.assertion(client.client_id, now())
    expect(await authenticated(assertion, { client_id: undefined })).toBe('yes')
  })

  it('A35: gets nothing without an assertion, and its code lives on', async () => {
    const issued = await code()
    const answer = await redeem(gateway.app, client, issued)
    expect(answer.statusCode).toBe(401)
    expect(answer.json().error).toBe('invalid_client')
    const assertion = withAssertion(await key.assertion(client.client_id, now()))
    expect((await redeem(gateway.app, client, issued, assertion)).statusCode).toBe(200)
  })

  it.each([
    ['the issuer', ISSUER],
    ['the issuer as some libraries print it', `${ISSUER}/`],
    ['the token endpoint', `${ISSUER}/token`],
    ['a list of the issuer', [ISSUER]],
    ['a list of both', [ISSUER, `${ISSUER}/token`]],
  ])('may name %s as the audience', async (_what, aud) => {
    const assertion = await key.assertion(client.client_id, now(), { claims: { aud } })
    expect(await authenticated(assertion)).toBe('yes')
  })

  it.each([
    [ISSUER, 'yes'],
    [[ISSUER], 'yes'],
    [`${ISSUER}/token`, /aud must be/],
    [`${ISSUER}/`, /aud must be/],
    [[ISSUER, `${ISSUER}/token`], /aud must be/],
  ])('that names its type may name the issuer alone: %s', async (aud, expected) => {
    const assertion = await key.assertion(client.client_id, now(), {
      claims: { aud },
      header: { typ: 'client-authentication+jwt' },
    })
    expect(await authenticated(assertion)).toMatch(expected)
  })

  it.each(['RS256', 'PS256', 'ES256', 'EdDSA'] as const)('may sign with %s', async (algorithm) => {
    const own = await makeSigningKey(algorithm)
    host.publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [own.publicJwk] },
    })
    expect(await authenticated(await own.assertion(client.client_id, now()))).toBe('yes')
  })

  it('may have several keys without names', async () => {
    const [one, two] = [await makeSigningKey('ES256', ''), await makeSigningKey('ES256', '')]
    const keys = [one, two].map(({ publicJwk: { kid: _, ...jwk } }) => jwk)
    host.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys } })
    const assertion = await two.assertion(client.client_id, now(), { header: { kid: undefined } })
    expect(await authenticated(assertion)).toBe('yes')
  })
})

describe('an assertion is refused', () => {
  const cases: [
    string,
    { claims?: Record<string, unknown>; header?: Record<string, unknown> },
    RegExp,
  ][] = [
    ['for another server', { claims: { aud: 'https://evil.test' } }, /aud must be/],
    [
      'for us and another server',
      { claims: { aud: [ISSUER, 'https://evil.test'] } },
      /aud must be/,
    ],
    ['for nobody', { claims: { aud: [] } }, /malformed: aud/],
    ['without an audience', { claims: { aud: undefined } }, /malformed: aud/],
    [
      'of an issuer that is not its subject',
      { claims: { iss: 'https://evil.test' } },
      /iss and as sub/,
    ],
    ['without exp', { claims: { exp: undefined } }, /malformed: exp/],
    ['without jti', { claims: { jti: undefined } }, /malformed: jti/],
    ['with an empty jti', { claims: { jti: '' } }, /malformed: jti/],
    ['of the type of access tokens', { header: { typ: 'at+jwt' } }, /another kind/],
    ['of the type of logout tokens', { header: { typ: 'logout+jwt' } }, /another kind/],
    ['of the type of identity grants', { header: { typ: 'oauth-id-jag+jwt' } }, /another kind/],
  ]
  it.each(cases)('%s', async (_what, changes, reason) => {
    const assertion = await key.assertion(client.client_id, now(), changes)
    expect(await authenticated(assertion)).toMatch(/^invalid_client: /)
    expect(await authenticated(assertion)).toMatch(reason)
  })

  it.each([
    ['has expired', { exp: -61 }, /has expired/],
    ['expired within the tolerance', { exp: -59 }, /^yes$/],
    ['lives for an hour', { exp: 3600 }, /^yes$/],
    ['lives longer', { exp: 3661 }, /more than 3600 seconds/],
    ['is not valid yet', { nbf: 61 }, /from the future/],
    ['was made in the future', { iat: 61 }, /from the future/],
  ])('if it %s', async (_what, times, expected) => {
    const claims = Object.fromEntries(
      Object.entries(times).map(([name, seconds]) => [name, now() + seconds]),
    )
    const assertion = await key.assertion(client.client_id, now(), { claims })
    expect(await authenticated(assertion)).toMatch(expected)
  })

  it('T34: signed by another key, or with a symmetric or no algorithm', async () => {
    const stranger = await makeSigningKey()
    expect(await authenticated(await stranger.assertion(client.client_id, now()))).toMatch(
      /^invalid_client/,
    )
    const good = await key.assertion(client.client_id, now())
    const [, payload = ''] = good.split('.')
    for (const header of [
      { alg: 'none' },
      { alg: 'HS256', kid: 'key-1' },
      { alg: 'ES256', crit: ['x'], x: 1 },
    ]) {
      const head = Buffer.from(JSON.stringify(header)).toString('base64url')
      expect(await authenticated(`${head}.${payload}.`)).toMatch(/must be signed with one of/)
    }
    expect(await authenticated(`${good.slice(0, -2)}AA`)).toMatch(/^invalid_client/)
  })

  it('T34: whose header brings its own key', async () => {
    const stranger = await makeSigningKey()
    const header = { jwk: stranger.publicJwk, jku: `${host.origin}/evil.json` }
    const assertion = await stranger.assertion(client.client_id, now(), { header })
    expect(await authenticated(assertion)).toMatch(/^invalid_client/)
    expect(host.asked).not.toContain('/evil.json')
  })

  it.each(['', 'x', 'a.b.c', 'x'.repeat(9000)])('that is no JWT: %s', async (text) => {
    expect(await authenticated(text)).toMatch(/^invalid_(?:client|request)/)
  })

  it('of another type of assertion, or beside another authentication', async () => {
    const assertion = await key.assertion(client.client_id, now())
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer'
    expect(await authenticated(assertion, { client_assertion_type: saml })).toMatch(
      /^invalid_request/,
    )
    expect(await authenticated(assertion, { client_assertion_type: undefined })).toMatch(
      /^invalid_request/,
    )
    expect(await authenticated(assertion, { client_secret: 'x' })).toMatch(/two ways/)
    expect(await authenticated(assertion, { client_id: 'https://other.test/x' })).toMatch(
      /^invalid_request/,
    )
    const basic = await token(
      gateway.app,
      { grant_type: 'refresh_token', refresh_token: 'x', ...withAssertion(assertion) },
      { authorization: `Basic ${Buffer.from('a:b').toString('base64')}` },
    )
    expect(basic.json().error_description).toContain('two ways')
  })

  it('of a client that has no keys', async () => {
    client = await register(gateway.app)
    const assertion = await key.assertion(client.client_id, now())
    expect(await authenticated(assertion)).toMatch(/has no keys/)
  })

  it('of nobody', async () => {
    const assertion = await key.assertion('nobody', now())
    expect(await authenticated(assertion, { client_id: undefined })).toMatch(/^invalid_client/)
  })
})

describe('an assertion works once', () => {
  it('of 50 at the same time', async () => {
    const assertion = await key.assertion(client.client_id, now())
    const answers = await Promise.all(Array.from({ length: 50 }, () => authenticated(assertion)))
    expect(answers.filter((answer) => answer === 'yes')).toHaveLength(1)
    expect(answers.filter((answer) => /used before/.test(answer))).toHaveLength(49)
  })

  it('also after a restart, and until it has expired', async () => {
    const assertion = await key.assertion(client.client_id, now())
    expect(await authenticated(assertion)).toBe('yes')
    const clock = gateway.clock
    gateway = await gateway.restart()
    expect(await authenticated(assertion)).toMatch(/used before/)
    clock.advance(359)
    expect(await authenticated(assertion)).toMatch(/used before/)
    clock.advance(1)
    expect(await authenticated(assertion)).toMatch(/has expired/)
  })

  it('unless it was refused: nothing is spent before everything else is good', async () => {
    const claims = { jti: 'the-same' }
    const stranger = await makeSigningKey()
    await authenticated(await stranger.assertion(client.client_id, now(), { claims }))
    const assertion = await key.assertion(client.client_id, now(), { claims })
    expect(await authenticated(assertion)).toBe('yes')
  })

  it('and clients have the ids of their assertions to themselves', async () => {
    const claims = { jti: 'the-same' }
    expect(await authenticated(await key.assertion(client.client_id, now(), { claims }))).toBe(
      'yes',
    )
    client = host.publish(
      { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [key.publicJwk] } },
      { path: '/other.json' },
    )
    expect(await authenticated(await key.assertion(client.client_id, now(), { claims }))).toBe(
      'yes',
    )
  })
})

describe('a document that offers both', () => {
  beforeEach(() => {
    host.publish({
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt'],
      jwks: { keys: [key.publicJwk] },
    })
  })

  it('is that of a public client, whose assertions have to be good', async () => {
    expect((await redeem(gateway.app, client, await code())).statusCode).toBe(200)
    const good = await key.assertion(client.client_id, now())
    expect(await authenticated(good)).toBe('yes')
    expect(await authenticated(good)).toMatch(/used before/)
    const stranger = await makeSigningKey()
    expect(await authenticated(await stranger.assertion(client.client_id, now()))).toMatch(
      /^invalid_client/,
    )
  })
})

describe('keys at a jwks_uri', () => {
  const publishKeys = (...keys: readonly SigningKey[]) =>
    host.serve('/jwks.json', { keys: keys.map(({ publicJwk }) => publicJwk) })
  const askedForKeys = () => host.asked.filter((path) => path === '/jwks.json').length
  const assertion = (of: SigningKey = key) => of.assertion(client.client_id, now())

  beforeEach(() => {
    host.publish({
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: publishKeys(key),
    })
  })

  it('are read once and kept', async () => {
    for (let i = 0; i < 3; i += 1) expect(await authenticated(await assertion())).toBe('yes')
    expect(askedForKeys()).toBe(1)
  })

  it('are read again for a new key, though not for each made-up one', async () => {
    expect(await authenticated(await assertion())).toBe('yes')
    const next = await makeSigningKey('ES256', 'key-2')
    publishKeys(next)
    gateway.clock.advance(30)
    expect(await authenticated(await assertion(next))).toBe('yes')
    expect(askedForKeys()).toBe(2)
    expect(await authenticated(await assertion())).toMatch(/^invalid_client/)
    const stranger = await makeSigningKey('ES256', 'key-3')
    for (let i = 0; i < 5; i += 1) await authenticated(await assertion(stranger))
    expect(askedForKeys()).toBe(2)
  })

  it('that cannot be read are an outage, never invalid_client', async () => {
    host.answer = (request, response) => {
      if (request.url === '/jwks.json') response.destroy()
      else response.writeHead(200, { 'content-type': 'application/json' }).end(documentOf(host))
    }
    expect(await authenticated(await assertion())).toMatch(/^temporarily_unavailable/)
  })

  it('that were read go on serving while their host is down', async () => {
    expect(await authenticated(await assertion())).toBe('yes')
    await host.stop()
    gateway.clock.advance(3600)
    expect(await authenticated(await assertion())).toBe('yes')
  })

  it('may be 64 kB, and no more', async () => {
    const padded = (length: number) => ({ keys: [key.publicJwk], pad: 'x'.repeat(length) })
    host.serve('/jwks.json', padded(60_000))
    expect(await authenticated(await assertion())).toBe('yes')
    gateway.clock.advance(86_401)
    host.serve('/jwks.json', padded(70_000))
    expect(await authenticated(await assertion())).toMatch(/^temporarily_unavailable/)
  })

  it('that hold a private key are refused', async () => {
    host.serve('/jwks.json', { keys: [{ ...key.publicJwk, d: 'x' }] })
    expect(await authenticated(await assertion())).toMatch(/private/)
  })

  it.each(['https://169.254.169.254/keys', 'https://keys.localhost/keys', 'http://keys.test/'])(
    'T9: at %s are never asked for',
    async (jwks_uri) => {
      gateway = await buildTestApp(ON_LOOPBACK)
      host.publish({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri })
      expect(await authenticated(await assertion())).toMatch(
        /^(?:invalid_client|temporarily_unavailable)/,
      )
      expect(askedForKeys()).toBe(0)
    },
  )

  function documentOf({ origin }: DocumentHost): string {
    return JSON.stringify({
      client_id: `${origin}/client.json`,
      client_name: 'Documented client',
      redirect_uris: [REDIRECT_URI],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks_uri: `${origin}/jwks.json`,
    })
  }
})

describe('a client of the configuration', () => {
  const configured = (keys: NonNullable<ClientConfig['keys']>): ClientConfig => ({
    id: 'ci',
    name: 'CI',
    redirectUris: [REDIRECT_URI],
    grantTypes: ['authorization_code', 'refresh_token'],
    authMethod: 'private_key_jwt',
    keys,
  })

  it('authenticates with its keys, which may be at an inner address', async () => {
    const uri = host.serve('/inner.json', { keys: [key.publicJwk] })
    const everyKind: readonly NonNullable<ClientConfig['keys']>[] = [
      { kind: 'jwks', jwks: { keys: [key.publicJwk] } },
      { kind: 'jwks_uri', uri },
    ]
    for (const keys of everyKind) {
      gateway = await buildTestApp({ clients: [configured(keys)] })
      client = { client_id: 'ci' }
      const assertion = withAssertion(await key.assertion('ci', now()))
      expect((await redeem(gateway.app, client, await code(), assertion)).statusCode).toBe(200)
      expect(await authenticated('', { client_assertion_type: undefined })).toMatch(
        /^invalid_client/,
      )
    }
  })
})
