/**
 * Runs Redis on loopback: one server, a group watched by sentinels, or a cluster, on free ports and in a folder of its
 * own.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './ports.ts'
import { type RunningProcess, startProcess } from './processes.ts'

const run = promisify(execFile)
const POLL_MS = 50
const SLOTS = 16_384

export interface RedisOptions {
  /** The path of `redis-server`; `redis-cli` is beside it. */
  readonly binary: string
  /** The folder for data and configuration; created if absent. */
  readonly folder: string
  /** Further arguments, such as `--appendonly`, `yes`. */
  readonly settings?: readonly string[]
  /** Serves TLS instead of plain TCP with this certificate, which is its own authority. */
  readonly certificate?: { readonly certFile: string; readonly keyFile: string }
  /** The password that we set for the default user. */
  readonly password?: string
  /** Another user for our own commands; `settings` has to create that user. */
  readonly login?: { readonly user: string; readonly password: string }
}

export interface RedisServer {
  readonly port: number
  /** Runs a command as the default user, or as `login`. @returns the server's answer */
  cli(...command: readonly string[]): Promise<string>
  /** Stops the process, like a machine that hangs; its connections stay open. */
  pause(): void
  resume(): void
  /** Ends the process by SIGKILL. */
  kill(): Promise<void>
  /** Starts the server again after {@link kill}, with the data it saved. */
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts a server; resolves once it answers. */
export function startRedis(options: RedisOptions): Promise<RedisServer> {
  return startServer(options, { name: 'redis', args: [] })
}

/** A master and its replicas, watched by three sentinels; two of them are a majority. */
export interface RedisGroup {
  /** The sentinels' name for the group. */
  readonly name: string
  readonly servers: readonly RedisServer[]
  readonly sentinels: readonly RedisServer[]
  /** The server that the sentinels name as the master. */
  master(): Promise<RedisServer>
  /** Makes a replica the master; resolves once the sentinels name it. */
  failover(): Promise<void>
  stop(): Promise<void>
}

/** Starts a group; resolves once the sentinels know each other and the replicas have all data. */
export async function startRedisGroup(options: RedisOptions): Promise<RedisGroup> {
  const name = 'gatewarden'
  const { folder } = options
  const first = await startRedis({ ...options, folder: join(folder, 'server-0') })
  const second = await startRedis({
    ...options,
    folder: join(folder, 'server-1'),
    settings: [...(options.settings ?? []), '--replicaof', `127.0.0.1 ${first.port}`],
  })
  // Sentinels ask a master for its replicas when they start, and then every ten seconds.
  await synchronized(second)
  const servers = [first, second]
  const watch = [
    `sentinel monitor ${name} 127.0.0.1 ${first.port} 2`,
    `sentinel down-after-milliseconds ${name} 1500`,
    `sentinel failover-timeout ${name} 6000`,
  ]
  const sentinels: RedisServer[] = []
  for (const index of [0, 1, 2]) {
    const own = join(folder, `sentinel-${index}`)
    await mkdir(own, { recursive: true })
    const file = join(own, 'sentinel.conf')
    // A sentinel writes its findings into its file.
    await writeFile(file, `${watch.join('\n')}\n`)
    sentinels.push(
      await startServer(
        { binary: options.binary, folder: own },
        { name: 'sentinel', file, args: ['--sentinel'] },
      ),
    )
  }
  const asked = async (sentinel: RedisServer) =>
    (await sentinel.cli('sentinel', 'get-master-addr-by-name', name)).split('\n')[1]
  const agreedPort = async () => {
    const ports = new Set(await Promise.all(sentinels.map(asked)))
    return ports.size === 1 ? Number([...ports][0]) : undefined
  }
  const group: RedisGroup = {
    name,
    servers,
    sentinels,
    async master() {
      const port = await until('a master that sentinels agree on', agreedPort)
      const found = servers.find((server) => server.port === port)
      if (!found) throw new Error(`the sentinels name port ${port}, which is none of ours`)
      return found
    },
    async failover() {
      const before = (await group.master()).port
      await sentinels[0]?.cli('sentinel', 'failover', name)
      await until('a failover', async () => {
        const port = await agreedPort()
        return port !== undefined && port !== before ? port : undefined
      })
    },
    stop: () => stopAll([...sentinels, ...servers]),
  }
  await until('sentinels that know each other and the replica', async () => {
    const told = await Promise.all(sentinels.map((each) => each.cli('sentinel', 'master', name)))
    return told.every(
      (text) => /^num-other-sentinels\n2$/m.test(text) && /^num-slaves\n1$/m.test(text),
    )
      ? true
      : undefined
  })
  return group
}

export interface RedisCluster {
  /** The masters, then as many replicas, if there are any. */
  readonly nodes: readonly RedisServer[]
  stop(): Promise<void>
}

/** Starts three masters, each with a replica on request. Resolves once all nodes agree that every slot is served. */
export async function startRedisCluster(
  options: RedisOptions & { readonly replicas?: boolean },
): Promise<RedisCluster> {
  const count = options.replicas ? 6 : 3
  const members: { node: RedisServer; bus: number }[] = []
  for (let index = 0; index < count; index += 1) {
    const bus = await freePort()
    const settings = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '2000']
    const node = await startRedis({
      ...options,
      folder: join(options.folder, `node-${index}`),
      settings: [...(options.settings ?? []), ...settings, '--cluster-port', `${bus}`],
    })
    members.push({ node, bus })
  }
  const nodes = members.map(({ node }) => node)
  const [first, second, third] = nodes
  if (!first || !second || !third) throw new Error('a cluster has three masters')
  for (const { node, bus } of members.slice(1)) {
    await first.cli('cluster', 'meet', '127.0.0.1', `${node.port}`, `${bus}`)
  }
  for (const [index, node] of [first, second, third].entries()) {
    const from = Math.floor((index * SLOTS) / 3)
    const to = Math.floor(((index + 1) * SLOTS) / 3) - 1
    await node.cli('cluster', 'addslotsrange', `${from}`, `${to}`)
  }
  const agree = (pattern: RegExp) =>
    until('a cluster that agrees', async () => {
      const told = await Promise.all(nodes.map((node) => node.cli('cluster', 'info')))
      return told.every((text) => pattern.test(text) && text.includes('cluster_state:ok'))
        ? true
        : undefined
    })
  await agree(new RegExp(`cluster_known_nodes:${count}\\b`))
  for (const [index, replica] of nodes.slice(3).entries()) {
    const id = await nodes[index]?.cli('cluster', 'myid')
    await replica.cli('cluster', 'replicate', id ?? '')
  }
  await agree(/cluster_slots_ok:16384\b/)
  await Promise.all(nodes.slice(3).map(synchronized))
  return { nodes, stop: () => stopAll(nodes) }
}

async function startServer(
  options: RedisOptions,
  program: { name: string; file?: string; args: readonly string[] },
): Promise<RedisServer> {
  const { binary, folder, certificate, password, login } = options
  await mkdir(folder, { recursive: true })
  const port = await freePort()
  const tls = certificate && [
    ...['--port', '0', '--tls-port', `${port}`, '--tls-auth-clients', 'no'],
    ...['--tls-cert-file', certificate.certFile, '--tls-key-file', certificate.keyFile],
    ...['--tls-ca-cert-file', certificate.certFile],
  ]
  const args = [
    ...(program.file ? [program.file] : []),
    ...program.args,
    ...(tls ?? ['--port', `${port}`]),
    ...['--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    // Without this, a master waits five seconds for further replicas.
    ...(program.args.length > 0 ? [] : ['--repl-diskless-sync-delay', '0']),
    ...(password === undefined ? [] : ['--requirepass', password, '--masterauth', password]),
    ...(options.settings ?? []),
  ]
  const cli = async (...command: readonly string[]) => {
    const reach = ['-h', '127.0.0.1', '-p', `${port}`, ...(login ? ['--user', login.user] : [])]
    const secret = login?.password ?? password
    const secure = certificate ? ['--tls', '--cacert', certificate.certFile] : []
    const { stdout } = await run(
      join(dirname(binary), 'redis-cli'),
      [...reach, ...secure, ...command],
      {
        env: {
          PATH: process.env.PATH ?? '',
          ...(secret !== undefined && { REDISCLI_AUTH: secret }),
        },
        timeout: 5000,
      },
    )
    return stdout.trim()
  }
  const start = () =>
    startProcess({
      name: program.name,
      command: binary,
      args,
      cwd: folder,
      ready: async () => (await cli('ping').catch(() => '')) === 'PONG',
    })
  let running: RunningProcess = await start()
  const signal = (name: NodeJS.Signals) => process.kill(running.pid, name)
  return {
    port,
    cli,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    async kill() {
      signal('SIGKILL')
      await running.exited
    },
    async start() {
      running = await start()
    },
    async stop() {
      // A paused process would not get the signal to end.
      try {
        signal('SIGCONT')
      } catch {
        // The process has ended.
      }
      await running.stop(2000)
    },
  }
}

async function stopAll(servers: readonly RedisServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
}

/** Resolves once a replica has all data of its master: before that it cannot take over. */
async function synchronized(replica: RedisServer): Promise<void> {
  await until('a replica with all data', async () =>
    (await replica.cli('info', 'replication')).includes('master_link_status:up') ? true : undefined,
  )
}

/** Calls `ask` until its result is not undefined, and returns that. @param goal named in the error after 30 s */
async function until<T>(goal: string, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`there was never ${goal}`)
    await delay(POLL_MS)
  }
}
