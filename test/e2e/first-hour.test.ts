/**
 * The first hour of a person with Gatewarden: the packed package in an empty folder, its demo, then docs/quickstart.md
 * from top to bottom in each of its ways, with a real MCP client that signs in at both servers. In between this person
 * makes the twelve mistakes, and reads each one's fix (first-hour fm1 to fm12).
 *
 * @module
 */
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Document, parseDocument, stringify } from 'yaml'
import { freePort, portProblem } from '../../scripts/lib/ports.ts'
import { type RunningProcess, startProcess } from '../../scripts/lib/processes.ts'
import { readPage } from '../support/documentation.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { createBrowser } from './support/browser.ts'
import { type Foreground, runInForeground } from './support/foreground.ts'
import {
  callWith,
  initializeWith,
  registerClient,
  signInByHand,
  type Tokens,
} from './support/hand-client.ts'
import { readForms } from './support/html-page.ts'
import { exchange } from './support/http-exchange.ts'
import { nameLoopback } from './support/loopback-names.ts'
import { connectSdk1, connectSdk2, type Sdk1Memory } from './support/mcp-clients.ts'
import { connectMcpRemote } from './support/mcp-remote.ts'
import {
  addCommand,
  addProgram,
  type Quickstart,
  realCurl,
  startQuickstart,
} from './support/quickstart.ts'
import { isSkipped, toolPath } from './support/tools.ts'

const moduleOf = (file: string) => new URL(`support/${file}`, import.meta.url).href
const PRELOAD = moduleOf('loopback-names.mjs')
const SECRET = 'a-root-secret-of-this-test-and-of-nothing-else'

describe.sequential('the first hour', { timeout: 120_000 }, () => {
  let quickstart: Quickstart
  let unname: () => void
  let clients = 0
  let opened: Foreground[] = []

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
  }, 300_000)
  afterEach(async () => {
    await Promise.all(opened.map((program) => program.kill()))
    opened = []
  })
  afterAll(async () => {
    await quickstart?.stop()
    unname?.()
  })

  const mcp = (path: string) => `https://mcp.example.com:${quickstart.ports['443']}${path}`
  const issuer = () => `https://auth.example.com:${quickstart.ports['443']}`
  const here = () => `http://localhost:${quickstart.ports['11000']}`
  const health = () => `${here()}/healthz`
  const newFolder = () => mkdtempSync(join(quickstart.folder, 'empty-'))

  /** Runs the installed program; `PORT` is not set. */
  function open(command: readonly string[], folder: string, terminal = false): Foreground {
    const { PORT: _, ...environment } = quickstart.environment
    const program = runInForeground(command, {
      folder,
      environment: { ...environment, HOME: folder },
      terminal,
    })
    opened.push(program)
    return program
  }

  /** Connects with the SDK of TypeScript, and lets the server say something. */
  async function expectEcho(
    url: string,
    person: { readonly name: string; readonly password: string },
    memory: Sdk1Memory = { signIns: 0 },
  ): Promise<void> {
    const signIn = (asked: URL) => createBrowser().signIn(asked, person)
    const session = await connectSdk1({ url, signIn, memory })
    expect(await session.echo('hello')).toBe('Echo: hello')
    await session.close()
  }

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
    // fm4: a slash that the client adds changes nothing.
    for (const url of [resource, `${resource}/`]) {
      const answer = await initializeWith(tokens.access_token, url)
      expect([answer.status, answer.body]).toEqual([200, expect.stringContaining('"serverInfo"')])
    }
  }

  /** The page's look at a deployment on a domain. */
  async function expectLook(): Promise<void> {
    const [notes, wiki, ...rest] = (await quickstart.run('look')).trim().split('\n')
    expect([notes, wiki, rest.at(-1)?.slice(-3)]).toEqual(['401', '401', '200'])
    expect(rest.join('')).toContain(`"authorization_servers":["${issuer()}"]`)
  }

  /** Port 80 leads to https. */
  async function expectPlainHttpAt(target: string): Promise<void> {
    const plain = await exchange(
      new URL(`http://127.0.0.1:${quickstart.ports['80']}/notes/mcp?x`),
      { headers: { host: 'mcp.example.com' } },
    )
    expect([plain.status, plain.headers.location]).toEqual([301, target])
  }

  /** Writes a `gatewarden.yaml` of the page with a mistake in it, and starts Gatewarden with it. */
  function startWith(
    way: 'on this computer' | 'nginx',
    mistake: (file: Document) => void,
    environment?: Readonly<Record<string, string>>,
  ): Promise<RunningProcess> {
    quickstart.write(`${way} gatewarden.yaml`, 'gatewarden/gatewarden.yaml', (text) => {
      const file = parseDocument(text)
      mistake(file)
      return file.toString()
    })
    return quickstart.restart(environment)
  }

  describe('the installed package', () => {
    it('is complete: program, proxy files, documentation, licence', async () => {
      const { folder } = quickstart.installed
      for (const path of [
        'dist/main.js',
        'README.md',
        'LICENSE',
        'CHANGELOG.md',
        'SECURITY.md',
        'docs/configuration.md',
        'docs/images/flow.svg',
        'deploy/nginx/gatewarden/server.conf',
        'traefik/dynamic.yml',
        '.env.example',
        'gatewarden.schema.json',
      ]) {
        expect(statSync(join(folder, path)).size, path).toBeGreaterThan(0)
      }
      expect(readdirSync(folder)).not.toContain('src')
      expect(JSON.parse(readPage('package.json')).scripts.prepack).toBe('npm run build')
      const said = await quickstart.type('command -v gatewarden; gatewarden --version')
      expect(said.output).toMatch(/^\S+\/global\/bin\/gatewarden\n\d+\.\d+\.\d+/)
      expect((await quickstart.type('gatewarden --help')).output).toContain('gatewarden demo')
    })

    it('fh7, fh8: has a demo whose pages say what runs, who is signed in, and what to paste; it finds its password and grants again', async () => {
      const folder = newFolder()
      const port = await freePort()
      const first = open(['gatewarden', 'demo', '--json', '--port', String(port)], folder)
      await first.said(/\}\n/)
      const ready = JSON.parse(first.out())
      expect(ready).toEqual({
        mcp_url: `http://localhost:${port}/mcp`,
        issuer: `http://localhost:${port}`,
        user: 'demo@example.com',
        password: expect.stringMatching(/^\w+-\w+-\w+$/),
        pid: expect.any(Number),
      })
      const { mcp_url: url, issuer, user, password } = ready
      const other = open(['gatewarden', 'demo', '--port', String(port)], newFolder())

      const browser = createBrowser()
      const pageAt = async (address: string) => {
        const landing = await browser.open(new URL(address))
        if (landing.kind !== 'page') throw new Error('no page')
        return landing.page
      }
      expect((await pageAt(`${issuer}/`)).body).toContain('Nobody is signed in')
      const login = await pageAt(url)
      const [form] = readForms(login.body)
      if (!form) throw new Error(login.body)
      const fields = { username: user, password }
      const landing = await browser.submit({ page: login, form, fields })
      const end = landing.kind === 'page' ? landing.page : undefined
      expect(end?.url.href).toBe(url)
      expect(end?.body).toContain(`you are signed in as <b><bdi>${user}</bdi></b>`)
      expect(end?.body).toContain(`claude mcp add --transport http demo ${url}`)
      expect((await pageAt(`${issuer}/`)).body).toContain(`signed in as <b><bdi>${user}</bdi></b>`)
      await vi.waitFor(() => expect(first.err()).toContain('signed in'))

      const signIn = (asked: URL) => createBrowser().signIn(asked, { name: user, password })
      const newest = await connectSdk2({ url, signIn, memory: { signIns: 0 } })
      expect(await newest.listTools()).toEqual(['echo', 'whoami'])
      expect(await newest.echo('hello')).toBe('Echo: hello')
      await newest.close()
      const memory: Sdk1Memory = { signIns: 0 }
      await expectEcho(url, { name: user, password }, memory)

      await other.said(/gatewarden demo --port \d+\n/)
      expect(other.err()).toMatch(/^PORT: cannot listen on localhost:\d+/m)
      expect(await first.stop()).toBe(0)
      expect(await portProblem(port)).toBeUndefined()
      expect(readFileSync(join(folder, '.demo/gatewarden.log'), 'utf8')).toContain(user)

      const second = open(['gatewarden', 'demo'], folder)
      await second.said(/Ctrl-C stops everything/)
      expect(second.out()).toContain(`Password     ${password}\n`)
      expect(second.out()).toContain(`claude mcp add --transport http demo ${url}\n`)
      await expectEcho(url, { name: user, password }, memory)
      expect(memory.signIns).toBe(1)
      expect(await second.stop()).toBe(0)
    })

    it('of the README protects a server without a file: the password is in a file of its own, and only its person may pass', async () => {
      const script = quickstart.step('README start')
      // The person of this test has the package; a clone is built first.
      expect(script).toMatch(/^npm ci && npm run build\nnode dist\/main\.js /)
      const command = script.replace(/^npm ci.*\nnode dist\/main\.js/, 'exec gatewarden')
      const folder = newFolder()
      const port = String(quickstart.ports['11000'])
      const server = open(['bash', '-c', `PORT=${port} ${command}`], folder)
      await server.said(/"event":"listening"/)
      const [made] = linesOf(server.out(), 'password-made')
      expect(made).toMatchObject({ user: 'ann@example.com' })
      const file = String(made?.file)
      expect((statSync(file).mode & 0o777).toString(8)).toBe('600')
      const password = readFileSync(file, 'utf8').trim()
      expect(server.out() + server.err()).not.toContain(password)
      expect(server.err()).toBe('')
      await expectEcho(`${here()}/mcp`, { name: 'ann@example.com', password })
      const wrong = { name: 'ann@example.com', password: 'not-the-password' }
      await expect(expectEcho(`${here()}/mcp`, wrong)).rejects.toThrow('the login stops at')
      expect(await server.stop()).toBe(0)
      expect(linesOf(server.out(), 'secret-made')).toMatchObject([
        { file: join(folder, 'data/secret') },
      ])
      expect(linesOf(server.out(), 'listening')).toMatchObject([
        {
          version: expect.stringMatching(/^\d+\.\d+\.\d+/),
          addresses: expect.arrayContaining([expect.stringContaining(port)]),
          publicUrl: here(),
          provider: 'builtin',
          store: 'lmdb',
          resources: [expect.stringContaining(`${here()}/mcp`)],
        },
      ])
      expect(linesOf(server.out(), 'stopping')).toMatchObject([{ signal: 'SIGINT' }])
      expect(linesOf(server.out(), 'stopped')).toHaveLength(1)
      const unnamed = server
        .out()
        .split('\n')
        .filter((line) => line && !line.includes('"event":'))
      expect(unnamed).toEqual([])

      const crash = `NODE_OPTIONS='--import ${moduleOf('crash-at-signal.mjs')}'`
      const again = open(['bash', '-c', `PORT=${port} ${crash} ${command}`], folder)
      await again.said(/"event":"listening"/)
      expect(linesOf(again.out(), 'password-file-left')).toMatchObject([
        { user: 'ann@example.com', file },
      ])
      expect(await again.endBy('SIGUSR2')).toBe(1)
      expect(linesOf(again.out(), 'crashed')).toMatchObject([
        { err: { message: 'a bug of a program' } },
      ])
    })

    it('shows the password on a terminal, and in no file', async () => {
      const folder = newFolder()
      const port = await freePort()
      const args = ['--public-url', `http://localhost:${port}`, '--port', String(port)]
      const upstream = `http://localhost:${quickstart.ports['3001']}/mcp`
      const more = ['--upstream', upstream, '--user', 'ann@example.com']
      const server = open(['gatewarden', ...args, ...more], folder, true)
      const [, password = ''] = await server.said(/Password {5}([a-z0-9-]{23})/)
      await server.said(/listening/)
      const kept = readdirSync(join(folder, 'data/users'))
      expect(kept).toEqual([expect.stringMatching(/\.hash$/)])
      await expectEcho(`http://localhost:${port}/mcp`, { name: 'ann@example.com', password })
    })
  })

  describe('the quickstart on this computer', () => {
    let running: RunningProcess | undefined
    let tokens: Tokens
    const replace = async (next: () => Promise<RunningProcess>) => {
      await running?.stop()
      running = undefined
      running = await next()
      return running
    }
    afterAll(() => running?.stop())

    it('protects two servers', async () => {
      quickstart.write('on this computer gatewarden.yaml', 'gatewarden/gatewarden.yaml')
      const { output } = await replace(() => quickstart.start('on this computer start', health()))
      expect(output()).toMatch(/^ok$/m)
      await expectBothServers(here(), here())
    })

    it('fm10: a port in use, another SECRET, a DATA_DIR that is a file: each is a sentence with its fix', async () => {
      writeFileSync(join(quickstart.folder, 'gatewarden/file'), '')
      const port = String(await freePort())
      const [taken, secret, folder] = await Promise.all([
        quickstart.type('gatewarden', { DATA_DIR: newFolder() }),
        quickstart.type('gatewarden', { PORT: port, SECRET }),
        quickstart.type('gatewarden', { PORT: port, DATA_DIR: 'file/data' }),
      ])
      expect([taken.exitCode, secret.exitCode, folder.exitCode]).toEqual([2, 2, 2])
      expect(taken.errors).toMatch(
        /^PORT: cannot listen on localhost:\d+ \(EADDRINUSE\)\. Stop the program that uses it, or choose another port\.$/m,
      )
      expect(secret.errors).toMatch(/^SECRET: .* Put the old secret into SECRET_PREVIOUS\.$/m)
      expect(folder.errors).toMatch(
        /^DATA_DIR: .*file\/data cannot be used \(ENOTDIR\)\. Name a directory/m,
      )
    })

    it('fm4, fm9: a slash at the end of url is none; a person on no list is told which server, and the log names who, what and the list', async () => {
      const { ann } = quickstart
      const { output } = await replace(() =>
        startWith('on this computer', (file) => {
          file.setIn(['resources', 'notes', 'url'], `${here()}/notes/mcp/`)
          file.setIn(['resources', 'notes', 'name'], 'Team notes')
          const hash = file.getIn(['users', 'ann', 'password_hash'])
          file.setIn(['users', 'bob'], { email: 'bob@elsewhere.test', password_hash: hash })
        }),
      )
      const resource = `${here()}/notes/mcp`
      const bob = { name: 'bob', password: ann.password }
      await expect(signInByHand({ issuer: here(), resource, person: bob })).rejects.toThrow(
        /\(403\).*Team notes/,
      )
      expect(await told(output, 'person-refused')).toMatchObject([
        {
          user: 'bob@elsewhere.test',
          client: 'Hand client',
          resource: 'notes',
          allowed: 'addresses: 1',
          address: '127.0.0.1',
        },
      ])
      ;({ tokens } = await signInByHand({ issuer: here(), resource, person: ann }))
      expect((await initializeWith(tokens.access_token, resource)).status).toBe(200)
    })

    it('fm11: a clock two hours ahead: the log says by how much the token has expired', async () => {
      const { output } = await replace(() =>
        quickstart.restart({ NODE_OPTIONS: `--import ${moduleOf('later-clock.mjs')}` }),
      )
      const answer = await callWith(tokens.access_token, `${here()}/notes/mcp`)
      expect(answer.status).toBe(401)
      const [line] = await told(output, 'token-refused')
      expect(line).toMatchObject({ reason: 'the token has expired', resource: 'notes' })
      expect(Math.round(Number(line?.expiredSeconds) / 60)).toBe(60)
    })

    it('fm8: a wrong client secret of the provider: the log names the error, the page a number of that line', async () => {
      const provider = await startHostileProvider()
      const { output } = await replace(() =>
        startWith('on this computer', (file) => file.delete('users'), {
          PROVIDER: 'oidc',
          ISSUER_URL: provider.issuer,
          CLIENT_ID: 'gatewarden',
          CLIENT_SECRET: 'the-secret-of-another-client',
        }),
      )
      const resource = `${here()}/notes/mcp`
      // Nobody vouches for this address, so the person is told of the error here.
      const redirectUri = 'https://program.example/callback'
      const client = await registerClient({ issuer: here(), resource, redirectUri })
      const page = createBrowser().signIn(client.authorizationUrl(), quickstart.ann)
      const { message } = await page.then(
        () => new Error('signed in'),
        (error: Error) => error,
      )
      const [line] = await told(output, 'provider-failed')
      expect(JSON.stringify(line)).toContain('invalid_client')
      expect(message).toContain(String(line?.requestId))
      expect(message).not.toContain('invalid_client')
    })

    it('fm12: Redis is down: alive, not ready, and a line with the error; without SECRET it says how to make one', async () => {
      const redis = { REDIS_URL: 'redis://127.0.0.1:9' }
      const without = await quickstart.type('gatewarden', redis)
      expect(without.exitCode).toBe(2)
      expect(without.errors).toMatch(/SECRET: .*openssl rand/)
      const { output } = await replace(() =>
        startWith('on this computer', () => {}, { ...redis, SECRET }),
      )
      const statusOf = async (path: string) => (await exchange(new URL(path, here()))).status
      expect([await statusOf('/healthz'), await statusOf('/readyz')]).toEqual([200, 503])
      expect(await told(output, 'store-lost')).toMatchObject([
        { cause: expect.stringContaining('ECONNREFUSED') },
      ])
    })

    it('also: gatewarden.yml in place of .yaml: the first line names the file that lies there', async () => {
      const folder = newFolder()
      writeFileSync(join(folder, 'gatewarden.yml'), '')
      const { exitCode, errors } = await quickstart.type(`cd ${folder} && gatewarden config check`)
      expect(exitCode).toBe(2)
      expect(errors.split('\n')[0]).toMatch(/no file was read.*gatewarden\.yml/)
    })
  })

  it('the quickstart protects two servers behind something that ends TLS', async () => {
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
      await new Promise((resolve) => tunnel.close(resolve))
      await running.stop()
    }
  })

  describe('the quickstart behind Traefik', () => {
    const there = it.skipIf(isSkipped('traefik'))
    let running: RunningProcess | undefined
    let traefik: RunningProcess | undefined
    const writeRoutes = (change: (routes: Document) => void) =>
      quickstart.write('traefik dynamic.yml', 'etc/traefik/dynamic.yml', (text) => {
        const routes = parseDocument(text)
        change(routes)
        return routes.toString() + stringify({ tls: { certificates: [quickstart.certificate] } })
      })
    afterAll(async () => {
      await traefik?.stop(500)
      await running?.stop()
    })

    there('protects two servers', async () => {
      const { folder, ports } = quickstart
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
      writeRoutes(() => {})
      addProgram(quickstart, 'traefik', toolPath('traefik'))
      running = await quickstart.start('traefik start gatewarden', health())
      traefik = await quickstart.start('traefik start traefik', mcp('/notes/mcp'))
      await expectLook()
      await expectPlainHttpAt(mcp('/notes/mcp?x'))
      await expectBothServers(issuer(), mcp(''))
    })

    there(
      'fm2, fm6: without the discovery router and authResponseHeaders, doctor says what reaches the server, and what to add',
      async () => {
        const echo = await freePort()
        writeRoutes((routes) => {
          routes.deleteIn(['http', 'routers', 'mcp-discovery'])
          for (const name of ['authResponseHeaders', 'authResponseHeadersRegex']) {
            routes.deleteIn(['http', 'middlewares', 'login-wiki', 'forwardAuth', name])
          }
          routes.setIn(
            ['http', 'services', 'wiki', 'loadBalancer', 'servers'],
            [{ url: `http://127.0.0.1:${echo}` }],
          )
        })
        await traefik?.stop(500)
        traefik = await quickstart.start('traefik start traefik', mcp('/notes/mcp'))
        const doctor = `gatewarden doctor --resource wiki --echo ${echo}`
        const { output, errors, exitCode } = await quickstart.type(doctor, {
          NODE_OPTIONS: `--import ${PRELOAD}`,
          NODE_EXTRA_CA_CERTS: quickstart.certificate.certFile,
        })
        expect(exitCode, errors).toBe(1)
        expect(output.match(/^WRONG +.+$/gm)?.map((line) => line.slice(7))).toEqual([
          'clients find where to sign in',
          'no client can invent an identity',
          'no credential of a client reaches it',
          'it learns from Gatewarden who calls',
        ])
        const said = output.replaceAll(/\s+/g, ' ')
        expect(said).toContain('Fix: Route /.well-known/oauth-protected-resource')
        expect(said).toContain('the credential of the client reached the server')
        expect(said).toContain('each name of authResponseHeaders in Traefik, protect.conf in nginx')
      },
    )
  })

  describe('the quickstart behind nginx', () => {
    const there = it.skipIf(isSkipped('nginx'))
    let running: RunningProcess | undefined
    let nginx: Awaited<ReturnType<typeof startPlainNginx>> | undefined
    const restartWith = async (mistake: (file: Document) => void) => {
      await running?.stop()
      running = undefined
      running = await startWith('nginx', mistake)
      return running
    }
    const ask = (path: string, headers = {}) => exchange(new URL(mcp(path)), { headers })
    afterAll(async () => {
      await nginx?.stop()
      await running?.stop()
    })

    there('protects two servers', async () => {
      const { certificate, folder, installed, ports } = quickstart
      quickstart.write('nginx gatewarden.yaml', 'gatewarden/gatewarden.yaml')
      mkdirSync(join(folder, 'etc/nginx'), { recursive: true })
      // The package has the files of the clone.
      await quickstart.run('nginx copy', installed.folder)
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
      running = await quickstart.start('nginx start gatewarden', health())
      // Before the reload of the page, nginx runs without the site, as after its installation.
      nginx = await startPlainNginx(quickstart)
      await quickstart.run('nginx start nginx')
      await waitFor(() => ask('/notes/mcp').then(({ status }) => status === 401))
      await expectLook()
      await expectPlainHttpAt('https://mcp.example.com/notes/mcp?x')
      await expectBothServers(issuer(), mcp(''))
    })

    there(
      'fm3, fm5, fm7: a wrong path, a forgotten port and http in url: the log has what was asked, the nearest address and the scheme',
      async () => {
        const { output } = await restartWith((file) => {
          file.setIn(['resources', 'notes', 'url'], mcp('/note/mcp'))
          file.setIn(['resources', 'wiki', 'url'], mcp('/wiki/mcp').replace('https', 'http'))
        })
        expect(output()).toMatch(/^warning: resources\.wiki\.url: http:.*https/m)
        const refused = [
          await ask('/notes/mcp'),
          await ask('/wiki/mcp', { host: 'mcp.example.com' }),
        ]
        for (const { status, body } of refused) {
          expect(status).toBe(403)
          expect(body).not.toContain('note/mcp')
        }
        expect((await ask('/wiki/mcp')).status).toBe(401)
        expect(await told(output, 'address-unknown')).toMatchObject([
          { asked: mcp('/notes/mcp').slice('https://'.length), nearest: mcp('/note/mcp') },
          {
            asked: 'mcp.example.com/wiki/mcp',
            nearest: mcp('/wiki/mcp').replace('https', 'http'),
          },
        ])
        expect(await told(output, 'scheme-mismatch')).toMatchObject([
          {
            msg: expect.stringContaining('make both the same, or let the proxy in front pass'),
            url: mcp('/wiki/mcp').replace('https', 'http'),
            forwardedScheme: 'https',
          },
        ])
      },
    )

    there('fm1: a wrong TRUSTED_PROXIES: the log has the line to paste', async () => {
      const { output } = await restartWith((file) => file.set('trusted_proxies', ['10.0.0.0/8']))
      expect((await ask('/notes/mcp')).status).toBe(403)
      expect(await told(output, 'peer-untrusted')).toMatchObject([
        {
          msg: expect.stringContaining('add its address to TRUSTED_PROXIES'),
          fix: 'TRUSTED_PROXIES=10.0.0.0/8,127.0.0.1',
        },
      ])
    })
  })
})

/** The lines of one event in the output of the program. */
function linesOf(output: string, event: string): readonly Readonly<Record<string, unknown>>[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Readonly<Record<string, unknown>> => JSON.parse(line))
    .filter((line) => line.event === event)
}

/** The same, as soon as there are any. */
const told = (output: () => string, event: string) =>
  vi.waitFor(() => {
    const lines = linesOf(output(), event)
    expect(lines, output()).not.toEqual([])
    return lines
  }, 5000)

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
