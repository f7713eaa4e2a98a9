/**
 * Two replicas behind a real Traefik, on every kind of store that they can share: either replica serves any step of any
 * flow, a single use counts across both, and the other replica knows a revocation within a second.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { type RedisServer, startRedis } from '../../scripts/lib/redis.ts'
import { createKeyring } from '../../src/crypto.ts'
import { createAccessTokens } from '../../src/oauth/tokens/access-token.ts'
import { loadSigningKeys } from '../../src/oauth/tokens/signing-keys.ts'
import { openLmdbStorage } from '../../src/storage/lmdb/lmdb.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { openRedis } from '../storage/place.ts'
import { createClock } from '../support/build-app.ts'
import { createBrowser, type Landing } from './support/browser.ts'
import {
  callWith,
  type HandClient,
  readTokens,
  registerClient,
  signInByHand,
} from './support/hand-client.ts'
import { readForms } from './support/html-page.ts'
import { type Exchange, exchange } from './support/http-exchange.ts'
import { type RedisPlaces, startRedisPlaces } from './support/redis-places.ts'
import { type ReplicatedWorld, startReplicatedWorld } from './support/replicated-world.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const isWithoutRedis = isSkipped('redis-server') || isSkipped('traefik')
const PROGRAM = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
/** The limit of decision K27. */
const REVOKED_WITHIN_MS = 1000

let world: ReplicatedWorld

describe.skipIf(isWithoutRedis)('on one Redis', () => {
  let folder: string
  let redis: RedisServer
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatewarden-redis-'))
    redis = await startRedis({ binary: toolPath('redis-server'), folder })
    const url = `redis://127.0.0.1:${redis.port}`
    world = await startReplicatedWorld({
      settings: { REDIS_URL: url, RATE_LIMIT: '400', RATE_LIMIT_REFUSED: '0' },
    })
  })
  afterAll(async () => {
    await world?.stop()
    await redis?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  behavesAsOne()

  it('a revocation is known to the other within a second, when both have just lost their connections', async () => {
    const latencies: number[] = []
    for (const _ of Array(5)) {
      const { client, callback, tokens } = await signIn()
      const credential = { authorization: `Bearer ${tokens.access_token}` }
      await warm(credential)
      await redis.cli('client', 'kill', 'type', 'pubsub')
      await redis.cli('client', 'kill', 'type', 'normal')
      latencies.push(await replay({ client, callback, credential }))
      await vi.waitFor(async () => {
        for (const replica of [0, 1] as const) {
          expect((await world.ask(replica, '/readyz')).body).toContain('"store":"up"')
        }
      }, 5000)
    }
    report('revoked after a lost connection', latencies)
  })

  it('failed logins are counted on both together', async () => {
    const client = await newClient()
    const browser = createBrowser()
    const until = (url: URL) => url.pathname === '/callback'
    const consent = pageOf(await browser.open(client.authorizationUrl(), until))
    let login = pageOf(await browser.submit({ ...consent, button: 'approve', until }))
    const servers = new Set<number>()
    for (const attempt of [1, 2, 3, 4, 5, 6]) {
      const fields = { username: 'mallory', password: 'a guess' }
      login = pageOf(await browser.submit({ ...login, fields, until }))
      servers.add(lastServer())
      expect([attempt, login.page.status]).toEqual([attempt, attempt < 6 ? 401 : 429])
    }
    expect(servers.size).toBe(2)
  })

  it('signing keys that are rotated on both at once leave no token refused', async () => {
    const before = await signIn()
    const rotate = () => gatewarden('keys', 'rotate', '--config', world.file)
    const rotated = await Promise.all([rotate(), rotate()])
    expect(rotated.map(({ code }) => code)).toEqual([0, 0])
    const { stdout } = await gatewarden('keys', 'list', '--config', world.file)
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/)[1]),
    ).toEqual(['next', 'next', 'signs', 'next', 'next', 'signs'])
    const after = await signIn()
    for (const { tokens } of [before, after]) {
      await warm({ authorization: `Bearer ${tokens.access_token}` })
    }
  })

  it('two that make the next key at the same moment agree on it a day before it signs', async () => {
    const now = createClock()
    const keyring = createKeyring('another root secret, long enough to be one', {
      issuer: 'https://auth.example.com',
    })
    const url = `redis://127.0.0.1:${redis.port}/1`
    const stores = await Promise.all([openRedis({ url }), openRedis({ url })])
    const [one, other] = await Promise.all(
      stores.map((storage) =>
        loadSigningKeys({ algorithm: 'ES256', storage, keyring, now, elapsed: now }),
      ),
    )
    if (!one || !other) throw new Error('there are two')
    const seen = new Set<string>()
    for (const _ of Array(32)) {
      expect(one.current().kid).toBe(other.current().kid)
      for (const { kid } of [...one.jwks().keys, ...other.jwks().keys]) {
        expect(one.find(kid ?? '')).toMatchObject({ kid })
        expect(other.find(kid ?? '')).toMatchObject({ kid })
      }
      seen.add(one.current().kid)
      now.advance(86_400)
      await Promise.all([one.refresh(), other.refresh()])
    }
    expect(seen.size).toBe(2)
    await Promise.all(stores.map((storage) => storage.close()))
  })

  it('SECRET is demanded, since each would make one of its own', async () => {
    const { SECRET: _, ...settings } = world.settings
    const { code, stderr } = await run(settings, 'serve', '--config', world.file)
    expect(code).toBe(2)
    expect(stderr).toContain('SECRET')
  })

  it('requests are counted on both together, and on each where Redis is away', async () => {
    const ask = async (replica: 0 | 1, address: string) => {
      const answer = await world.ask(replica, '/token', { grant_type: 'none' }, address)
      if (answer.status === 429) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      return answer.status
    }
    const flood = async (replica: 0 | 1, count: number, address: string) => {
      const found: number[] = []
      for (let sent = 0; sent < count; sent += 40) {
        found.push(...(await Promise.all(Array.from(Array(40), () => ask(replica, address)))))
      }
      return [...new Set(found)]
    }
    expect(await flood(0, 200, '192.0.2.1')).toEqual([401])
    expect(await flood(1, 200, '192.0.2.1')).toEqual([401])
    expect(await flood(0, 40, '192.0.2.1')).toEqual([429])
    expect(await flood(1, 40, '192.0.2.1')).toEqual([429])
    expect(await flood(0, 40, '192.0.2.2')).toEqual([401])
    await redis.kill()
    expect(await flood(0, 360, '192.0.2.2')).toEqual([401])
    expect(await flood(0, 40, '192.0.2.2')).toEqual([429])
    await redis.start()
  })
})

describe.skipIf(isWithoutRedis).each(['TLS and an ACL user', 'Sentinel', 'Cluster'] as const)(
  'on Redis with %s',
  (shape) => {
    let places: RedisPlaces
    beforeAll(async () => {
      places = await startRedisPlaces(shape)
      const [url = '', ca, prefix] = (await places.fresh()).location.split(' ')
      world = await startReplicatedWorld({
        settings: {
          REDIS_URL: url,
          ...(ca && { REDIS_CA: ca }),
          ...(prefix && { REDIS_KEY_PREFIX: prefix }),
        },
      })
    })
    afterAll(async () => {
      await world?.stop()
      await places?.stop()
    })

    behavesAsOne()
  },
)

describe.skipIf(isSkipped('traefik'))('on one machine with LMDB', () => {
  beforeAll(async () => {
    world = await startReplicatedWorld({})
  })
  afterAll(() => world?.stop())

  behavesAsOne()
})

/** The tests for every store. */
function behavesAsOne(): void {
  it('have one signing key of each algorithm, although both were started at once on an empty store', async () => {
    const [one, other] = await Promise.all([world.ask(0, '/jwks'), world.ask(1, '/jwks')])
    const algorithms = JSON.parse(one.body).keys.map(({ alg }: { alg: string }) => alg)
    expect(algorithms.sort()).toEqual(['ES256', 'RS256'])
    expect(other.body).toBe(one.body)
  })

  it('a program discovers, registers, is authorized, calls and refreshes, each request at the other one', async () => {
    const from = world.handed.length
    const challenge = await exchange(new URL(world.mcpUrl))
    expect(challenge.status).toBe(401)
    const [, metadataUrl = ''] =
      /resource_metadata="([^"]+)"/.exec(challenge.headers['www-authenticate'] ?? '') ?? []
    const { body } = await exchange(new URL(metadataUrl))
    expect(JSON.parse(body).authorization_servers).toEqual([world.publicUrl])
    const server = new URL('/.well-known/oauth-authorization-server', world.publicUrl)
    expect(JSON.parse((await exchange(server)).body).issuer).toBe(world.publicUrl)

    const { client, tokens } = await signIn()
    const call = await callWith(tokens.access_token, world.mcpUrl)
    expect([call.status, call.body]).toEqual([200, 'hello ann@example.com'])
    const refreshed = readTokens(await client.refresh(tokens.refresh_token))
    for (const token of [tokens.access_token, refreshed.access_token]) {
      expect((await callWith(token, world.mcpUrl)).status).toBe(200)
      expect((await callWith(token, world.mcpUrl)).status).toBe(200)
    }
    expectAlternation(from, [
      '/register',
      '/authorize',
      '/authorize/consent',
      '/authorize/login',
      '/token',
    ])
  })

  it('a browser signs in, uses its session and signs out, each request at the other one', async () => {
    const from = world.handed.length
    const browser = createBrowser()
    const page = await signInBrowser(browser)
    expect([page.status, page.body]).toEqual([200, 'hello ann@example.com'])
    const cookie = browser.cookies.header(new URL(world.mcpUrl)) ?? ''
    await warm({ cookie })
    await browser.open(new URL('/.gatewarden/logout', world.mcpUrl))
    const latency = await refusedByOther({ cookie })
    expect(latency).toBeLessThan(REVOKED_WITHIN_MS)
    expect((await exchange(new URL(world.mcpUrl), { headers: { cookie } })).status).toBe(401)
    report('signed out', [latency])
    expectAlternation(from, [
      ...['/auth/traefik', '/.gatewarden/login', '/authorize/login', '/.gatewarden/callback'],
      '/.gatewarden/logout',
    ])
  })

  it('K14: of 50 redemptions of a code at once one succeeds, and its tokens are dead afterwards', async () => {
    const client = await newClient()
    const callback = await obtainCode(client)
    const answers = await Promise.all(Array.from(Array(50), () => client.redeem(callback)))
    const won = answers.filter(({ status }) => status === 200)
    expect(won).toHaveLength(1)
    const lost = answers.filter(({ status }) => status !== 200)
    expect(new Set(lost.map(({ status, body }) => `${status} ${JSON.parse(body).error}`))).toEqual(
      new Set(['400 invalid_grant']),
    )
    const tokens = readTokens(won[0] ?? fail())
    const credential = { authorization: `Bearer ${tokens.access_token}` }
    expect((await world.check(0, credential)).status).toBe(401)
    expect((await world.check(1, credential)).status).toBe(401)
    expect(await errorOf(client.refresh(tokens.refresh_token))).toBe('400 invalid_grant')
  })

  it('K15: 50 refreshes with a token at once bring the same new one, which works', async () => {
    const { client, tokens } = await signIn()
    const answers = await Promise.all(
      Array.from(Array(50), () => client.refresh(tokens.refresh_token)),
    )
    const refreshed = answers.map((answer) => readTokens(answer))
    expect(new Set(refreshed.map(({ refresh_token }) => refresh_token)).size).toBe(1)
    const last = refreshed.at(-1) ?? fail()
    expect((await callWith(last.access_token, world.mcpUrl)).status).toBe(200)
    const next = readTokens(await client.refresh(last.refresh_token))
    readTokens(await client.refresh(next.refresh_token))
    // A refresh token that was replaced twice counts as stolen.
    expect(await errorOf(client.refresh(tokens.refresh_token))).toBe('400 invalid_grant')
    const credential = { authorization: `Bearer ${next.access_token}` }
    expect(await refusedByOther(credential)).toBeLessThan(REVOKED_WITHIN_MS)
  })

  it('a device asks one, its person answers through both, and of 50 polls at both one gets tokens', async () => {
    const registered = await exchange(new URL('/register', world.publicUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: 'Device',
        grant_types: [DEVICE_CODE, 'refresh_token'],
        token_endpoint_auth_method: 'none',
      }),
    })
    const { client_id } = z.object({ client_id: z.string() }).parse(JSON.parse(registered.body))
    const begun = await world.ask(0, '/device_authorization', { client_id })
    const codes = DeviceCodes.parse(JSON.parse(begun.body))
    const browser = createBrowser()
    const form = pageOf(await browser.open(new URL(codes.verification_uri_complete)))
    const consent = pageOf(await browser.submit(form))
    const login = pageOf(await browser.submit({ ...consent, button: 'approve' }))
    const fields = { username: world.ann.name, password: world.ann.password }
    await browser.submit({ ...login, fields })
    const { device_code } = codes
    const answers = await byFifty('/token', { grant_type: DEVICE_CODE, client_id, device_code })
    const tokens = readTokens(onlySuccess(answers, '400 invalid_grant'))
    expect((await callWith(tokens.access_token, world.mcpUrl)).status).toBe(200)
  })

  it('a client assertion that is shown 50 times at once, at both, counts once', async () => {
    const proof = {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await world.signAssertion(),
    }
    const request = { grant_type: 'client_credentials', resource: world.mcpUrl, ...proof }
    onlySuccess(await byFifty('/token', request), '401 invalid_client')
  })

  it('an API key that is revoked by command is refused by both within a second', async () => {
    const made = await gatewarden('api-key', 'create', 'nightly', '--config', world.file)
    expect(made).toMatchObject({ code: 0 })
    const credential = { authorization: `Bearer ${made.stdout.trim()}` }
    await warm(credential)
    const revoked = await gatewarden('api-key', 'revoke', 'nightly', '--config', world.file)
    expect(revoked).toMatchObject({ code: 0 })
    const revokedAt = performance.now()
    for (const replica of [0, 1] as const) {
      await vi.waitFor(async () => {
        expect((await world.check(replica, credential)).status).toBe(401)
      }, REVOKED_WITHIN_MS)
    }
    report('API key revoked', [performance.now() - revokedAt])
  })

  it('a grant that is revoked on one is refused by the other within a second', async () => {
    const latencies: number[] = []
    for (const _ of Array(5)) {
      const { client, callback, tokens } = await signIn()
      const credential = { authorization: `Bearer ${tokens.access_token}` }
      await warm(credential)
      latencies.push(await replay({ client, callback, credential }))
    }
    report('revoked', latencies)
  })

  it('keys that are replaced as compromised leave no good token refused, whatever strangers ask for', async () => {
    const { tokens } = await signIn()
    const store = await openStore()
    // A third process, which knows the new key before the two do.
    const issueNew = async () => {
      const { port } = new URL(world.publicUrl)
      const rotated = await gatewarden(
        ...['keys', 'rotate', '--compromised', '--config', world.file, '--port', port],
      )
      expect(rotated).toMatchObject({ code: 0, stderr: '' })
      const keyring = createKeyring(world.settings.SECRET ?? '', { issuer: world.publicUrl })
      const keys = await loadSigningKeys({
        algorithm: 'ES256',
        storage: store,
        keyring,
        now: Date.now,
        elapsed: Date.now,
      })
      expect(rotated.stdout).toContain(`${keys.current().kid} signs from now on`)
      const issuer = createAccessTokens({ issuer: world.publicUrl, keys, keyring, now: Date.now })
      const { iss: _, jti: _jti, ...claims } = TokenClaims.parse(decodeJwt(tokens.access_token))
      return Promise.all(Array.from(Array(6), () => issuer.issue(claims)))
    }
    /** The statuses of both replicas for all of these, asked in parallel. */
    const ask = (bearers: readonly string[]) =>
      Promise.all(
        ([0, 1] as const).flatMap((replica) =>
          bearers.map((bearer) => statusOf(replica, { authorization: `Bearer ${bearer}` })),
        ),
      )
    const statusOf = async (...asked: Parameters<ReplicatedWorld['check']>) =>
      (await world.check(...asked)).status

    const first = await issueNew()
    expect(new Set(await ask(first))).toEqual(new Set([200]))
    expect(new Set(await ask([tokens.access_token]))).toEqual(new Set([401]))

    let isOver = false
    const strangers = ([0, 1] as const).map(async (replica) => {
      const found = new Set<number>()
      while (!isOver) {
        const kid = randomBytes(32).toString('base64url')
        const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'at+jwt', kid }))
        const bearer = tokens.access_token.replace(/^[^.]+/, header.toString('base64url'))
        found.add(await statusOf(replica, { authorization: `Bearer ${bearer}` }))
      }
      return found
    })
    const second = await issueNew()
    const statuses = new Set<number>()
    await vi.waitUntil(
      async () => {
        const found = await ask(second)
        for (const status of found) statuses.add(status)
        return found.every((status) => status === 200)
      },
      { timeout: 15_000, interval: 20 },
    )
    isOver = true
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([])
    for (const found of await Promise.all(strangers)) expect(found).not.toContain(200)
    await store.close()
  })
}

const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'
const DeviceCodes = z.object({ device_code: z.string(), verification_uri_complete: z.string() })

/** Sends 50 forms at once, to both in turns. */
const byFifty = (path: string, form: Readonly<Record<string, string>>) =>
  Promise.all(Array.from(Array(50), (_, n) => world.ask(n % 2 === 0 ? 0 : 1, path, form)))

/** The only answer that is a success; each other one is this refusal. */
function onlySuccess(answers: readonly Exchange[], refusal: string): Exchange {
  const lost = answers.filter(({ status }) => status !== 200)
  expect(new Set(lost.map(({ status, body }) => `${status} ${JSON.parse(body).error}`))).toEqual(
    new Set([refusal]),
  )
  expect(lost).toHaveLength(answers.length - 1)
  return answers.find(({ status }) => status === 200) ?? fail()
}

const TokenClaims = z.looseObject({
  ...{ iss: z.string(), jti: z.string(), iat: z.number(), exp: z.number(), aud: z.string() },
  ...{ sub: z.string(), client_id: z.string(), scope: z.string(), gid: z.string() },
})

/** The store of both. */
function openStore(): Promise<Storage> {
  const {
    REDIS_URL: url,
    REDIS_CA: caFile,
    REDIS_KEY_PREFIX: keyPrefix,
    DATA_DIR = '',
  } = world.settings
  if (url !== undefined) return openRedis({ url, caFile, keyPrefix })
  return openLmdbStorage({ dir: join(DATA_DIR, 'store'), now: Date.now })
}

const newClient = () => registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })

const obtainCode = (client: HandClient) =>
  createBrowser().signIn(client.authorizationUrl(), { ...world.ann, deliver: false })

const signIn = () =>
  signInByHand({ issuer: world.publicUrl, resource: world.mcpUrl, person: world.ann })

async function signInBrowser(browser: ReturnType<typeof createBrowser>): Promise<Exchange> {
  const login = pageOf(await browser.open(new URL(world.mcpUrl)))
  const fields = { username: world.ann.name, password: world.ann.password }
  const landing = await browser.submit({ ...login, fields })
  if (landing.kind !== 'page') throw new Error(`left for ${landing.url.href}`)
  return landing.page
}

/** Checks the credential at both replicas, so that both have it in memory. */
async function warm(credential: Readonly<Record<string, string>>): Promise<void> {
  for (const replica of [0, 1, 0, 1] as const) {
    // The replica may have lost its connections a moment ago.
    const status = await vi.waitUntil(
      async () => {
        const found = await world.check(replica, credential)
        return found.status === 503 ? undefined : found.status
      },
      { timeout: 5000, interval: 20 },
    )
    expect(status).toBe(200)
  }
}

/**
 * Ends a grant by using its code again, and asks the other replica. Resolves to the milliseconds from the answer to the
 * refusal.
 */
async function replay(known: {
  client: HandClient
  callback: URL
  credential: Readonly<Record<string, string>>
}): Promise<number> {
  // Right after a lost connection the first attempt may fail.
  const answer = await vi.waitUntil(
    async () => {
      const found = await known.client.redeem(known.callback)
      return found.status === 503 ? undefined : found
    },
    { timeout: 5000, interval: 20 },
  )
  expect(answer.status).toBe(400)
  const latency = await refusedByOther(known.credential)
  expect(latency).toBeLessThan(REVOKED_WITHIN_MS)
  return latency
}

/** Asks the replica that did not answer the request before. Resolves to the milliseconds until it refused. */
async function refusedByOther(credential: Readonly<Record<string, string>>): Promise<number> {
  const answeredAt = performance.now()
  const other = lastServer() === 0 ? 1 : 0
  for (;;) {
    const { status } = await world.check(other, credential)
    const passed = performance.now() - answeredAt
    if (status === 401 || passed > 5000) return passed
    // An outage decides nothing: it accepts no token, and calls no good token bad.
    expect([200, 503]).toContain(status)
  }
}

const lastServer = () => (world.handed.at(-1) ?? fail()).server

/** Checks that both replicas answered, in turns, and that these paths were among the requests. */
function expectAlternation(from: number, paths: readonly string[]): void {
  const handed = world.handed.slice(from)
  for (const [index, { server }] of handed.entries()) {
    if (index > 0) expect(server).not.toBe(handed[index - 1]?.server)
  }
  expect(handed.map(({ path }) => path)).toEqual(expect.arrayContaining([...paths]))
}

async function errorOf(answer: Promise<Exchange>): Promise<string> {
  const { status, body } = await answer
  return `${status} ${JSON.parse(body).error}`
}

/** The page that the person sees, with its form. */
function pageOf(landing: Landing) {
  if (landing.kind !== 'page') throw new Error(`left for ${landing.url.href}`)
  const [form] = readForms(landing.page.body)
  if (!form) throw new Error(`no form on ${landing.page.url.pathname}: ${landing.page.body}`)
  return { page: landing.page, form }
}

/** Runs a subcommand with the settings of the replicas. */
const gatewarden = (...args: readonly string[]) => run(world.settings, ...args)

function run(
  settings: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH ?? '', ...settings }
  return new Promise((resolve) => {
    execFile(process.execPath, [PROGRAM, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

function report(what: string, latencies: readonly number[]): void {
  const slowest = Math.max(...latencies)
  console.info(`${what}: refused by the other after ${slowest.toFixed(0)} ms at most`)
}

function fail(): never {
  throw new Error('there is none')
}
