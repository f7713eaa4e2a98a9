/**
 * docs/quickstart.md from top to bottom, in each of its ways: its commands run, its files are used, and a real MCP client
 * signs in at both servers.
 *
 * @module
 */
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseDocument, stringify } from 'yaml'
import { startProcess } from '../../scripts/lib/processes.ts'
import { ROOT } from '../support/documentation.ts'
import { createBrowser } from './support/browser.ts'
import { initializeWith, signInByHand } from './support/hand-client.ts'
import { exchange } from './support/http-exchange.ts'
import { nameLoopback } from './support/loopback-names.ts'
import { connectMcpRemote } from './support/mcp-remote.ts'
import {
  addCommand,
  addProgram,
  type Quickstart,
  realCurl,
  startQuickstart,
} from './support/quickstart.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const PRELOAD = new URL('support/loopback-names.mjs', import.meta.url).href

describe.sequential('the quickstart', { timeout: 120_000 }, () => {
  let quickstart: Quickstart
  let unname: () => void
  let clients = 0

  beforeAll(async () => {
    unname = nameLoopback('example.com')
    quickstart = await startQuickstart()
    const { certificate } = quickstart
    const resolve = ['auth', 'mcp']
      .map((name) => `--resolve ${name}.example.com:${quickstart.ports['443']}:127.0.0.1`)
      .join(' ')
    addCommand(
      quickstart,
      'curl',
      `exec ${await realCurl()} --cacert ${certificate.certFile} ${resolve} "$@"`,
    )
  })
  afterAll(async () => {
    await quickstart?.stop()
    unname?.()
  })

  /** mcp-remote signs in at the first server and calls a tool; by hand, somebody gets an answer of the second one. */
  async function expectBothServers(issuer: string, origin: string): Promise<void> {
    const { ann, certificate, folder } = quickstart
    const session = await connectMcpRemote({
      url: `${origin}/notes/mcp`,
      signIn: (url) => createBrowser().signIn(url, ann),
      home: join(folder, `client-${new URL(issuer).port}-${++clients}`),
      certificateAuthority: certificate.certFile,
      preload: PRELOAD,
    })
    expect(await session.echo('hello')).toBe('Echo: hello')
    expect(session.signIns()).toBe(1)
    await session.close()
    const resource = `${origin}/wiki/mcp`
    const { tokens } = await signInByHand({ issuer, resource, person: ann })
    const answer = await initializeWith(tokens.access_token, resource)
    expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('"serverInfo"')])
  }

  const mcp = (path: string) => `https://mcp.example.com:${quickstart.ports['443']}${path}`
  const issuer = () => `https://auth.example.com:${quickstart.ports['443']}`
  const health = () => `http://localhost:${quickstart.ports['11000']}/healthz`

  /** The page's look at a deployment on a domain. */
  async function expectLook(): Promise<void> {
    const [notes, wiki, ...rest] = (await quickstart.run('look')).trim().split('\n')
    expect([notes, wiki, rest.at(-1)?.slice(-3)]).toEqual(['401', '401', '200'])
    expect(rest.join('')).toContain(`"authorization_servers":["${issuer()}"]`)
  }

  it('of the README protects a server without a file', async () => {
    const running = await quickstart.start('README start', health(), (script) => {
      // `npm ci` and the build were done before any test, in the folder of the clone.
      expect(script).toMatch(/^npm ci && npm run build\nnode dist\/main\.js /)
      return script.replace(/^npm ci.*\nnode dist\/main\.js/, `exec node ${ROOT}dist/main.js`)
    })
    try {
      const issuer = `http://localhost:${quickstart.ports['11000']}`
      const resource = `${issuer}/mcp`
      const [, file = ''] = /"file":"([^"]+\.password)"/.exec(running.output()) ?? []
      const person = { name: 'ann@example.com', password: readFileSync(file, 'utf8').trim() }
      const { tokens } = await signInByHand({ issuer, resource, person })
      const answer = await initializeWith(tokens.access_token, resource)
      expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('"serverInfo"')])
    } finally {
      await running.stop()
    }
  })

  it('protects two servers on this computer', async () => {
    quickstart.write('on this computer gatewarden.yaml', 'gatewarden/gatewarden.yaml')
    const running = await quickstart.start('on this computer start', health())
    try {
      expect(running.output()).toMatch(/^ok$/m)
      const origin = `http://localhost:${quickstart.ports['11000']}`
      await expectBothServers(origin, origin)
    } finally {
      await running.stop()
    }
  })

  it('protects them behind something that ends TLS', async () => {
    quickstart.write('behind tls gatewarden.yaml', 'gatewarden/gatewarden.yaml')
    const running = await quickstart.start('behind tls start', health())
    const tunnel = createTlsServer(
      {
        cert: readFileSync(quickstart.certificate.certFile),
        key: readFileSync(quickstart.certificate.keyFile),
      },
      (incoming, answer) => {
        const { method, url: path, rawHeaders: headers } = incoming
        const onward = request({ port: quickstart.ports['11000'], method, path, headers })
        onward.on('response', (response) => {
          answer.writeHead(response.statusCode ?? 502, response.rawHeaders)
          response.pipe(answer)
        })
        answer.on('close', () => onward.destroy())
        incoming.pipe(onward).on('error', () => answer.destroy())
      },
    ).listen(quickstart.ports['443'], '127.0.0.1')
    await once(tunnel, 'listening')
    try {
      await expectLook()
      await expectBothServers(issuer(), mcp(''))
    } finally {
      tunnel.closeAllConnections()
      tunnel.close()
      await running.stop()
    }
  })

  it.skipIf(isSkipped('traefik'))('protects them behind Traefik', async () => {
    const { certificate, folder, ports } = quickstart
    quickstart.write('traefik gatewarden.yaml', 'gatewarden/gatewarden.yaml')
    quickstart.write('traefik traefik.yml', 'etc/traefik/traefik.yml', (text) => {
      const file = parseDocument(text)
      file.setIn(['entryPoints', 'web', 'address'], `127.0.0.1:${ports['80']}`)
      file.setIn(['entryPoints', 'websecure', 'address'], `127.0.0.1:${ports['443']}`)
      // Let's Encrypt knows no example.com: nobody answers here.
      const acme = ['certificatesResolvers', 'letsencrypt', 'acme']
      file.setIn([...acme, 'caServer'], 'http://127.0.0.1:9/directory')
      return file.toString()
    })
    mkdirSync(join(folder, 'var/lib/traefik'), { recursive: true })
    quickstart.write(
      'traefik dynamic.yml',
      'etc/traefik/dynamic.yml',
      (text) => text + stringify({ tls: { certificates: [certificate] } }),
    )
    addProgram(quickstart, 'traefik', toolPath('traefik'))
    const running = await quickstart.start('traefik start gatewarden', health())
    const traefik = await quickstart.start('traefik start traefik', mcp('/notes/mcp'))
    try {
      await expectLook()
      const plain = await exchange(new URL(`http://127.0.0.1:${ports['80']}/notes/mcp?x`), {
        headers: { host: 'mcp.example.com' },
      })
      expect([plain.status, plain.headers.location]).toEqual([301, mcp('/notes/mcp?x')])
      await expectBothServers(issuer(), mcp(''))
    } finally {
      await traefik.stop(500)
      await running.stop()
    }
  })

  it.skipIf(isSkipped('nginx'))('protects them behind nginx', async () => {
    const { certificate, folder, ports } = quickstart
    quickstart.write('nginx gatewarden.yaml', 'gatewarden/gatewarden.yaml')
    mkdirSync(join(folder, 'etc/nginx'), { recursive: true })
    await quickstart.run('nginx copy', ROOT)
    const http = join(folder, 'etc/nginx/gatewarden/http.conf')
    writeFileSync(
      http,
      readFileSync(http, 'utf8').replace('127.0.0.1:11000', `127.0.0.1:${ports['11000']}`),
    )
    quickstart.write('nginx mcp.conf', 'etc/nginx/conf.d/mcp.conf', (text) =>
      text
        .replaceAll('listen 443 ssl', `listen 127.0.0.1:${ports['443']} ssl`)
        .replaceAll('listen 80', `listen 127.0.0.1:${ports['80']}`)
        .replace(/ssl_certificate \S+;/, `ssl_certificate ${certificate.certFile};`)
        .replace(/ssl_certificate_key \S+;/, `ssl_certificate_key ${certificate.keyFile};`),
    )
    writeFileSync(join(folder, 'etc/nginx/nginx.conf'), nginxConf(folder))
    addCommand(
      quickstart,
      'nginx',
      `exec ${toolPath('nginx')} -e stderr -c ${folder}/etc/nginx/nginx.conf "$@"`,
    )
    const running = await quickstart.start('nginx start gatewarden', health())
    // Before the reload of the page, nginx runs without the site, as after its installation.
    const nginx = await startPlainNginx(quickstart)
    try {
      await quickstart.run('nginx start nginx')
      await waitFor(() => exchange(new URL(mcp('/notes/mcp'))).then(({ status }) => status === 401))
      await expectLook()
      const plain = await exchange(new URL(`http://127.0.0.1:${ports['80']}/notes/mcp?x`), {
        headers: { host: 'mcp.example.com' },
      })
      expect([plain.status, plain.headers.location]).toEqual([
        301,
        'https://mcp.example.com/notes/mcp?x',
      ])
      await expectBothServers(issuer(), mcp(''))
    } finally {
      await nginx.stop()
      await running.stop()
    }
  })
})

/** The main file of a distribution, with every path below `folder`. */
function nginxConf(folder: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path ${folder}/temp-${kind};`)
    .join(' ')
  return `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1;
pid ${folder}/nginx.pid; error_log stderr info;
events { worker_connections 512; }
http { ${temporary} access_log off; include conf.d/*.conf; }
`
}

/** nginx as after its installation: the page's `nginx -s reload` brings the site. */
async function startPlainNginx({ folder }: Quickstart) {
  const site = join(folder, 'etc/nginx/conf.d/mcp.conf')
  const text = readFileSync(site, 'utf8')
  writeFileSync(site, '')
  const nginx = await startProcess({
    name: 'nginx',
    command: join(folder, 'bin/nginx'),
    args: [],
    ready: () => existsSync(join(folder, 'nginx.pid')),
  })
  writeFileSync(site, text)
  return { stop: () => nginx.stop(2_000) }
}

/** Asks every 50 ms until the answer is yes; the time limit of the test ends it otherwise. */
async function waitFor(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo().catch(() => false))) await delay(50)
}
