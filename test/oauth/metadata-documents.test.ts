/** Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document-02), from a real web server on loopback. */
import { beforeEach, describe, expect, it } from 'vitest'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import { type DocumentHost, ON_LOOPBACK, startDocumentHost } from '../support/document-host.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  REDIRECT_URI,
  type RegisteredClient,
  redeem,
  refresh,
  signIn,
} from '../support/oauth-client.ts'

let gateway: TestApp
let host: DocumentHost
beforeEach(async () => {
  gateway = await buildTestApp(ON_LOOPBACK)
  host = await startDocumentHost()
})

const ask = (client: RegisteredClient, changes: Record<string, string | undefined> = {}) =>
  createBrowser(gateway.app).get(authorizeUrl(client, changes))

describe('a client whose id is the URL of its document', () => {
  it('A6: gets tokens without registration, which a check accepts', async () => {
    const { tokens } = await obtainTokens(gateway.app, { client: host.publish() })
    expect(tokens.refresh_token).toBeTruthy()
    const answer = await check(gateway.app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(200)
    expect(host.asked).toEqual(['/client.json'])
  })

  it('is shown with the host that publishes it, and with a warning for another destination', async () => {
    const redirect = 'https://elsewhere.test/callback'
    const client = host.publish({ client_name: 'Claude', redirect_uris: [redirect] })
    const page = (await ask(client, { redirect_uri: redirect })).body
    expect(page).toContain('Published by')
    expect(page).toMatch(/which is not <b><bdi>127\.0\.0\.1:\d+<\/bdi><\/b>/)
    expect(page).not.toContain('Nobody has checked this name')
  })

  it('A13: gets the warning about this computer, as every loopback client', async () => {
    expect((await ask(host.publish())).body).toContain('Any program on this computer can ask')
  })

  it('is asked without credentials, by GET, for JSON', async () => {
    await ask(host.publish())
    const [request] = host.requests
    expect(request?.method).toBe('GET')
    expect(request?.headers).toEqual({
      host: host.host,
      accept: 'application/json',
      connection: expect.any(String),
      'user-agent': 'gatewarden',
    })
  })

  it('may use any port of a loopback redirect', async () => {
    const client = host.publish({ redirect_uris: ['http://localhost/callback'] })
    const answer = await ask(client, { redirect_uri: 'http://localhost:49152/callback' })
    expect(answer.statusCode).toBe(200)
  })

  it('may name members that we do not know, and grants and methods of others', async () => {
    const client = host.publish({
      grant_types: [
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      response_types: ['code', 'id_token'],
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_methods_supported: ['none', 'private_key_jwt', 'tls_client_auth'],
      jwks_uri: 'https://chatgpt.com/oauth/jwks.json',
      logo_uri: 'http://169.254.169.254/latest/meta-data',
      policy_uri: 7,
      nested: { a: [] },
    })
    const { tokens } = await obtainTokens(gateway.app, { client })
    expect(tokens.access_token).toBeTruthy()
    expect(host.asked).toEqual(['/client.json'])
  })

  it('gets no refresh token if it does not list that grant', async () => {
    const client = host.publish({ grant_types: ['authorization_code'] })
    const { tokens } = await obtainTokens(gateway.app, { client })
    expect(tokens).not.toHaveProperty('refresh_token')
  })

  it('that lists the wrong redirect URIs among good ones has the good ones', async () => {
    const client = host.publish({ redirect_uris: ['http://evil.test/cb', REDIRECT_URI] })
    expect((await ask(client)).statusCode).toBe(200)
    expect((await ask(client, { redirect_uri: 'http://evil.test/cb' })).statusCode).toBe(400)
  })

  it('A8: is not redirected to an address that the document does not list', async () => {
    const answer = await ask(host.publish(), { redirect_uri: 'https://evil.test/cb' })
    expect(answer.statusCode).toBe(400)
    expect(answer.headers.location).toBeUndefined()
  })

  it('may send Basic with an empty password, encoded or not', async () => {
    const client = host.publish()
    for (const id of [client.client_id, encodeURIComponent(client.client_id)]) {
      const code = codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(client)))
      const answer = await gateway.app.inject({
        method: 'POST',
        url: '/token',
        headers: {
          authorization: `Basic ${Buffer.from(`${id}:`).toString('base64')}`,
          'content-type': 'application/x-www-form-urlencoded',
        },
        payload: new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: REDIRECT_URI,
          code_verifier: 'a-code-verifier-of-at-least-forty-three-characters',
        }).toString(),
      })
      expect(answer.statusCode).toBe(200)
    }
  })

  it('cannot redeem the code of another document', async () => {
    const [one, two] = [host.publish(), host.publish({}, { path: '/two.json' })]
    const other = { client_id: two.client_id }
    host.serve('/two.json', {
      client_id: two.client_id,
      client_name: 'Two',
      redirect_uris: [REDIRECT_URI],
    })
    const code = codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(one)))
    expect((await redeem(gateway.app, other, code)).json().error).toBe('invalid_grant')
    expect((await redeem(gateway.app, one, code)).statusCode).toBe(200)
  })

  it('T3: is shown every time to a client with a document', async () => {
    const client = host.publish()
    const { browser } = await obtainTokens(gateway.app, { client })
    const again = await browser.get(authorizeUrl(client), { 'sec-fetch-site': 'cross-site' })
    expect(again.statusCode).toBe(200)
    expect(again.body).toContain('value="approve"')
  })

  it('T22: whose installations share its id has a grant for each', async () => {
    const client = host.publish()
    const [one, two] = [
      await obtainTokens(gateway.app, { client }),
      await obtainTokens(gateway.app, { client }),
    ]
    // Reuse of a spent token ends the grant of one installation.
    const { refresh_token: first } = one.tokens
    const second = (await refresh(gateway.app, client, first)).json().refresh_token
    await refresh(gateway.app, client, second)
    expect((await refresh(gateway.app, client, first)).statusCode).toBe(400)
    const answer = await check(gateway.app, { authorization: `Bearer ${two.tokens.access_token}` })
    expect(answer.statusCode).toBe(200)
    expect((await refresh(gateway.app, client, two.tokens.refresh_token)).statusCode).toBe(200)
  })

  it('is unknown where documents are off', async () => {
    const off = { hosts: { allowed: [], denied: [] }, pinned: {}, loopback: false }
    gateway = await buildTestApp({ clientMetadata: off })
    const answer = await ask(host.publish())
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toContain('client_id is missing or unknown')
    expect(host.asked).toEqual([])
  })
})

describe('A36: a document is refused, with a reason for its author,', () => {
  const wrong: [string, Record<string, unknown>, RegExp][] = [
    ['A7: for another client_id', { client_id: 'https://claude.ai/x' }, /another client_id/],
    [
      'for a client_id that is spelled in another way',
      { client_id: 'HTTP://127.0.0.1/client.json' },
      /another client_id/,
    ],
    ['A9: without client_name', { client_name: undefined }, /malformed members: client_name/],
    ['without redirect_uris', { redirect_uris: undefined }, /redirect_uris/],
    ['with no redirect URI', { redirect_uris: [] }, /redirect_uris/],
    ['with a redirect URI that is a number', { redirect_uris: [1] }, /redirect_uris/],
    ['with bad redirect URIs only', { redirect_uris: ['javascript:alert(1)'] }, /no redirect URI/],
    [
      'T6: with our own callback as redirect URI',
      { redirect_uris: ['https://auth.example.com/callback'] },
      /no redirect URI/,
    ],
    ['with a client_secret', { client_secret: 'x' }, /client_secret/],
    ['with client_secret_expires_at', { client_secret_expires_at: 0 }, /client_secret/],
    [
      'with client_secret_basic',
      { token_endpoint_auth_method: 'client_secret_basic' },
      /no method/,
    ],
    ['with client_secret_jwt', { token_endpoint_auth_method: 'client_secret_jwt' }, /no method/],
    [
      'with secret methods only',
      { token_endpoint_auth_methods_supported: ['client_secret_post'] },
      /no method/,
    ],
    [
      'with a private key',
      { jwks: { keys: [{ kty: 'EC', crv: 'P-256', x: 'x', y: 'y', d: 'd' }] } },
      /private/,
    ],
    ['with a symmetric key', { jwks: { keys: [{ kty: 'oct', k: 'aa' }] } }, /symmetric/],
    [
      'with private_key_jwt and no keys',
      { token_endpoint_auth_method: 'private_key_jwt' },
      /jwks or jwks_uri/,
    ],
    [
      'with both kinds of keys',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [] },
        jwks_uri: 'https://a.test/',
      },
      /jwks or jwks_uri/,
    ],
    [
      'with keys by http',
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'http://a.test/k' },
      /jwks_uri that does not use https/,
    ],
    ['with a machine grant alone', { grant_types: ['client_credentials'] }, /no grant type/],
    ['without the code response', { response_types: ['token'] }, /no grant type/],
  ]
  it.each(wrong)('%s', async (_what, changes, reason) => {
    const answer = await ask(host.publish(changes))
    expect(answer.statusCode).toBe(400)
    expect(answer.headers.location).toBeUndefined()
    expect(answer.body).toMatch(reason)
  })

  it.each(['[]', 'null', '"text"', '{', '{"client_id":1}'])('that is %s', async (text) => {
    const client = host.publish()
    host.serve('/client.json', text)
    const answer = await ask(client)
    expect(answer.statusCode).toBe(400)
    expect(answer.body).toMatch(/the client metadata document (?:is not JSON|has missing)/)
  })
})

describe('T9: a document is not read', () => {
  const answers: [
    string,
    (origin: string) => { status: number; headers: Record<string, string>; body: string },
  ][] = [
    [
      'that redirects',
      (origin) => ({ status: 302, headers: { location: `${origin}/other.json` }, body: '{}' }),
    ],
    [
      'that redirects for good',
      (origin) => ({ status: 308, headers: { location: `${origin}/other.json` }, body: '{}' }),
    ],
    ['that is 204', () => ({ status: 204, headers: {}, body: '' })],
    ['that is 206', () => ({ status: 206, headers: {}, body: '{}' })],
    ['that is 404', () => ({ status: 404, headers: {}, body: '{}' })],
    ['that is 500', () => ({ status: 500, headers: {}, body: '{}' })],
    ['that is HTML', () => ({ status: 200, headers: { 'content-type': 'text/html' }, body: '{}' })],
    ['without a type', () => ({ status: 200, headers: { 'content-type': '' }, body: '{}' })],
    [
      'that is JSON in disguise',
      () => ({
        status: 200,
        headers: { 'content-type': 'text/plain; a=application/json' },
        body: '{}',
      }),
    ],
    [
      'that is compressed',
      () => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body: '{}' }),
    ],
    [
      'that is larger than 5 kB',
      () => ({ status: 200, headers: {}, body: JSON.stringify('x'.repeat(5 * 1024)) }),
    ],
    ['that is not UTF-8', () => ({ status: 200, headers: {}, body: '\xff\xfe' })],
  ]
  it.each(answers)('%s', async (_what, answerOf) => {
    const client = host.publish()
    host.publish({}, { path: '/other.json' })
    const { status, headers, body } = answerOf(host.origin)
    host.answer = (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(Buffer.from(body, 'latin1'))
    }
    const answer = await ask(client)
    expect(answer.statusCode).toBe(503)
    expect(answer.headers.location).toBeUndefined()
    expect(answer.body).toContain('This program cannot be checked right now')
    expect(host.asked).toEqual(['/client.json'])
    expect(gateway.logs.filter(({ url }) => url === client.client_id)).toHaveLength(1)
  })

  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/cimd+json',
    'APPLICATION/JSON',
  ])('unless its type is JSON, like %s', async (type) => {
    expect((await ask(host.publish({}, { headers: { 'content-type': type } }))).statusCode).toBe(
      200,
    )
  })

  it('A11: whose URL is no good, and nobody is asked', async () => {
    for (const id of [
      `${host.origin}/client.json#x`,
      `${host.origin}/a/../client.json`,
      `${host.origin}/a/%2e%2E/client.json`,
      `${host.origin}/./client.json`,
      `http://user@${host.host}/client.json`,
      `http://user:pass@${host.host}/client.json`,
      host.origin,
      `http:\\\\${host.host}\\client.json`,
      `HTTP://${host.host}/client.json`,
      `${host.origin}/${'a'.repeat(600)}`,
      'http://example.com/client.json',
      'https://example.com',
      'https://example.com?x=/',
      'https://EXAMPLE.com/client.json',
      'https://example.com./client.json',
      'https://example.com:8443/client.json',
      'https://intranet/client.json',
      'https://93.184.216.34/client.json',
      'https://2130706433/client.json',
      'https://0x7f.1/client.json',
      'https://[2606:4700::1]/client.json',
      'https://169.254.169.254/latest/meta-data/',
      'ftp://example.com/client.json',
    ]) {
      const answer = await ask({ client_id: id })
      expect(answer.statusCode, id).toBe(400)
      expect(answer.headers.location, id).toBeUndefined()
    }
    expect(host.asked).toEqual([])
  })

  it('of this machine, unless the operator says so for development', async () => {
    gateway = await buildTestApp()
    for (const id of [
      host.publish().client_id,
      `https://localhost/client.json`,
      `https://any.localhost/client.json`,
      `https://127.0.0.1:${new URL(host.origin).port}/client.json`,
      'https://[::1]/client.json',
    ]) {
      expect((await ask({ client_id: id })).statusCode, id).toBe(400)
    }
    expect(host.asked).toEqual([])
  })
})

describe('a document is kept', () => {
  it('A10: as long as its host says, and one fetch serves all', async () => {
    const client = host.publish({}, { headers: { 'cache-control': 'max-age=120' } })
    await Promise.all(Array.from({ length: 10 }, () => ask(client)))
    gateway.clock.advance(119)
    await ask(client)
    expect(host.asked).toHaveLength(1)
    gateway.clock.advance(1)
    await ask(client)
    expect(host.asked).toHaveLength(2)
  })

  it.each([
    ['no-store', 59, 60],
    ['max-age=0', 59, 60],
    ['max-age=31536000', 86_399, 86_400],
    ['max-age=600, s-maxage=300', 299, 300],
    ['public', 599, 600],
    ['max-age=nonsense', 59, 60],
  ])('with %s for more than %i and less than %i seconds', async (header, fresh, stale) => {
    const client = host.publish({}, { headers: { 'cache-control': header } })
    await ask(client)
    gateway.clock.advance(fresh)
    await ask(client)
    expect(host.asked).toHaveLength(1)
    gateway.clock.advance(stale - fresh)
    await ask(client)
    expect(host.asked).toHaveLength(2)
  })

  it('less the age that it came with', async () => {
    const client = host.publish({}, { headers: { 'cache-control': 'max-age=600', age: '500' } })
    await ask(client)
    gateway.clock.advance(100)
    await ask(client)
    expect(host.asked).toHaveLength(2)
  })

  it('so that a refresh costs no fetch, and a check never does', async () => {
    const { client, tokens } = await obtainTokens(gateway.app, { client: host.publish() })
    await host.stop()
    expect((await refresh(gateway.app, client, tokens.refresh_token)).statusCode).toBe(200)
    const restarted = await gateway.restart()
    const answer = await check(restarted.app, { authorization: `Bearer ${tokens.access_token}` })
    expect(answer.statusCode).toBe(200)
    expect(host.asked).toHaveLength(1)
  })

  it('and changes with its host', async () => {
    const client = host.publish({}, { headers: { 'cache-control': 'max-age=60' } })
    await ask(client)
    host.publish({ redirect_uris: ['https://new.test/cb'] })
    gateway.clock.advance(60)
    expect((await ask(client)).statusCode).toBe(400)
    expect((await ask(client, { redirect_uri: 'https://new.test/cb' })).statusCode).toBe(200)
  })

  it('while its host is down, until a grant would have ended', async () => {
    const client = host.publish()
    await ask(client)
    await host.stop()
    gateway.clock.advance(30 * 86_400 - 1)
    expect((await ask(client)).statusCode).toBe(200)
    gateway.clock.advance(1)
    expect((await ask(client)).statusCode).toBe(503)
  })

  it('through a restart and on a replica, once a person let its client in', async () => {
    const { client, tokens } = await obtainTokens(gateway.app, { client: host.publish() })
    await host.stop()
    gateway.clock.advance(86_400)
    const restarted = await gateway.restart()
    const answer = await refresh(restarted.app, client, tokens.refresh_token)
    expect(answer.statusCode).toBe(200)
    const again = await createBrowser(restarted.app).get(authorizeUrl(client))
    expect(again.statusCode).toBe(200)
  })

  it('K3: but not in the store for a stranger', async () => {
    await ask(host.publish())
    const stored: string[] = []
    for await (const [key] of gateway.storage.scan('client-document:')) stored.push(key)
    expect(stored).toEqual([])
  })

  it('T44: and not believed if somebody else stored it', async () => {
    const { client, tokens } = await obtainTokens(gateway.app, { client: host.publish() })
    for await (const [key] of gateway.storage.scan('client-document:')) {
      await gateway.storage.set(key, { text: '{}', fetchedAt: 9e9, freshUntil: 9e9 }, 600)
    }
    await host.stop()
    const restarted = await gateway.restart()
    const answer = await refresh(restarted.app, client, tokens.refresh_token)
    expect(answer.statusCode).toBe(503)
    expect(answer.json().error).toBe('temporarily_unavailable')
  })
})

describe('a document that cannot be had', () => {
  it('is asked for again after a pause that grows, and a failure is no answer', async () => {
    const client = host.publish()
    host.answer = (_request, response) => response.writeHead(500).end()
    await ask(client)
    await ask(client)
    expect(host.asked).toHaveLength(1)
    gateway.clock.advance(5)
    await ask(client)
    gateway.clock.advance(9)
    await ask(client)
    expect(host.asked).toHaveLength(2)
    host.answer = undefined
    expect((await ask(client)).statusCode).toBe(503)
    gateway.clock.advance(1)
    expect((await ask(client)).statusCode).toBe(200)
  })

  it('is an outage at the token endpoint, never invalid_client', async () => {
    const client = host.publish()
    host.answer = (_request, response) => response.destroy()
    const answer = await refresh(gateway.app, client, 'x')
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['retry-after']).toMatch(/^\d+$/)
    expect(answer.json().error).toBe('temporarily_unavailable')
  })

  it('is not looked for twice as fast by many who ask', async () => {
    host.answer = (_request, response) => response.writeHead(404).end()
    const codes = await Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        return (await ask({ client_id: `${host.origin}/${index}.json` })).statusCode
      }),
    )
    expect(new Set(codes)).toEqual(new Set([503]))
    expect(host.asked.length).toBeLessThanOrEqual(20)
    expect(host.asked.length).toBeGreaterThan(0)
  })

  it('says nothing to strangers about the reason', async () => {
    const answer = await ask({ client_id: `http://127.0.0.1:1/client.json` })
    expect(answer.statusCode).toBe(503)
    expect(answer.body).not.toMatch(/refused|ECONN|127\.0\.0\.1/)
  })

  it('leaves a store that fails out of the answer of a token', async () => {
    const client = host.publish()
    const code = codeOf(await signIn(createBrowser(gateway.app), authorizeUrl(client)))
    const set = gateway.storage.set.bind(gateway.storage)
    gateway.storage.set = (key, value, ttl) =>
      key.startsWith('client-document:')
        ? Promise.reject(new StorageUnavailable(new Error('away')))
        : set(key, value, ttl)
    expect((await redeem(gateway.app, client, code)).statusCode).toBe(200)
  })
})

describe('the operator decides', () => {
  const withHosts = (
    allowed: readonly string[],
    denied: readonly string[] = [],
    pinned: Record<string, string> = {},
  ) => ({ clientMetadata: { hosts: { allowed, denied }, pinned, loopback: false } })

  const idAt = (authority: string) => ({ client_id: `https://${authority}/client.json` })

  it('A14: which hosts count', async () => {
    gateway = await buildTestApp(
      withHosts(['claude.invalid', '*.vendor.invalid'], ['evil.vendor.invalid']),
    )
    const refused = [
      'other.invalid',
      'evil-claude.invalid',
      'sub.claude.invalid',
      'vendor.invalid',
      'evil.vendor.invalid',
      'deep.evil.vendor.invalid',
      'claude.invalid:8443',
    ]
    for (const authority of refused) {
      const answer = await ask(idAt(authority))
      expect(answer.statusCode, authority).toBe(400)
      expect(answer.body, authority).toContain('is at a host that the operator does not allow')
    }
    // Nobody can resolve these names, so the answer says that the rules let them through.
    for (const authority of [
      'claude.invalid',
      'claude.invalid:443',
      'a.vendor.invalid',
      'a.b.vendor.invalid',
    ]) {
      expect((await ask(idAt(authority))).statusCode, authority).toBe(503)
    }
  })

  it('T5: which redirect URIs a document can bring, by CLIENT_REGISTRATION', async () => {
    gateway = await buildTestApp({ ...ON_LOOPBACK, registration: ['claude.ai'] })
    expect((await ask(host.publish())).statusCode).toBe(400)
    const client = host.publish({ redirect_uris: ['https://claude.ai/cb'] }, { path: '/b.json' })
    expect((await ask(client, { redirect_uri: 'https://claude.ai/cb' })).statusCode).toBe(200)
  })

  it('to pin a document, which is then never fetched', async () => {
    const client = { client_id: 'https://pinned.invalid/client.json' }
    const document = {
      client_id: client.client_id,
      client_name: 'Pinned client',
      redirect_uris: [REDIRECT_URI],
    }
    const pinned = { [client.client_id]: JSON.stringify(document) }
    gateway = await buildTestApp({ ...withHosts([], [], pinned), registration: 'off' })
    const page = await ask(client)
    expect(page.body).toContain('Pinned client')
    expect(page.body).toContain('pinned.invalid')
    const { tokens } = await obtainTokens(gateway.app, { client })
    expect((await refresh(gateway.app, client, tokens.refresh_token)).statusCode).toBe(200)
    expect((await ask(idAt('other.invalid'))).statusCode).toBe(400)
  })
})
