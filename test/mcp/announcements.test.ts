/**
 * Keeping what a server says: how often it is asked, how long a person waits for it, and what counts while it is down.
 */
import { describe, expect, it } from 'vitest'
import { createEvents, type GatewayEvent } from '../../src/events.ts'
import { createAnnouncements } from '../../src/mcp/announcements.ts'
import type { AskTools, SaidTools } from '../../src/mcp/ask-tools.ts'
import { createClock, resource } from '../support/build-app.ts'

const say = (...names: readonly string[]): SaidTools => ({
  meta: { scopes: names.map((name) => ({ name })) },
  tools: [],
})
const ASKED = resource({ scopesBeside: {}, scopesEndpoint: 'http://notes:3000/mcp' })

function keep(answer: () => Promise<SaidTools>, config = ASKED, waitMs?: number) {
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
    const { fresh, names, warmUp } = keep(() => new Promise(() => {}), ASKED, 10)
    await fresh('notes')
    await warmUp()
    expect(names()).toBeUndefined()
  })

  it('until the program ends', () => {
    const { fresh, close, asked } = keep(() => new Promise(() => {}), ASKED, 10)
    const waiting = fresh('notes')
    close()
    expect(asked[0]?.[1].signal.aborted).toBe(true)
    return waiting
  })
})

describe('the address that is asked', () => {
  const upstream = 'http://behind:3000/mcp'
  const addressOf = async (config: ReturnType<typeof resource>) => {
    const { warmUp, asked } = keep(async () => say(), config)
    await warmUp()
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
      const { warmUp, asked } = keep(async () => say(), config)
      await warmUp()
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
