/**
 * Hears what every process changes, and proves several times a second that it does: a heartbeat goes out where our
 * commands go and has to come back where announcements arrive (decision K27).
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Hearing } from '../liveness.ts'
import type { StorageLog } from '../storage.ts'
import type { RedisConnection, RedisSubscription } from './connection.ts'
import { backoff } from './driver.ts'
import { PREFIX } from './key.ts'
import { BEAT_SCRIPT } from './scripts.ts'

/** Where ids of changed grants are announced. */
export const CHANGES = `${PREFIX}changes`

const BEAT_MS = 300
/** After this long without a heartbeat the connection is given up for another. */
const DEAF_MS = 2000
/** Heartbeats on their way; older ones prove nothing any more. */
const MAX_ROUNDS = 10

/** One heartbeat, and those of the servers it has not come back from. */
interface Round {
  readonly sentAt: number
  readonly missing: Set<string>
}

/**
 * Keeps `hearing` informed until it is stopped.
 * @param deps.id names this process; nobody else's heartbeats count
 * @param deps.now milliseconds since the epoch
 */
export function listenForNews(deps: {
  readonly connection: RedisConnection
  readonly hearing: Hearing
  readonly id: string
  readonly isCluster: boolean
  readonly now: () => number
  readonly log: StorageLog
}): { stop(): void } {
  const { connection, hearing, id, isCluster, now, log } = deps
  const beats = `${PREFIX}beat:${id}`
  const stopping = new AbortController()
  const rounds = new Map<number, Round>()
  let subscription: RedisSubscription | undefined
  let isLost = false
  let heardAt = 0
  let count = 0

  const onMessage = (channel: string, message: string) => {
    if (channel === CHANGES) return hearing.changed(message)
    const [first = '', server = ''] = message.split(' ')
    const number = Number(first)
    const round = rounds.get(number)
    if (!round?.missing.delete(server) || round.missing.size > 0) return
    rounds.delete(number)
    for (const earlier of rounds.keys()) {
      if (earlier > number) break
      // Overtaken, so lost; and so may be what was announced about then.
      rounds.delete(earlier)
      hearing.begin()
    }
    heardAt = now()
    hearing.heartbeat(round.sentAt)
    if (isLost) log.info({}, 'hearing from Redis again')
    isLost = false
  }

  /** To every server: what is announced at one of them may be lost on its way while the others are heard. */
  const beat = () => {
    if (!subscription) return
    if (Math.abs(now() - heardAt) > DEAF_MS) subscription.close()
    count += 1
    const [oldest] = rounds.keys()
    if (rounds.size >= MAX_ROUNDS && oldest !== undefined) rounds.delete(oldest)
    try {
      const servers = connection.masters()
      rounds.set(count, { sentAt: now(), missing: new Set(servers.map((_, index) => `${index}`)) })
      for (const [index, send] of servers.entries()) {
        const message = `${count} ${index}`
        // In a cluster, a server that lost its place to another is outvoted, and the others fall silent to it.
        const sent = isCluster
          ? send('publish', beats, message)
          : send('eval', BEAT_SCRIPT, 1, beats, beats, message)
        sent.catch(() => {})
      }
    } catch {
      // Without a server there is no heartbeat, and its absence says so.
    }
  }

  const listen = async () => {
    let failures = 0
    while (!stopping.signal.aborted) {
      try {
        const opened = await connection.subscribe([CHANGES, beats], onMessage)
        if (stopping.signal.aborted) return opened.close()
        heardAt = now()
        subscription = opened
        hearing.begin()
        failures = 0
        beat()
        await opened.ended
      } catch {
        // What is wrong with a server, commands say too.
        failures += 1
      }
      subscription = undefined
      // One that comes half by this connection and half by the next proves nothing of either.
      rounds.clear()
      hearing.end()
      if (stopping.signal.aborted) return
      if (!isLost) log.warn({ problem: connection.problem() }, 'no longer hearing from Redis')
      isLost = true
      await delay(backoff(failures), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const timer = setInterval(beat, BEAT_MS).unref()
  const listening = listen()
  return {
    stop() {
      clearInterval(timer)
      stopping.abort()
      subscription?.close()
      void listening
    },
  }
}
