/**
 * Every event of the program, played: a line of it answers who, what, where and why (issue "The first hour"). Events with
 * tests of their own are named with that file. A new event without an entry does not compile.
 */
import { describe, expect, it } from 'vitest'
import { freePort } from '../../scripts/lib/ports.ts'
import type { Config } from '../../src/config/config.ts'
import { makeApiKey } from '../../src/credentials/api-keys/key-form.ts'
import { randomToken, sha256 } from '../../src/crypto.ts'
import { EVENTS, type EventDefinition, type EventName } from '../../src/events.ts'
import { createAnnouncements } from '../../src/mcp/announcements.ts'
import { createRecords } from '../../src/records/records.ts'
import { DEFAULT_PASS_THROUGH } from '../../src/resources/pass-through.ts'
import { READING_TOOLS, TOOL_SCOPES } from '../../src/resources/tool-choices.ts'
import { createSessionActivity } from '../../src/sessions/activity.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import { buildEdgeApp, CONNECT, open } from '../edge/support.ts'
import { openGateway } from '../proxy/gateway.ts'
import { createBrowser } from '../support/browser.ts'
import {
  ANN,
  ANYONE,
  BOB,
  buildTestApp,
  createClock,
  giveSigningKeys,
  resource,
  type TestApp,
} from '../support/build-app.ts'
import { startDocumentHost } from '../support/document-host.ts'
import { readPage } from '../support/documentation.ts'
import {
  authorizeUrl,
  check,
  codeOf,
  obtainTokens,
  redeem,
  register,
  revoke,
  signIn,
} from '../support/oauth-client.ts'
import { signInThere, startJourney } from '../support/provider-journey.ts'
import { startAccepting } from '../support/provider-tokens.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { recordEvents } from '../support/recorded-events.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { type Line, playTheDay } from '../support/scripted-day.ts'
import { makeSession } from '../support/session.ts'
import { testKeyring } from '../support/signing.ts'
import { startUpstream } from '../support/upstream-server.ts'
import { createVisitor, webApp } from '../support/visitor.ts'

const FROM = { 'x-forwarded-for': '198.51.100.7' }
const ADDRESS = '198.51.100.7'
const HERE = '127.0.0.1'
const NUMBER = expect.stringMatching(/^[\w-]+-\w+$/)
const GRANT = expect.stringMatching(/^[\w-]{10}$/)
const SOME = expect.stringMatching(/./)
const ID = expect.stringMatching(/^u_[\w-]{43}$/)
const ANNS = { user: ANN.email, userId: ID }
const TEST_CLIENT = { client: 'Test client', clientId: expect.stringMatching(/^[\w-]{16}$/) }
const CODE_CLIENT = { ...TEST_CLIENT, client: 'Claude Code' }
/** A refused stranger: from where, in which request. */
const STRANGER = { requestId: NUMBER, address: ADDRESS }

interface Entry {
  /** Makes the event happen; returns every line. */
  readonly play: () => Promise<readonly object[]>
  /** The answers: fields and values of one of its lines. */
  readonly says: Line
}

let played: ReturnType<typeof playTheDay> | undefined
const day = async () => {
  played ??= playTheDay()
  return (await played).logs
}
const ofDay = (says: Line): Entry => ({ play: day, says })
/** Another test reads its lines. */
const elsewhere = (file: string) => ({ file })

/** The app, and what a test does to it. */
const atApp =
  (act: (test: TestApp) => Promise<unknown>, changes: Partial<Config> = {}) =>
  async () => {
    const test = await buildTestApp(changes)
    await act(test)
    return test.logs
  }

/** The app on a store in which every read fails after the start. */
async function failingWith(error: Error): Promise<readonly object[]> {
  const clock = createClock()
  const memory = createMemoryStorage({ now: clock })
  await giveSigningKeys(memory)
  let isBroken = false
  const storage: Storage = {
    ...memory,
    async get(key) {
      if (isBroken) throw error
      return memory.get(key)
    },
  }
  const test = await buildTestApp({}, { clock, storage })
  const client = await register(test.app)
  isBroken = true
  await redeem(test.app, client, 'a-code-that-must-be-looked-up')
  return test.logs
}

/** The log of the reverse proxy after one call. */
async function afterCall(
  changes: Parameters<typeof resource>[0],
  ask: 'POST /notes/mcp' | 'GET /notes/mcp' = 'POST /notes/mcp',
) {
  const resources = [resource({ allow: ANYONE, ...changes })]
  const gateway = await openGateway('', { resources })
  await gateway.ask(ask, { body: '{}' })
  return gateway.logs
}

/** An API key with these scopes, for the notes. */
async function makeKey({ storage, clock }: TestApp, scopes: string[]): Promise<string> {
  const keyring = testKeyring()
  const { id, key } = makeApiKey(keyring, randomToken)
  const createdAt = Math.floor(clock() / 1000)
  const expiresAt = createdAt + 300
  const { apiKeys } = createRecords(storage, { keyring })
  const rest = { scopes, resources: ['notes'], createdAt, expiresAt }
  await apiKeys.create({ id, name: 'a script', hash: sha256(key), ...rest })
  return key
}

const PORTAL = {
  id: 'portal',
  name: 'Portal',
  secret: 'the-secret-of-the-portal-that-nobody-may-read',
  redirectUris: ['https://portal.example/callback'],
  grantTypes: ['authorization_code'],
  authMethod: 'client_secret_post',
  needsConsent: false,
} as const

/** Keeps what a server says of its scopes, once well and once not at all. */
async function afterAnnouncements() {
  const events = recordEvents()
  const clock = createClock()
  const { elapsed, advance } = clock
  const storage = createMemoryStorage({ now: clock })
  let isDown = false
  const config = resource({ scopesBeside: {}, scopesEndpoint: 'http://notes:3000/mcp' })
  const announcements = createAnnouncements([config], {
    ask: async () => {
      if (isDown) throw new Error('the answer has the status 500')
      return { meta: { scopes: [{ name: 'read' }, { name: 'a b' }] }, tools: [] }
    },
    events,
    elapsed,
    records: createRecords(storage, { keyring: testKeyring() }).serverScopes,
  })
  await announcements.fresh('notes')
  isDown = true
  advance(600)
  await announcements.fresh('notes')
  return events.emitted
}

const PLAYS: Readonly<
  Record<EventName, Entry | ReturnType<typeof elsewhere> | { readonly unplayed: string }>
> = {
  decision: ofDay({
    ...ANNS,
    resource: 'notes',
    client: 'Claude Code',
    status: 200,
    address: ADDRESS,
  }),
  'resource-used': ofDay({ ...ANNS, ...CODE_CLIENT, resource: 'notes', credential: 'bearer' }),
  'token-refused': ofDay({
    ...STRANGER,
    userId: ID,
    resource: 'notes',
    reason: 'the token has expired',
    expiredSeconds: 3600,
    grant: GRANT,
  }),
  'person-refused': ofDay({
    ...STRANGER,
    ...TEST_CLIENT,
    user: BOB.email,
    groups: [],
    allowed: 'domains example.com',
    reason: 'the person is on no list',
    resource: 'notes',
  }),
  'address-unknown': ofDay({
    ...STRANGER,
    asked: 'mcp.example.com/mcp',
    nearest: 'https://mcp.example.com/notes/mcp',
    family: 'traefik',
  }),
  'request-refused': ofDay({ requestId: NUMBER, address: HERE, reason: SOME, method: 'POST' }),
  'peer-untrusted': {
    play: atApp(({ app }) => check(app), { trustedProxies: ['10.0.0.0/8'] }),
    says: { peer: HERE, family: 'traefik', fix: `TRUSTED_PROXIES=10.0.0.0/8,${HERE}` },
  },
  'asked-directly': {
    play: atApp(({ app }) => app.inject({ url: '/auth', remoteAddress: HERE })),
    says: { msg: expect.stringContaining('from this machine') },
  },
  'proxy-unlisted': {
    play: atApp(
      ({ app }) =>
        check(app, { authorization: 'Bearer x', 'x-forwarded-for': '198.51.100.1, 172.18.0.9' }),
      { trustedProxies: ['127.0.0.0/8', '172.16.0.0/12'] },
    ),
    says: { address: '172.18.0.9' },
  },
  'login-route-missing': {
    play: atApp(({ app }) => check(app, { 'x-forwarded-uri': '/.gatewarden/login?rd=x' }), {
      resources: [webApp('mcp.example.com')],
    }),
    says: { requestId: NUMBER, host: 'mcp.example.com', path: '/.gatewarden/' },
  },
  'discovery-route-missing': {
    play: atApp(async ({ app, clock }) => {
      for (let n = 0; n < 4; n += 1) {
        await check(app, { 'mcp-protocol-version': '2025-11-25' })
        clock.advance(6)
      }
    }),
    says: {
      resource: 'notes',
      host: 'mcp.example.com',
      path: '/.well-known/oauth-protected-resource/notes/mcp',
      family: 'traefik',
    },
  },
  'scheme-mismatch': {
    play: atApp(({ app }) => check(app, { 'x-forwarded-proto': 'http' })),
    says: {
      resource: 'notes',
      url: 'https://mcp.example.com/notes/mcp',
      forwardedScheme: 'http',
      family: 'traefik',
    },
  },
  'request-failed': {
    play: () => failingWith(new Error('a bug')),
    says: {
      requestId: NUMBER,
      address: HERE,
      status: 500,
      err: expect.objectContaining({ message: 'a bug' }),
    },
  },
  unavailable: {
    play: () => failingWith(new StorageUnavailable(new Error('no disk'))),
    says: { requestId: NUMBER, address: HERE, status: 503, reason: SOME },
  },
  'upstream-failed': {
    play: async () => {
      const upstream = await startUpstream()
      await upstream.stop()
      return afterCall({ upstream: upstream.origin })
    },
    says: {
      requestId: NUMBER,
      address: HERE,
      resource: 'notes',
      cause: expect.stringContaining('ECONNREFUSED'),
    },
  },
  'upstream-loops': {
    play: async () => {
      const port = await freePort()
      const test = await buildTestApp({
        resources: [
          resource({
            allow: ANYONE,
            openPaths: ['/notes/mcp/health'],
            upstream: `http://127.0.0.1:${port}/notes/mcp`,
            passThrough: { ...DEFAULT_PASS_THROUGH, host: 'public' },
          }),
        ],
      })
      await test.app.listen({ port, host: HERE })
      await exchange(port, ['GET /notes/mcp/health HTTP/1.1', 'Host: mcp.example.com'])
      return test.logs
    },
    says: { requestId: NUMBER, resource: 'notes', asked: 'mcp.example.com/notes/mcp/health' },
  },
  'person-token-left-out': elsewhere('test/proxy/person-token.test.ts'),
  'upstream-refused-us': {
    play: async () => {
      const { origin } = await startUpstream((_request, response) => response.writeHead(401).end())
      const passThrough = { ...DEFAULT_PASS_THROUGH, authorization: 'Bearer of-ours' }
      return afterCall({ upstream: origin, passThrough })
    },
    says: { requestId: NUMBER, address: HERE, resource: 'notes' },
  },
  'tool-refused': {
    play: async () => {
      const { origin } = await startUpstream((_request, response) => response.end('{}'))
      const test = await buildTestApp({
        resources: [
          resource({
            allow: ANYONE,
            upstream: origin,
            toolChoices: true,
            scopes: TOOL_SCOPES,
            scopesBeside: TOOL_SCOPES,
            defaultScopes: [READING_TOOLS],
          }),
        ],
      })
      const key = await makeKey(test, [READING_TOOLS])
      const body = JSON.stringify({
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: 'delete_note' },
      })
      const head = [
        'POST /notes/mcp HTTP/1.1',
        'Host: mcp.example.com',
        `Authorization: Bearer ${key}`,
        'Content-Type: application/json',
        `Content-Length: ${body.length}`,
      ]
      await exchange(await listen(test.app), head, body)
      return test.logs
    },
    says: { requestId: NUMBER, address: HERE, userId: SOME, resource: 'notes' },
  },
  'too-many-open': {
    play: async () => {
      const upstream = await startUpstream()
      const gateway = await openGateway('', {
        resources: [resource({ allow: ANYONE, upstream: upstream.origin })],
        upstreamLimits: { body: 0, headers: 65_536, perPerson: { requests: 1, streams: 0 } },
      })
      const first = gateway.ask('POST /notes/mcp', { body: '{}' })
      const { response } = await upstream.next()
      await gateway.ask('POST /notes/mcp', { body: '{}' })
      response.end('done')
      await first
      return gateway.logs
    },
    says: { requestId: NUMBER, address: HERE, userId: ID, resource: 'notes' },
  },
  'client-registered': ofDay({
    ...CODE_CLIENT,
    requestId: NUMBER,
    address: HERE,
    destinations: ['this computer'],
    software: 'claude-code 2.1',
  }),
  'client-deleted': {
    play: atApp(async ({ app }) => {
      const registered = Object.assign(
        { registration_client_uri: '', registration_access_token: '' },
        await register(app),
      )
      await obtainTokens(app, { client: registered })
      const { host, pathname, search } = new URL(registered.registration_client_uri)
      const authorization = `Bearer ${registered.registration_access_token}`
      const url = pathname + search
      await app.inject({ method: 'DELETE', url, headers: { host, authorization } })
    }),
    says: { ...TEST_CLIENT, requestId: NUMBER, address: HERE, count: 1 },
  },
  'client-document-unread': {
    play: async () => {
      const host = await startDocumentHost()
      const hosts = { allowed: ['open'], denied: [] }
      const test = await buildTestApp({ clientMetadata: { hosts, pinned: {}, loopback: true } })
      const url = `${host.origin}/missing.json?a-query-of-a-stranger`
      await createBrowser(test.app).get(authorizeUrl({ client_id: url }), FROM)
      return test.logs
    },
    says: {
      address: ADDRESS,
      reason: SOME,
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/missing\.json$/),
    },
  },
  'server-scopes-read': {
    play: afterAnnouncements,
    says: { resource: 'notes', scopes: ['read'], count: 1 },
  },
  'server-scopes-unread': {
    play: afterAnnouncements,
    says: {
      resource: 'notes',
      url: 'http://notes:3000/mcp',
      reason: 'the answer has the status 500',
    },
  },
  'scopes-unknown': {
    play: atApp(async ({ app }) => {
      const url = authorizeUrl(await register(app), { scope: 'admin' })
      await createBrowser(app).get(url, FROM)
    }),
    says: {
      ...STRANGER,
      ...TEST_CLIENT,
      askedScopes: ['admin'],
      scopes: ['mcp'],
      resource: 'notes',
    },
  },
  'consent-given': ofDay({
    ...STRANGER,
    ...CODE_CLIENT,
    resource: 'notes',
    scopes: ['mcp'],
    destination: 'this computer',
    by: 'person',
    grant: GRANT,
  }),
  'consent-denied': ofDay({
    ...STRANGER,
    ...TEST_CLIENT,
    resource: 'notes',
    scopes: ['mcp'],
    destination: 'this computer',
  }),
  'signed-in': ofDay({
    ...STRANGER,
    ...ANNS,
    ...CODE_CLIENT,
    resource: 'notes',
    provider: 'builtin',
    destination: 'this computer',
  }),
  'let-in': {
    play: atApp(
      async ({ app }) => {
        const browser = createBrowser(app)
        await signIn(browser, authorizeUrl(await register(app)))
        const redirect_uri = PORTAL.redirectUris[0]
        await browser.get(authorizeUrl({ client_id: PORTAL.id }, { redirect_uri }), FROM)
      },
      {
        clients: [
          { ...PORTAL, grantTypes: [...PORTAL.grantTypes], redirectUris: [...PORTAL.redirectUris] },
        ],
      },
    ),
    says: { ...STRANGER, ...ANNS, client: 'Portal', resource: 'notes', provider: 'builtin' },
  },
  'sign-in-failed': ofDay({
    ...STRANGER,
    ...CODE_CLIENT,
    user: 'ann',
    resource: 'notes',
    reason: 'wrong',
    provider: 'builtin',
  }),
  'provider-failed': {
    play: async () => {
      const journey = await startJourney()
      journey.provider.lies.accepts = 'post'
      journey.provider.lies.tokens = (answer) => delete answer.id_token
      await signInThere(journey)
      return journey.logs
    },
    says: {
      ...TEST_CLIENT,
      requestId: NUMBER,
      address: HERE,
      grant: GRANT,
      resource: 'notes',
      provider: SOME,
      reason: SOME,
    },
  },
  'provider-odd': elsewhere('test/oauth/recheck.test.ts'),
  'tokens-unjudged': {
    play: async () => {
      const accepting = await startAccepting()
      const token = await accepting.token()
      await accepting.provider.stop()
      await accepting.bring(token)
      return accepting.logs
    },
    says: { provider: SOME, reason: SOME },
  },
  'relay-refused': elsewhere('test/oauth/relay.test.ts'),
  'return-shortened': {
    play: atApp(
      ({ app }) =>
        check(app, {
          'x-forwarded-method': 'GET',
          'x-forwarded-uri': `/page?${'x'.repeat(20_000)}`,
          accept: 'text/html',
          'sec-fetch-mode': 'navigate',
          'sec-fetch-dest': 'document',
        }),
      { resources: [webApp('mcp.example.com')] },
    ),
    says: { host: 'mcp.example.com' },
  },
  'sign-in-circle': elsewhere('test/sessions/circle.test.ts'),
  'cookie-too-long': {
    play: async () => {
      const names = Array.from({ length: 150 }, (_, n) => `a-scope-with-a-long-name-${n}`)
      const scopes = Object.fromEntries(names.map((name) => [name, name]))
      const test = await buildTestApp({
        resources: [webApp('wiki.example.com', { scopes, defaultScopes: names })],
      })
      await createVisitor(test).enter('https://wiki.example.com/')
      return test.logs
    },
    says: { requestId: NUMBER, host: 'wiki.example.com', characters: expect.any(Number) },
  },
  'session-handed-over': {
    play: async () => {
      const test = await buildEdgeApp()
      const { cookie } = await makeSession(test)
      await open(test.app, CONNECT, { cookie, ...FROM })
      return test.logs
    },
    says: { ...STRANGER, ...ANNS, resource: 'notes', grant: GRANT },
  },
  'signed-out': ofDay({
    requestId: NUMBER,
    user: ANN.email,
    resource: 'notes',
    host: 'mcp.example.com',
    by: 'person',
    address: ADDRESS,
  }),
  'token-issued': ofDay({
    ...ANNS,
    ...CODE_CLIENT,
    requestId: NUMBER,
    address: HERE,
    grant: GRANT,
    resource: 'notes',
    scopes: ['mcp'],
    grantType: 'authorization_code',
    expiresAt: SOME,
  }),
  'code-reused': {
    play: atApp(async ({ app }) => {
      const client = await register(app)
      const code = codeOf(await signIn(createBrowser(app), authorizeUrl(client)))
      await redeem(app, client, code)
      await redeem(app, client, code)
    }),
    says: { ...TEST_CLIENT, requestId: NUMBER, address: HERE, grant: GRANT, resource: 'notes' },
  },
  'refresh-reused': ofDay({
    ...CODE_CLIENT,
    requestId: NUMBER,
    address: HERE,
    userId: ID,
    grant: GRANT,
    resource: 'notes',
  }),
  'grant-revoked': {
    play: atApp(async ({ app }) => {
      const { client, tokens } = await obtainTokens(app)
      await revoke(app, client, tokens.refresh_token)
    }),
    says: {
      ...TEST_CLIENT,
      requestId: NUMBER,
      address: HERE,
      userId: ID,
      grant: GRANT,
      resource: 'notes',
      by: 'client',
      reason: SOME,
    },
  },
  'secret-made': elsewhere('test/e2e/first-hour.test.ts'),
  'password-made': elsewhere('test/e2e/first-hour.test.ts'),
  'password-file-left': elsewhere('test/e2e/first-hour.test.ts'),
  'secret-worn': { unplayed: 'it takes 2^28 sealed values' },
  'key-made': elsewhere('test/oauth/key-events.test.ts'),
  'key-signs': elsewhere('test/oauth/key-events.test.ts'),
  'key-dropped': elsewhere('test/oauth/key-events.test.ts'),
  'key-sealed-anew': elsewhere('test/oauth/key-events.test.ts'),
  listening: elsewhere('test/e2e/first-hour.test.ts'),
  stopping: elsewhere('test/e2e/first-hour.test.ts'),
  stopped: elsewhere('test/e2e/first-hour.test.ts'),
  crashed: elsewhere('test/e2e/first-hour.test.ts'),
  'store-lost': elsewhere('test/cli/twelve-mistakes.test.ts'),
  'store-back': elsewhere('test/cli/twelve-mistakes.test.ts'),
  'store-unfit': elsewhere('test/storage/redis-clock.test.ts'),
  'store-bridged': {
    play: async () => {
      const clock = createClock()
      const storage = createRemoteStorage(clock)
      await giveSigningKeys(storage)
      const test = await buildTestApp({}, { clock, storage })
      const { tokens } = await obtainTokens(test.app)
      const authorization = `Bearer ${tokens.access_token}`
      await check(test.app, { authorization })
      storage.isDown = true
      clock.advance(10)
      expect((await check(test.app, { authorization })).statusCode).toBe(200)
      return test.logs
    },
    says: { seconds: 60, msg: expect.stringContaining('known tokens stay accepted') },
  },
  'announcements-lost': elsewhere('test/storage/redis-announcements.test.ts'),
  'announcements-back': elsewhere('test/storage/redis-announcements.test.ts'),
  'record-forged': {
    play: atApp(async ({ app, storage }) => {
      const { tokens } = await obtainTokens(app)
      for await (const [key, value] of storage.scan('grant:')) {
        await storage.set(key, Object.assign({}, value, { mac: 'of-nobody' }), 60)
      }
      await check(app, { authorization: `Bearer ${tokens.access_token}` })
    }),
    says: { record: expect.stringMatching(/^grant:/) },
  },
  'revoke-before-kept': {
    play: async () => {
      const test = await buildTestApp({ revokeBefore: Date.UTC(2026, 10, 1) / 1000 })
      const { logs } = await (await test.restart()).restart({})
      expect(logs.filter(({ event }) => event === 'revoke-before-kept')).toEqual([])
      const earlier = await test.restart({ revokeBefore: Date.UTC(2026, 9, 1) / 1000 })
      return earlier.logs
    },
    says: { revokeBefore: '2026-11-01T00:00:00.000Z' },
  },
  'hashes-uneven': {
    play: atApp(async () => {}, {
      users: [ANN, { ...BOB, passwordHash: BOB.passwordHash.replace('t=1', 't=2') }],
    }),
    says: { users: ['ann'] },
  },
  'task-failed': {
    play: async () => {
      const clock = createClock()
      const memory = createMemoryStorage({ now: clock })
      await giveSigningKeys(memory)
      const storage: Storage = {
        ...memory,
        scan(prefix) {
          if (prefix.startsWith('grant:')) throw new Error('a broken page')
          return memory.scan(prefix)
        },
      }
      const { app, logs } = await buildTestApp({}, { clock, storage })
      await listen(app)
      await new Promise((resolve) => setImmediate(resolve))
      return logs
    },
    says: {
      task: 'looking for grants to end',
      err: expect.objectContaining({ message: 'a broken page' }),
    },
  },
  'session-use-unnoted': {
    play: async () => {
      const events = recordEvents()
      const clock = createClock()
      const { renew } = createSessionActivity({
        sessions: {
          touch: () => Promise.reject(new Error('no disk')),
          isActive: async () => true,
        },
        idle: 1600,
        events,
        now: clock,
        elapsed: clock.elapsed,
      })
      const account = { provider: 'builtin', issuer: 'builtin', subject: 'ann' }
      renew({ id: 'a-grant', ...account, expiresAt: Math.floor(clock() / 1000) + 400 })
      await new Promise((resolve) => setImmediate(resolve))
      return events.emitted
    },
    says: { err: expect.objectContaining({ message: 'no disk' }) },
  },
  'lines-left-out': elsewhere('test/telemetry/flood-guard.test.ts'),
  'lines-lost': elsewhere('test/cli/log-destination.test.ts'),
}

describe('a line of', () => {
  const entries = Object.entries(PLAYS)
  it.each(entries)('%s answers who, what, where and why', async (name, entry) => {
    if ('unplayed' in entry) {
      // Nothing else may hide behind such a reason.
      expect(name).toBe('secret-worn')
      return
    }
    if ('file' in entry) {
      expect(readPage(entry.file)).toContain(`'${name}'`)
      return
    }
    const lines = (await entry.play()).filter((line) => 'event' in line && line.event === name)
    expect(lines).toContainEqual(expect.objectContaining(entry.says))
    const { always }: EventDefinition = EVENTS[name as EventName]
    for (const line of lines) for (const field of always) expect(line).toHaveProperty(field)
  })
})
