/**
 * Translates the shipped manifests into the configuration of a plain nginx, as ingress-nginx does: its locations, its
 * request to `auth-url`, its headers. It knows only the annotations that a test needs.
 *
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type RunningProcess, startProcess } from '../../../scripts/lib/processes.ts'
import { annotation, type Ingress } from '../../support/ingresses.ts'
import { exchange } from './http-exchange.ts'
import { toolPath } from './tools.ts'

export interface IngressOptions {
  readonly folder: string
  readonly port: number
  readonly addresses: readonly string[]
  readonly ingresses: readonly Pick<Ingress, 'metadata' | 'spec'>[]
  /** Maps an address of the manifests to this machine: hosts, and `host:port` of Services. */
  readonly here: (text: string) => string
}

/** Starts the stand-in; resolves once it answers. */
export async function startIngressNginx(options: IngressOptions): Promise<RunningProcess> {
  const { folder, port } = options
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, configuration(options))
  const running = await startProcess({
    name: 'nginx',
    command: toolPath('nginx'),
    args: ['-c', file, '-e', 'stderr'],
    ready: () =>
      exchange(new URL(`http://127.0.0.1:${port}`)).then(
        () => true,
        () => false,
      ),
  })
  return { ...running, stop: () => running.stop(2_000) }
}

function configuration({ folder, port, addresses, ingresses, here }: IngressOptions): string {
  const hosts = new Set(ingresses.flatMap(({ spec }) => spec.rules.map(({ host }) => host)))
  const listen = addresses.map((address) => `listen ${address}:${port};`).join(' ')
  const servers = [...hosts].map((host) => {
    const locations = ingresses.flatMap((ingress) => locationsOf(ingress, host, here))
    return `server { ${listen} server_name ${here(host)};\n${locations.join('\n')} }`
  })
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  ${temporary.map((kind) => `${kind}_temp_path ${folder}/${kind};`).join(' ')}
  large_client_header_buffers 2 24k;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server { ${listen} server_name _; return 404; }
  ${servers.join('\n')}
}
`
}

function locationsOf(
  ingress: Pick<Ingress, 'metadata' | 'spec'>,
  host: string,
  here: (text: string) => string,
): string[] {
  const id = `/_external-auth-${ingress.metadata.name}`
  const paths = ingress.spec.rules
    .filter((rule) => rule.host === host)
    .flatMap(({ http }) => http.paths)
    .flatMap(({ path, pathType, backend: { service } }) => {
      const content = `${guard(ingress, id)} ${bodyLimit(ingress)} ${FORWARDED} proxy_pass http://${here(`${service.name}:${service.port.number}`)};`
      const prefixed = pathType === 'Prefix' && path !== '/'
      const exactly = `location ${pathType === 'Prefix' && path === '/' ? '' : '= '}${path} { ${content} }`
      return prefixed ? [exactly, `location ${path}/ { ${content} }`] : [exactly]
    })
  const url = annotation(ingress, 'auth-url')
  const signin = annotation(ingress, 'auth-signin')
  return [
    ...paths,
    ...(url === undefined
      ? []
      : [
          `location = ${id} { ${QUESTION} ${hostOf(url)} ${bodyLimit(ingress)} proxy_pass ${here(url)}; }`,
        ]),
    ...(signin === undefined
      ? []
      : [`location @signin { return 302 ${here(signin)}?rd=$scheme://$http_host$request_uri; }`]),
  ]
}

/** The check of controller 1.15.1, with all headers that a client sends. */
const QUESTION = `internal;
  proxy_pass_request_body off; proxy_set_header Content-Length "";
  proxy_set_header X-Forwarded-Proto "";
  proxy_set_header X-Request-ID $request_id;
  proxy_set_header X-Original-URL $scheme://$http_host$request_uri;
  proxy_set_header X-Original-Method $request_method;
  proxy_set_header X-Sent-From nginx-ingress-controller;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Auth-Request-Redirect $request_uri;
  proxy_buffer_size 64k; proxy_buffers 4 64k;`

const FORWARDED = `proxy_http_version 1.1; proxy_buffering off; proxy_buffer_size 64k; proxy_buffers 4 64k;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection $connection_upgrade;
  proxy_set_header X-Real-IP $remote_addr;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Host $http_host;
  proxy_set_header X-Forwarded-Port $server_port;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Scheme $scheme;`

function guard(ingress: Pick<Ingress, 'metadata' | 'spec'>, id: string): string {
  if (annotation(ingress, 'auth-url') === undefined) return ''
  const names = annotation(ingress, 'auth-response-headers')?.split(',') ?? []
  return [
    `auth_request ${id};`,
    ...(annotation(ingress, 'auth-signin') === undefined ? [] : ['error_page 401 = @signin;']),
    ...names.flatMap((name, index) => [
      `auth_request_set $authHeader${index} $upstream_http_${name.toLowerCase().replaceAll('-', '_')};`,
      `proxy_set_header '${name}' $authHeader${index};`,
    ]),
    cors(ingress),
  ].join(' ')
}

/** A question to the host itself comes back through the controller. */
const hostOf = (url: string) =>
  url.startsWith('https://$host/') ? 'proxy_set_header Host $http_host;' : ''

/** The limit of a location, and of the check before it. */
function bodyLimit(ingress: Pick<Ingress, 'metadata' | 'spec'>): string {
  const limit = annotation(ingress, 'proxy-body-size')
  return limit === undefined ? '' : `client_max_body_size ${limit};`
}

function cors(ingress: Pick<Ingress, 'metadata' | 'spec'>): string {
  if (annotation(ingress, 'enable-cors') !== 'true') return ''
  const origins = annotation(ingress, 'cors-allow-origin')?.split(',') ?? []
  const ifAllowed = origins
    .map((origin) => `if ($http_origin = '${origin}') { set $cors $http_origin; }`)
    .join(' ')
  const header = (name: string, kind: string) =>
    `add_header ${name} '${annotation(ingress, kind)}' always;`
  return `set $cors ''; ${ifAllowed}
  add_header Access-Control-Allow-Origin $cors always;
  ${header('Access-Control-Allow-Methods', 'cors-allow-methods')}
  ${header('Access-Control-Allow-Headers', 'cors-allow-headers')}
  ${header('Access-Control-Expose-Headers', 'cors-expose-headers')}
  if ($request_method = OPTIONS) { return 204; }`
}
