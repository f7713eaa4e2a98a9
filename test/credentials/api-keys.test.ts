/** A17: API keys, as a bearer and in a header of their own. */
import { describe, expect, it } from 'vitest'
import { makeApiKey } from '../../src/credentials/api-keys/key-form.ts'
import { randomToken, sha256 } from '../../src/crypto.ts'
import type { ApiKey } from '../../src/records/api-keys.ts'
import { createRecords } from '../../src/records/records.ts'
import { buildTestApp, resource, type TestApp } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { STORES, startReplicas } from '../support/replicas.ts'
import { testKeyring } from '../support/signing.ts'
import { storedRecords } from '../support/stored.ts'
import { startUpstream } from '../support/upstream-server.ts'

const scopes = { 'notes:read': 'Read', 'notes:write': 'Write' }
const NOTES = resource({ scopes, defaultScopes: ['notes:read'] })
const WIKI = resource({
  id: 'wiki',
  url: 'https://wiki.example.com',
  scopes: { 'wiki:read': 'Read' },
  defaultScopes: ['wiki:read'],
})
const AT_WIKI = { 'x-forwarded-host': 'wiki.example.com', 'x-forwarded-uri': '/' }

/** Makes a key for everything at both servers, changed as a test needs it. */
async function makeKey({ storage, clock }: TestApp, changes: Partial<ApiKey> = {}) {
  const { apiKeys } = createRecords(storage, { keyring: testKeyring() })
  const { id, key } = makeApiKey(testKeyring(), randomToken)
  await apiKeys.create({
    id,
    name: 'nightly',
    hash: sha256(key),
    scopes: ['notes:read', 'wiki:read'],
    createdAt: Math.floor(clock() / 1000),
    ...changes,
  })
  return { id, key, revoke: () => apiKeys.revoke(id) }
}

const start = () => buildTestApp({ resources: [NOTES, WIKI] })

/** The two ways to present a key. */
const WAYS = [
  ['as a bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
  ['in X-API-Key', (key: string) => ({ 'x-api-key': key })],
] as const

describe.each(WAYS)('a key %s', (_way, present) => {
  it('opens its servers, and says its name, never an e-mail', async () => {
    const gateway = await start()
    const { id, key } = await makeKey(gateway)
    for (const _ of ['cold', 'warm']) {
      const answer = await check(gateway.app, present(key))
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).toMatchObject({
        'x-forwarded-user': `k_${sha256(id)}`,
        'x-user-id': `k_${sha256(id)}`,
        'x-user-name': 'nightly',
        'x-forwarded-email': '',
        'x-forwarded-groups': '',
        'x-forwarded-scopes': 'notes:read',
      })
      expect(JSON.stringify(answer.headers)).not.toContain(key)
      const there = await check(gateway.app, { ...AT_WIKI, ...present(key) })
      expect(there.headers['x-forwarded-scopes']).toBe('wiki:read')
    }
  })

  it('T55: opens only the servers that it is bound to, warm or not, and none whose scopes it lacks', async () => {
    const gateway = await start()
    const bound = await makeKey(gateway, { resources: ['wiki'] })
    const narrow = await makeKey(gateway, { name: 'narrow', scopes: ['notes:write'] })
    for (const _ of ['cold', 'warm']) {
      expect((await check(gateway.app, present(bound.key))).statusCode).toBe(401)
      expect((await check(gateway.app, { ...AT_WIKI, ...present(bound.key) })).statusCode).toBe(200)
      expect((await check(gateway.app, present(narrow.key))).statusCode).toBe(200)
      const there = await check(gateway.app, { ...AT_WIKI, ...present(narrow.key) })
      expect(there.statusCode).toBe(401)
    }
  })

  it('lacks a required scope that it was not given', async () => {
    const gateway = await buildTestApp({
      resources: [resource({ scopes, requiredScopes: ['notes:write'] })],
    })
    const { key } = await makeKey(gateway)
    const answer = await check(gateway.app, present(key))
    expect(answer.statusCode).toBe(403)
    expect(answer.headers['www-authenticate']).toContain('error="insufficient_scope"')
  })

  it('ends to the second, warm or not', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway, { expiresAt: Math.floor(gateway.clock() / 1000) + 60 })
    const status = async () => (await check(gateway.app, present(key))).statusCode
    gateway.clock.advance(59)
    expect(await status()).toBe(200)
    gateway.clock.advance(1)
    expect(await status()).toBe(401)
    expect(await status()).toBe(401)
  })

  it('ends with REVOKE_BEFORE, and outlives a restart without it', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway)
    const { app } = await gateway.restart()
    expect((await check(app, present(key))).statusCode).toBe(200)
    gateway.clock.advance(10)
    const revokeBefore = Math.floor(gateway.clock() / 1000)
    const ended = await gateway.restart({ revokeBefore })
    expect((await check(ended.app, present(key))).statusCode).toBe(401)
    const later = await gateway.restart()
    expect((await check(later.app, present(key))).statusCode).toBe(401)
  })

  it.each<[string, (key: string) => string]>([
    ['a letter less', (key) => key.slice(0, -1)],
    ['a letter more', (key) => `${key}A`],
    ['another id', (key) => `gwk_${'A'.repeat(16)}${key.slice(20)}`],
    ['another secret', (key) => key.slice(0, 30) + (key[30] === 'A' ? 'B' : 'A') + key.slice(31)],
    ['its hash', (key) => `gwk_${sha256(key)}`],
    ['nothing but the prefix', () => 'gwk_'],
  ])(
    'is not %s, and a made-up key is refused without a look into the store',
    async (_what, alter) => {
      const gateway = await start()
      const storage = createRemoteStorage(gateway.clock)
      const other = await buildTestApp({ resources: [NOTES] }, { clock: gateway.clock, storage })
      const { key } = await makeKey(other)
      storage.asked = 0
      const answer = await check(other.app, present(alter(key)))
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
      expect(storage.asked).toBe(0)
      expect((await check(other.app, present(key))).statusCode).toBe(200)
    },
  )

  it('T44: a record that another program wrote opens nothing', async () => {
    const gateway = await start()
    const { id, key } = makeApiKey(testKeyring(), randomToken)
    const record = { id, name: 'x', hash: sha256(key), scopes: ['notes:read'], createdAt: 0 }
    await gateway.storage.set(`api-key:${id}`, record, 'forever')
    expect((await check(gateway.app, present(key))).statusCode).toBe(401)
  })

  it('is never logged', async () => {
    const gateway = await start()
    const { key, revoke } = await makeKey(gateway)
    await check(gateway.app, present(key))
    await revoke()
    await check(gateway.app, present(key))
    expect(JSON.stringify(gateway.logs)).not.toContain(key.slice(20))
  })
})

it('is stored as a hash', async () => {
  const gateway = await start()
  const { key } = await makeKey(gateway)
  const stored = JSON.stringify(await storedRecords(gateway.storage))
  expect(stored).toContain(sha256(key))
  expect(stored).not.toContain(key.slice(20))
})

describe('beside other credentials', () => {
  it('a bearer counts first, good or bad', async () => {
    const gateway = await buildTestApp()
    const { key } = await makeKey(gateway, { scopes: ['mcp'] })
    const { tokens } = await obtainTokens(gateway.app)
    const both = { authorization: `Bearer ${tokens.access_token}`, 'x-api-key': key }
    const answer = await check(gateway.app, both)
    expect(answer.headers['x-forwarded-user']).toBe('ann@example.com')
    expect(answer.headers).not.toHaveProperty('x-api-key')
    const bad = await check(gateway.app, { authorization: 'Bearer x', 'x-api-key': key })
    expect(bad.statusCode).toBe(401)
    const badKey = await check(gateway.app, { ...both, 'x-api-key': 'gwk_bad' })
    expect(badKey.statusCode).toBe(200)
  })

  it('a key counts before a cookie, good or bad', async () => {
    const gateway = await start()
    const answer = await check(gateway.app, { 'x-api-key': 'gwk_bad', cookie: 'theme=dark' })
    expect(answer.headers['www-authenticate']).toContain('error="invalid_token"')
  })

  it('the application keeps an Authorization of another scheme', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway)
    const headers = { authorization: 'Basic YTpi', 'x-api-key': key, cookie: 'theme=dark' }
    const answer = await check(gateway.app, headers)
    expect(answer.headers).toMatchObject({ authorization: 'Basic YTpi', cookie: 'theme=dark' })
    expect(answer.headers).not.toHaveProperty('x-api-key')
  })

  it('the application keeps its own key in the same header, which is no credential here', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway)
    const alone = await check(gateway.app, { 'x-api-key': 'of-the-application' })
    expect(alone.statusCode).toBe(401)
    expect(alone.headers['www-authenticate']).not.toContain('error=')
    const own = { authorization: `Bearer ${key}`, 'x-api-key': 'of-the-application' }
    expect((await check(gateway.app, own)).headers['x-api-key']).toBe('of-the-application')
  })

  it('two lines of the header are malformed', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway)
    const answer = await exchange(await listen(gateway.app), [
      'GET /auth/traefik HTTP/1.1',
      'Host: gatewarden',
      'X-Forwarded-Method: POST',
      'X-Forwarded-Host: mcp.example.com',
      'X-Forwarded-Uri: /notes/mcp',
      `X-API-Key: ${key}`,
      `X-API-Key: ${key}`,
    ])
    expect(answer.status).toBe(400)
  })

  it('a page of a foreign origin gets nowhere with it', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway)
    const headers = { 'x-api-key': key, origin: 'https://evil.example' }
    expect((await check(gateway.app, headers)).statusCode).toBe(403)
  })

  it('where Authorization is the application’s own, the header still opens the server', async () => {
    const gateway = await buildTestApp({
      resources: [resource({ scopes, applicationBearer: true })],
    })
    const { key } = await makeKey(gateway)
    const headers = { 'x-api-key': key, authorization: 'Bearer of-the-application' }
    const answer = await check(gateway.app, headers)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers.authorization).toBe('Bearer of-the-application')
    const leaked = await check(gateway.app, { authorization: `Bearer ${key}` })
    expect(leaked.statusCode).toBe(401)
  })

  it('a cache in between learns that the header decides', async () => {
    const gateway = await start()
    const { key } = await makeKey(gateway)
    const { headers } = await check(gateway.app, { 'x-api-key': key })
    expect(headers.vary).toBe('Authorization, Cookie, X-API-Key')
  })

  it('T42: Gatewarden as the proxy passes on no key of ours, and the application’s own', async () => {
    const upstream = await startUpstream((_request, response) => response.end('ok'))
    const url = `${upstream.origin}/there`
    const gateway = await buildTestApp({ resources: [resource({ scopes, upstream: url })] })
    const { key } = await makeKey(gateway)
    const origin = await listen(gateway.app)
    const call = (lines: readonly string[]) =>
      exchange(origin, ['GET /notes/mcp HTTP/1.1', 'Host: mcp.example.com', ...lines])
    expect((await call([`X-Api-Key: ${key}`])).status).toBe(200)
    expect((await call([`Authorization: Bearer ${key}`, 'x-api-key: own'])).status).toBe(200)
    expect(upstream.requests.flatMap(({ rawHeaders }) => rawHeaders).join()).not.toContain(key)
    expect(upstream.requests[1]?.headers['x-api-key']).toBe('own')
  })
})

describe('a warm key', () => {
  it('asks the store nothing, and no promise', async () => {
    const gateway = await start()
    const storage = createRemoteStorage(gateway.clock)
    const other = await buildTestApp({ resources: [NOTES] }, { clock: gateway.clock, storage })
    const { key } = await makeKey(other)
    await check(other.app, { 'x-api-key': key })
    storage.asked = 0
    for (const [, present] of WAYS) {
      expect((await check(other.app, present(key))).statusCode).toBe(200)
    }
    expect(storage.asked).toBe(0)
  })

  it('K27: bridges an outage for MAX_STALE, then it is 503', async () => {
    const gateway = await start()
    const storage = createRemoteStorage(gateway.clock)
    const other = await buildTestApp({ resources: [NOTES] }, { clock: gateway.clock, storage })
    const { key } = await makeKey(other)
    const status = async () => (await check(other.app, { 'x-api-key': key })).statusCode
    expect(await status()).toBe(200)
    storage.isDown = true
    gateway.clock.advance(30)
    expect(await status()).toBe(200)
    gateway.clock.advance(60)
    expect(await status()).toBe(503)
    const cold = await makeKey(gateway)
    expect((await check(other.app, { 'x-api-key': cold.key })).statusCode).toBe(503)
  })
})

describe.each(STORES)('on two replicas with the store %s', (store) => {
  it('a key works at both, and a revocation ends it at both at once', async () => {
    const [one, other] = await startReplicas(store, { resources: [NOTES] })
    const { key, revoke } = await makeKey(one)
    const statuses = async () => [
      (await check(one.app, { 'x-api-key': key })).statusCode,
      (await check(other.app, { authorization: `Bearer ${key}` })).statusCode,
    ]
    expect(await statuses()).toEqual([200, 200])
    expect(await statuses()).toEqual([200, 200])
    await revoke()
    expect(await statuses()).toEqual([401, 401])
  })
})
