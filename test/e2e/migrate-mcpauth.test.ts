/**
 * The steps of docs/migrate/mcpauth.md: an environment file and labels of mcpauth, a start that names the missing
 * settings, exactly these added, and programs sign in. And the `.env` and the labels of atrawog's page (case sw2).
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startGithub } from '../support/github-stand-in.ts'
import { startAtrawogWorld } from './support/atrawog-world.ts'
import { createBrowser } from './support/browser.ts'
import { signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { person, startTestKeycloak } from './support/keycloak.ts'
import {
  connectSdk1,
  connectSdk2,
  type Sdk1Memory,
  type Sdk2Memory,
} from './support/mcp-clients.ts'
import { type McpauthWorld, STATIC_TOKEN, startMcpauthWorld } from './support/mcpauth-world.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld } from './support/world.ts'

const INITIALIZE = JSON.stringify({
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'script', version: '1' },
  },
})

describe.skipIf(isSkipped('traefik'))('somebody who comes from mcpauth', () => {
  let world: McpauthWorld
  beforeAll(async () => {
    world = await startMcpauthWorld()
  })
  afterAll(() => world?.stop())

  it('is told at the first start all that is missing, and starts once it is there', () => {
    expect(world.starts.map(({ exitCode }) => exitCode)).toEqual([2])
    const problems = world.starts[0]?.errors
      .trim()
      .split('\n')
      .map((line) => line.slice(0, line.indexOf(':')))
    expect(problems?.filter((name) => name !== 'warning').toSorted()).toEqual([
      'ALLOWED_EMAILS',
      // No file was read, which the first line says.
      'gatewarden.yaml',
      'users',
    ])
    expect(world.log()).toContain('"listening"')
  })

  it('is told in one line what means nothing any more, and no secret in any', () => {
    const named = world
      .log()
      .split('\n')
      .filter((line) => line.includes('no longer have an effect'))
    expect(named).toEqual([expect.stringMatching(/-adminUsername/)])
    const everything = world.starts.map(({ errors }) => errors).join() + world.log()
    for (const secret of [STATIC_TOKEN, 'edge-secret-1', 'half-secret-2']) {
      expect(everything).not.toContain(secret)
    }
  })

  it('is told by the first refusal which peer to trust, and by which setting', () => {
    // If the machine has no address but loopback, Gatewarden trusts the proxy from the start.
    if (world.refusal !== undefined) {
      expect(JSON.parse(world.refusal)).toMatchObject({
        peer: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
        msg: expect.stringContaining('TRUSTED_PROXIES'),
      })
    }
    expect(world.log()).not.toContain('untrusted peer')
  })

  it('signs in with the 1.x SDK, once', async () => {
    const { mcpUrl: url, ann } = world
    const memory: Sdk1Memory = { signIns: 0 }
    for (const message of ['hello', 'again']) {
      const signIn = (address: URL) => createBrowser().signIn(address, ann)
      const session = await connectSdk1({ url, signIn, memory })
      expect(await session.echo(message)).toBe(`Echo: ${message}`)
      await session.close()
    }
    expect(memory.signIns).toBe(1)
  })

  it('signs in with the 2.x SDK', async () => {
    const { mcpUrl: url, ann } = world
    const memory: Sdk2Memory = { signIns: 0 }
    const signIn = (address: URL) => createBrowser().signIn(address, ann)
    const session = await connectSdk2({ url, signIn, memory })
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
  })

  it('keeps the scopes and the fixed token of before', async () => {
    const { issuer, mcpUrl: resource, ann: person } = world
    const { tokens } = await signInByHand({ issuer, resource, person })
    const claims = Buffer.from(tokens.access_token.split('.')[1] ?? '', 'base64url').toString()
    expect(JSON.parse(claims)).toMatchObject({ iss: issuer, scope: 'openid' })
    const initialize = (token: string) =>
      exchange(new URL(resource), {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json, text/event-stream',
          'content-type': 'application/json',
        },
        body: INITIALIZE,
      })
    expect((await initialize(tokens.access_token)).status).toBe(200)
    expect((await initialize(STATIC_TOKEN)).status).toBe(200)
    expect((await initialize(`${STATIC_TOKEN}x`)).status).toBe(401)
  })

  it('opens no management to anybody', async () => {
    for (const path of ['/users', '/clients', '/admin', '/internal/login']) {
      expect((await exchange(new URL(path, world.issuer))).status, path).toBe(404)
    }
  })
})

describe.skipIf(isSkipped('traefik'))('somebody with the .env and the labels of atrawog', () => {
  it('sw2: signs in at GitHub, with DISCOVERY_AT=gateway and the labels as they are', async () => {
    const world = await startAtrawogWorld(await startGithub())
    try {
      const signIn = (address: URL) => createBrowser().signIn(address, { name: '', password: '' })
      const url = world.mcpUrl
      const session = await connectSdk1({ url, signIn, memory: { signIns: 0 } })
      expect(await session.echo('hello')).toBe('Echo: hello')
      await session.close()
      expect((await exchange(new URL(url))).status).toBe(401)
      const preflight = await exchange(new URL(url), { method: 'OPTIONS' })
      expect(preflight.status).not.toBe(401)
      expect(preflight.headers).not.toHaveProperty('www-authenticate')
    } finally {
      await world.stop()
    }
  })
})

describe.skipIf(isSkipped('keycloak'))('somebody with the Keycloak settings of mcpauth', () => {
  it('signs in there', { timeout: 300_000 }, async () => {
    const keycloak = await startTestKeycloak()
    try {
      const issuer = new URL(keycloak.issuer)
      const { CLIENT_ID = '', CLIENT_SECRET = '' } = keycloak.settings
      const world = await startWorld({
        front: 'builtin',
        settings: {
          PROVIDER: 'keycloak',
          KEYCLOAK_AUTH_HOST: issuer.hostname,
          KEYCLOAK_AUTH_PORT: issuer.port,
          KEYCLOAK_AUTH_PROTOCOL: 'http',
          KEYCLOAK_REALM: issuer.pathname.split('/').at(-1) ?? '',
          CLIENT_ID,
          CLIENT_SECRET,
          ALLOWED_EMAILS: '*',
        },
        file: { users: {}, allow: {} },
      })
      try {
        const signIn = (address: URL) => createBrowser().signIn(address, person('alice'))
        const session = await connectSdk1({ url: world.mcpUrl, signIn, memory: { signIns: 0 } })
        expect(await session.echo('hello')).toBe('Echo: hello')
        await session.close()
      } finally {
        await world.stop()
      }
    } finally {
      await keycloak.stop()
    }
  })
})
