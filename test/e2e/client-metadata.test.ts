/**
 * Real MCP clients whose id is the URL of their metadata document, which a web server with TLS publishes: both SDKs, with
 * and without keys, through a restart of Gatewarden and an outage of that server.
 *
 * @module
 */
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPrivateKeyJwtAuth } from '@modelcontextprotocol/client'
import { exportJWK, exportPKCS8, generateKeyPair } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBrowser } from './support/browser.ts'
import { makeCertificate } from './support/certificate.ts'
import type { McpSession, SignIn } from './support/client-memory.ts'
import {
  type ClientDocument,
  type ConnectOptions,
  connectSdk1,
  connectSdk2,
  type Sdk1Memory,
  type Sdk2Memory,
} from './support/mcp-clients.ts'
import { startWorld, type World } from './support/world.ts'

/** The metadata documents of a vendor, by https on `localhost`. */
interface Vendor {
  readonly origin: string
  readonly certFile: string
  readonly asked: string[]
  /** The URL of a document with these members. */
  publish(name: string, members?: Record<string, unknown>): string
  stop(): Promise<void>
}

async function startVendor(folder: string): Promise<Vendor> {
  const { certFile, keyFile } = await makeCertificate(folder)
  const documents = new Map<string, string>()
  const asked: string[] = []
  const server: Server = createServer(
    { cert: await readFile(certFile), key: await readFile(keyFile) },
    ({ url = '' }, response) => {
      asked.push(url)
      const document = documents.get(url)
      response.writeHead(document === undefined ? 404 : 200, {
        'content-type': 'application/json',
        'cache-control': 'max-age=60',
      })
      response.end(document ?? '{}')
    },
  )
  server.listen(0, 'localhost')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no TCP port')
  const origin = `https://localhost:${address.port}`
  return {
    origin,
    certFile,
    asked,
    publish(name, members = {}) {
      const client_id = `${origin}/${name}.json`
      const document = {
        client_id,
        client_name: 'End-to-end client',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token'],
        token_endpoint_auth_method: 'none',
        ...members,
      }
      documents.set(`/${name}.json`, JSON.stringify(document))
      return client_id
    },
    async stop() {
      if (!server.listening) return
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

let world: World
let vendor: Vendor
let signIn: SignIn
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatewarden-vendor-'))
  vendor = await startVendor(folder)
  world = await startWorld({
    front: 'builtin',
    settings: { CLIENT_METADATA_LOOPBACK: 'true', NODE_EXTRA_CA_CERTS: vendor.certFile },
  })
  signIn = (url) => createBrowser().signIn(url, world.ann)
})
afterAll(async () => {
  await world?.stop()
  await vendor?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Forgets the access token, so that the client has to refresh. */
const expired = 'an-access-token-that-has-expired'

interface Sdk {
  connect(document: ClientDocument): Promise<McpSession>
  clientId(): string | undefined
  signIns(): number
  expire(): void
}

function sdk1(): Sdk {
  const memory: Sdk1Memory = { signIns: 0 }
  const options = (document: ClientDocument): ConnectOptions<Sdk1Memory> => ({
    url: world.mcpUrl,
    signIn,
    memory,
    document,
  })
  return {
    connect: (document) => connectSdk1(options(document)),
    clientId: () => memory.registration?.client_id,
    signIns: () => memory.signIns,
    expire() {
      if (memory.tokens) memory.tokens = { ...memory.tokens, access_token: expired }
    },
  }
}

function sdk2(): Sdk {
  const memory: Sdk2Memory = { signIns: 0 }
  const options = (document: ClientDocument): ConnectOptions<Sdk2Memory> => ({
    url: world.mcpUrl,
    signIn,
    memory,
    document,
  })
  return {
    connect: (document) => connectSdk2(options(document)),
    clientId: () => memory.registration?.client_id,
    signIns: () => memory.signIns,
    expire() {
      if (memory.tokens) memory.tokens = { ...memory.tokens, access_token: expired }
    },
  }
}

async function useOnce(sdk: Sdk, document: ClientDocument): Promise<void> {
  const session = await sdk.connect(document)
  expect(await session.echo('hello')).toBe('Echo: hello')
  await session.close()
}

describe.each([
  { name: '1.x', make: sdk1 },
  { name: '2.x', make: sdk2 },
])('a client made of the $name SDK', ({ name, make }) => {
  it('shows its document, signs in once and registers nothing', async () => {
    const sdk = make()
    const url = vendor.publish(`public-${name}`)
    await useOnce(sdk, { url })
    expect(sdk.clientId()).toBe(url)
    expect(vendor.asked.filter((path) => url.endsWith(path))).toHaveLength(1)
    await world.restart()
    await useOnce(sdk, { url })
    sdk.expire()
    await useOnce(sdk, { url })
    expect(sdk.signIns()).toBe(1)
  })

  it('with keys signs each request for tokens', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), use: 'sig' }
    const url = vendor.publish(`keys-${name}`, {
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [jwk] },
    })
    const addClientAuthentication = createPrivateKeyJwtAuth({
      issuer: url,
      subject: url,
      privateKey: await exportPKCS8(privateKey),
      alg: 'ES256',
    })
    const sdk = make()
    await useOnce(sdk, { url, addClientAuthentication })
    sdk.expire()
    await useOnce(sdk, { url, addClientAuthentication })
    expect(sdk.signIns()).toBe(1)
  })
})

it('a client refreshes while its vendor is down and Gatewarden has just restarted', async () => {
  const sdk = sdk2()
  const url = vendor.publish('outage')
  await useOnce(sdk, { url })
  await vendor.stop()
  await world.restart()
  sdk.expire()
  await useOnce(sdk, { url })
  expect(sdk.signIns()).toBe(1)
})
