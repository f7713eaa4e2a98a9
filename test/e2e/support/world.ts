/**
 * Everything that an end-to-end test needs in a single call: the sample MCP server, the built Gatewarden, the proxy in
 * front, and two people.
 *
 * @module
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from '@node-rs/argon2'
import { type SampleServer, startSampleServer } from '../../../scripts/lib/everything.ts'
import { type RunningGatewarden, startGatewarden } from '../../../scripts/lib/gatewarden.ts'
import { startNginx } from '../../../scripts/lib/nginx.ts'
import { freePort, loopbackAddresses } from '../../../scripts/lib/ports.ts'
import { startTraefik } from '../../../scripts/lib/traefik.ts'
import type { Credentials } from './browser.ts'
import { type Certificate, makeCertificate } from './certificate.ts'
import { toolPath } from './tools.ts'

export interface WorldOptions {
  /** The proxy in front: a real Traefik or nginx with the shipped files, or Gatewarden's own reverse proxy. */
  readonly front: 'traefik' | 'nginx' | 'builtin'
  /** TLS at the front, with a certificate of the world's own. */
  readonly tls?: boolean
  /**
   * The gateway is on `localhost`, the MCP server on `127.0.0.1`; otherwise they share an origin. Not for `builtin`.
   */
  readonly twoHosts?: boolean
  /** Further settings, by their names in the environment. */
  readonly settings?: Readonly<Record<string, string>>
  /** Further keys of `gatewarden.yaml`, in place of the world's own. */
  readonly file?: Readonly<Record<string, unknown>>
  /** Further keys of the only resource. */
  readonly resource?: Readonly<Record<string, unknown>>
  /** Further resources. Their `upstream` reaches the same server; the shipped files have no route to them. */
  readonly moreResources?: (world: { publicUrl: string; upstream: string }) => object
  /** `host:port` of an MCP server of the test's own, instead of the sample one. */
  readonly upstream?: string
  /** Changes a shipped file of nginx; gets its text and name. */
  readonly changeNginx?: (text: string, name: string) => string
}

export interface World {
  /** PUBLIC_URL, the issuer. */
  readonly publicUrl: string
  /** The URL that people give to their client. */
  readonly mcpUrl: string
  readonly ann: Credentials
  /** A person whom the built-in login knows, but who may not pass. */
  readonly bob: Credentials
  /** A new folder, removed at the end. */
  readonly folder: string
  readonly certificate?: Certificate
  /** Gatewarden's log, before and after restarts. */
  log(): string
  /** The process id of the running Gatewarden. */
  pid(): number
  /** Stops Gatewarden (by default with SIGTERM) and starts it again with the same data and address. */
  restart(signal?: NodeJS.Signals): Promise<void>
  /** Stops Gatewarden only, like an outage. Resolves to its exit code; to null if the signal ended it. */
  stopGatewarden(signal?: NodeJS.Signals): Promise<number | null>
  stop(): Promise<void>
}

const ANN = { name: 'ann', password: 'correct horse battery staple' }
const BOB = { name: 'bob', password: 'tall green paper lantern' }

/** Builds a world; each world has ports, data and secrets of its own. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'gatewarden-'))
  const started: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })]
  const stop = async () => {
    for (const end of started.splice(0).reverse()) await end()
  }
  try {
    return await buildWorld({ ...options, folder, started, stop })
  } catch (error) {
    await stop()
    throw error
  }
}

async function buildWorld(
  options: WorldOptions & {
    folder: string
    started: (() => Promise<unknown>)[]
    stop: () => Promise<void>
  },
): Promise<World> {
  const { folder, started, stop } = options
  const port = await freePort()
  const scheme = options.tls ? 'https' : 'http'
  const resourceHost = options.twoHosts ? '127.0.0.1' : 'localhost'
  const publicUrl = `${scheme}://localhost:${port}`
  const mcpUrl = `${scheme}://${resourceHost}:${port}/mcp`

  const upstream = options.upstream ?? (await startSample(started)).address
  const builtin = options.front === 'builtin'
  const listen = builtin
    ? { host: 'localhost', port }
    : { host: '127.0.0.1', port: await freePort() }
  const configuration = {
    public_url: publicUrl,
    resources: {
      sample: {
        url: mcpUrl,
        name: 'Sample server',
        ...(builtin && { upstream: `http://${upstream}/mcp` }),
        ...(!builtin && !options.twoHosts && { shared_host: 'sandboxed' }),
        ...options.resource,
      },
      ...options.moreResources?.({ publicUrl, upstream }),
    },
    allow: { emails: ['ann@example.com'] },
    users: {
      ann: { email: 'ann@example.com', groups: ['staff'], password_hash: await hash(ANN.password) },
      bob: { email: 'bob@example.com', password_hash: await hash(BOB.password) },
    },
    ...options.file,
  }
  let earlierLog = ''
  let gatewarden: RunningGatewarden
  const start = async () => {
    gatewarden = await startGatewarden({
      folder,
      listen,
      file: configuration,
      settings: { LOG_LEVEL: 'debug', ...options.settings },
    })
  }
  const stopGatewarden = (signal: NodeJS.Signals = 'SIGTERM') => {
    process.kill(gatewarden.pid, signal)
    return gatewarden.exited
  }
  await start()
  started.push(() => gatewarden.stop())

  const certificate = options.tls ? await makeCertificate(join(folder, 'tls')) : undefined
  if (options.front !== 'builtin') {
    const front = {
      binary: toolPath(options.front),
      folder: join(folder, options.front),
      port,
      addresses: loopbackAddresses(),
      gatewayHost: 'localhost',
      resourceHost,
      gatewarden: `${listen.host}:${listen.port}`,
      upstream,
      ...(certificate && { certificate }),
    }
    const { changeNginx: change } = options
    const proxy =
      options.front === 'traefik'
        ? await startTraefik(front)
        : await startNginx({ ...front, ...(change && { change }) })
    started.push(() => proxy.stop())
  }
  return {
    publicUrl,
    mcpUrl,
    ann: ANN,
    bob: BOB,
    folder,
    ...(certificate && { certificate }),
    log: () => earlierLog + gatewarden.log(),
    pid: () => gatewarden.pid,
    async restart(signal) {
      await stopGatewarden(signal)
      earlierLog += gatewarden.log()
      await start()
    },
    stopGatewarden,
    stop,
  }
}

async function startSample(started: (() => Promise<unknown>)[]): Promise<SampleServer> {
  const sample = await startSampleServer()
  started.push(() => sample.process.stop())
  return sample
}
