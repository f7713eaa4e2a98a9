/**
 * Gatewarden and nginx as in docs/proxies/nginx.md, on this machine's hosts and ports.
 *
 * @module
 */
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { parse } from 'yaml'
import { startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { startNginx } from '../../../scripts/lib/nginx.ts'
import { freePort, loopbackAddresses } from '../../../scripts/lib/ports.ts'
import type { Credentials } from './browser.ts'
import { type Place, startInFolder } from './in-folder.ts'
import { toolPath } from './tools.ts'

export interface DocumentedNginx {
  /** PUBLIC_URL. */
  readonly issuer: string
  /** The two servers of the page. */
  readonly notes: string
  readonly wiki: string
  readonly ann: Credentials
  /** A new folder, removed at the end. */
  readonly folder: string
  stop(): Promise<void>
}

export interface DocumentedNginxOptions {
  /** The `gatewarden.yaml` and the site of the page. */
  readonly gatewarden: string
  readonly site: string
  /** `host:port` of the stand-in for both servers. */
  readonly upstream: string
}

/** Fills in the page's examples, without TLS, and starts their programs. */
export function startDocumentedNginx(options: DocumentedNginxOptions): Promise<DocumentedNginx> {
  return startInFolder('docs-nginx-', (place) => start(options, place))
}

async function start(
  { gatewarden: settings, site, upstream }: DocumentedNginxOptions,
  { folder, onStop }: Place,
): Promise<Omit<DocumentedNginx, 'folder' | 'stop'>> {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const origin = `http://127.0.0.1:${port}`
  const here = settings
    .replaceAll('https://auth.example.com', issuer)
    .replaceAll('https://mcp.example.com', origin)
  const ann = { name: 'ann', password: 'correct horse battery staple' }
  const gatewarden = await startGatewarden({
    folder,
    file: {
      ...parse(here),
      users: { ann: { email: 'ann@example.com', password_hash: await hash(ann.password) } },
    },
  })
  onStop(() => gatewarden.stop())

  const addresses = loopbackAddresses()
  const listen = addresses.map((address) => `listen ${address}:${port};`).join(' ')
  const nginx = await startNginx({
    binary: toolPath('nginx'),
    folder: join(folder, 'nginx'),
    port,
    addresses,
    gatewayHost: 'localhost',
    resourceHost: '127.0.0.1',
    gatewarden: gatewarden.address,
    upstream,
    change: (text, name) =>
      name === 'two-hosts.conf'
        ? site
            .replaceAll('listen 443 ssl;', listen)
            .replaceAll(/^ +ssl_.*\n/gm, '')
            .replaceAll('auth.example.com', 'localhost')
            .replaceAll('mcp.example.com', '127.0.0.1')
            .replaceAll(/127\.0\.0\.1:300[12]/g, upstream)
        : text,
  })
  onStop(() => nginx.stop())
  return { issuer, notes: `${origin}/notes/mcp`, wiki: `${origin}/wiki/mcp`, ann }
}
