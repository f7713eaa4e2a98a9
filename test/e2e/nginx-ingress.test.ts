/**
 * The shipped manifests for ingress-nginx, and the self-test of its page, in a plain nginx configured as the controller
 * would do it.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningGatewarden, startGatewarden } from '../../scripts/lib/gatewarden.ts'
import { freePort, loopbackAddresses } from '../../scripts/lib/ports.ts'
import type { RunningProcess } from '../../scripts/lib/processes.ts'
import { UNTRUSTED_HEADERS } from '../../src/http/untrusted-headers.ts'
import { blockOf, readPage } from '../support/documentation.ts'
import { EVE, type GoogleStandIn, startGoogle } from '../support/google-stand-in.ts'
import { readIngresses } from '../support/ingresses.ts'
import { createBrowser } from './support/browser.ts'
import { signInByHand } from './support/hand-client.ts'
import { readForms } from './support/html-page.ts'
import { exchange } from './support/http-exchange.ts'
import { startIngressNginx } from './support/ingress-nginx.ts'
import { startMatheuscscpWorld } from './support/matheuscscp-world.ts'
import { connectSdk1 } from './support/mcp-clients.ts'
import { type RecordingServer, startRecordingServer } from './support/recording-server.ts'
import { runBash } from './support/shell.ts'
import { isSkipped } from './support/tools.ts'

const PAGE = readPage('docs/proxies/ingress-nginx.md')
const ANN = { name: 'ann', password: 'correct horse battery staple' }

describe.skipIf(isSkipped('nginx'))('the manifests for ingress-nginx', () => {
  let folder: string
  let echo: RecordingServer
  let gatewarden: RunningGatewarden
  let controller: RunningProcess
  let port: number
  let notes: string
  let token: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ingress-nginx-'))
    echo = await startRecordingServer(({ rawHeaders }, answer) => {
      const lines = rawHeaders.map((text, index) => text + (index % 2 === 0 ? ': ' : '\n'))
      answer.end(lines.join(''))
    })
    port = await freePort()
    const issuer = `http://localhost:${port}`
    notes = `http://127.0.0.1:${port}/notes/mcp`
    gatewarden = await startGatewarden({
      folder,
      file: {
        public_url: issuer,
        resources: {
          notes: { url: notes, name: 'Notes' },
          wiki: { url: `http://wiki.test:${port}`, name: 'Wiki' },
        },
        allow: { emails: ['ann@example.com'] },
        users: { ann: { email: 'ann@example.com', password_hash: await hash(ANN.password) } },
      },
    })
    controller = await startIngressNginx({
      folder: join(folder, 'nginx'),
      port,
      addresses: loopbackAddresses(),
      ingresses: readIngresses(),
      here: (text) =>
        text
          .replace('https://auth.example.com', issuer)
          .replace('auth.example.com', 'localhost')
          .replace('mcp.example.com', '127.0.0.1')
          .replace('wiki.example.com', 'wiki.test')
          .replace(
            /^(http:\/\/)?gatewarden(\.mcp\.svc\.cluster\.local)?:11000/,
            `$1${gatewarden.address}`,
          )
          .replace(/^(notes:3001|wiki:8080)$/, echo.address),
    })
    const signedIn = await signInByHand({ issuer, resource: notes, person: ANN })
    token = signedIn.tokens.access_token
  })
  afterAll(async () => {
    await controller?.stop()
    await gatewarden?.stop()
    await echo?.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('pass the self-test of the page', async () => {
    const { output, errors } = await runBash(blockOf(PAGE, 'script: self-test'), {
      environment: { URL: notes, TOKEN: token },
      folder,
    })
    expect(errors).toBe('')
    expect(output).toBe(blockOf(PAGE, 'output: self-test'))
  })

  it('at8, T42: let through no header by which another proxy steers or identifies', async () => {
    for (const name of UNTRUSTED_HEADERS) {
      const value = `mallory-${randomUUID()}`
      const headers = { authorization: `Bearer ${token}`, [name]: value }
      const { status, body } = await exchange(new URL(notes), { headers })
      expect(status, name).toBe(200)
      expect(body, name).not.toContain(value)
    }
  })

  it('answer a preflight of an allowed page, and expose the challenge to it', async () => {
    const origin = 'http://localhost:6274'
    const preflight = await exchange(new URL(notes), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST' },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers['access-control-allow-origin']).toBe(origin)
    const { status, headers } = await exchange(new URL(notes), { headers: { origin } })
    expect(status).toBe(401)
    expect(headers['access-control-expose-headers']).toContain('WWW-Authenticate')
  })

  it('take nobody to another server’s rules by Host', async () => {
    const before = echo.requests.length
    const answer = await exchange(new URL(notes), {
      path: `http://wiki.test:${port}/`,
      headers: { host: `127.0.0.1:${port}`, authorization: `Bearer ${token}` },
    })
    expect(answer.status).toBe(403)
    expect(echo.requests.length).toBe(before)
  })

  it('send people of the web application to the login, and back to their page', async () => {
    const { status, headers } = await exchange(new URL(`http://127.0.0.1:${port}`), {
      path: '/page',
      headers: { host: `wiki.test:${port}`, accept: 'text/html' },
    })
    expect(status).toBe(302)
    expect(headers.location).toBe(
      `http://localhost:${port}/.gatewarden/login?rd=http://wiki.test:${port}/page`,
    )
  })
})

describe.skipIf(isSkipped('nginx'))('the file and the Ingresses of matheuscscp', () => {
  it('sign in an MCP client at Google', async () => {
    const google = await startGoogle()
    const world = await startMatheuscscpWorld(google)
    try {
      const signIn = (address: URL) => signInAtGoogle(address, google)
      const session = await connectSdk1({ url: world.mcpUrl, signIn, memory: { signIns: 0 } })
      expect(await session.echo('hello')).toBe('Echo: hello')
      await session.close()
      expect((await exchange(new URL(world.mcpUrl))).status).toBe(401)
    } finally {
      await world.stop()
      await google.stop()
    }
  })
})

/** Allows the client, chooses an account of the domain, and comes back. */
async function signInAtGoogle(address: URL, google: GoogleStandIn): Promise<URL> {
  const browser = createBrowser()
  const callback = new URL(address.searchParams.get('redirect_uri') ?? '')
  const consent = await browser.open(address)
  const [form] = consent.kind === 'page' ? readForms(consent.page.body) : []
  if (consent.kind !== 'page' || !form) throw new Error('no consent page')
  const chooser = await browser.submit({
    page: consent.page,
    form,
    button: 'approve',
    until: ({ origin }) => origin === google.issuer,
  })
  if (chooser.kind !== 'reached') throw new Error(`no Google: ${chooser.page.status}`)
  const back = new URL(await google.choose(chooser.url.href, EVE))
  const landing = await browser.open(back, ({ origin }) => origin === callback.origin)
  if (landing.kind !== 'reached') throw new Error(`no code: ${landing.page.status}`)
  await exchange(landing.url)
  return landing.url
}
