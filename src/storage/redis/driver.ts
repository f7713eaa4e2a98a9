/**
 * The driver's clients, set up so that a command is sent once or not at all. Nothing is queued while there is no
 * connection, and nothing is sent again after a connection was lost: if the server had executed the first command, it
 * would refuse the second, and the caller would not learn that its step was taken.
 *
 * @module
 */
import { isIP } from 'node:net'
import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis'
import type { RedisHost, RedisTarget } from './topology.ts'

/** The options without the member that the driver's types refuse as undefined. */
type ServerOptions = Omit<RedisOptions, 'replyMapping'>
/** The options for every node of a cluster. */
type NodeOptions = Omit<NonNullable<ClusterOptions['redisOptions']>, 'replyMapping'>

/** Milliseconds that a command, or one step of connecting, may take. */
export const DEADLINE_MS = 1000
/** A connection that owes answers and is silent for this long is closed: its peer may be gone. */
const SILENT_MS = 1500
/** Time for a connection to be closed in good order. */
const DISCONNECT_MS = 100
const MAX_BACKOFF_MS = 1000
/** The interval at which a cluster is asked which node serves which slot; each redirected command asks too. */
const TOPOLOGY_MS = 5000
/** The pause between attempts to find a server that takes writes. */
const READ_ONLY_MS = 1000
const SLOTS = 16_384

/** Milliseconds to wait before the next attempt to connect, after `attempts` failed ones. */
export function backoff(attempts: number): number {
  return Math.min(50 * 2 ** Math.min(attempts, 10), MAX_BACKOFF_MS) * (0.5 + Math.random() / 2)
}

/** A client that connects, and connects again, until it is disconnected. */
export function createClient(target: RedisTarget): Redis | Cluster {
  if (target.kind !== 'cluster') {
    return new Redis({
      ...serverOptions(target),
      retryStrategy: backoff,
      enableOfflineQueue: false,
      reconnectOnError: reconnectsWhenReadOnly(),
    })
  }
  return new Cluster(
    target.hosts.map((host) => ({ ...host })),
    {
      redisOptions: connectionOptions(target),
      // The name is passed on and resolved while connecting, so that TLS can compare it with the certificate.
      dnsLookup: (address, callback) => callback(null, address),
      clusterRetryStrategy: backoff,
      enableOfflineQueue: false,
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      maxRedirections: 5,
      slotsRefreshTimeout: DEADLINE_MS,
      slotsRefreshInterval: TOPOLOGY_MS,
    },
  )
}

/**
 * After a failover, the old server may still answer, while its name already leads to another server. Reconnects once a
 * second and not at each such error: otherwise the reads in between would never be answered.
 */
function reconnectsWhenReadOnly(): (error: Error) => boolean {
  let triedAt = Number.NEGATIVE_INFINITY
  return ({ message }) => {
    const now = performance.now()
    if (!message.startsWith('READONLY') || now - triedAt < READ_ONLY_MS) return false
    triedAt = now
    return true
  }
}

/**
 * A client for one connection that listens; it connects once, when it is told to.
 * @param client the client for commands, which knows the nodes of a cluster
 */
export function createSubscriber(target: RedisTarget, client: Redis | Cluster): Redis {
  const once = {
    lazyConnect: true,
    retryStrategy: null,
    sentinelRetryStrategy: () => null,
    autoResubscribe: false,
  }
  if (client instanceof Redis) {
    if (target.kind === 'cluster') throw new Error('a cluster needs a client for clusters')
    return new Redis({ ...serverOptions(target), ...once })
  }
  const nodes = client.nodes('master')
  const node = nodes[Math.floor(Math.random() * nodes.length)]
  if (!node) throw new Error('no node of the cluster is known')
  const { host, port } = addressOf(node)
  return new Redis({ ...connectionOptions(target), host, port, ...once })
}

/** The server of each range of slots, as text. */
export function topologyOf(cluster: Cluster): string {
  const ranges: string[] = []
  let last: string | undefined
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const owner = cluster.slots[slot]?.[0]
    if (owner !== last) ranges.push(`${slot} ${owner}`)
    last = owner
  }
  return ranges.join(', ')
}

/**
 * The connections to all servers of slots, by name. The client forgets a node whose connection is lost, so its own list
 * may have holes.
 * @throws {Error} if there is no connection to the server of a slot
 */
export function mastersOf(cluster: Cluster): ReadonlyMap<string, Redis> {
  const known = new Map<string, Redis>()
  for (const node of cluster.nodes()) {
    const { host, port } = addressOf(node)
    known.set(`${host}:${port}`, node)
  }
  const masters = new Map<string, Redis>()
  let last: string | undefined
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const owner = cluster.slots[slot]?.[0]
    if (owner === last && owner !== undefined) continue
    const node = owner === undefined ? undefined : known.get(owner)
    if (owner === undefined || !node) {
      cluster.refreshSlotsCache()
      throw new Error(`no connection to the server of slot ${slot} of the cluster`)
    }
    masters.set(owner, node)
    last = owner
  }
  return masters
}

function addressOf({ options }: Redis): RedisHost {
  return { host: options.host ?? '', port: options.port ?? 0 }
}

function serverOptions(target: Exclude<RedisTarget, { kind: 'cluster' }>): ServerOptions {
  if (target.kind === 'single') {
    const [{ host, port } = { host: '', port: 0 }] = target.hosts
    const options = connectionOptions(target)
    // The name tells a server of many names which certificate to show.
    if (options.tls && isIP(host) === 0) options.tls = { ...options.tls, servername: host }
    return { ...options, host, port, db: target.db }
  }
  const options = connectionOptions(target)
  return {
    ...options,
    sentinels: [...target.hosts],
    name: target.master,
    db: target.db,
    ...(target.sentinelUsername !== undefined && { sentinelUsername: target.sentinelUsername }),
    ...(target.sentinelPassword !== undefined && { sentinelPassword: target.sentinelPassword }),
    ...(options.tls && { sentinelTLS: options.tls, enableTLSForSentinelMode: true }),
    sentinelCommandTimeout: DEADLINE_MS,
    sentinelRetryStrategy: backoff,
    // A master that was replaced while alive answers for some seconds more, and loses all that is written to it then.
    failoverDetector: true,
    sentinelReconnectStrategy: () => MAX_BACKOFF_MS * 10,
  }
}

function connectionOptions({ username, password, tls, ca }: RedisTarget): NodeOptions {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls && { tls: ca === undefined ? {} : { ca } }),
    connectionName: 'gatewarden',
    connectTimeout: DEADLINE_MS,
    commandTimeout: DEADLINE_MS,
    socketTimeout: SILENT_MS,
    disconnectTimeout: DISCONNECT_MS,
    maxLoadingRetryTime: MAX_BACKOFF_MS,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
  }
}
