/** The files of docs/proxies/pangolin.md with a real Traefik (case sp7). */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { exchange } from './support/http-exchange.ts'
import { connectSdk1 } from './support/mcp-clients.ts'
import { type PangolinWorld, startPangolinWorld } from './support/pangolin-world.ts'
import { isSkipped } from './support/tools.ts'

describe.skipIf(isSkipped('traefik'))('sp7: the files for Pangolin and middleware-manager', () => {
  let world: PangolinWorld
  beforeAll(async () => {
    world = await startPangolinWorld()
  })
  afterAll(() => world?.stop())

  it('sign in an MCP client, without any route to Gatewarden on the host of the server', async () => {
    const signIn = (address: URL) => createBrowser().signIn(address, world.ann)
    const session = await connectSdk1({ url: world.mcpUrl, signIn, memory: { signIns: 0 } })
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
  })

  it('answer a preflight without a token, and nothing else', async () => {
    const url = new URL(world.mcpUrl)
    const headers = {
      origin: 'http://localhost:6274',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    }
    const preflight = await exchange(url, { method: 'OPTIONS', headers })
    expect(preflight.status).toBe(200)
    expect(preflight.headers['access-control-allow-origin']).toBe('http://localhost:6274')
    const foreign = { ...headers, origin: 'https://elsewhere.example' }
    const other = await exchange(url, { method: 'OPTIONS', headers: foreign })
    expect(other.headers).not.toHaveProperty('access-control-allow-origin')
    expect((await exchange(url)).status).toBe(401)
  })

  it('leave the addresses that proxies ask out of reach', async () => {
    for (const path of ['/auth/traefik', '/auth/traefik/r/mcp', '/healthz', '/verify']) {
      const answer = await exchange(new URL(path, world.issuer))
      expect(answer.body, path).toBe('404 page not found\n')
    }
  })
})
