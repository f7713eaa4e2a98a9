/**
 * Two replicas behind a real Traefik: each request goes to another replica than the request before it.
 *
 * @module
 */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { type RunningGatewarden, startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { freePort, loopbackAddresses } from '../../../scripts/lib/ports.ts'
import { startTraefik } from '../../../scripts/lib/traefik.ts'
import { type AlternatingProxy, startAlternatingProxy } from './alternating-proxy.ts'
import type { Credentials } from './browser.ts'
import { type Exchange, exchange } from './http-exchange.ts'
import { startRecordingServer } from './recording-server.ts'
import { toolPath } from './tools.ts'

export interface ReplicatedWorld {
  /** PUBLIC_URL, the issuer; on another host than the resource. */
  readonly publicUrl: string
  readonly mcpUrl: string
  readonly ann: Credentials
  readonly replicas: readonly [RunningGatewarden, RunningGatewarden]
  readonly handed: AlternatingProxy['handed']
  /** The answer of a replica to a proxy's check of a request with these headers. */
  check(replica: 0 | 1, headers: Readonly<Record<string, string>>): Promise<Exchange>
  /** Sends a request for the issuer to a replica; `from` is the client's address, as its proxy saw it. */
  ask(
    replica: 0 | 1,
    path: string,
    form?: Readonly<Record<string, string>>,
    from?: string,
  ): Promise<Exchange>
  /** A new client assertion of the program `nightly`, which may get tokens for itself. */
  signAssertion(): Promise<string>
  /** The settings of both, by names in the environment. */
  readonly settings: Readonly<Record<string, string>>
  /** The configuration file of each replica. */
  readonly file: string
  stop(): Promise<void>
}

const PROGRAM = 'nightly'
const ANN = { name: 'ann', password: 'correct horse battery staple' }

/**
 * @param options.settings by their names in the environment: where the store is. Without `REDIS_URL` the two share a
 *   data directory
 */
export async function startReplicatedWorld(options: {
  readonly settings?: Readonly<Record<string, string>>
}): Promise<ReplicatedWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewarden-replicas-'))
  const started: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end()
  }
  try {
    return await build({ settings: options.settings ?? {}, folder, started, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

async function build(options: {
  settings: Readonly<Record<string, string>>
  folder: string
  started: (() => Promise<unknown>)[]
  stop: () => Promise<void>
}): Promise<ReplicatedWorld> {
  const { folder, started, stop } = options
  const port = await freePort()
  const publicUrl = `http://localhost:${port}`
  const mcpUrl = `http://127.0.0.1:${port}/mcp`
  const application = await startRecordingServer((request, response) => {
    response.end(`hello ${request.headers['x-forwarded-user']}`)
  })
  started.push(application.close)
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwksFile = join(folder, 'jwks.json')
  await writeFile(jwksFile, JSON.stringify({ keys: [await exportJWK(publicKey)] }))
  const file = {
    public_url: publicUrl,
    resources: { sample: { url: mcpUrl, name: 'Sample server' } },
    allow: { emails: ['ann@example.com'] },
    users: { ann: { email: 'ann@example.com', password_hash: await hash(ANN.password) } },
    clients: [
      {
        client_id: PROGRAM,
        client_name: 'Nightly job',
        grant_types: ['client_credentials'],
        jwks_file: jwksFile,
        resources: ['sample'],
      },
    ],
  }
  const settings = {
    SECRET: 'a root secret for tests, long enough to be one',
    DATA_DIR: join(folder, 'data'),
    ...options.settings,
  }
  const start = (name: string) =>
    startGatewarden({ folder: join(folder, name), file, settings }).then((replica) => {
      started.push(replica.stop)
      return replica
    })
  // Both start at once on an empty store, and end up with the same first signing key.
  const replicas = await Promise.all([start('one'), start('other')])
  const addresses = replicas.map(({ address }) => address)
  const proxy = await startAlternatingProxy(addresses)
  started.push(proxy.close)
  const traefik = await startTraefik({
    binary: toolPath('traefik'),
    folder: join(folder, 'traefik'),
    port,
    addresses: loopbackAddresses(),
    gatewayHost: 'localhost',
    resourceHost: '127.0.0.1',
    gatewarden: proxy.address,
    upstream: application.address,
  })
  started.push(() => traefik.stop())
  const { host, pathname } = new URL(mcpUrl)
  return {
    publicUrl,
    mcpUrl,
    ann: ANN,
    replicas,
    handed: proxy.handed,
    check: (replica, headers) =>
      exchange(new URL(`http://${addresses[replica]}/auth/traefik`), {
        headers: {
          'x-forwarded-method': 'GET',
          'x-forwarded-host': host,
          'x-forwarded-uri': pathname,
          ...headers,
        },
      }),
    ask: (replica, path, form, from) =>
      exchange(new URL(path, `http://${addresses[replica]}`), {
        method: form ? 'POST' : 'GET',
        headers: {
          host: new URL(publicUrl).host,
          ...(from !== undefined && { 'x-forwarded-for': from }),
          ...(form && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(form && { body: new URLSearchParams(form).toString() }),
      }),
    signAssertion: () =>
      new SignJWT({ jti: randomUUID() })
        .setProtectedHeader({ alg: 'ES256' })
        .setIssuer(PROGRAM)
        .setSubject(PROGRAM)
        .setAudience(publicUrl)
        .setIssuedAt()
        .setExpirationTime('2m')
        .sign(privateKey),
    settings,
    file: join(folder, 'one', 'gatewarden.yaml'),
    stop,
  }
}
