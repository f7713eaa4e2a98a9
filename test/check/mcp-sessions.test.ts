/**
 * An `Mcp-Session-Id` of MCP 2025-11-25 and before is bound to the caller who used it first (threat T27, row R18 of
 * docs/conformance.md): servers of that time take it for a proof of who calls.
 */
import { describe, expect, it } from 'vitest'
import { MCP_SESSION_LIFETIME } from '../../src/records/mcp-session-owners.ts'
import { StorageUnavailable } from '../../src/storage/storage.ts'
import { ANN, ANYONE, BOB, buildTestApp, createClock, resource } from '../support/build-app.ts'
import { check, obtainTokens } from '../support/oauth-client.ts'
import { exchange, listen } from '../support/raw-http.ts'
import { createRemoteStorage } from '../support/remote-storage.ts'
import { storedKeys } from '../support/stored.ts'
import { linesOf, startUpstream } from '../support/upstream-server.ts'

const SESSION = '5f1c0e2a-session-of-ann'
type App = Awaited<ReturnType<typeof buildTestApp>>['app']

const tokenOf = async (app: App, name: 'ann' | 'bob', resourceUrl?: string) =>
  (
    await obtainTokens(app, {
      person: { name },
      ...(resourceUrl !== undefined && { authorize: { resource: resourceUrl } }),
    })
  ).tokens.access_token

const NGINX = {
  'x-original-url': 'https://mcp.example.com/notes/mcp',
  'x-original-method': 'POST',
}

/** Asks as a proxy of the family does. */
const FAMILIES = [
  {
    family: 'traefik',
    refused: 404,
    ask: (app: App, headers: Record<string, string>) => check(app, headers),
  },
  {
    family: 'nginx',
    refused: 403,
    ask: (app: App, headers: Record<string, string>) =>
      app.inject({ url: '/auth/nginx', headers: { ...NGINX, ...headers } }),
  },
] as const

const resources = [resource({ allow: ANYONE })]

describe.each(FAMILIES)('T27: behind $family', ({ ask, refused }) => {
  it('a session id opens nothing for another person, whose own sessions go on', async () => {
    const { app, logs } = await buildTestApp({ resources })
    const ann = { authorization: `Bearer ${await tokenOf(app, 'ann')}` }
    const bob = { authorization: `Bearer ${await tokenOf(app, 'bob')}` }
    const hers = { 'mcp-session-id': SESSION }
    expect((await ask(app, { ...ann, ...hers })).statusCode).toBe(200)
    const stolen = await ask(app, { ...bob, ...hers })
    expect(stolen.statusCode).toBe(refused)
    expect(stolen.headers).not.toHaveProperty('x-forwarded-user')
    expect(logs.at(-1)).toMatchObject({
      msg: 'decision',
      status: 404,
      reason: 'the Mcp-Session-Id belongs to another caller',
    })
    expect(JSON.stringify(logs)).not.toContain(SESSION)
    expect((await ask(app, bob)).statusCode).toBe(200)
    expect((await ask(app, { ...bob, 'mcp-session-id': 'session-of-bob' })).statusCode).toBe(200)
    expect((await ask(app, { ...ann, ...hers })).statusCode).toBe(200)
  })

  it('an empty value is none', async () => {
    const { app } = await buildTestApp({ resources })
    const authorization = `Bearer ${await tokenOf(app, 'ann')}`
    expect((await ask(app, { authorization, 'mcp-session-id': '' })).statusCode).toBe(200)
  })
})

describe('T27: whose session it is', () => {
  const hers = { 'mcp-session-id': SESSION }

  it('does not depend on the token or the client of the person', async () => {
    const { app } = await buildTestApp({ resources })
    for (const token of [await tokenOf(app, 'ann'), await tokenOf(app, 'ann')]) {
      const answer = await check(app, { authorization: `Bearer ${token}`, ...hers })
      expect(answer.statusCode).toBe(200)
    }
  })

  it('is a matter of each server: two servers may give the same id', async () => {
    const other = resource({ id: 'other', url: 'https://other.example.com/mcp', allow: ANYONE })
    const { app } = await buildTestApp({ resources: [...resources, other] })
    const ann = `Bearer ${await tokenOf(app, 'ann')}`
    const bob = `Bearer ${await tokenOf(app, 'bob', other.url)}`
    expect((await check(app, { authorization: ann, ...hers })).statusCode).toBe(200)
    const there = { 'x-forwarded-host': 'other.example.com', 'x-forwarded-uri': '/mcp' }
    expect((await check(app, { authorization: bob, ...hers, ...there })).statusCode).toBe(200)
  })

  it('is the same at every name of the server', async () => {
    const notes = resource({ allow: ANYONE, aliases: ['http://inner:1/mcp'] })
    const { app } = await buildTestApp({ resources: [notes] })
    const ann = `Bearer ${await tokenOf(app, 'ann')}`
    const bob = `Bearer ${await tokenOf(app, 'bob')}`
    expect((await check(app, { authorization: ann, ...hers })).statusCode).toBe(200)
    const there = { 'x-forwarded-host': 'inner:1', 'x-forwarded-uri': '/mcp' }
    expect((await check(app, { authorization: bob, ...hers, ...there })).statusCode).toBe(404)
  })

  it('survives a restart, and holds at every replica', async () => {
    const first = await buildTestApp({ resources })
    const ann = `Bearer ${await tokenOf(first.app, 'ann')}`
    const bob = `Bearer ${await tokenOf(first.app, 'bob')}`
    expect((await check(first.app, { authorization: ann, ...hers })).statusCode).toBe(200)
    const second = await first.restart()
    expect((await check(second.app, { authorization: bob, ...hers })).statusCode).toBe(404)
    expect((await check(second.app, { authorization: ann, ...hers })).statusCode).toBe(200)
  })

  it('is decided once for callers who come at the same time', async () => {
    const { app } = await buildTestApp({ resources })
    const ann = `Bearer ${await tokenOf(app, 'ann')}`
    const bob = `Bearer ${await tokenOf(app, 'bob')}`
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        check(app, { authorization: index % 2 ? ann : bob, ...hers }),
      ),
    )
    const statuses = answers.map(({ statusCode }, index) => `${index % 2} ${statusCode}`)
    expect(new Set(statuses).size).toBe(2)
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(20)
  })

  it('is nobody’s until somebody with a good token comes, and no stranger fills the store', async () => {
    const { app, storage } = await buildTestApp({ resources })
    expect((await check(app, hers)).statusCode).toBe(401)
    expect((await check(app, { authorization: 'Bearer x', ...hers })).statusCode).toBe(401)
    expect(await storedKeys(storage, 'mcp-session:')).toEqual([])
    const bob = `Bearer ${await tokenOf(app, 'bob')}`
    expect((await check(app, { authorization: bob, ...hers })).statusCode).toBe(200)
    const keys = await storedKeys(storage, 'mcp-session:')
    expect(keys).toHaveLength(1)
    expect(keys[0]).not.toContain(SESSION)
  })

  it('ends a week after its last use, and not before', async () => {
    const test = await buildTestApp({
      resources,
      users: [ANN, BOB],
      lifetimes: {
        accessToken: 30 * 86_400,
        grant: 30 * 86_400,
        grantIdle: 30 * 86_400,
        refreshGrace: 60,
        session: 86_400,
        sessionIdle: 28_800,
      },
    })
    const ann = `Bearer ${await tokenOf(test.app, 'ann')}`
    const bob = `Bearer ${await tokenOf(test.app, 'bob')}`
    const asAnn = async () => (await check(test.app, { authorization: ann, ...hers })).statusCode
    const asBob = async () => {
      const { app } = await test.restart()
      return (await check(app, { authorization: bob, ...hers })).statusCode
    }
    expect(await asAnn()).toBe(200)
    for (let day = 0; day < 9; day += 1) {
      test.clock.advance(86_400)
      expect(await asAnn()).toBe(200)
    }
    expect(await asBob()).toBe(404)
    test.clock.advance(MCP_SESSION_LIFETIME + 1)
    expect(await asBob()).toBe(200)
    expect(await asAnn()).toBe(404)
  })
})

describe('T27: a warm check', () => {
  it('asks no store, and goes on while the store is away; a new session waits for it', async () => {
    const clock = createClock()
    const storage = createRemoteStorage(clock)
    const { create } = storage
    storage.create = async (...record) => {
      storage.asked += 1
      if (storage.isDown) throw new StorageUnavailable(new Error('down'))
      return create(...record)
    }
    const { app } = await buildTestApp({ resources }, { clock, storage })
    const authorization = `Bearer ${await tokenOf(app, 'ann')}`
    const ask = async (id: string) =>
      (await check(app, { authorization, 'mcp-session-id': id })).statusCode
    expect(await ask(SESSION)).toBe(200)
    storage.asked = 0
    expect(await ask(SESSION)).toBe(200)
    expect(storage.asked).toBe(0)
    storage.isDown = true
    expect(await ask(SESSION)).toBe(200)
    expect(await ask('another session')).toBe(503)
    storage.isDown = false
    expect(await ask('another session')).toBe(200)
  })
})

describe('T27: in pass-through', () => {
  async function start() {
    const upstream = await startUpstream((_request, response) => response.end('the session'))
    const test = await buildTestApp({
      resources: [resource({ allow: ANYONE, upstream: upstream.origin })],
    })
    const [ann, bob] = [await tokenOf(test.app, 'ann'), await tokenOf(test.app, 'bob')]
    const port = await listen(test.app)
    const ask = (token: string, headers: readonly string[]) =>
      exchange(port, [
        'POST /notes/mcp HTTP/1.1',
        'Host: mcp.example.com',
        `Authorization: Bearer ${token}`,
        'Content-Length: 0',
        ...headers,
      ])
    return { upstream, ask, ann, bob }
  }

  it('another person’s request does not reach the server', async () => {
    const { upstream, ask, ann, bob } = await start()
    const hers = [`Mcp-Session-Id: ${SESSION}`]
    expect((await ask(ann, hers)).status).toBe(200)
    const stolen = await ask(bob, hers)
    expect([stolen.status, JSON.parse(stolen.body)]).toEqual([
      404,
      { error: 'not_found', error_description: 'no such MCP session of yours: begin a new one' },
    ])
    expect(upstream.requests).toHaveLength(1)
  })

  it('two ids are refused, and one in a spelling that a server may take for the same does not reach it', async () => {
    const { upstream, ask, ann, bob } = await start()
    await ask(ann, [`Mcp-Session-Id: ${SESSION}`])
    const doubled = await ask(bob, ['Mcp-Session-Id: own', `Mcp-Session-Id: ${SESSION}`])
    expect(doubled.status).toBe(403)
    expect(upstream.requests).toHaveLength(1)
    const spelled = await ask(bob, [`Mcp_Session_Id: ${SESSION}`, `MCP.SESSION.ID: ${SESSION}`])
    expect(spelled.status).toBe(200)
    const request = upstream.requests[1]
    expect(request && linesOf(request, 'mcp_session_id')).toEqual([])
    expect(request && linesOf(request, 'mcp.session.id')).toEqual([])
  })
})
