/**
 * Gatewarden behind a real nginx with the shipped files, in the points where nginx differs from Traefik: TLS, an
 * outage, several servers.
 *
 * @module
 */
import { once } from 'node:events'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { afterEach, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { callWith, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { connectSdk2 } from './support/mcp-clients.ts'
import { startRecordingServer } from './support/recording-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World, type WorldOptions } from './support/world.ts'

describe.skipIf(isSkipped('nginx'))('behind nginx', () => {
  const open: { stop(): Promise<void> }[] = []
  afterEach(async () => {
    for (const world of open.splice(0)) await world.stop()
  })

  async function start(options: Omit<WorldOptions, 'front'> = {}): Promise<World> {
    const world = await startWorld({ front: 'nginx', ...options })
    open.push(world)
    return world
  }
  const token = async ({ publicUrl: issuer, mcpUrl: resource, ann: person }: World) =>
    (await signInByHand({ issuer, resource, person })).tokens.access_token

  it('a token opens the server over TLS, with the lines that are shipped as comments', async () => {
    const world = await start({ tls: true })
    expect(world.mcpUrl).toMatch(/^https:/)
    const accessToken = await token(world)
    expect((await callWith(accessToken, world.mcpUrl)).status).not.toBe(401)
    const challenged = await exchange(new URL(world.mcpUrl))
    expect(challenged.status).toBe(401)
    expect(challenged.headers['www-authenticate']).toContain(
      `resource_metadata="${world.publicUrl}/.well-known/oauth-protected-resource/mcp"`,
    )
  })

  it('HTTP/2 tells Gatewarden the same', async () => {
    const world = await start({
      tls: true,
      changeNginx: (text) => text.replaceAll(' ssl;', ' ssl http2;'),
    })
    const accessToken = await token(world)
    const session = connect(world.publicUrl, { rejectUnauthorized: false })
    try {
      const call = async (headers: OutgoingHttpHeaders) => {
        const stream = session.request({ ':path': '/mcp', ...headers })
        const [answer] = await once(stream, 'response')
        stream.resume()
        return answer
      }
      const challenged = await call({})
      expect(challenged[':status']).toBe(401)
      expect(challenged['www-authenticate']).toContain('resource_metadata=')
      const authorization = `Bearer ${accessToken}`
      expect([401, 403]).not.toContain((await call({ authorization }))[':status'])
      const elsewhere = await call({ authorization, host: 'elsewhere.test' })
      expect([400, 403, 404]).toContain(elsewhere[':status'])
    } finally {
      session.close()
    }
  })

  it('an outage is 503 with Retry-After for a known client and a new one', async () => {
    const world = await start()
    const accessToken = await token(world)
    expect((await callWith(accessToken, world.mcpUrl)).status).not.toBe(401)
    await world.stopGatewarden('SIGKILL')
    for (const answer of [
      await callWith(accessToken, world.mcpUrl),
      await exchange(new URL(world.mcpUrl)),
    ]) {
      expect([answer.status, answer.headers['retry-after']]).toEqual([503, '2'])
      expect(answer.headers).not.toHaveProperty('www-authenticate')
    }
  })

  it('a Gatewarden that does not answer is an outage, too, and over as soon as it does', async () => {
    const world = await start({
      changeNginx: (text) => text.replace('proxy_read_timeout 15s;', 'proxy_read_timeout 1s;'),
    })
    const accessToken = await token(world)
    process.kill(world.pid(), 'SIGSTOP')
    const stopped = await callWith(accessToken, world.mcpUrl)
    expect([stopped.status, stopped.headers['retry-after']]).toEqual([503, '2'])
    process.kill(world.pid(), 'SIGCONT')
    expect([401, 503]).not.toContain((await callWith(accessToken, world.mcpUrl)).status)
    expect((await exchange(new URL(world.mcpUrl))).status).toBe(401)
  })

  it('a server that is gone is 502, and the login works on', async () => {
    const app = await startRecordingServer((_request, response) => response.end('app'))
    const world = await start({ upstream: app.address })
    const accessToken = await token(world)
    await app.close()
    const answer = await callWith(accessToken, world.mcpUrl)
    expect(answer.status).toBe(502)
    expect(answer.headers).not.toHaveProperty('retry-after')
    expect((await exchange(new URL(world.mcpUrl))).status).toBe(401)
  })

  it('an id in the check keeps a location to its resource', async () => {
    const pinned = (id: string) => (text: string) =>
      text.replace('$gatewarden_check /auth/nginx;', `$gatewarden_check /auth/nginx/r/${id};`)
    const right = await start({ changeNginx: pinned('sample') })
    const client = await connectSdk2({
      url: right.mcpUrl,
      signIn: (url) => createBrowser().signIn(url, right.ann),
      memory: { signIns: 0 },
    })
    expect(await client.echo('hello')).toBe('Echo: hello')
    await client.close()
    const wrong = await start({ changeNginx: pinned('another') })
    const answer = await callWith(await token(wrong), wrong.mcpUrl)
    expect(answer.status).toBe(403)
  })
})
