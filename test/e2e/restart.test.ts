/**
 * Gatewarden ends and starts again at the worst moments: no person has to log in again, and no connection breaks
 * without need.
 *
 * @module
 */
import { once } from 'node:events'
import { request, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createBrowser, type Landing } from './support/browser.ts'
import { callWith, readTokens, registerClient, signInByHand } from './support/hand-client.ts'
import { readForms } from './support/html-page.ts'
import { exchange } from './support/http-exchange.ts'
import { startRecordingServer } from './support/recording-server.ts'
import { startWorld, type World } from './support/world.ts'

let ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.reverse()) await end()
  ends = []
})

/** A world that ends with its test. */
async function newWorld(upstream?: string): Promise<World> {
  const world = await startWorld({ front: 'builtin', ...(upstream && { upstream }) })
  ends.push(() => world.stop())
  return world
}

describe.each(['SIGTERM', 'SIGKILL'] as const)('ended by %s', (signal) => {
  it('between any two steps of the flow, it goes on where it was', async () => {
    const world = await newWorld()
    const jwks = () => exchange(new URL('/jwks', world.publicUrl))
    const { body: keys } = await jwks()

    const client = await registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })
    await world.restart(signal)
    const browser = createBrowser()
    const until = (url: URL) => url.pathname === '/callback'
    const consent = pageOf(await browser.open(client.authorizationUrl(), until))
    await world.restart(signal)
    const login = pageOf(await browser.submit({ ...consent, button: 'approve', until }))
    await world.restart(signal)
    const fields = { username: world.ann.name, password: world.ann.password }
    const landing = await browser.submit({ ...login, fields, until })
    if (landing.kind === 'page') throw new Error(`no code: ${landing.page.body}`)
    await world.restart(signal)
    const tokens = readTokens(await client.redeem(landing.url))
    await world.restart(signal)
    expect((await callWith(tokens.access_token, world.mcpUrl)).status).not.toBe(401)
    const refreshed = readTokens(await client.refresh(tokens.refresh_token))
    await world.restart(signal)

    for (const { access_token } of [tokens, refreshed]) {
      expect((await callWith(access_token, world.mcpUrl)).status).not.toBe(401)
    }
    readTokens(await client.refresh(refreshed.refresh_token))
    expect((await jwks()).body).toBe(keys)
    // A used code stays used.
    expect((await client.redeem(landing.url)).status).toBe(400)
  })

  it('with a wrong password typed before, the right one still works after', async () => {
    const world = await newWorld()
    const client = await registerClient({ issuer: world.publicUrl, resource: world.mcpUrl })
    const browser = createBrowser()
    const until = (url: URL) => url.pathname === '/callback'
    const consent = pageOf(await browser.open(client.authorizationUrl(), until))
    const login = pageOf(await browser.submit({ ...consent, button: 'approve', until }))
    const typed = (password: string) => ({ username: world.ann.name, password })
    const refused = pageOf(await browser.submit({ ...login, fields: typed('wrong'), until }))
    expect(refused.page.status).toBe(401)
    await world.restart(signal)
    const fields = typed(world.ann.password)
    expect((await browser.submit({ ...refused, fields, until })).kind).toBe('reached')
  })
})

describe('a graceful stop', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('by %s ends with exit code 0', async (signal) => {
    const world = await newWorld()
    expect(await world.stopGatewarden(signal)).toBe(0)
    expect(world.log()).toContain('stopping')
  })

  it('answers the request under way, and new ones meanwhile, each on its last connection', async () => {
    const held: ServerResponse[] = []
    const app = await startRecordingServer((_request, response) => held.push(response))
    ends.push(() => app.close())
    const world = await newWorld(app.address)
    const answer = callWith(await accessToken(world), world.mcpUrl)
    const response = await vi.waitUntil(() => held[0], { timeout: 5_000 })

    const stopped = world.stopGatewarden()
    await vi.waitFor(() => expect(world.log()).toContain('stopping'), { timeout: 5_000 })
    const meanwhile = await exchange(new URL('/readyz', world.publicUrl))
    expect([meanwhile.status, meanwhile.headers.connection]).toEqual([503, 'close'])
    response.end('late, but whole')
    expect(await answer).toMatchObject({ status: 200, body: 'late, but whole' })
    expect(await stopped).toBe(0)
    await expect(exchange(new URL('/healthz', world.publicUrl))).rejects.toThrow('ECONNREFUSED')
  })

  it('is not held up by an open stream or half a request', async () => {
    const app = await startRecordingServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
    })
    ends.push(() => app.close())
    const world = await newWorld(app.address)
    const stream = request(world.mcpUrl, {
      headers: { authorization: `Bearer ${await accessToken(world)}` },
    }).end()
    const [events] = await once(stream, 'response')
    events.on('error', () => {}).resume()
    const { hostname: host, port } = new URL(world.publicUrl)
    const half = connect({ host, port: Number(port), autoSelectFamily: true })
    half.on('error', () => {}).resume()
    await once(half, 'connect')
    half.write('POST /token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\ngrant_')

    const gone = [events, half].map((each) => new Promise((resolve) => each.on('close', resolve)))
    const begun = performance.now()
    expect(await world.stopGatewarden()).toBe(0)
    expect(performance.now() - begun).toBeLessThan(6_000)
    await Promise.all(gone)
  })
})

/** The page that the person sees, with its form. */
function pageOf(landing: Landing) {
  if (landing.kind !== 'page') throw new Error(`left for ${landing.url.href}`)
  const [form] = readForms(landing.page.body)
  if (!form) throw new Error(`no form on ${landing.page.url.pathname}: ${landing.page.body}`)
  return { page: landing.page, form }
}

async function accessToken(world: World): Promise<string> {
  const { publicUrl: issuer, mcpUrl: resource, ann: person } = world
  return (await signInByHand({ issuer, resource, person })).tokens.access_token
}
