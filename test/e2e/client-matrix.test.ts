/**
 * The long matrices of `npm run verify -- --all`: each client behind each proxy, by each revision of MCP that it knows, and
 * each client with the discovery documents in both places (`DISCOVERY_AT`, decision 0070).
 *
 * @module
 */
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EVERY_CLIENT, type EveryClient } from './support/every-client.ts'
import {
  type Revision,
  type RevisionServer,
  startRevisionServer,
} from './support/revision-server.ts'
import { isSkipped } from './support/tools.ts'
import { startWorld, type World } from './support/world.ts'

const FRONTS = [
  { name: 'pass-through', front: 'builtin' },
  { name: 'Traefik', front: 'traefik' },
  { name: 'nginx', front: 'nginx' },
] as const

const PLACES = [
  { discoveryAt: 'resource', isRouted: true },
  { discoveryAt: 'gateway', isRouted: true },
  { discoveryAt: 'gateway', isRouted: false },
] as const

const EACH_REVISION = EVERY_CLIENT.flatMap((client) =>
  client.revisions.map((revision) => ({ name: client.name, client, revision })),
)

/** Every client comes from one address here. */
const SETTINGS = { RATE_LIMIT: '0' }

/** Takes the routes of Gatewarden away from the protected host, as in files that came with another system. */
const withoutRoutes = (text: string, name: string) =>
  name === 'two-hosts.conf'
    ? text.replace(
        /(server_name 127\.0\.0\.1;[^}]*?)(include gatewarden\/server\.conf;)/,
        '$1location ~ /\\.well-known/ { return 404; }\n' +
          '    location ~ ^/(authorize|token|register)$ { return 404; }\n    $2',
      )
    : text

const needed = ['clients', 'more-clients', 'conformance'] as const

describe.skipIf(needed.some(isSkipped))('each client', () => {
  let server: RevisionServer
  let world: World
  beforeAll(async () => {
    server = await startRevisionServer()
  })
  afterAll(() => server?.close())

  async function callBy(client: EveryClient, revision: Revision): Promise<void> {
    server.speak(revision)
    const echoed = await client.call({
      url: world.mcpUrl,
      issuer: world.publicUrl,
      person: world.ann,
      folder: await mkdtemp(join(world.folder, 'client-')),
      revision,
    })
    expect(echoed[0]).toBe('Echo: hello')
    expect(server.calls()).toEqual(echoed.map(() => 'echo'))
  }

  describe.each(FRONTS)('behind $name', ({ front }) => {
    describe.skipIf(front !== 'builtin' && isSkipped(front))('signs in', () => {
      beforeAll(async () => {
        world = await startWorld({ front, upstream: server.address, settings: SETTINGS })
      })
      afterAll(() => world?.stop())

      it.each(EACH_REVISION)('$name by $revision', ({ client, revision }) =>
        callBy(client, revision),
      )
    })
  })

  describe.skipIf(isSkipped('nginx')).each(PLACES)(
    'with DISCOVERY_AT=$discoveryAt (well-known paths of the server routed: $isRouted)',
    ({ discoveryAt, isRouted }) => {
      beforeAll(async () => {
        world = await startWorld({
          front: 'nginx',
          twoHosts: true,
          upstream: server.address,
          settings: { ...SETTINGS, DISCOVERY_AT: discoveryAt },
          ...(!isRouted && { changeNginx: withoutRoutes }),
        })
      })
      afterAll(() => world?.stop())

      it.each(EVERY_CLIENT)('signs in: $name', (client) => callBy(client, '2025-11-25'))
    },
  )

  describe.skipIf(isSkipped('nginx'))('with DISCOVERY_AT=resource and nothing routed', () => {
    beforeAll(async () => {
      world = await startWorld({
        front: 'nginx',
        twoHosts: true,
        upstream: server.address,
        settings: SETTINGS,
        changeNginx: withoutRoutes,
      })
    })
    afterAll(() => world?.stop())

    const discovering = EVERY_CLIENT.filter(({ isToldTheLogin }) => !isToldTheLogin)
    it.each(discovering)('cannot sign in: $name', async (client) => {
      await expect(callBy(client, '2025-11-25')).rejects.toThrow()
      expect(server.calls()).toEqual([])
    })
  })
})
