/**
 * Gatewarden and Traefik as in docs/proxies/traefik.md, on this machine's hosts and ports.
 *
 * @module
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { parse } from 'yaml'
import { startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { freePort, loopbackAddresses } from '../../../scripts/lib/ports.ts'
import { startProcess } from '../../../scripts/lib/processes.ts'
import { writeTraefikFiles } from '../../../scripts/lib/traefik.ts'
import type { Credentials } from './browser.ts'
import { exchange } from './http-exchange.ts'
import { type Place, startInFolder } from './in-folder.ts'
import { toolPath } from './tools.ts'

export interface DocumentedTraefik {
  /** PUBLIC_URL. */
  readonly issuer: string
  /** The two servers of the page. */
  readonly notes: string
  readonly wiki: string
  readonly ann: Credentials
  /** A new folder, removed at the end. */
  readonly folder: string
  /** Gatewarden's log. */
  log(): string
  /** Stops Gatewarden only, like an outage. */
  stopGatewarden(): Promise<void>
  stop(): Promise<void>
}

export interface DocumentedOptions {
  /** The `gatewarden.yaml` and the dynamic file of the page. */
  readonly gatewarden: string
  readonly dynamic: string
  /** The folder of the shipped files; `traefik` if absent. */
  readonly files?: string
  /** Changes the shipped static file. */
  readonly changeStatic?: (text: string) => string
  /** The program; the one of the other tests if absent. */
  readonly binary?: string
  /** `host:port` of the stand-in for both servers. */
  readonly upstream: string
}

/** Fills in the page's examples and starts their programs; resolves once a server answers, with or without a login. */
export function startDocumentedTraefik(options: DocumentedOptions): Promise<DocumentedTraefik> {
  return startInFolder('docs-traefik-', (place) => start(options, place))
}

async function start(
  {
    gatewarden: settings,
    dynamic,
    files = 'traefik',
    changeStatic,
    binary = toolPath('traefik'),
    upstream,
  }: DocumentedOptions,
  { folder, onStop }: Place,
): Promise<Omit<DocumentedTraefik, 'folder' | 'stop'>> {
  const [port, own] = [await freePort(), await freePort()]
  const issuer = `http://localhost:${port}`
  const origin = `http://127.0.0.1:${port}`
  const notes = `${origin}/notes/mcp`
  const here = (text: string) =>
    text
      .replaceAll('https://auth.example.com', issuer)
      .replaceAll('https://mcp.example.com', origin)
      .replaceAll('Host(`auth.example.com`)', 'Host(`localhost`)')
      .replaceAll('Host(`mcp.example.com`)', 'Host(`127.0.0.1`)')
      .replaceAll('http://gatewarden:11000', `http://127.0.0.1:${own}`)
      .replaceAll(/http:\/\/(?:notes|wiki):3001/g, `http://${upstream}`)

  const ann = { name: 'ann', password: 'correct horse battery staple' }
  const gatewarden = await startGatewarden({
    folder,
    listen: { host: '127.0.0.1', port: own },
    file: {
      ...parse(here(settings)),
      users: { ann: { email: 'ann@example.com', password_hash: await hash(ann.password) } },
    },
  })
  onStop(() => gatewarden.stop())

  const staticFile = writeTraefikFiles({
    binary,
    files,
    folder: join(folder, 'traefik'),
    port,
    addresses: loopbackAddresses(),
    gatewayHost: 'localhost',
    resourceHost: '127.0.0.1',
    gatewarden: gatewarden.address,
    upstream,
  })
  if (changeStatic) await writeFile(staticFile, changeStatic(await readFile(staticFile, 'utf8')))
  await writeFile(join(folder, 'traefik', 'dynamic.yml'), here(dynamic))
  const traefik = await startProcess({
    name: 'Traefik',
    command: binary,
    args: [`--configFile=${staticFile}`],
    // Traefik answers 404 until it has loaded its routes.
    ready: () =>
      exchange(new URL(notes)).then(
        ({ status }) => status !== 404,
        () => false,
      ),
  })
  onStop(() => traefik.stop(500))
  return {
    issuer,
    notes,
    wiki: `${origin}/wiki/mcp`,
    ann,
    log: gatewarden.log,
    stopGatewarden: () => gatewarden.stop(),
  }
}
