/** The device grant (RFC 8628), as programs see it: races, bounds, resources, clients. */
import { describe, expect, it } from 'vitest'
import type { ClientConfig } from '../../src/oauth/clients/client.ts'
import { firstPlaceOf, PLACES_OF_A_GROUP } from '../../src/oauth/device/user-code.ts'
import { createRecords } from '../../src/records/records.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { createBrowser } from '../support/browser.ts'
import { ANYONE, buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import {
  approveDevice,
  askAsDevice,
  beginDevice,
  DEVICE_CODE,
  poll,
  registerDevice,
  typeCode,
} from '../support/device.ts'
import { ON_LOOPBACK, startDocumentHost } from '../support/document-host.ts'
import {
  check,
  type RegisteredClient,
  refresh,
  register,
  revoke,
  token,
} from '../support/oauth-client.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { testKeyring } from '../support/signing.ts'
import { expectConsent } from '../support/steps.ts'
import { storedKeys, storedRecords } from '../support/stored.ts'

const SECRET = 'the secret of a job, which is long enough'
const ADDRESS = '198.51.100.9'
/** A request of anybody. */
const WAITING = {
  id: 'of-somebody',
  userCode: 'a-mac',
  clientHash: 'a-hash',
  clientName: 'Somebody',
  clientConfigured: false,
  resource: resource().url,
  scopes: ['mcp'],
  expiresAt: Number.MAX_SAFE_INTEGER,
}
/** A public client of the configuration. */
const TELEVISION: ClientConfig = {
  id: 'television',
  name: 'Television',
  redirectUris: [],
  grantTypes: [DEVICE_CODE, 'refresh_token'],
  authMethod: 'none',
}

const statusOf = async ({ app }: TestApp, accessToken: string) =>
  (await check(app, { authorization: `Bearer ${accessToken}` })).statusCode

describe.each(STORES)('on two replicas with a store of kind %s', (store) => {
  it('a device asks one, its person answers at the other, and 50 polls at once get tokens once', async () => {
    const [one, other] = await startReplicas(store)
    const client = await registerDevice(one.app)
    const codes = await beginDevice(one.app, client)
    await approveDevice(createBrowser(other.app), codes)
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => poll(n % 2 ? one.app : other.app, client, codes)),
    )
    const [won, ...rest] = answers.filter(({ statusCode }) => statusCode === 200)
    expect(rest).toEqual([])
    for (const lost of answers) {
      if (lost !== won) expect(lost.json().error).toBe('invalid_grant')
    }
    expect(await statusOf(one, won?.json().access_token)).toBe(200)
    expect((await refresh(other.app, client, won?.json().refresh_token)).statusCode).toBe(200)
  })

  it('two people answer one code at once, and one of them does', async () => {
    const [one, other] = await startReplicas(store, {
      resources: [resource({ allow: ANYONE })],
    })
    const client = await registerDevice(one.app)
    const codes = await beginDevice(one.app, client)
    const answers = await Promise.all([
      approveDevice(createBrowser(one.app), codes),
      approveDevice(createBrowser(other.app), codes, { name: 'bob' }),
    ])
    expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([303, 400])
    expect(await storedKeys(one.storage, 'grant:')).toHaveLength(1)
    expect((await poll(one.app, client, codes)).statusCode).toBe(200)
  })

  it('remembers how often a device asked', async () => {
    const [one, other] = await startReplicas(store)
    const client = await registerDevice(one.app)
    const codes = await beginDevice(one.app, client)
    expect((await poll(one.app, client, codes)).json().error).toBe('authorization_pending')
    expect((await poll(other.app, client, codes)).json().error).toBe('slow_down')
  })
})

describe('a request of a device', () => {
  it('survives a restart, before and after the answer', async () => {
    const gateway = await buildTestApp()
    const client = await registerDevice(gateway.app)
    const codes = await beginDevice(gateway.app, client)
    const second = await gateway.restart()
    await approveDevice(createBrowser(second.app), codes)
    const third = await second.restart()
    expect((await poll(third.app, client, codes)).statusCode).toBe(200)
  })

  it('is stored without its codes', async () => {
    const { app, storage } = await buildTestApp()
    const { user_code, device_code } = await beginDevice(app, await registerDevice(app))
    const stored = JSON.stringify(await storedRecords(storage))
    expect(stored).not.toContain(device_code)
    expect(stored).not.toContain(user_code)
    expect(stored).not.toContain(user_code.replace('-', ''))
  })

  it('leaves nothing behind when it has expired', async () => {
    const { app, storage, clock } = await buildTestApp()
    const client = await registerDevice(app)
    const before = await storedKeys(storage, '')
    await poll(app, client, await beginDevice(app, client))
    expect(await storedKeys(storage, 'device')).toHaveLength(2)
    clock.advance(601)
    expect(await storedKeys(storage, '')).toEqual(before)
  })

  it('K3, T38: strangers of one address fill their own places only, and free them in time', async () => {
    const { app, storage, clock } = await buildTestApp()
    const client = await registerDevice(app)
    const from = (address: string) => askAsDevice(app, client, {}, { 'x-forwarded-for': address })
    const flood = await Promise.all(Array.from({ length: 500 }, () => from('192.0.2.7')))
    const refused = flood.filter(({ statusCode }) => statusCode !== 200)
    expect(refused.length).toBeGreaterThan(350)
    for (const answer of refused) {
      expect(answer.statusCode).toBe(429)
      expect(answer.json().error).toBe('temporarily_unavailable')
      expect(answer.headers['retry-after']).toBe('60')
    }
    expect((await storedKeys(storage, 'device:')).length).toBeLessThanOrEqual(128)
    expect((await from('198.51.100.1')).statusCode).toBe(200)
    clock.advance(601)
    expect((await from('192.0.2.7')).statusCode).toBe(200)
  })

  it('T57: strangers take no place from clients that the operator knows, however many ask', async () => {
    const { app, storage } = await buildTestApp({
      clients: [
        TELEVISION,
        { ...TELEVISION, id: 'job', secret: SECRET, authMethod: 'client_secret_post' },
      ],
    })
    const stranger = await registerDevice(app)
    const keyring = testKeyring()
    const { devices } = createRecords(storage, { keyring })
    // All 128 places that strangers at this address may take, whoever took them.
    const first = firstPlaceOf(keyring.mac('device', `block|${ADDRESS}`), 'stranger')
    for (let place = first; place < first + PLACES_OF_A_GROUP; place += 1) {
      await devices.create(place, WAITING, 600)
    }
    const from = (client: RegisteredClient) =>
      askAsDevice(app, client, {}, { 'x-forwarded-for': ADDRESS })
    expect((await from(stranger)).statusCode).toBe(429)
    expect((await from({ client_id: TELEVISION.id })).statusCode).toBe(200)
    expect((await from({ client_id: 'job', client_secret: SECRET })).statusCode).toBe(200)
  })

  it('T57: no address has places of another kind of client', () => {
    const placesOf = (asker: Parameters<typeof firstPlaceOf>[1]) =>
      new Set(
        Array.from({ length: 65_536 }, (_, n) => {
          const mac = Buffer.alloc(32)
          mac.writeUInt16BE(n)
          return firstPlaceOf(mac.toString('base64url'), asker)
        }),
      )
    const [strangers, named, proven] = [placesOf('stranger'), placesOf('named'), placesOf('proven')]
    expect([strangers.size, named.size, proven.size]).toEqual([384, 64, 64])
    expect(new Set([...strangers, ...named, ...proven]).size).toBe(512)
    expect(Math.max(...proven)).toBe(65_536 - PLACES_OF_A_GROUP)
  })

  it('T57: those who know the id of a public client take no place from one with a secret', async () => {
    const { app } = await buildTestApp({
      clients: [
        TELEVISION,
        { ...TELEVISION, id: 'job', secret: SECRET, authMethod: 'client_secret_post' },
      ],
    })
    const flood = await Promise.all(
      Array.from({ length: 300 }, () => askAsDevice(app, { client_id: TELEVISION.id })),
    )
    expect(flood.some(({ statusCode }) => statusCode === 429)).toBe(true)
    const answer = await askAsDevice(app, { client_id: 'job', client_secret: SECRET })
    expect(answer.statusCode).toBe(200)
    // A wrong secret has no place at all.
    const wrong = await askAsDevice(app, { client_id: 'job', client_secret: 'wrong' })
    expect(wrong.json().error).toBe('invalid_client')
  })

  it('may be many at a time from one network: a workshop begins together', async () => {
    const { app } = await buildTestApp()
    const client = await registerDevice(app)
    const answers = await Promise.all(Array.from({ length: 40 }, () => askAsDevice(app, client)))
    expect(answers.filter(({ statusCode }) => statusCode !== 200)).toEqual([])
  })

  it('frees its place a minute after its tokens were issued', async () => {
    const { app, storage, clock } = await buildTestApp()
    const client = await registerDevice(app)
    const codes = await beginDevice(app, client)
    await approveDevice(createBrowser(app), codes)
    await poll(app, client, codes)
    clock.advance(61)
    expect(await storedKeys(storage, 'device:')).toEqual([])
  })
})

describe('tokens of a device', () => {
  it('are ended by the client, by their person leaving, and by nobody who cannot', async () => {
    const gateway = await buildTestApp()
    const client = await registerDevice(gateway.app)
    const codes = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), codes)
    const { access_token, refresh_token } = (await poll(gateway.app, client, codes)).json()
    await revoke(gateway.app, await registerDevice(gateway.app), refresh_token)
    expect(await statusOf(gateway, access_token)).toBe(200)
    await revoke(gateway.app, client, refresh_token)
    expect(await statusOf(gateway, access_token)).toBe(401)
  })

  it('have no refresh token where the client registered none', async () => {
    const { app } = await buildTestApp()
    const client = await registerDevice(app, { grant_types: [DEVICE_CODE] })
    const codes = await beginDevice(app, client)
    await approveDevice(createBrowser(app), codes)
    expect((await poll(app, client, codes)).json()).not.toHaveProperty('refresh_token')
  })

  it('are refused when the person has left the configuration meanwhile', async () => {
    const gateway = await buildTestApp()
    const client = await registerDevice(gateway.app)
    const codes = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), codes)
    const { app } = await gateway.restart({ users: [] })
    expect((await poll(app, client, codes)).json().error).toBe('invalid_grant')
  })

  it('are still there for a device after an outage in the middle of its poll', async () => {
    const gateway = await buildTestApp()
    const client = await registerDevice(gateway.app)
    const codes = await beginDevice(gateway.app, client)
    await approveDevice(createBrowser(gateway.app), codes)
    const { storage } = gateway
    const create = storage.create
    storage.create = async (key, ...rest) => {
      if (key.startsWith('refresh:')) throw new StorageUnavailable(new Error('down'))
      return create(key, ...rest)
    }
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(503)
    storage.create = create
    expect((await poll(gateway.app, client, codes)).statusCode).toBe(200)
  })

  it('are no matter of an outage: a poll then is a 503, which says nothing about the code', async () => {
    const { clock } = await buildTestApp()
    const storage = createRemoteStorage(clock)
    const { app } = await buildTestApp({}, { clock, storage })
    const client = await registerDevice(app)
    const codes = await beginDevice(app, client)
    storage.isDown = true
    expect((await poll(app, client, codes)).statusCode).toBe(503)
    expect((await typeCode(createBrowser(app), codes.user_code)).statusCode).toBe(503)
    storage.isDown = false
    expect((await poll(app, client, codes)).json().error).toBe('authorization_pending')
    expectConsent(await typeCode(createBrowser(app), codes.user_code))
  })

  it('name their grant type in the log, and polls that wait are not in it', async () => {
    const gateway = await buildTestApp()
    const client = await registerDevice(gateway.app)
    const codes = await beginDevice(gateway.app, client)
    const before = gateway.events.length
    await poll(gateway.app, client, codes)
    expect(gateway.events.slice(before)).toEqual([])
    await approveDevice(createBrowser(gateway.app), codes)
    await poll(gateway.app, client, codes)
    expect(gateway.events).toContainEqual(
      expect.objectContaining({ event: 'client-registered', destinations: ['a device'] }),
    )
    const told = gateway.events.filter(({ event }) => /consent|signed-in|token/.test(event))
    expect(told).toMatchObject([
      { event: 'consent-given', client: 'Test device', destination: 'a device' },
      { event: 'signed-in', user: 'ann@example.com', destination: 'a device' },
      { event: 'token-issued', grantType: DEVICE_CODE, user: 'ann@example.com', resource: 'notes' },
    ])
    expect(JSON.stringify(gateway.logs)).not.toContain(codes.device_code)
    expect(JSON.stringify(gateway.logs)).not.toContain(codes.user_code)
  })
})

describe('RFC 8707: the resource', () => {
  const files = resource({
    id: 'files',
    url: 'https://files.example.com',
    scopes: { 'files:read': 'Read files' },
    defaultScopes: ['files:read'],
  })
  const two = { resources: [resource(), files] }

  it('is the one that the request names, and the only one of its tokens', async () => {
    const gateway = await buildTestApp(two)
    const client = await registerDevice(gateway.app)
    const codes = await beginDevice(gateway.app, client, {
      resource: 'https://files.example.com/x',
    })
    await approveDevice(createBrowser(gateway.app), codes)
    const other = await poll(gateway.app, client, codes, { resource: resource().url })
    expect(other.json().error).toBe('invalid_target')
    const answer = await poll(gateway.app, client, codes, { resource: 'https://files.example.com' })
    expect(answer.json().scope).toBe('files:read')
    expect(await statusOf(gateway, answer.json().access_token)).toBe(401)
  })

  it.each<[string, Record<string, string>, string]>([
    ['unknown', { resource: 'https://other.example' }, 'invalid_target'],
    ['not named, where there are several', {}, 'invalid_target'],
  ])('that is %s is refused', async (_what, parameters, error) => {
    const { app, storage } = await buildTestApp(two)
    const answer = await askAsDevice(app, await registerDevice(app), parameters)
    expect(answer.json().error).toBe(error)
    expect(await storedKeys(storage, 'device:')).toEqual([])
  })

  it('K43: is that of a scope which one server alone has, or of the host that was asked', async () => {
    const { app } = await buildTestApp(two)
    const client = await registerDevice(app)
    expect((await askAsDevice(app, client, { scope: 'files:read' })).statusCode).toBe(200)
    const there = await askAsDevice(app, client, {}, { host: 'mcp.example.com' })
    const consent = await typeCode(createBrowser(app), there.json().user_code)
    expect(consent.body).toContain('mcp.example.com/notes/mcp')
  })
})

describe('which clients may use it', () => {
  it('a client of the configuration may, within its limits', async () => {
    const scopes = { read: 'Read', write: 'Write' }
    const { app } = await buildTestApp({
      resources: [resource({ scopes, defaultScopes: ['read', 'write'] })],
      clients: [
        {
          id: 'tv',
          name: 'TV',
          secret: 's3cret',
          redirectUris: [],
          scopes: ['read'],
          grantTypes: [DEVICE_CODE],
          authMethod: 'client_secret_post',
        },
      ],
    })
    const tv = { client_id: 'tv', client_secret: 's3cret' }
    const codes = await beginDevice(app, tv)
    await approveDevice(createBrowser(app), codes)
    expect((await poll(app, tv, codes)).json()).toMatchObject({ scope: 'read' })
  })

  it('a client with a metadata document that names the grant may, and the page names its host', async () => {
    const { app } = await buildTestApp(ON_LOOPBACK)
    const host = await startDocumentHost()
    const client = host.publish({ grant_types: [DEVICE_CODE], redirect_uris: undefined })
    const codes = await beginDevice(app, client)
    const browser = createBrowser(app)
    const consent = await typeCode(browser, codes.user_code)
    expect(consent.body).toContain('Published by')
    expect(consent.body).toContain(host.host)
    await approveDevice(browser, codes)
    expect((await poll(app, client, codes)).statusCode).toBe(200)
  })

  it('a client with a metadata document that does not name the grant may not', async () => {
    const { app } = await buildTestApp(ON_LOOPBACK)
    const client = (await startDocumentHost()).publish({ grant_types: undefined })
    expect((await askAsDevice(app, client)).json().error).toBe('unauthorized_client')
  })

  it('T5: where only some destinations may register, no client that registers itself may', async () => {
    const open = await buildTestApp()
    const before = await registerDevice(open.app)
    const { app } = await open.restart({ registration: ['127.0.0.1'] })
    expect((await askAsDevice(app, before)).json().error).toBe('unauthorized_client')
    const both = { grant_types: ['authorization_code', DEVICE_CODE] }
    expect(await register(app, both)).toMatchObject({ grant_types: ['authorization_code'] })
    const refused = await app.inject({
      method: 'POST',
      url: '/register',
      payload: { grant_types: [DEVICE_CODE], token_endpoint_auth_method: 'none' },
    })
    expect(refused.statusCode).toBe(400)
    expect(refused.json().error_description).toContain('ask the operator for a client_id')
  })
})

describe('RATE_LIMIT', () => {
  it('counts no poll of a device as a request for a token', async () => {
    const { app, clock } = await buildTestApp({ rateLimit: 10 })
    const client = await registerDevice(app)
    const codes = await beginDevice(app, client)
    for (let polls = 0; polls < 60; polls += 1) {
      expect((await poll(app, client, codes)).statusCode).toBe(400)
      clock.advance(1)
    }
    expect((await refresh(app, client, 'x')).json().error).toBe('invalid_grant')
  })

  it('counts them apart for a client with a secret, in the form and by Basic alike', async () => {
    const { app, clock } = await buildTestApp({ rateLimit: 5 })
    const client = await registerDevice(app, { token_endpoint_auth_method: 'client_secret_basic' })
    const basic = Buffer.from(`${client.client_id}:${client.client_secret}`).toString('base64')
    const { device_code } = await beginDevice(app, client)
    for (let polls = 0; polls < 20; polls += 1) {
      const answer = await token(
        app,
        { grant_type: DEVICE_CODE, device_code },
        { authorization: `Basic ${basic}` },
      )
      expect(answer.json().error).toMatch(/^(?:authorization_pending|slow_down)$/)
      clock.advance(1)
    }
  })

  it('counts a made-up code, and a guess at the secret of a client whose code it is not', async () => {
    const { app } = await buildTestApp({ rateLimit: 5 })
    const own = await registerDevice(app)
    const codes = await beginDevice(app, own)
    const victim = await registerDevice(app, { token_endpoint_auth_method: 'client_secret_post' })
    const guesses = []
    for (let n = 0; n < 4; n += 1) {
      guesses.push(await poll(app, { ...victim, client_secret: `guess ${n}` }, codes))
      guesses.push(await poll(app, own, { device_code: `${codes.device_code}x` }))
    }
    expect(guesses.map(({ statusCode }) => statusCode)).toEqual([
      401, 400, 401, 400, 401, 429, 429, 429,
    ])
  })

  it('security review 8: counts a code that has expired as a request for a token', async () => {
    const { app, clock } = await buildTestApp({ rateLimit: 5 })
    const client = await registerDevice(app)
    const codes = await beginDevice(app, client)
    const statuses = async () => {
      const answers = []
      for (let n = 0; n < 7; n += 1) answers.push((await poll(app, client, codes)).statusCode)
      return answers
    }
    clock.advance(599)
    expect(await statuses()).toEqual([400, 400, 400, 400, 400, 400, 400])
    clock.advance(1)
    expect(await statuses()).toEqual([400, 400, 400, 400, 400, 429, 429])
  })

  it('stops polls without end, and requests for tokens as before', async () => {
    const { app } = await buildTestApp({ rateLimit: 5 })
    const client = await registerDevice(app)
    const codes = await beginDevice(app, client)
    const statuses: number[] = []
    for (let n = 0; n < 7; n += 1) statuses.push((await refresh(app, client, 'x')).statusCode)
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429, 429])
    let polls = 0
    while ((await poll(app, client, codes)).statusCode === 400) polls += 1
    expect(polls).toBe(5 * 13 - 7)
  })
})

it('a device that never slows down does not make us write at each of its polls', async () => {
  const { app, storage, clock } = await buildTestApp()
  const client = await registerDevice(app)
  const codes = await beginDevice(app, client)
  let written = 0
  const replace = storage.replace
  storage.replace = (...args) => {
    written += 1
    return replace(...args)
  }
  for (let polls = 0; polls < 50; polls += 1) await poll(app, client, codes)
  expect(written).toBe(11)
  expect((await poll(app, client, codes)).json().error).toBe('slow_down')
  clock.advance(60)
  expect((await poll(app, client, codes)).json().error).toBe('authorization_pending')
})
