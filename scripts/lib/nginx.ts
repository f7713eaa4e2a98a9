/**
 * Runs nginx with the files of `deploy/nginx/`; only hosts, ports and paths differ.
 *
 * @module
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type RunningProcess, startProcess } from './processes.ts'
import { type ProxyOptions, probe } from './proxy.ts'

/**
 * If `resourceHost` is the gateway's host, nginx uses `one-host.conf`. With a certificate, hosts must be names, because
 * a TLS handshake carries no address.
 */
export interface NginxOptions extends ProxyOptions {
  /** Makes further changes to a shipped file; gets its text and its name within `deploy/nginx/`. */
  readonly change?: (text: string, name: string) => string
}

const SHIPPED = fileURLToPath(new URL('../../deploy/nginx', import.meta.url))

/** Writes the files, changed only in hosts, ports and paths. @returns the path of the main file */
export function writeNginxFiles(options: NginxOptions): string {
  const { folder, gatewayHost, resourceHost, certificate, change = (text) => text } = options
  const write = (name: string, target: string, fill: (text: string) => string) =>
    writeFileSync(
      join(folder, target),
      change(fill(readFileSync(join(SHIPPED, name), 'utf8')), name),
    )

  for (const below of ['conf.d', 'gatewarden']) mkdirSync(join(folder, below), { recursive: true })
  for (const name of readdirSync(join(SHIPPED, 'gatewarden'))) {
    if (name === 'http.conf') continue
    write(`gatewarden/${name}`, `gatewarden/${name}`, (text) => text)
  }
  write('gatewarden/http.conf', 'gatewarden/http.conf', (text) =>
    fillIn(text, 'server 127.0.0.1:11000;', `server ${options.gatewarden};`),
  )
  const layout = gatewayHost === resourceHost ? 'one-host.conf' : 'two-hosts.conf'
  write(layout, 'conf.d/site.conf', (text) => {
    const listening = fillIn(text, 'listen 8080;', listenLines(options))
    const upstream = fillIn(listening, 'server 127.0.0.1:3001;', `server ${options.upstream};`)
    const protectedHost =
      layout === 'one-host.conf'
        ? upstream
        : fillIn(upstream, 'server_name 127.0.0.1;', `server_name ${resourceHost};`)
    const site = fillIn(protectedHost, 'server_name localhost;', `server_name ${gatewayHost};`)
    return certificate ? withTls(site, certificate) : site
  })
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, mainFile(folder))
  return file
}

/** Starts nginx; resolves once it answers. */
export async function startNginx(options: NginxOptions): Promise<RunningProcess> {
  const running = await startProcess({
    name: 'nginx',
    command: options.binary,
    args: ['-c', writeNginxFiles(options), '-e', 'stderr'],
    ready: async () =>
      (await probe(options, { path: '/healthz', name: options.gatewayHost })) !== undefined,
  })
  return { ...running, stop: () => running.stop(2_000) }
}

function fillIn(text: string, shipped: string, here: string): string {
  if (!text.includes(shipped)) throw new Error(`the shipped files have no ${shipped}`)
  return text.replaceAll(shipped, here)
}

function listenLines({ addresses, port, certificate }: NginxOptions): string {
  return addresses
    .map((address) => `listen ${address}:${port}${certificate ? ' ssl' : ''};`)
    .join('\n    ')
}

/** Removes the comment signs of a site's TLS settings, and fills in the certificate. */
function withTls(text: string, { certFile, keyFile }: NonNullable<NginxOptions['certificate']>) {
  return text
    .replaceAll('# ssl_', 'ssl_')
    .replaceAll(/ssl_certificate \S+;/g, `ssl_certificate ${certFile};`)
    .replaceAll(/ssl_certificate_key \S+;/g, `ssl_certificate_key ${keyFile};`)
}

/** An `nginx.conf` like that of a distribution, with every path below `folder`. */
function mainFile(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `    ${kind}_temp_path ${folder}/temp-${kind};`)
    .join('\n')
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr info;
events {
    worker_connections 512;
}
http {
${temporary}
    access_log off;
    include conf.d/*.conf;
}
`
}
