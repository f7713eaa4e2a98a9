/**
 * The official conformance programme, `@modelcontextprotocol/conformance`: its scenarios for authorization servers, and
 * its suite for MCP servers, which must have the same results behind Gatewarden as at the same server directly.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type SampleServer, startSampleServer } from '../../scripts/lib/everything.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { createBrowser } from './support/browser.ts'
import { type Check, runConformance } from './support/conformance.ts'
import { registerClient, signInByHand } from './support/hand-client.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const FRONTS = [
  { name: 'Traefik', front: 'traefik' },
  { name: 'the built-in reverse proxy', front: 'builtin' },
] as const

/**
 * The two protocols of MCP: with the initialize handshake, and stateless. The sample server does not know the second.
 * We compare there whether its refusals arrive unchanged, because clients tell the two protocols apart by them.
 */
const REVISIONS = [
  { revision: '2025-11-25', passes: 40 },
  { revision: '2026-07-28', passes: 5 },
] as const

/** The sample server accepts every web page; Gatewarden refuses foreign hosts and origins. */
const GAINED = { 'dns-rebinding-protection/localhost-host-rebinding-rejected#1': 'SUCCESS' }

describe.skipIf(isSkipped('conformance'))('the conformance programme', () => {
  let sample: SampleServer
  let folder: string
  const direct = new Map<string, Record<string, string>>()

  const suite = async (url: string, revision: string, bearer?: string) =>
    verdicts(
      await runConformance({
        command: 'server',
        args: ['--url', url, '--suite', 'all', '--spec-version', revision],
        folder,
        ...(bearer !== undefined && { bearer }),
      }),
    )

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'gatewarden-conformance-'))
    sample = await startSampleServer()
    for (const { revision } of REVISIONS) direct.set(revision, await suite(sample.url, revision))
  })
  afterAll(async () => {
    await sample?.process.stop()
    await rm(folder, { recursive: true, force: true })
  })

  describe.each(FRONTS)('behind $name', ({ front }) => {
    describe.skipIf(front === 'traefik' && isSkipped('traefik'))('Gatewarden', () => {
      let world: World
      beforeAll(async () => {
        world = await startWorld({ front, upstream: sample.address })
      })
      afterAll(() => world?.stop())

      it.each([
        { sends: 'no resource', resource: false },
        { sends: 'the resource', resource: true },
      ])(
        'has no fault as an authorization server for a client that sends $sends',
        async (client) => {
          const port = await freePort()
          const { clientId } = await registerClient({
            issuer: world.publicUrl,
            resource: world.mcpUrl,
            redirectUri: `http://127.0.0.1:${port}/callback`,
          })
          const checks = await runConformance({
            command: 'authorization',
            args: [
              ...['--url', world.publicUrl, '--client-id', clientId, '--port', String(port)],
              ...(client.resource ? ['--resource', world.mcpUrl] : []),
            ],
            folder,
            async onLine(line) {
              if (!line.startsWith(`${world.publicUrl}/authorize?`)) return
              await createBrowser().signIn(new URL(line), world.ann)
            },
          })
          expect(verdicts(checks)).toMatchObject({
            'authorization-server-metadata-endpoint/authorization-server-metadata#1': 'SUCCESS',
            'authorization-code-grant/authorization-code-grant#1': 'SUCCESS',
          })
          expect(checks.filter(({ status }) => status === 'FAILURE')).toEqual([])
        },
      )

      it.each(REVISIONS)('loses no check of the server behind it, by $revision', async (by) => {
        const expected = direct.get(by.revision) ?? {}
        const passed = Object.values(expected).filter((verdict) => verdict === 'SUCCESS').length
        expect(passed).toBeGreaterThanOrEqual(by.passes)
        const { tokens } = await signInByHand({
          issuer: world.publicUrl,
          resource: world.mcpUrl,
          person: world.ann,
        })
        expect(await suite(world.mcpUrl, by.revision, tokens.access_token)).toEqual({
          ...expected,
          ...GAINED,
        })
      })
    })
  })
})

/** The result of each check, with the reason of a failure. Its notes are left out: they vary with the timing. */
function verdicts(checks: readonly Check[]): Record<string, string> {
  const judged = checks.filter(({ status }) => status !== 'INFO')
  return Object.fromEntries(
    judged.map(({ key, status, errorMessage }) => [
      key,
      errorMessage === undefined ? status : `${status}: ${errorMessage}`,
    ]),
  )
}
