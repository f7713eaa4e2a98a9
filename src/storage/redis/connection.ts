/**
 * Sends commands to Redis, each with a deadline, and turns every failure into an outage.
 *
 * @module
 */
import { type Cluster, Redis } from 'ioredis'
import { StorageUnavailable } from '../storage.ts'
import {
  backoff,
  createClient,
  createSubscriber,
  DEADLINE_MS,
  mastersOf,
  topologyOf,
} from './driver.ts'
import type { RedisTarget } from './topology.ts'

/**
 * Sends one command. Rejects with StorageUnavailable for every failure, and when there is no answer in a second: the
 * server may have executed the command all the same, or may execute it later.
 */
export type SendCommand = (
  command: string,
  ...args: readonly (string | number)[]
) => Promise<unknown>

/** A connection that only listens. */
export interface RedisSubscription {
  /** Resolves when the connection has ended. */
  readonly ended: Promise<void>
  close(): void
}

export interface RedisConnection {
  /** Sends to the server that holds the key of the command. */
  readonly send: SendCommand
  /**
   * Senders to each server that takes writes; together these hold every key.
   * @throws StorageUnavailable if one is missing
   */
  masters(): readonly SendCommand[]
  /** A text that changes once keys may be on another server than before, where a cursor of `SCAN` means nothing. */
  topology(): string
  /** Opens a connection to one of the servers. Rejects with StorageUnavailable. */
  subscribe(
    channels: readonly string[],
    onMessage: (channel: string, message: string) => void,
  ): Promise<RedisSubscription>
  /** The last error of a connection; undefined once the connection is ready again. */
  problem(): string | undefined
  /** Waits for the answers that are due, then closes. */
  close(): Promise<void>
}

/** Begins to connect, and goes on until it is closed: an unreachable server is no error here. */
export function openRedisConnection(target: RedisTarget): RedisConnection {
  const client = createClient(target)
  const pending = new Set<Promise<unknown>>()
  let closed = false
  let connections = 0
  let problem: string | undefined
  const note = (error: Error) => {
    problem = describe(error)
  }
  client.on('error', note)
  client.on('node error', note)
  client.on('error', (error) => {
    // The driver would go on in database 0, where others may keep their data.
    if (client instanceof Redis && isOfCommand(error, 'select')) client.disconnect(true)
  })
  client.on('ready', () => {
    connections += 1
    problem = undefined
  })
  // The driver gives up for good when a failover is announced while it asks the sentinels where to connect to.
  client.on('end', () => {
    if (closed) return
    setTimeout(() => {
      if (!closed) client.connect().catch(note)
    }, backoff(0)).unref()
  })

  const attempt = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      if (closed) throw new Error('the storage is closed')
      return await action()
    } catch (error) {
      throw unavailable(problem !== undefined && isWithoutConnection(error) ? problem : error)
    }
  }
  const sender =
    (to: Redis | Cluster): SendCommand =>
    (command, ...args) =>
      attempt(async () => {
        const answer = raceDeadline(to.call(command, ...args))
        pending.add(answer)
        try {
          return await answer
        } finally {
          pending.delete(answer)
        }
      })
  const send = sender(client)

  return {
    send,
    masters() {
      if (client instanceof Redis) return [send]
      try {
        return [...mastersOf(client).values()].map(sender)
      } catch (error) {
        throw unavailable(error)
      }
    },
    topology: () => (client instanceof Redis ? `${connections}` : topologyOf(client)),
    subscribe: (channels, onMessage) =>
      attempt(async () => {
        const subscriber = createSubscriber(target, client)
        subscriber.on('error', note)
        subscriber.on('message', onMessage)
        const ended = new Promise<void>((resolve) => subscriber.once('end', resolve))
        try {
          await subscriber.connect()
          await subscriber.subscribe(...channels)
        } catch (error) {
          subscriber.disconnect()
          throw error
        }
        return { ended, close: () => subscriber.disconnect() }
      }),
    problem: () => problem,
    async close() {
      closed = true
      await Promise.allSettled(pending)
      client.disconnect()
    },
  }
}

/** True for the driver's words about a connection that is not there: the connection's own last error says why. */
function isWithoutConnection(error: unknown): boolean {
  return error instanceof Error && /isn't writeable|max retries per request/.test(error.message)
}

/** True if the error answers this command, which the driver sends by itself. */
function isOfCommand(error: Error, name: string): boolean {
  if (!('command' in error)) return false
  const { command } = error
  return (
    typeof command === 'object' && command !== null && 'name' in command && command.name === name
  )
}

/** The driver has a deadline too, but it begins anew each time a cluster redirects the command. */
async function raceDeadline<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), DEADLINE_MS)
  })
  try {
    return await Promise.race([answer, deadline])
  } finally {
    clearTimeout(timer)
  }
}

/** The driver's errors carry the command with its arguments, passwords included: only their text is passed on. */
function unavailable(error: unknown): StorageUnavailable {
  return error instanceof StorageUnavailable
    ? error
    : new StorageUnavailable(new Error(describe(error)))
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  // The cluster's error says only that all nodes failed; this one has the reason.
  if ('lastNodeError' in error && error.lastNodeError) return describe(error.lastNodeError)
  return error.message || ('code' in error ? String(error.code) : error.name)
}
