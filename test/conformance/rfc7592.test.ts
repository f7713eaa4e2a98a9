/** RFC 7592: OAuth 2.0 Dynamic Client Registration Management. */
import type { FastifyInstance } from 'fastify'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { createBrowser } from '../support/browser.ts'
import { buildTestApp, type TestApp } from '../support/build-app.ts'
import {
  authorizeUrl,
  check,
  obtainTokens,
  REDIRECT_URI,
  refresh,
  register,
} from '../support/oauth-client.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { storedKeys } from '../support/stored.ts'

interface Registered {
  readonly client_id: string
  readonly client_secret?: string
  readonly registration_access_token: string
  readonly registration_client_uri: string
}

let gateway: TestApp
let client: Registered
beforeEach(async () => {
  gateway = await buildTestApp()
  client = await registerWhole(gateway.app)
})

async function registerWhole(
  app: FastifyInstance,
  metadata: Record<string, unknown> = {},
): Promise<Registered> {
  const { client_id, client_secret, ...rest } = await register(app, metadata)
  const { registration_access_token = '', registration_client_uri = '' } =
    rest as Partial<Registered>
  return {
    client_id,
    ...(client_secret !== undefined && { client_secret }),
    registration_access_token,
    registration_client_uri,
  }
}

/** Asks at the client's own address. */
function manage(
  method: 'GET' | 'DELETE' | 'PUT',
  of: Registered = client,
  { app, bearer = of.registration_access_token }: { app?: FastifyInstance; bearer?: string } = {},
) {
  const { pathname, search, host } = new URL(of.registration_client_uri)
  return (app ?? gateway.app).inject({
    method,
    url: pathname + search,
    headers: { host, authorization: `Bearer ${bearer}` },
  })
}

describe('section 3: the answer to a registration', () => {
  it('names the address of the registration, on the issuer, and a token for it', () => {
    const { origin, searchParams } = new URL(client.registration_client_uri)
    expect(origin).toBe('https://auth.example.com')
    expect(searchParams.get('client_id')).toBe(client.client_id)
    expect(client.registration_access_token).toMatch(/^[\w-]{43}$/)
  })
})

describe('section 2.1: a client reads its registration', () => {
  it.each(['none', 'client_secret_basic'])(
    'as it was registered, with the method %s',
    async (method) => {
      const metadata = {
        client_name: 'A program',
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: method,
      }
      const whole = await registerWhole(gateway.app, metadata)
      gateway.clock.advance(60)
      const answer = await manage('GET', whole)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.json()).toMatchObject({
        ...metadata,
        ...whole,
        client_id_issued_at: Math.floor(gateway.clock() / 1000) - 60,
      })
    },
  )

  it.each<[string, (own: Registered, other: Registered) => Promise<{ statusCode: number }>]>([
    ['without a token', (own) => manage('GET', own, { bearer: '' })],
    ['with a wrong token', (own) => manage('GET', own, { bearer: 'wrong' })],
    [
      'with the token of another client',
      (own, other) => manage('GET', own, { bearer: other.registration_access_token }),
    ],
    [
      'for an id that nobody has',
      (own) =>
        manage('GET', { ...own, registration_client_uri: `${own.registration_client_uri}x` }),
    ],
    [
      'without an id',
      (own) =>
        manage('GET', {
          ...own,
          registration_client_uri: 'https://auth.example.com/register/client',
        }),
    ],
  ])('T21: and is refused %s', async (_what, ask) => {
    const other = await registerWhole(gateway.app)
    expect((await ask(client, other)).statusCode).toBe(401)
    expect((await manage('GET')).statusCode).toBe(200)
  })

  it('and no client of the configuration has one', async () => {
    const ci: ClientConfig = {
      id: 'ci',
      name: 'CI',
      redirectUris: [REDIRECT_URI],
      grantTypes: ['authorization_code'],
      authMethod: 'none',
    }
    const { app } = await buildTestApp({ clients: [ci] })
    const uri = 'https://auth.example.com/register/client?client_id=ci'
    const answer = await manage('GET', { ...client, registration_client_uri: uri }, { app })
    expect(answer.statusCode).toBe(401)
  })
})

describe('section 2.2: an update', () => {
  it('is refused with the reason, since the registration is sealed into the id', async () => {
    const answer = await manage('PUT')
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({
      error: 'invalid_client_metadata',
      error_description: expect.stringContaining('register anew'),
    })
    expect((await manage('PUT', client, { bearer: 'wrong' })).statusCode).toBe(401)
  })
})

describe('section 2.3: a client deletes itself', () => {
  it('with 204, and its id never works again', async () => {
    const answer = await manage('DELETE')
    expect([answer.statusCode, answer.body]).toEqual([204, ''])
    expect((await manage('GET')).statusCode).toBe(401)
    expect((await manage('DELETE')).statusCode).toBe(401)
    const page = await createBrowser(gateway.app).get(authorizeUrl(client))
    expect([page.statusCode, page.headers.location]).toEqual([400, undefined])
    expect((await manage('GET', client, { app: (await gateway.restart()).app })).statusCode).toBe(
      401,
    )
  })

  it('and every grant that people gave it ends, of no other client', async () => {
    const other = await obtainTokens(gateway.app)
    const first = await obtainTokens(gateway.app, { client })
    const second = await obtainTokens(gateway.app, { client })
    const status = async (token: string) =>
      (await check(gateway.app, { authorization: `Bearer ${token}` })).statusCode
    expect(await status(first.tokens.access_token)).toBe(200)
    expect((await manage('DELETE')).statusCode).toBe(204)
    for (const { tokens } of [first, second]) {
      expect(await status(tokens.access_token)).toBe(401)
      const answer = await refresh(gateway.app, client, tokens.refresh_token)
      expect(answer.json().error).toBe('invalid_client')
    }
    expect(await status(other.tokens.access_token)).toBe(200)
  })

  it('T14: and strangers who register and delete without end fill no store', async () => {
    for (let i = 0; i < 300; i += 1) {
      await manage('DELETE', await registerWhole(gateway.app))
      if (i === 0) expect(await storedKeys(gateway.storage, 'client')).toEqual([])
    }
    const slots = await storedKeys(gateway.storage, 'deleted-client:')
    expect(slots.length).toBeGreaterThan(0)
    for (const key of slots) {
      expect(Number(key.split(':')[1])).toBeLessThan(65_536)
      expect(await gateway.storage.get(key)).toMatchObject({ value: { used: [] } })
    }
  })

  it('while the store does not answer it is 503, and the client lives', async () => {
    const storage = createRemoteStorage(gateway.clock)
    const { app } = await buildTestApp({}, { clock: gateway.clock, storage })
    const whole = await registerWhole(app)
    storage.isDown = true
    expect((await manage('DELETE', whole, { app })).statusCode).toBe(503)
    storage.isDown = false
    expect((await manage('GET', whole, { app })).statusCode).toBe(200)
  })
})

describe.each(STORES)('on two replicas with the store %s', (store) => {
  it('a client that was deleted at one is unknown to the other at once, with its tokens', async () => {
    const [one, other] = await startReplicas(store)
    const whole = await registerWhole(one.app)
    const { tokens } = await obtainTokens(other.app, { client: whole })
    const status = async () =>
      (await check(other.app, { authorization: `Bearer ${tokens.access_token}` })).statusCode
    expect(await status()).toBe(200)
    expect((await manage('DELETE', whole, { app: one.app })).statusCode).toBe(204)
    expect(await status()).toBe(401)
    expect((await manage('GET', whole, { app: other.app })).statusCode).toBe(401)
  })
})
