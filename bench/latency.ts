/**
 * The latency that the check adds to a request through a real proxy: the same server behind the same proxy, with and
 * without Gatewarden.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { freePort } from '../scripts/lib/ports.ts'
import { startProcess } from '../scripts/lib/processes.ts'
import { findTraefik } from '../scripts/lib/traefik-binary.ts'
import { flood, type Load, steady } from './load.ts'
import { startServer, table } from './under-test.ts'

const STEADY = { perSecond: 500, seconds: 10, connections: 32 }
const WARM_UP = { count: 2000, connections: 8 }
const HOST = 'mcp.example.com'
const PATHS = { without: '/open/mcp', with: '/notes/mcp' }

interface Proxy {
  readonly name: string
  readonly port: number
  stop(): Promise<void>
}

export async function benchLatency(folder: string): Promise<void> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const gateway = await startServer({ kind: 'gatewarden', store: 'memory' })
  const places = { folder, upstream: `127.0.0.1:${address.port}`, port: gateway.port }
  const rows: string[][] = []
  for (const start of [startTraefik, startNginx]) {
    const proxy = await start(places)
    if (!proxy) continue
    for (const way of ['without', 'with'] as const) {
      const load = request(proxy.port, PATHS[way], gateway.tokens.warm)
      const { status } = await flood(load, WARM_UP)
      if (status !== 200) throw new Error(`${proxy.name} answered ${status}`)
      const { p50, p99 } = await steady(load, STEADY)
      rows.push([`${proxy.name}, ${way} Gatewarden`, p50.toFixed(2), p99.toFixed(2)])
    }
    await proxy.stop()
  }
  table(['through', `p50 ms at ${STEADY.perSecond}/s`, 'p99 ms'], rows)
  gateway.stop()
  server.close()
}

function request(port: number, path: string, token: string): Load {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${HOST}`,
    'Accept: application/json, text/event-stream',
    `Authorization: Bearer ${token}`,
    'Mcp-Protocol-Version: 2025-11-25',
  ]
  return { port, request: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`) }
}

interface Places {
  readonly folder: string
  /** `host:port` of the protected server. */
  readonly upstream: string
  /** The port of Gatewarden. */
  readonly port: number
}

async function startTraefik({ folder, upstream, port }: Places): Promise<Proxy | undefined> {
  const found = await findTraefik('.verify')
  if (!found) return missing('Traefik')
  const entry = await freePort()
  const place = join(folder, 'traefik')
  mkdirSync(place, { recursive: true })
  const dynamic = {
    http: {
      routers: {
        open: { rule: `Path(\`${PATHS.without}\`)`, service: 'mcp' },
        guarded: { rule: `Path(\`${PATHS.with}\`)`, service: 'mcp', middlewares: ['login'] },
      },
      middlewares: {
        login: {
          forwardAuth: {
            address: `http://127.0.0.1:${port}/auth/traefik`,
            trustForwardHeader: false,
            maxResponseBodySize: 1_048_576,
            authResponseHeaders: ['Authorization', 'X-Forwarded-User', 'X-Forwarded-Email'],
          },
        },
      },
      services: { mcp: { loadBalancer: { servers: [{ url: `http://${upstream}` }] } } },
    },
  }
  const dynamicFile = join(place, 'dynamic.yml')
  const staticFile = join(place, 'traefik.yml')
  // Traefik reads YAML, and JSON is YAML.
  writeFileSync(dynamicFile, JSON.stringify(dynamic))
  writeFileSync(
    staticFile,
    JSON.stringify({
      entryPoints: { web: { address: `127.0.0.1:${entry}` } },
      providers: { file: { filename: dynamicFile } },
      global: { checkNewVersion: false, sendAnonymousUsage: false },
    }),
  )
  const { stop } = await startProcess({
    name: 'Traefik',
    command: found.binary,
    args: [`--configFile=${staticFile}`],
    ready: () => answers(entry),
  })
  return { name: 'Traefik', port: entry, stop: () => stop(500) }
}

async function startNginx({ folder, upstream, port }: Places): Promise<Proxy | undefined> {
  const binary = nginxBinary()
  if (!binary) return missing('nginx')
  const entry = await freePort()
  const place = join(folder, 'nginx')
  mkdirSync(place, { recursive: true })
  const file = join(place, 'nginx.conf')
  writeFileSync(
    file,
    `daemon off; pid ${place}/pid; error_log stderr warn; worker_processes 1;
events {}
http {
  access_log off; client_body_temp_path ${place}; proxy_temp_path ${place};
  fastcgi_temp_path ${place}; uwsgi_temp_path ${place}; scgi_temp_path ${place};
  upstream gatewarden { server 127.0.0.1:${port}; keepalive 16; }
  upstream mcp { server ${upstream}; keepalive 16; }
  proxy_http_version 1.1; proxy_set_header Connection "";
  server {
    listen 127.0.0.1:${entry}; keepalive_requests 1000000;
    location = ${PATHS.without} { proxy_pass http://mcp; }
    location = ${PATHS.with} { auth_request /_gatewarden; proxy_pass http://mcp; }
    location = /_gatewarden {
      internal; proxy_pass http://gatewarden/auth/nginx; proxy_pass_request_body off;
      proxy_set_header Connection ""; proxy_set_header Content-Length "";
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
      proxy_set_header X-Original-Method $request_method;
    }
  }
}
`,
  )
  const { stop } = await startProcess({
    name: 'nginx',
    command: binary,
    args: ['-c', file, '-p', place],
    ready: () => answers(entry),
  })
  return { name: 'nginx', port: entry, stop }
}

/** Finds nginx, which Debian leaves out of the PATH of users other than root. */
function nginxBinary(): string | undefined {
  for (const name of ['nginx', '/usr/sbin/nginx']) {
    try {
      execFileSync(name, ['-v'], { stdio: 'ignore' })
      return name
    } catch {
      // This path does not exist: try the next.
    }
  }
  return undefined
}

function missing(name: string): undefined {
  console.error(`${name} is missing and left out: \`npm run verify\` installs it`)
}

const answers = (port: number): Promise<boolean> =>
  fetch(`http://127.0.0.1:${port}${PATHS.without}`).then(
    ({ ok }) => ok,
    () => false,
  )
