/**
 * Traefik in front of Keycloak, with the routers of docs/providers/keycloak.md.
 *
 * @module
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../../scripts/lib/ports.ts'
import { startProcess } from '../../../scripts/lib/processes.ts'
import { writeTraefikFiles } from '../../../scripts/lib/traefik.ts'
import { blockOf, readPage } from '../../support/documentation.ts'
import { exchange } from './http-exchange.ts'
import { startInFolder } from './in-folder.ts'
import { toolPath } from './tools.ts'

export interface KeycloakProxy {
  /** The issuer of the realm, as Keycloak names itself behind this Traefik. */
  readonly issuer: string
  stop(): Promise<void>
}

/**
 * Fills in the page's routers and starts Traefik; resolves once the realm answers through it.
 * @param issuer the realm at Keycloak's own address
 * @param admins the addresses that may use the console, in place of the page's
 */
export function startKeycloakProxy(issuer: string, admins?: string): Promise<KeycloakProxy> {
  return startInFolder('keycloak-proxy-', async ({ folder, onStop }) => {
    const { origin, host, pathname } = new URL(issuer)
    const port = await freePort()
    const staticFile = writeTraefikFiles({
      binary: toolPath('traefik'),
      folder,
      port,
      addresses: ['127.0.0.1'],
      gatewayHost: '127.0.0.1',
      resourceHost: '127.0.0.1',
      gatewarden: host,
      upstream: host,
    })
    const routers = blockOf(readPage('docs/providers/keycloak.md'), 'example: keycloak.yml')
      .replaceAll('id.example.com', '127.0.0.1')
      .replaceAll('/realms/main', pathname)
      .replaceAll('http://keycloak:8080', origin)
      .replace('192.0.2.0/24', admins ?? '192.0.2.0/24')
    await writeFile(join(folder, 'dynamic.yml'), routers)
    const proxied = `http://127.0.0.1:${port}${pathname}`
    const traefik = await startProcess({
      name: 'Traefik',
      command: toolPath('traefik'),
      args: [`--configFile=${staticFile}`],
      // Traefik answers 404 until it has loaded its routes.
      ready: () =>
        exchange(new URL(`${proxied}/.well-known/openid-configuration`)).then(
          ({ status }) => status === 200,
          () => false,
        ),
    })
    onStop(() => traefik.stop(500))
    return { issuer: proxied }
  })
}
