/**
 * Real MCP clients reach the sample server through Gatewarden: they discover, register, sign a person in, call a tool,
 * and connect again later without another sign-in.
 *
 * @module
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { blockOf, readPage } from '../support/documentation.ts'
import { createBrowser } from './support/browser.ts'
import { startChromium } from './support/chromium.ts'
import { signInWithChromium } from './support/chromium-login.ts'
import type { SignIn } from './support/client-memory.ts'
import {
  connectSdk1,
  connectSdk2,
  type Sdk1Memory,
  type Sdk2Memory,
} from './support/mcp-clients.ts'
import { connectMcpRemote } from './support/mcp-remote.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

/** The locations of docs/servers.md for `PATH_PREFIX`. */
const LOCATIONS = blockOf(readPage('docs/servers.md'), 'nginx: one host for everything')

const FRONTS = [
  { name: 'Traefik, one origin', front: 'traefik' },
  { name: 'Traefik, two hosts', front: 'traefik', twoHosts: true },
  { name: 'nginx, one origin', front: 'nginx' },
  { name: 'nginx, two hosts', front: 'nginx', twoHosts: true },
  { name: 'the built-in reverse proxy', front: 'builtin' },
  {
    name: 'pass-through, below a prefix',
    front: 'builtin',
    settings: { PATH_PREFIX: '/auth-gw' },
  },
  {
    name: 'nginx, one origin, below a prefix',
    front: 'nginx',
    settings: { PATH_PREFIX: '/auth-gw' },
    changeNginx: (text: string) => text.replace('include gatewarden/gateway.conf;', LOCATIONS),
  },
] as const

describe.each(FRONTS)('behind $name', (options) => {
  describe.skipIf(options.front !== 'builtin' && isSkipped(options.front))('a client', () => {
    let world: World
    let signIn: SignIn

    beforeAll(async () => {
      world = await startWorld(options)
      signIn = (url) => createBrowser().signIn(url, world.ann)
    })
    afterAll(() => world?.stop())

    it('made of the 1.x SDK signs in once, even across a restart', async () => {
      const memory: Sdk1Memory = { signIns: 0 }
      const first = await connectSdk1({ url: world.mcpUrl, signIn, memory })
      expect(await first.listTools()).toContain('echo')
      expect(await first.echo('hello')).toBe('Echo: hello')
      await first.close()
      await world.restart()
      const second = await connectSdk1({ url: world.mcpUrl, signIn, memory })
      expect(await second.echo('again')).toBe('Echo: again')
      await second.close()
      expect(memory.signIns).toBe(1)
    })

    it('made of the 2.x SDK signs in once', async () => {
      const memory: Sdk2Memory = { signIns: 0 }
      for (const message of ['hello', 'again']) {
        const session = await connectSdk2({ url: world.mcpUrl, signIn, memory })
        expect(await session.echo(message)).toBe(`Echo: ${message}`)
        await session.close()
      }
      expect(memory.signIns).toBe(1)
    })

    it('such as mcp-remote signs in once', async () => {
      const home = join(world.folder, 'mcp-remote')
      const first = await connectMcpRemote({ url: world.mcpUrl, signIn, home })
      expect(await first.echo('hello')).toBe('Echo: hello')
      expect(first.signIns()).toBe(1)
      await first.close()
      const second = await connectMcpRemote({ url: world.mcpUrl, signIn, home })
      expect(await second.echo('again')).toBe('Echo: again')
      expect(second.signIns()).toBe(0)
      await second.close()
    })

    it('of someone who is not allowed in gets no code', async () => {
      const memory: Sdk1Memory = { signIns: 0 }
      const asBob: SignIn = (url) => createBrowser().signIn(url, world.bob)
      await expect(connectSdk1({ url: world.mcpUrl, signIn: asBob, memory })).rejects.toThrow(
        /the login stops at .*\(403\)/,
      )
      expect(memory.tokens).toBeUndefined()
    })

    it('is told when the person says no', async () => {
      const memory: Sdk1Memory = { signIns: 0 }
      const refuse: SignIn = (url) =>
        createBrowser().signIn(url, { ...world.ann, decision: 'deny' })
      await expect(connectSdk1({ url: world.mcpUrl, signIn: refuse, memory })).rejects.toThrow(
        'access_denied',
      )
    })
  })
})

describe.skipIf(isSkipped('traefik') || isSkipped('chromium'))('a person with Chromium', () => {
  it.each([{ tls: false }, { tls: true }])(
    'signs in on a keyboard-and-mouse browser (TLS: $tls)',
    async ({ tls }) => {
      const world = await startWorld({ front: 'traefik', tls })
      const chromium = await startChromium()
      try {
        const context = await chromium.newContext({ ignoreHTTPSErrors: tls })
        const page = await context.newPage()
        const home = join(world.folder, 'mcp-remote')
        const session = await connectMcpRemote({
          url: world.mcpUrl,
          signIn: (url) => signInWithChromium(page, url, world.ann),
          home,
          ...(world.certificate && { certificateAuthority: world.certificate.certFile }),
        })
        expect(await session.echo('hello')).toBe('Echo: hello')
        await session.close()
      } finally {
        await chromium.close()
        await world.stop()
      }
    },
  )
})
