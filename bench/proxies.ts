/**
 * Real proxies that ask a server under test before each request to the server behind them.
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
import type { Load } from './load.ts'

const HOST = 'mcp.example.com'
/** The same server, without the check and with it. */
export const PATHS = { without: '/open/mcp', with: '/notes/mcp' }

export interface RunningProxy {
  readonly name: string
  readonly port: number
  stop(): Promise<void>
}

/** The server behind the proxies. @returns its `host:port` */
export async function startUpstream(): Promise<{ address: string; stop(): void }> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 2 }).end('{}')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return { address: `127.0.0.1:${address.port}`, stop: () => server.close() }
}

/** A request of an MCP client, through a proxy. */
export function proxiedRequest(port: number, path: string, token: string): Load {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${HOST}`,
    'Accept: application/json, text/event-stream',
    `Authorization: Bearer ${token}`,
    'Mcp-Protocol-Version: 2025-11-25',
  ]
  return { port, request: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`) }
}

export interface Places {
  readonly folder: string
  /** `host:port` of the protected server. */
  readonly upstream: string
  /** The port of Gatewarden. */
  readonly port: number
}

export async function startTraefik({
  folder,
  upstream,
  port,
}: Places): Promise<RunningProxy | undefined> {
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

export async function startNginx({
  folder,
  upstream,
  port,
}: Places): Promise<RunningProxy | undefined> {
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
