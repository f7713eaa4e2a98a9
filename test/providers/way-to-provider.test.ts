import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:https'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createReach } from '../../src/outbound/reach.ts'
import type { RemoteProviderConfig, WayToProvider } from '../../src/providers/provider-config.ts'
import { makeCertificate } from '../e2e/support/certificate.ts'
import { createBrowser, refreshTarget } from '../support/browser.ts'
import { ANYONE, buildTestApp, createClock, resource } from '../support/build-app.ts'
import { afterTest } from '../support/clean-ups.ts'
import { startEntra } from '../support/entra-stand-in.ts'
import { startGithub } from '../support/github-stand-in.ts'
import { startDirectory } from '../support/google-directory.ts'
import { ANN, googleProvider, startGoogle } from '../support/google-stand-in.ts'
import { startHostileProvider } from '../support/hostile-provider.ts'
import { portOf, startProxy } from '../support/http-proxy.ts'
import { authorizeUrl, codeOf, register } from '../support/oauth-client.ts'
import { approve, asking, isFailedSignIn, startJourney } from '../support/provider-journey.ts'

const HOST = 'id.example.test'
let authority: string
let key: string

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'gatewarden-ca-'))
  const { certFile, keyFile } = await makeCertificate(folder, [HOST])
  authority = await readFile(certFile, 'utf8')
  key = await readFile(keyFile, 'utf8')
  await rm(folder, { recursive: true })
})

/** A provider at an https address that no name service knows; its certificate is of an authority of its own. */
async function startFar() {
  const provider = await startHostileProvider()
  const issuer = `https://${HOST}`
  const server = createServer({ cert: authority, key }, (incoming, response) => {
    const { method, url = '/', headers } = incoming
    const passed = request(provider.issuer + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(passed)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(() => {
    server.close()
    server.closeAllConnections()
  })
  provider.lies = {
    discovery: (it) => {
      for (const [name, value] of Object.entries(it)) {
        if (typeof value === 'string') it[name] = value.replace(provider.issuer, issuer)
      }
    },
    claims: (it) => Object.assign(it, { iss: issuer }),
    redirect: (it) => it.set('iss', issuer),
  }
  return { provider, issuer, port: portOf(server) }
}

async function journeyTo(
  { provider, issuer, port }: Awaited<ReturnType<typeof startFar>>,
  way: WayToProvider,
  proxy?: Awaited<ReturnType<typeof startProxy>>,
) {
  proxy?.places.set(`${HOST}:443`, port)
  return startJourney(
    {
      provider: { ...provider.config, issuerUrl: issuer, allowInsecure: false, way },
      resources: [resource({ allow: ANYONE })],
    },
    provider,
  )
}

/** The answer to the person who comes back. */
async function signIn(journey: Awaited<ReturnType<typeof journeyTo>>) {
  const browser = createBrowser(journey.app)
  const away = refreshTarget((await approve(browser, asking(journey))).body)
  return browser.get(
    await journey.provider.signIn(away.replace(`https://${HOST}`, journey.provider.issuer)),
  )
}

async function reasonOf(journey: Awaited<ReturnType<typeof journeyTo>>): Promise<unknown> {
  await approve(createBrowser(journey.app), asking(journey))
  return journey.logs.findLast(isFailedSignIn)?.reason
}

const PASSWORD = 'word-of-the-proxy'

describe('PROVIDER_PROXY and PROVIDER_CA', () => {
  it('lead to a provider behind a proxy, with a certificate of an authority of its own', async () => {
    const far = await startFar()
    const proxy = await startProxy(`gate:${PASSWORD}`)
    const uri = `http://gate:${PASSWORD}@${proxy.address}`
    const journey = await journeyTo(far, { authorities: authority, proxy: uri }, proxy)
    codeOf(await signIn(journey))
    expect(new Set(proxy.targets)).toEqual(new Set([`${HOST}:443`]))
    expect(far.provider.asked('/token')).toBe(1)
    expect(JSON.stringify(journey.logs)).not.toContain(PASSWORD)
  })

  it('are needed: without the proxy nothing is there', async () => {
    const journey = await journeyTo(await startFar(), { authorities: authority })
    expect(await reasonOf(journey)).toMatch(/id\.example\.test.* cannot be reached \(E[A-Z_]+\)/)
  })

  it('are needed: a certificate of an unknown authority is not believed', async () => {
    const proxy = await startProxy()
    const journey = await journeyTo(await startFar(), { proxy: `http://${proxy.address}` }, proxy)
    expect(await reasonOf(journey)).toMatch(/cannot be reached \(DEPTH_ZERO_SELF_SIGNED_CERT\)/)
  })

  it('let a certificate stand for its own names alone', async () => {
    const far = await startFar()
    const proxy = await startProxy()
    const way = { authorities: authority, proxy: `http://${proxy.address}` }
    proxy.places.set('other.example.test:443', far.port)
    const journey = await journeyTo({ ...far, issuer: 'https://other.example.test' }, way)
    expect(await reasonOf(journey)).toMatch(/cannot be reached \(ERR_TLS_CERT_ALTNAME_INVALID\)/)
  })

  it('tell the log that the proxy, and not the provider, cannot be reached', async () => {
    const proxy = `http://gate:${PASSWORD}@127.0.0.1:1`
    const journey = await journeyTo(await startFar(), { authorities: authority, proxy })
    expect(await reasonOf(journey)).toMatch(/cannot be reached \(PROVIDER_PROXY: ECONNREFUSED\)$/)
    expect(JSON.stringify(journey.logs)).not.toContain(PASSWORD)
  })

  it('tell the log, without a password, that the proxy refuses', async () => {
    const proxy = await startProxy('gate:another-word')
    const uri = `http://gate:${PASSWORD}@${proxy.address}`
    const journey = await journeyTo(await startFar(), { authorities: authority, proxy: uri }, proxy)
    expect(await reasonOf(journey)).toMatch(/cannot be reached \(PROVIDER_PROXY answered 407\)$/)
    expect(JSON.stringify(journey.logs)).not.toContain(PASSWORD)
  })
})

/** Signs in; every address of the provider has to be among the proxy's targets. */
async function expectAllThrough(
  provider: RemoteProviderConfig,
  signInThere: (url: string) => Promise<string>,
  addresses: readonly string[],
  clock = createClock(),
): Promise<void> {
  const proxy = await startProxy()
  const way = { proxy: `http://${proxy.address}` }
  const { app } = await buildTestApp(
    {
      provider: { ...provider, way },
      users: [],
      resources: [resource({ allow: { ...ANYONE, groups: ['acme'] } })],
    },
    { clock },
  )
  const browser = createBrowser(app)
  const approved = await approve(browser, authorizeUrl(await register(app)))
  codeOf(await browser.get(await signInThere(refreshTarget(approved.body))))
  for (const address of addresses) expect(proxy.targets).toContain(new URL(address).host)
}

describe('each call to a provider takes the way of the operator', () => {
  it('to GitHub and its interface', async () => {
    const { config, signIn: choose } = await startGithub()
    await expectAllThrough(config, choose, [config.issuerUrl, config.apiUrl])
  })

  it('to Entra and Graph', async () => {
    const entra = await startEntra()
    entra.person = { ...entra.person, groups: undefined, hasgroups: true }
    await expectAllThrough(entra.config, entra.signIn, [entra.base, entra.graph])
  })

  it('to Google and its directory', async () => {
    const clock = createClock()
    const google = await startGoogle({ now: clock })
    afterTest(() => google.stop())
    const directory = await startDirectory(clock)
    directory.users[ANN.sub] = { id: ANN.sub, primaryEmail: ANN.email, suspended: false }
    const provider = googleProvider(google, { directory: { ...directory.config, namedGroups: [] } })
    const { url, tokenUrl } = directory.config
    const choose = (to: string) => google.choose(to, ANN)
    await expectAllThrough(provider, choose, [provider.issuerUrl, url, tokenUrl], clock)
  })
})

describe('a proxy that opens no tunnel', () => {
  it('keeps no connection of ours for longer than a call to the provider may take', async () => {
    const sockets: Socket[] = []
    const proxy = createTcpServer((socket) => {
      socket.on('error', () => undefined)
      sockets.push(socket.resume())
    }).listen(0, '127.0.0.1')
    afterTest(() => {
      proxy.close()
      for (const socket of sockets) socket.destroy()
    })
    await once(proxy, 'listening')
    const reach = createReach({ proxy: `http://127.0.0.1:${portOf(proxy)}` }, { tunnelMs: 10 })
    const call = { body: null, redirect: 'manual', signal: AbortSignal.timeout(500) } as const
    await expect(reach(new URL(`https://${HOST}/`), call)).rejects.toThrow()
    expect(sockets).toHaveLength(1)
    for (const socket of sockets) if (!socket.closed) await once(socket, 'close')
  })
})
