/**
 * The files of docs/proxies/pangolin.md on this machine: Traefik with a file of the operator, and with the routers of Pangolin
 * as middleware-manager serves them. Only hosts, ports and the scheme are changed: this machine has no certificate.
 *
 * @module
 */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { parse, parseDocument } from 'yaml'
import { z } from 'zod'
import { startSampleServer } from '../../../scripts/lib/everything.ts'
import { startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { freePort } from '../../../scripts/lib/ports.ts'
import { startProcess } from '../../../scripts/lib/processes.ts'
import { writeTraefikFiles } from '../../../scripts/lib/traefik.ts'
import { blockOf, readPage } from '../../support/documentation.ts'
import type { Credentials } from './browser.ts'
import { exchange } from './http-exchange.ts'
import { type Place, startInFolder } from './in-folder.ts'
import { nameLoopback } from './loopback-names.ts'
import { toolPath } from './tools.ts'

const PAGE = readPage('docs/proxies/pangolin.md')
/** A domain below a top level for which clients accept http; only this process can resolve it. */
const DOMAIN = 'gw.localhost'
const Templates = z.object({
  middlewares: z.array(z.object({ id: z.string(), type: z.string(), config: z.unknown() })),
})

export interface PangolinWorld {
  readonly issuer: string
  readonly mcpUrl: string
  readonly ann: Credentials
  stop(): Promise<void>
}

export const startPangolinWorld = (): Promise<PangolinWorld> => startInFolder('pangolin-', start)

async function start({ folder, onStop }: Place): Promise<Omit<PangolinWorld, 'stop'>> {
  const forget = nameLoopback(DOMAIN)
  onStop(async () => forget())
  const [port, own] = [await freePort(), await freePort()]
  const here = (text: string) =>
    text
      .replaceAll(/https:\/\/(\w+)\.example\.com/g, `http://$1.${DOMAIN}:${port}`)
      .replaceAll('.example.com`', `.${DOMAIN}\``)
      .replaceAll('http://gatewarden:11000', `http://127.0.0.1:${own}`)
  const ann = { name: 'ann', password: 'correct horse battery staple' }
  const gatewarden = await startGatewarden({
    folder,
    listen: { host: '127.0.0.1', port: own },
    settings: { DEV_MODE: 'true' },
    file: {
      ...parse(here(blockOf(PAGE, 'example: gatewarden.yaml'))),
      trusted_proxies: ['127.0.0.1'],
      users: { ann: { email: 'ann@example.com', password_hash: await hash(ann.password) } },
    },
  })
  onStop(() => gatewarden.stop())
  const sample = await startSampleServer()
  onStop(() => sample.process.stop())

  const { middlewares } = Templates.parse(parse(here(blockOf(PAGE, 'example: templates.yaml'))))
  const manager = createServer((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(merged(middlewares, sample.address))),
  ).listen(0, '127.0.0.1')
  await once(manager, 'listening')
  onStop(async () => manager.close())
  const managed = manager.address()
  if (managed === null || typeof managed === 'string') throw new Error('no TCP port')

  const staticFile = writeTraefikFiles({
    binary: toolPath('traefik'),
    folder: join(folder, 'traefik'),
    port,
    addresses: ['127.0.0.1'],
    gatewayHost: `auth.${DOMAIN}`,
    resourceHost: `mcp.${DOMAIN}`,
    gatewarden: gatewarden.address,
    upstream: sample.address,
  })
  const fixed = parseDocument(readFileSync(staticFile, 'utf8'))
  fixed.setIn(['providers', 'http'], {
    endpoint: `http://127.0.0.1:${managed.port}/api/v1/traefik-config`,
    pollInterval: '1s',
  })
  writeFileSync(staticFile, fixed.toString())
  const dynamic = parseDocument(here(blockOf(PAGE, 'example: dynamic_config.yml')))
  for (const name of ['entryPoints', 'tls'])
    dynamic.deleteIn(['http', 'routers', 'gatewarden', name])
  writeFileSync(join(folder, 'traefik', 'dynamic.yml'), dynamic.toString())
  const mcpUrl = `http://mcp.${DOMAIN}:${port}/mcp`
  const issuer = `http://auth.${DOMAIN}:${port}`
  const isRouted = (url: string) =>
    exchange(new URL(url)).then(
      ({ status }) => status !== 404,
      () => false,
    )
  const traefik = await startProcess({
    name: 'Traefik',
    command: toolPath('traefik'),
    args: [`--configFile=${staticFile}`],
    ready: async () => (await isRouted(mcpUrl)) && (await isRouted(`${issuer}/jwks`)),
  })
  onStop(() => traefik.stop(500))
  return { issuer, mcpUrl, ann }
}

/** Pangolin's router of the server with the middlewares that somebody attached, the one of the higher priority first. */
const merged = (middlewares: z.infer<typeof Templates>['middlewares'], upstream: string) => ({
  http: {
    middlewares: Object.fromEntries(
      middlewares.map(({ id, type, config }) => [id, { [type]: config }]),
    ),
    routers: {
      '1-mcp-router': {
        rule: `Host(\`mcp.${DOMAIN}\`)`,
        service: '1-mcp-service',
        priority: 100,
        middlewares: ['gatewarden-cors', 'gatewarden-mcp'],
      },
    },
    services: {
      '1-mcp-service': { loadBalancer: { servers: [{ url: `http://${upstream}` }] } },
    },
  },
})
