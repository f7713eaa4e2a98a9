/**
 * Test programmes that others wrote, each at a pinned version: `mcp-authlab`, the OAuth suite of `@mcpjam/sdk`, and
 * `mcp-oauth-compliance`. None of them has a check that fails.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { runAuthlab, runCompliance, runMcpjam, type SuiteCheck } from './support/outside-suites.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const OTHER = 'http://other.localhost:8080/mcp'
const PROGRAM = { id: 'nightly', secret: 'a-secret-of-sufficient-length-for-a-program' }

describe.skipIf(isSkipped('suites'))('a gateway in front of a sample server', () => {
  let world: World

  beforeAll(async () => {
    world = await startWorld({
      front: 'builtin',
      // mcp-oauth-compliance names no resource (decision K43).
      resource: { default: true },
      moreResources: ({ upstream }) => ({
        other: { url: OTHER, upstream: `http://${upstream}/mcp` },
      }),
      file: {
        clients: [
          {
            client_id: PROGRAM.id,
            client_secret: PROGRAM.secret,
            client_name: 'Nightly job',
            grant_types: ['client_credentials'],
            resources: ['sample'],
          },
        ],
      },
    })
  })
  afterAll(() => world?.stop())

  const target = () => ({
    url: world.mcpUrl,
    signIn: (url: URL) => createBrowser().signIn(url, world.ann),
  })

  it('is conformant for mcp-authlab, with every check run', async () => {
    const checks = await runAuthlab({ ...target(), foreign: OTHER, folder: world.folder })
    expect(checks.filter(({ status }) => status === 'pass').length).toBeGreaterThanOrEqual(32)
    expect(withStatus(checks, 'fail', 'error')).toEqual([])
    // Plain http, on loopback.
    expect(withStatus(checks, 'warn').map(({ id }) => id)).toEqual(['TLS-01'])
    expect(withStatus(checks, 'skip').map(({ id }) => id)).toEqual([])
  })

  it.each(['2025-03-26', '2025-06-18', '2025-11-25'])(
    'passes each step of @mcpjam/sdk by revision %s',
    async (protocolVersion) => {
      const checks = await runMcpjam({
        ...target(),
        protocolVersion,
        registrationStrategy: 'dcr',
      })
      expect(checks.length).toBeGreaterThan(15)
      expect(checks.filter(({ status }) => status !== 'passed')).toEqual([])
    },
  )

  it('passes each step of @mcpjam/sdk for a program without a person', async () => {
    const client = { clientId: PROGRAM.id, clientSecret: PROGRAM.secret }
    const checks = await runMcpjam({
      ...target(),
      protocolVersion: '2025-11-25',
      registrationStrategy: 'preregistered',
      auth: { mode: 'client_credentials', ...client },
      client: { preregistered: client },
      oauthConformanceChecks: false,
    })
    expect(withStatus(checks, 'failed')).toEqual([])
    expect(checks.at(-1)).toMatchObject({ id: 'list_tools', status: 'passed' })
  })

  it('has no fault for mcp-oauth-compliance', async () => {
    const checks = await runCompliance(target())
    expect(withStatus(checks, 'pass').length).toBeGreaterThanOrEqual(64)
    expect(withStatus(checks, 'fail')).toEqual([])
    // Plain http, on loopback.
    for (const { message } of withStatus(checks, 'warning')) expect(message).toMatch(/HTTPS?\b/)
  })
})

const withStatus = (checks: readonly SuiteCheck[], ...wanted: readonly string[]) =>
  checks.filter(({ status }) => wanted.includes(status))
