/**
 * The life of tokens as a client sees it: expiry, a lost answer, another server, a thief's replay.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createBrowser } from './support/browser.ts'
import type { ClientMemory, McpSession, SignIn } from './support/client-memory.ts'
import { callWith, readTokens, registerClient, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import {
  type ConnectOptions,
  connectSdk1,
  connectSdk2,
  type Sdk1Memory,
  type Sdk2Memory,
} from './support/mcp-clients.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

let world: World
let signIn: SignIn

describe.each(['traefik', 'builtin'] as const)('a short access token behind %s', (front) => {
  describe.skipIf(front === 'traefik' && isSkipped('traefik'))('has ended', () => {
    beforeAll(async () => {
      world = await startWorld({ front, settings: { ACCESS_TOKEN_LIFETIME: '2s' } })
      signIn = (url) => createBrowser().signIn(url, world.ann)
    })
    afterAll(() => world?.stop())

    /** Connects, waits until the token has expired, and uses the same session again. */
    async function outlive<Memory extends ClientMemory<unknown, { access_token: string }>>(
      connect: (options: ConnectOptions<Memory>) => Promise<McpSession>,
      memory: Memory,
    ) {
      const session = await connect({ url: world.mcpUrl, signIn, memory })
      expect(await session.echo('young')).toBe('Echo: young')
      const first = memory.tokens?.access_token ?? ''
      await untilRefused(first)
      expect(await session.echo('old')).toBe('Echo: old')
      expect(memory.tokens?.access_token).not.toBe(first)
      expect(memory.signIns).toBe(1)
      await session.close()
    }

    it('and the 1.x SDK refreshes it without asking the person', async () => {
      await outlive<Sdk1Memory>(connectSdk1, { signIns: 0 })
    })

    it('and the 2.x SDK refreshes it without asking the person', async () => {
      await outlive<Sdk2Memory>(connectSdk2, { signIns: 0 })
    })

    it('and a refresh whose answer was lost can be made again', async () => {
      const memory: Sdk1Memory = { signIns: 0 }
      const session = await connectSdk1({ url: world.mcpUrl, signIn, memory })
      const sent = memory.tokens?.refresh_token ?? ''
      const lost = readTokens(await refresh(memory.registration?.client_id ?? '', sent))
      await untilRefused(memory.tokens?.access_token ?? '')
      expect(memory.tokens?.refresh_token).toBe(sent)
      expect(await session.echo('still here')).toBe('Echo: still here')
      expect(memory.tokens?.refresh_token).toBe(lost.refresh_token)
      await untilRefused(memory.tokens?.access_token ?? '')
      expect(await session.echo('and later')).toBe('Echo: and later')
      expect(memory.signIns).toBe(1)
      await session.close()
    })
  })
})

describe('a token', () => {
  let secondUrl: string

  beforeAll(async () => {
    world = await startWorld({
      front: 'builtin',
      moreResources: ({ publicUrl, upstream }) => ({
        second: { url: `${publicUrl}/second/mcp`, upstream: `http://${upstream}/mcp` },
      }),
    })
    secondUrl = `${world.publicUrl}/second/mcp`
    signIn = (url) => createBrowser().signIn(url, world.ann)
  })
  afterAll(() => world?.stop())

  const byHand = () =>
    signInByHand({ issuer: world.publicUrl, resource: world.mcpUrl, person: world.ann })

  it('of one server is refused by a second one behind the same instance', async () => {
    const first: Sdk1Memory = { signIns: 0 }
    const second: Sdk1Memory = { signIns: 0 }
    for (const [url, memory] of [
      [world.mcpUrl, first],
      [secondUrl, second],
    ] as const) {
      const session = await connectSdk1({ url, signIn, memory })
      expect(await session.echo('mine')).toBe('Echo: mine')
      await session.close()
    }
    const refused = await callWith(first.tokens?.access_token ?? '', secondUrl)
    expect(refused.status).toBe(401)
    expect(refused.headers['www-authenticate']).toMatch(
      /error="invalid_token".*resource_metadata="[^"]*\/second\/mcp"/,
    )
    expect((await callWith(second.tokens?.access_token ?? '', world.mcpUrl)).status).toBe(401)
  })

  it('cannot be refreshed into one for another server', async () => {
    const { client, tokens } = await byHand()
    const answer = await client.refresh(tokens.refresh_token, { resource: secondUrl })
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toMatchObject({ error: 'invalid_target' })
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
  })

  it('is revoked, with all of its family, when an old refresh token is replayed', async () => {
    const { client, tokens: stolen } = await byHand()
    const next = readTokens(await client.refresh(stolen.refresh_token))
    const last = readTokens(await client.refresh(next.refresh_token))
    expect((await callWith(last.access_token, world.mcpUrl)).status).not.toBe(401)

    const replay = await client.refresh(stolen.refresh_token)
    expect(replay.status).toBe(400)
    expect(JSON.parse(replay.body)).toMatchObject({ error: 'invalid_grant' })
    for (const { access_token } of [stolen, next, last]) {
      expect((await callWith(access_token, world.mcpUrl)).status).toBe(401)
    }
    expect((await client.refresh(last.refresh_token)).status).toBe(400)
  })

  it('is revoked when its code is replayed', async () => {
    const { client, tokens, callback } = await byHand()
    expect((await callWith(tokens.access_token, world.mcpUrl)).status).not.toBe(401)
    expect((await client.redeem(callback)).status).toBe(400)
    expect((await callWith(tokens.access_token, world.mcpUrl)).status).toBe(401)
  })

  it('of another client refreshes nothing and revokes nothing', async () => {
    const { client, tokens } = await byHand()
    const thief = await registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })
    expect((await thief.refresh(tokens.refresh_token)).status).toBe(400)
    expect((await client.refresh(tokens.refresh_token)).status).toBe(200)
  })

  it('that was revoked makes a real client ask the person again', async () => {
    const memory: Sdk1Memory = { signIns: 0 }
    const before = await connectSdk1({ url: world.mcpUrl, signIn, memory })
    await before.close()
    const clientId = memory.registration?.client_id ?? ''
    const stolen = memory.tokens?.refresh_token ?? ''
    const next = readTokens(await refresh(clientId, stolen))
    await refresh(clientId, next.refresh_token)
    await refresh(clientId, stolen)
    const after = await connectSdk1({ url: world.mcpUrl, signIn, memory })
    expect(await after.echo('back')).toBe('Echo: back')
    expect(memory.signIns).toBe(2)
    await after.close()
  })
})

/** Refreshes in place of the real client, which never sees the answer. */
function refresh(clientId: string, refreshToken: string) {
  return exchange(new URL('/token', world.publicUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: clientId,
      refresh_token: refreshToken,
    }).toString(),
  })
}

/** Waits until the token has expired. */
function untilRefused(accessToken: string): Promise<void> {
  return vi.waitFor(
    async () => expect((await callWith(accessToken, world.mcpUrl)).status).toBe(401),
    { timeout: 10_000, interval: 100 },
  )
}
