import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { describe, expect, it } from 'vitest'
import { ANYONE, buildTestApp, createClock, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'

const LIMIT = 600

function post(
  app: FastifyInstance,
  url: string,
  { peer = '127.0.0.1', forwardedFor }: { peer?: string; forwardedFor?: string } = {},
): Promise<LightMyRequestResponse> {
  return app.inject({
    method: 'POST',
    url,
    remoteAddress: peer,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      ...(forwardedFor !== undefined && { 'x-forwarded-for': forwardedFor }),
    },
    payload: 'grant_type=none',
  })
}

/** Uses up the limit of the token endpoint for the client of these headers. */
async function exhaust(app: FastifyInstance, from: Parameters<typeof post>[2]): Promise<void> {
  for (let i = 0; i < LIMIT; i++) await post(app, '/token', from)
}

it('answers 429 with Retry-After, readable by any origin, and never invalid_client', async () => {
  const { app } = await buildTestApp()
  await exhaust(app, { forwardedFor: '192.0.2.7' })
  const answer = await post(app, '/token', { forwardedFor: '192.0.2.7' })
  expect(answer.statusCode).toBe(429)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  expect(answer.headers['access-control-allow-origin']).toBe('*')
  expect(answer.json()).toEqual({
    error: 'temporarily_unavailable',
    error_description: 'too many requests from this address',
  })
})

it('counts two clients behind one proxy apart', async () => {
  const { app } = await buildTestApp()
  await exhaust(app, { forwardedFor: '192.0.2.7' })
  expect((await post(app, '/token', { forwardedFor: '192.0.2.8' })).statusCode).toBe(401)
})

it('counts a client by the address its proxy saw, whatever it forges before that', async () => {
  const { app } = await buildTestApp()
  await exhaust(app, { forwardedFor: '192.0.2.7' })
  const forged = await post(app, '/token', { forwardedFor: '198.51.100.1, 192.0.2.7' })
  expect(forged.statusCode).toBe(429)
})

it('counts an untrusted peer by its own address', async () => {
  const { app } = await buildTestApp()
  await exhaust(app, { peer: '203.0.113.9', forwardedFor: '192.0.2.7' })
  const forged = await post(app, '/token', { peer: '203.0.113.9', forwardedFor: '192.0.2.99' })
  expect(forged.statusCode).toBe(429)
  expect((await post(app, '/token', { forwardedFor: '192.0.2.7' })).statusCode).toBe(401)
})

it('counts IPv6 by /64', async () => {
  const { app } = await buildTestApp()
  await exhaust(app, { forwardedFor: '2001:db8:1:2::1' })
  const neighbour = await post(app, '/token', { forwardedFor: '2001:DB8:1:2:ffff::9' })
  expect(neighbour.statusCode).toBe(429)
  expect((await post(app, '/token', { forwardedFor: '2001:db8:1:3::1' })).statusCode).toBe(401)
})

describe('at4, T38: blocks of IPv6 addresses have limits of their own', () => {
  async function countBefore429(addressOf: (i: number) => string): Promise<number> {
    const { app } = await buildTestApp({ rateLimit: 3 })
    for (let i = 0; i < 30; i++) {
      const answer = await post(app, '/token', { forwardedFor: addressOf(i) })
      if (answer.statusCode === 429) return i
    }
    return Number.POSITIVE_INFINITY
  }

  it.each<[string, (i: number) => string, number]>([
    ['a /64', (i) => `2001:db8:1:2::${i}`, 3],
    ['a /56', (i) => `2001:db8:1:${i.toString(16)}::1`, 6],
    ['a /48', (i) => `2001:db8:1:${(i * 256).toString(16)}::1`, 12],
    ['a 6to4 site, which is one IPv4 address', (i) => `2002:c000:201:${i}::1`, 3],
    ['an IPv4 address in every spelling', (i) => ['192.0.2.1', '::ffff:192.0.2.1'][i % 2] ?? '', 3],
  ])('%s', async (_, addressOf, limit) => {
    expect(await countBefore429(addressOf)).toBe(limit)
  })

  it('a /64 that is refused uses up nothing of its neighbours', async () => {
    const { app } = await buildTestApp({ rateLimit: 3 })
    for (let i = 0; i < 50; i++) await post(app, '/token', { forwardedFor: '2001:db8:1:1::1' })
    const neighbour = await post(app, '/token', { forwardedFor: '2001:db8:1:2::1' })
    expect(neighbour.statusCode).toBe(401)
  })
})

it('counts registration, tokens and login apart', async () => {
  const { app } = await buildTestApp()
  await exhaust(app, { forwardedFor: '192.0.2.7' })
  const registration = await post(app, '/register', { forwardedFor: '192.0.2.7' })
  expect(registration.statusCode).toBe(415)
})

it('shows a person a page that says when to come back', async () => {
  const { app } = await buildTestApp()
  const open = () => app.inject({ url: '/authorize', headers: { host: 'auth.example.com' } })
  for (let i = 0; i < LIMIT; i++) await open()
  const answer = await open()
  expect(answer.statusCode).toBe(429)
  expect(answer.headers['content-type']).toContain('text/html')
  expect(answer.body).toContain('Too many attempts')
})

it('counts up to what is configured, and not at all at 0', async () => {
  const few = await buildTestApp({ rateLimit: 3 })
  const statuses: number[] = []
  for (let i = 0; i < 4; i++) statuses.push((await post(few.app, '/token')).statusCode)
  expect(statuses).toEqual([401, 401, 401, 429])

  const none = await buildTestApp({ rateLimit: 0 })
  await exhaust(none.app, {})
  expect((await post(none.app, '/token')).statusCode).toBe(401)
})

it('forgets after a minute', async () => {
  const { app, clock } = await buildTestApp({ rateLimit: 1 })
  await post(app, '/token')
  const refused = await post(app, '/token')
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([429, '60'])
  clock.advance(59)
  expect((await post(app, '/token')).headers['retry-after']).toBe('1')
  clock.advance(1)
  expect((await post(app, '/token')).statusCode).toBe(401)
})

describe('with a store that machines share', () => {
  async function twoReplicas() {
    const clock = createClock()
    const storage = createRemoteStorage(clock)
    const replica = async () => (await buildTestApp({ rateLimit: 4 }, { clock, storage })).app
    return { clock, storage, one: await replica(), other: await replica() }
  }
  const statuses = async (apps: readonly FastifyInstance[]) => {
    const found: number[] = []
    for (const app of apps) found.push((await post(app, '/token')).statusCode)
    return found
  }

  it('counts on all of them together', async () => {
    const { clock, one, other } = await twoReplicas()
    expect(await statuses([one, other, one, other])).toEqual([401, 401, 401, 401])
    expect(await statuses([one, other])).toEqual([429, 429])
    clock.advance(60)
    expect(await statuses([one, other])).toEqual([401, 401])
  })

  it('counts on each of them while the store is away, and never fails for that', async () => {
    const { storage, one, other } = await twoReplicas()
    expect(await statuses([one, one])).toEqual([401, 401])
    storage.isDown = true
    expect(await statuses([one, one, one])).toEqual([401, 401, 429])
    expect(await statuses([other, other, other, other, other])).toEqual([401, 401, 401, 401, 429])
  })

  it('does not ask it for the rest of a flood', async () => {
    const { storage, one } = await twoReplicas()
    await statuses([one, one, one, one])
    storage.asked = 0
    expect(await statuses([one, one, one])).toEqual([429, 429, 429])
    expect(storage.asked).toBe(0)
  })
})

describe('sb3: requests to a server that nothing lets in', () => {
  const from = (client: string) => ({ 'x-forwarded-for': client })
  const limited = (changes: Parameters<typeof buildTestApp>[0] = {}) =>
    buildTestApp({ rateLimits: { refused: 3 }, ...changes })
  async function refuse(app: FastifyInstance, times: number, headers = from('192.0.2.7')) {
    for (let i = 0; i < times; i++) expect((await check(app, headers)).statusCode).toBe(401)
  }

  /** The request gets its own answer before and after others used the limit up, and uses up nothing itself. */
  async function expectUntouched(
    app: FastifyInstance,
    request: Record<string, string>,
    status: number,
  ) {
    const theirs = { ...from('192.0.2.7'), ...request }
    for (let i = 0; i < 5; i++) expect((await check(app, theirs)).statusCode).toBe(status)
    await refuse(app, 3)
    expect((await check(app, from('192.0.2.7'))).statusCode).toBe(429)
    expect((await check(app, theirs)).statusCode).toBe(status)
  }

  it('are answered 429 with Retry-After above the limit, and again after a minute', async () => {
    const { app, clock } = await limited()
    await refuse(app, 3)
    clock.advance(20)
    const answer = await check(app, from('192.0.2.7'))
    expect([answer.statusCode, answer.headers['retry-after']]).toEqual([429, '40'])
    expect(answer.json().error).toBe('temporarily_unavailable')
    expect(answer.headers['www-authenticate']).toBeUndefined()
    clock.advance(40)
    await refuse(app, 1)
  })

  it('are counted by the address of the client', async () => {
    const { app } = await limited()
    await refuse(app, 3)
    await refuse(app, 3, from('192.0.2.8'))
    expect((await check(app, from('192.0.2.8'))).statusCode).toBe(429)
  })

  it('use up nothing of those with a good credential', async () => {
    const { app } = await limited()
    const { tokens } = await obtainTokens(app)
    const good = { ...from('192.0.2.7'), authorization: `Bearer ${tokens.access_token}` }
    await refuse(app, 3)
    for (let i = 0; i < 5; i++) expect((await check(app, good)).statusCode).toBe(200)
    expect((await check(app, from('192.0.2.7'))).statusCode).toBe(429)
  })

  it.each([
    ['a bad token', { authorization: 'Bearer x' }],
    ['an unknown address', { 'x-forwarded-uri': '/elsewhere' }],
    ['a foreign page', { origin: 'https://evil.example' }],
  ])('count for %s', async (_what, headers) => {
    const { app } = await limited()
    for (let i = 0; i < 3; i++) await check(app, headers)
    expect((await check(app, headers)).statusCode).toBe(429)
  })

  it('security review 5a: neither count nor become 429 for a token that lacks a scope', async () => {
    const first = await limited()
    const { tokens } = await obtainTokens(first.app)
    const scopes = { mcp: 'Use this server', admin: 'Change it' }
    const { app } = await first.restart({
      resources: [resource({ scopes, requiredScopes: ['admin'] })],
    })
    await expectUntouched(app, { authorization: `Bearer ${tokens.access_token}` }, 403)
  })

  it("security review 5a: neither count nor become 429 for another person's MCP session", async () => {
    const { app } = await limited({ resources: [resource({ allow: ANYONE })] })
    const [bob, ann] = [
      await obtainTokens(app, { person: { name: 'bob' } }),
      await obtainTokens(app, { person: { name: 'ann' } }),
    ]
    const as = ({ tokens }: typeof bob) => ({
      authorization: `Bearer ${tokens.access_token}`,
      'mcp-session-id': 'session-of-bob',
    })
    expect((await check(app, as(bob))).statusCode).toBe(200)
    await expectUntouched(app, as(ann), 404)
  })

  it('security review 5b: neither count nor become 429 for a token of ours that has expired', async () => {
    const { app, clock } = await limited()
    const { tokens } = await obtainTokens(app)
    clock.advance(3601)
    const authorization = `Bearer ${tokens.access_token}`
    await expectUntouched(app, { authorization }, 401)
    const [head, , signature] = authorization.split('.')
    const payload = Buffer.from('{"exp":1}').toString('base64url')
    const scan = { ...from('192.0.2.7'), authorization: [head, payload, signature].join('.') }
    expect((await check(app, scan)).statusCode).toBe(429)
  })

  it('security review 5c: of a page of another site use up nothing of others, and are no way around the limit', async () => {
    const { app } = await limited()
    const page = { ...from('192.0.2.7'), 'sec-fetch-site': 'cross-site' }
    await refuse(app, 3, page)
    expect((await check(app, page)).statusCode).toBe(429)
    await refuse(app, 3)
    expect((await check(app, from('192.0.2.7'))).statusCode).toBe(429)
  })

  it('show a person a page, and nginx a status that it passes on', async () => {
    const { app } = await limited()
    await refuse(app, 3, from('127.0.0.1'))
    const page = await check(app, {
      ...{ accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
      'x-forwarded-method': 'GET',
    })
    expect([page.statusCode, page.headers['content-type']]).toEqual([
      429,
      'text/html; charset=utf-8',
    ])
    expect(page.body).toContain('Too many attempts')
    const nginx = await app.inject({
      url: '/auth/nginx',
      headers: {
        'x-original-url': 'https://mcp.example.com/notes/mcp',
        'x-original-method': 'POST',
      },
    })
    expect([nginx.statusCode, nginx.headers['retry-after']]).toEqual([429, '60'])
  })

  it('have the limit behind the reverse proxy too', async () => {
    const { app } = await limited({ resources: [resource({ upstream: 'http://127.0.0.1:9' })] })
    const ask = () => app.inject({ url: '/notes/mcp', headers: { host: 'mcp.example.com' } })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await ask()).statusCode)
    expect(statuses).toEqual([401, 401, 401, 429])
  })

  it('are told in the log with their status', async () => {
    const { app, events } = await limited()
    for (let i = 0; i < 4; i++) await check(app, { authorization: 'Bearer x' })
    expect(events.filter(({ event }) => event === 'token-refused').at(-1)).toMatchObject({
      status: 429,
      reason: 'rate limit',
    })
  })
})

it('sb3: discovery has a limit of its own, and any page can read that it was reached', async () => {
  const { app } = await buildTestApp({ rateLimits: { discovery: 2 } })
  const read = () => app.inject('/.well-known/oauth-authorization-server')
  expect([(await read()).statusCode, (await read()).statusCode]).toEqual([200, 200])
  const answer = await read()
  expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([429, '*'])
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  expect((await post(app, '/token')).statusCode).toBe(401)
})
