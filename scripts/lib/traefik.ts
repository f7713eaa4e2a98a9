/**
 * Runs Traefik with the files of `traefik/`; only hosts, ports and paths differ.
 *
 * @module
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, parseDocument } from 'yaml'
import { type RunningProcess, startProcess } from './processes.ts'
import { type ProxyOptions, probe } from './proxy.ts'

/** Writes both files, changed only in hosts, ports and paths. @returns the path of the static file */
export function writeTraefikFiles(options: ProxyOptions): string {
  const shipped = (name: string): Document =>
    parseDocument(
      readFileSync(new URL(`../../${options.files ?? 'traefik'}/${name}`, import.meta.url), 'utf8'),
    )
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
  if (options.gatewayHost !== options.resourceHost) {
    const path = ['http', 'routers', 'mcp', 'middlewares']
    const names: string[] = dynamic.toJS().http.routers.mcp.middlewares
    dynamic.setIn(
      path,
      names.filter((name) => name !== 'mcp-sandbox'),
    )
  }
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
export async function startTraefik(options: ProxyOptions): Promise<RunningProcess> {
  const running = await startProcess({
    name: 'Traefik',
    command: options.binary,
    args: [`--configFile=${writeTraefikFiles(options)}`],
    ready: () => hasRoutes(options),
  })
  // Traefik waits 10 s for open streams, which MCP clients always have.
  return { ...running, stop: () => running.stop(500) }
}

/** True once Traefik has loaded its routes; before that it answers every request with a 404 of its own. */
async function hasRoutes(options: ProxyOptions): Promise<boolean> {
  const body = await probe(options, {
    path: '/.well-known/oauth-protected-resource',
    name: options.resourceHost,
    authority: `${options.resourceHost}:${options.port}`,
  })
  return body !== undefined && body !== '404 page not found\n'
}
