/**
 * An operator with the `.env` and the labels of atrawog/mcp-oauth-gateway, as on its migration page. Only hosts, ports
 * and the scheme are changed: this machine has no certificate.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { startSampleServer } from '../../../scripts/lib/everything.ts'
import { freePort } from '../../../scripts/lib/ports.ts'
import { startProcess } from '../../../scripts/lib/processes.ts'
import { writeTraefikFiles } from '../../../scripts/lib/traefik.ts'
import { migrationPage } from '../../migrate/migration-page.ts'
import { GITHUB_CLIENT, type GithubStandIn } from '../../support/github-stand-in.ts'
import { exchange } from './http-exchange.ts'
import { type Place, startInFolder } from './in-folder.ts'
import { nameLoopback } from './loopback-names.ts'
import { toolPath } from './tools.ts'
import { configurationOf } from './traefik-labels.ts'

const PROGRAM = fileURLToPath(new URL('../../../dist/main.js', import.meta.url))
/** A domain below a top level for which clients accept http; only this process can resolve it. */
const DOMAIN = 'gw.localhost'

export interface AtrawogWorld {
  readonly mcpUrl: string
  stop(): Promise<void>
}

/** Starts Gatewarden, the sample server and Traefik; resolves once Traefik has its routes. */
export function startAtrawogWorld(github: GithubStandIn): Promise<AtrawogWorld> {
  return startInFolder('atrawog-', (place) => start(github, place))
}

async function start(github: GithubStandIn, { folder, onStop }: Place) {
  const forget = nameLoopback(DOMAIN)
  onStop(async () => forget())
  const { labelsOf, settingsOf } = migrationPage('atrawog-mcp-oauth-gateway')
  const [port, own] = [await freePort(), await freePort()]
  const {
    BASE_DOMAIN: _domain,
    REDIS_URL: _redis,
    ...settings
  } = { ...settingsOf('example: environment'), ...settingsOf('example: added settings') }
  const gatewarden = await startProcess({
    name: 'Gatewarden',
    command: process.execPath,
    args: [PROGRAM],
    cwd: folder,
    env: {
      ...settings,
      PUBLIC_URL: `http://auth.${DOMAIN}:${port}`,
      RESOURCES: `http://*.${DOMAIN}:${port}`,
      DEV_MODE: 'true',
      PORT: String(own),
      TRUSTED_PROXIES: '127.0.0.1',
      GITHUB_CLIENT_ID: GITHUB_CLIENT.id,
      GITHUB_CLIENT_SECRET: GITHUB_CLIENT.secret,
      GITHUB_URL: github.site,
      GITHUB_API_URL: github.api,
    },
    ready: () =>
      exchange(new URL(`http://127.0.0.1:${own}/readyz`)).then(
        ({ status }) => status === 200,
        () => false,
      ),
  })
  onStop(() => gatewarden.stop())
  const sample = await startSampleServer()
  onStop(() => sample.process.stop())

  const labels = labelsOf('before').map((label) =>
    label
      .replaceAll('example.com', DOMAIN)
      .replaceAll('http://auth:8000', `http://127.0.0.1:${own}`),
  )
  const dynamic = configurationOf(labels, (service) =>
    service === 'auth' ? `http://127.0.0.1:${own}` : `http://${sample.address}`,
  )
  const staticFile = writeTraefikFiles({
    binary: toolPath('traefik'),
    folder: join(folder, 'traefik'),
    port,
    addresses: ['127.0.0.1'],
    gatewayHost: `auth.${DOMAIN}`,
    resourceHost: `mcp-fetch.${DOMAIN}`,
    gatewarden: `127.0.0.1:${own}`,
    upstream: sample.address,
  })
  await writeFile(join(folder, 'traefik', 'dynamic.yml'), stringify(dynamic))
  const mcpUrl = `http://mcp-fetch.${DOMAIN}:${port}/mcp`
  const traefik = await startProcess({
    name: 'Traefik',
    command: toolPath('traefik'),
    args: [`--configFile=${staticFile}`],
    // Traefik answers 404 until it has loaded its routes.
    ready: () =>
      exchange(new URL(mcpUrl)).then(
        ({ status }) => status !== 404,
        () => false,
      ),
  })
  onStop(() => traefik.stop(500))
  return { mcpUrl }
}
