/**
 * Keeping what a server says: how often it is asked, how long a person waits for it, and what counts while it is down.
 */
import { describe, expect, it } from 'vitest'
import { createEvents, type GatewayEvent } from '../../src/events.ts'
import { createAnnouncements } from '../../src/mcp/announcements.ts'
import type { AskTools, SaidTools } from '../../src/mcp/ask-tools.ts'
import { createRecords } from '../../src/records/records.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { createClock, resource } from '../support/build-app.ts'
import { testKeyring } from '../support/signing.ts'

const say = (...names: readonly string[]): SaidTools => ({
  meta: { scopes: names.map((name) => ({ name })) },
  tools: [],
})
const ASKED = resource({ scopesBeside: {}, scopesEndpoint: 'http://notes:3000/mcp' })

const memory = () => createMemoryStorage({ now: createClock() })

function keep(
  answer: () => Promise<SaidTools>,
  config = ASKED,
  { waitMs, storage = memory() }: { waitMs?: number; storage?: Storage } = {},
) {
  const clock = createClock()
  const asked: Parameters<AskTools>[] = []
  const emitted: GatewayEvent[] = []
  const announcements = createAnnouncements([config], {
    ask: (...call) => {
      asked.push(call)
      return answer()
    },
    events: createEvents([{ wants: () => true, take: (event) => void emitted.push(event) }]),
    elapsed: clock.elapsed,
    records: createRecords(storage, { keyring: testKeyring() }).serverScopes,
    ...(waitMs !== undefined && { waitMs }),
  })
  const names = () => announcements.of('notes')?.map(({ name }) => name)
  return { ...announcements, clock, asked, emitted, names }
}

describe('a server is asked', () => {
  it('only where somebody needs it, once at a time, and again after five minutes', async () => {
    const { fresh, names, asked, clock } = keep(async () => say('a'))
    expect(names()).toBeUndefined()
    expect(asked).toHaveLength(0)
    await Promise.all([fresh('notes'), fresh('notes'), fresh('notes')])
    expect(names()).toEqual(['a'])
    expect(asked).toHaveLength(1)
    clock.advance(299)
    await fresh('notes')
    expect(asked).toHaveLength(1)
    clock.advance(1)
    await fresh('notes')
    expect(asked).toHaveLength(2)
  })

  it('at most once a minute while it is down, and its last answer counts', async () => {
    let isDown = false
    const { fresh, names, asked, clock, emitted } = keep(() =>
      isDown
        ? Promise.reject(new Error('the answer has the status 500'))
        : Promise.resolve(say('a')),
    )
    await fresh('notes')
    isDown = true
    for (let minute = 0; minute < 60; minute += 1) {
      clock.advance(60)
      await fresh('notes')
      await fresh('notes')
    }
    expect(names()).toEqual(['a'])
    expect(asked.length).toBeLessThanOrEqual(61)
    expect(emitted.filter(({ event }) => event === 'server-scopes-unread')).toMatchObject([
      { resource: 'notes', url: 'http://notes:3000/mcp', reason: 'the answer has the status 500' },
    ])
    isDown = false
    clock.advance(60)
    await fresh('notes')
    expect(names()).toEqual(['a'])
  })

  it('and what it takes back is gone', async () => {
    let said = say('a', 'b')
    const { fresh, names, clock, emitted } = keep(async () => said)
    await fresh('notes')
    said = say('b')
    clock.advance(300)
    await fresh('notes')
    expect(names()).toEqual(['b'])
    said = { meta: undefined, tools: [] }
    clock.advance(300)
    await fresh('notes')
    expect(names()).toEqual([])
    expect(emitted.map((event) => 'scopes' in event && event.scopes)).toEqual([
      ['a', 'b'],
      ['b'],
      [],
    ])
  })

  it('keeps the same list while it says the same', async () => {
    const { fresh, of, clock } = keep(async () => say('a'))
    await fresh('notes')
    const before = of('notes')
    clock.advance(300)
    await fresh('notes')
    expect(of('notes')).toBe(before)
  })

  it('and nobody waits long for a server that hangs', async () => {
    const { fresh, names } = keep(() => new Promise(() => {}), ASKED, { waitMs: 10 })
    await fresh('notes')
    await fresh('notes')
    expect(names()).toBeUndefined()
  })

  it('until the program ends', () => {
    const { fresh, close, asked } = keep(() => new Promise(() => {}), ASKED, { waitMs: 10 })
    const waiting = fresh('notes')
    close()
    expect(asked[0]?.[1].signal.aborted).toBe(true)
    return waiting
  })
})

describe('a process that begins while the server is down', () => {
  const isDown = () => Promise.reject(new Error('the answer has the status 502'))

  it('knows what the server said to the one before', async () => {
    const storage = memory()
    await keep(async () => say('a', 'b'), ASKED, { storage }).fresh('notes')
    const { fresh, names } = keep(isDown, ASKED, { storage })
    await fresh('notes')
    expect(names()).toEqual(['a', 'b'])
  })

  it('knows it while the server hangs', async () => {
    const storage = memory()
    await keep(async () => say('a'), ASKED, { storage }).fresh('notes')
    const { fresh, names } = keep(() => new Promise(() => {}), ASKED, { storage, waitMs: 10 })
    await fresh('notes')
    expect(names()).toEqual(['a'])
  })

  it('knows nothing of a server at another address, or of other kinds of scopes', async () => {
    const storage = memory()
    await keep(async () => say('a'), ASKED, { storage }).fresh('notes')
    for (const change of [{ scopesEndpoint: 'http://other:3000/mcp' }, { toolChoices: true }]) {
      const { fresh, names } = keep(isDown, { ...ASKED, ...change }, { storage })
      await fresh('notes')
      expect(names()).toBeUndefined()
    }
  })

  it('T44: does not believe a record that somebody else wrote', async () => {
    const storage = memory()
    await keep(async () => say('a'), ASKED, { storage }).fresh('notes')
    for await (const [key] of storage.scan('server-scopes:')) {
      await storage.set(
        key,
        { mac: 'x', value: [{ name: 'admin', description: '', tools: [] }] },
        60,
      )
    }
    const { fresh, names } = keep(isDown, ASKED, { storage })
    await fresh('notes')
    expect(names()).toBeUndefined()
  })

  it('K3: one record stays, however often the server says something else', async () => {
    const storage = memory()
    let count = 0
    const { fresh, clock } = keep(async () => say(`scope-${count++}`), ASKED, { storage })
    for (let ask = 0; ask < 5; ask += 1) {
      await fresh('notes')
      clock.advance(300)
    }
    const keys: string[] = []
    for await (const [key] of storage.scan('server-scopes:')) keys.push(key)
    expect(keys).toHaveLength(1)
  })
})

describe('the address that is asked', () => {
  const upstream = 'http://behind:3000/mcp'
  const addressOf = async (config: ReturnType<typeof resource>) => {
    const { fresh, asked } = keep(async () => say(), config)
    await fresh('notes')
    return asked[0]?.[0].href
  }

  it('is scopes_endpoint, else the server behind us unless a list settles its scopes', async () => {
    const scopesEndpoint = 'http://notes:3000/mcp'
    expect(await addressOf(resource())).toBeUndefined()
    expect(await addressOf(resource({ scopesBeside: {} }))).toBeUndefined()
    expect(await addressOf(resource({ upstream }))).toBeUndefined()
    expect(await addressOf(resource({ upstream, scopesBeside: {} }))).toBe(upstream)
    expect(await addressOf(resource({ scopesEndpoint }))).toBe(scopesEndpoint)
    expect(await addressOf(resource({ upstream, scopesEndpoint }))).toBe(scopesEndpoint)
  })

  it('gets the headers that the operator gave its upstream, at that origin alone', async () => {
    const passThrough = {
      host: 'public',
      challenges: 'ours',
      authorization: 'Bearer of-the-operator',
      mutations: [
        { action: 'add', name: 'X-Tenant', from: { kind: 'value', value: 'acme' } },
        { action: 'add', name: 'X-Token', from: { kind: 'bearer' } },
        { action: 'add', name: 'Mcp-Session-Id', from: { kind: 'value', value: 'mine' } },
        { action: 'set-x-forwarded' },
      ],
    } as const
    const headersFrom = async (scopesEndpoint: string) => {
      const config = resource({ upstream, scopesEndpoint, passThrough })
      const { fresh, asked } = keep(async () => say(), config)
      await fresh('notes')
      return asked[0]?.[1].headers
    }
    expect(await headersFrom('http://behind:3000/other')).toEqual({
      authorization: 'Bearer of-the-operator',
      host: 'mcp.example.com',
      'x-tenant': 'acme',
    })
    expect(await headersFrom('http://behind:3001/mcp')).toEqual({})
  })
})
