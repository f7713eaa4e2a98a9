/**
 * MCP clients that this project does not depend on, each at a pinned version: the Python SDK, the OAuth client of n8n, the
 * Inspector's command line, and with `npm run verify -- --all` FastMCP and the SDKs for Go and Rust, which take minutes to
 * install.
 *
 * @module
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { runForeignClient } from './support/foreign-clients.ts'
import { initializeWith } from './support/hand-client.ts'
import { callByInspector } from './support/inspector.ts'
import { signInAsN8n } from './support/n8n.ts'
import { isSkipped, toolPath } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const PROGRAMS = fileURLToPath(new URL('clients', import.meta.url))
/** No program listens there: the programs get the address of the callback. */
const REDIRECT_URI = 'http://127.0.0.1:9/callback'

let world: World
const signIn = (url: URL) => createBrowser().signIn(url, { ...world.ann, deliver: false })

describe.skipIf(isSkipped('clients'))('in front of a sample server', () => {
  beforeAll(async () => {
    world = await startWorld({ front: 'builtin' })
  })
  afterAll(() => world?.stop())

  it('the Python SDK signs in, refreshes, and comes back', async () => {
    const python = join(toolPath('clients'), 'python/bin/python')
    const memory = join(world.folder, 'python.json')
    const command = [python, join(PROGRAMS, 'python_sdk.py'), world.mcpUrl, REDIRECT_URI, memory]
    const first = await runForeignClient(command, { signIn })
    expect(first).toEqual({ echoed: ['Echo: hello', 'Echo: again'], tokens: 2, signIns: 1 })
    const second = await runForeignClient(command, { signIn })
    expect(second).toEqual({ echoed: ['Echo: hello', 'Echo: again'], tokens: 1, signIns: 0 })
  })

  it.each(['none', 'client_secret_post', 'client_secret_basic'] as const)(
    'n8n signs in and refreshes with the method %s',
    async (method) => {
      const first = await signInAsN8n({ issuer: world.publicUrl, method, signIn })
      const second = await first.refresh()
      expect(second.refreshToken).not.toBe(first.refreshToken)
      expect((await initializeWith(second.accessToken, world.mcpUrl)).status).toBe(200)
    },
  )

  it.skipIf(isSkipped('conformance'))(
    "the Inspector's command line signs in, and comes back with the tokens that it stored",
    async () => {
      const home = join(world.folder, 'inspector')
      const call = (message: string, ...args: readonly string[]) =>
        callByInspector({
          url: world.mcpUrl,
          signIn: (url) => createBrowser().signIn(url, world.ann),
          home,
          message,
          args,
        })
      const first = await call('hello')
      expect(first, first.output).toMatchObject({ exitCode: 0, signIns: 1 })
      expect(first.output).toContain('Echo: hello')
      const second = await call('again', '--use-stored-auth', '--stored-auth-only')
      expect(second, second.output).toMatchObject({ exitCode: 0, signIns: 0 })
      expect(second.output).toContain('Echo: again')
    },
  )

  it.skipIf(isSkipped('more-clients'))('FastMCP signs in once for two connections', async () => {
    const python = join(toolPath('more-clients'), 'fastmcp/bin/python')
    const command = [python, join(PROGRAMS, 'fastmcp_client.py'), world.mcpUrl]
    const run = await runForeignClient(command, {
      signIn: (url) => createBrowser().signIn(url, world.ann),
    })
    expect(run).toEqual({ echoed: ['Echo: hello', 'Echo: again'], signIns: 1 })
  })

  it.skipIf(isSkipped('more-clients')).each([
    { language: 'Go', program: 'go/client' },
    { language: 'Rust', program: 'rust/bin/client' },
  ])('the $language SDK signs in and refreshes', async ({ program: path }) => {
    const program = join(toolPath('more-clients'), path)
    const run = await runForeignClient([program, world.mcpUrl, REDIRECT_URI], { signIn })
    expect(run).toEqual({ echoed: ['Echo: hello', 'Echo: again'], tokens: 2, signIns: 1 })
  })
})
