/**
 * The parts of deploy/domain/compose.yaml without Docker: the real Traefik with its flags and routes, Gatewarden with its
 * environment, and a client that signs in.
 *
 * @module
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { stringify } from 'yaml'
import { startSampleServer } from '../../scripts/lib/everything.ts'
import { startGatewarden } from '../../scripts/lib/gatewarden.ts'
import { freePort } from '../../scripts/lib/ports.ts'
import { startProcess } from '../../scripts/lib/processes.ts'
import { readDomainCompose } from '../support/compose.ts'
import { makeCertificate } from './support/certificate.ts'
import { initializeWith, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { startInFolder } from './support/in-folder.ts'
import { nameLoopback } from './support/loopback-names.ts'
import { isSkipped, toolPath } from './support/tools.ts'

it.skipIf(isSkipped('traefik'))(
  'the compose file for a domain protects its server, and its person signs in',
  async () => {
    const { services, configs } = readDomainCompose({
      DOMAIN: 'example.com',
      EMAIL: 'ann@example.com',
    })
    const unname = nameLoopback('example.com')
    const world = await startInFolder('compose-domain-', async ({ folder, onStop }) => {
      const [web, websecure] = [await freePort(), await freePort()]
      const sample = await startSampleServer()
      onStop(() => sample.process.stop())
      const environment = Object.entries(services.gatewarden.environment).map(([name, value]) => [
        name,
        value
          .replace(/^https:\/\/\w+\.example\.com/, `$&:${websecure}`)
          .replace('mcp-server:3001', sample.address)
          .replace(services.traefik.networks.front.ipv4_address, '127.0.0.1'),
      ])
      const gatewarden = await startGatewarden({
        folder,
        settings: Object.fromEntries(environment),
      })
      onStop(() => gatewarden.stop())

      const certificate = await makeCertificate(folder, ['auth.example.com', 'mcp.example.com'])
      const routes = join(folder, 'routes.yml')
      writeFileSync(
        routes,
        configs.routes.content.replace('gatewarden:11000', gatewarden.address) +
          stringify({ tls: { certificates: [certificate] } }),
      )
      const flags = services.traefik.command.map((flag) =>
        flag
          .replace(/=:80$/, `=127.0.0.1:${web}`)
          .replace(/=:443$/, `=127.0.0.1:${websecure}`)
          .replace('=/acme/', `=${folder}/`)
          .replace(/(file\.filename=).*/, `$1${routes}`),
      )
      const issuer = `https://auth.example.com:${websecure}`
      const traefik = await startProcess({
        name: 'Traefik',
        command: toolPath('traefik'),
        // Let's Encrypt knows no example.com: nobody answers here.
        args: [
          ...flags,
          '--certificatesResolvers.letsencrypt.acme.caServer=http://127.0.0.1:9/directory',
        ],
        ready: () =>
          exchange(new URL('/jwks', issuer)).then(
            ({ status }) => status === 200,
            () => false,
          ),
      })
      onStop(() => traefik.stop(500))
      return { issuer, resource: `https://mcp.example.com:${websecure}/mcp` }
    })
    try {
      const { issuer, resource, folder } = world
      const users = join(folder, 'data', 'users')
      const [file = ''] = readdirSync(users).filter((name) => name.endsWith('.password'))
      const person = {
        name: 'ann@example.com',
        password: readFileSync(join(users, file), 'utf8').trim(),
      }
      expect((await exchange(new URL(resource))).status).toBe(401)
      const { tokens } = await signInByHand({ issuer, resource, person })
      const answer = await initializeWith(tokens.access_token, resource)
      expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('"serverInfo"')])
      for (const path of ['/auth/traefik', '/healthz', '/readyz', '/verify']) {
        expect((await exchange(new URL(path, issuer))).status).toBe(404)
      }
    } finally {
      await world.stop()
      unname()
    }
  },
)
