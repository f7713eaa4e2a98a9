/**
 * Runs Traefik with the very files of `traefik/`, other hosts and ports filled in.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { join } from 'node:path'
import { type Document, parseDocument } from 'yaml'
import { type RunningProcess, startProcess } from './processes.ts'

export interface TraefikOptions {
  /** Path of the program. */
  readonly binary: string
  /** Where the filled-in files are written; made when absent. */
  readonly folder: string
  readonly port: number
  /** Addresses to listen on: `127.0.0.1`, `[::1]`. */
  readonly addresses: readonly string[]
  /** Host of PUBLIC_URL, without port. */
  readonly gatewayHost: string
  /** Host of the MCP server as clients name it, without port. */
  readonly resourceHost: string
  /** `host:port` of Gatewarden. */
  readonly gatewarden: string
  /** `host:port` of the MCP server. */
  readonly upstream: string
  /** Paths of a certificate and its key: listen with TLS. */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string }
}

/** Writes both files with the hosts, ports and paths of `options`, and nothing else changed. Returns the static one's path. */
export function writeTraefikFiles(options: TraefikOptions): string {
  const shipped = (name: string): Document =>
    parseDocument(readFileSync(new URL(`../../traefik/${name}`, import.meta.url), 'utf8'))
  const dynamic = shipped('dynamic.yml')
  const setHost = (router: string, host: string) => {
    const path = ['http', 'routers', router, 'rule']
    const rule = String(dynamic.getIn(path))
    dynamic.setIn(
      path,
      rule.replace(/Host\(`[^`]*`\)/, () => `Host(\`${host}\`)`),
    )
  }
  setHost('gatewarden', options.gatewayHost)
  setHost('mcp-discovery', options.resourceHost)
  setHost('mcp', options.resourceHost)
  const setAddress = (path: readonly (string | number)[], address: string) => {
    const url = new URL(String(dynamic.getIn(path)))
    url.host = address
    dynamic.setIn(path, url.href)
  }
  const server = (name: string) => ['http', 'services', name, 'loadBalancer', 'servers', 0, 'url']
  setAddress(['http', 'middlewares', 'gatewarden', 'forwardAuth', 'address'], options.gatewarden)
  setAddress(server('gatewarden'), options.gatewarden)
  setAddress(server('mcp'), options.upstream)

  const fixed = shipped('traefik.yml')
  const entryPoint = fixed.getIn(['entryPoints', 'web'])
  for (const [index, address] of options.addresses.entries()) {
    const name = index === 0 ? 'web' : `web${index + 1}`
    const copy = fixed.createNode(entryPoint).clone()
    fixed.setIn(['entryPoints', name], copy)
    fixed.setIn(['entryPoints', name, 'address'], `${address}:${options.port}`)
    if (options.certificate) fixed.setIn(['entryPoints', name, 'http', 'tls'], {})
  }
  if (options.certificate) dynamic.setIn(['tls', 'certificates'], [options.certificate])
  const dynamicFile = join(options.folder, 'dynamic.yml')
  fixed.setIn(['providers', 'file', 'filename'], dynamicFile)

  mkdirSync(options.folder, { recursive: true })
  const staticFile = join(options.folder, 'traefik.yml')
  writeFileSync(dynamicFile, dynamic.toString())
  writeFileSync(staticFile, fixed.toString())
  return staticFile
}

/** Starts Traefik; resolves once its routes are loaded. */
export async function startTraefik(options: TraefikOptions): Promise<RunningProcess> {
  const running = await startProcess({
    name: 'Traefik',
    command: options.binary,
    args: [`--configFile=${writeTraefikFiles(options)}`],
    ready: () => hasRoutes(options),
  })
  // Traefik waits 10 s for open streams, which MCP clients always have.
  return { ...running, stop: () => running.stop(500) }
}

/** Before its routes are loaded Traefik answers every request with a 404 of its own. */
function hasRoutes(options: TraefikOptions): Promise<boolean> {
  return new Promise((resolve) => {
    const send = options.certificate ? requestTls : request
    const probe = send({
      host: (options.addresses[0] ?? '127.0.0.1').replace(/[[\]]/g, ''),
      port: options.port,
      path: '/.well-known/oauth-protected-resource',
      headers: { host: `${options.resourceHost}:${options.port}` },
      ...(options.certificate && { rejectUnauthorized: false, servername: options.resourceHost }),
      timeout: 2_000,
    })
    probe.on('timeout', () => probe.destroy())
    probe.on('error', () => resolve(false))
    probe.on('response', (answer) => {
      let body = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk
      })
      answer.on('end', () => resolve(body !== '404 page not found\n'))
    })
    probe.end()
  })
}
