/**
 * Listens for the changes of every process, and proves several times a second that they arrive: a heartbeat goes out
 * where our commands go and has to come back where announcements arrive (decision K27).
 *
 * Messages carry no MAC, unlike records (decision K42). A forged change costs a read of the grant, and names an id that is
 * looked up and not kept. A forged heartbeat could only hide a revocation from a replica that hears no others, and a
 * program that may publish here may put the revoked grant back as well.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Events } from '../../events.ts'
import type { LivenessTracker } from '../liveness.ts'
import type { RedisConnection, RedisSubscription } from './connection.ts'
import { backoff } from './driver.ts'
import type { RedisNames } from './key.ts'
import { BEAT_SCRIPT } from './scripts.ts'

const BEAT_MS = 300
/** After this long without a heartbeat, another connection replaces this one. */
const DEAF_MS = 2000
/** The most heartbeats on their way; older ones prove nothing any more. */
const MAX_ROUNDS = 10

/** A heartbeat, and the servers that it has not come back from. */
interface Round {
  readonly sentAt: number
  readonly missing: Set<string>
}

/**
 * Keeps the tracker informed until it is stopped.
 * @param deps.id the name of this process; only its own heartbeats count
 * @param deps.elapsed milliseconds on a clock that is never set back
 */
export function listenForAnnouncements(deps: {
  readonly connection: RedisConnection
  readonly names: Pick<RedisNames, 'changes' | 'beats'>
  readonly tracker: LivenessTracker
  readonly id: string
  readonly isCluster: boolean
  readonly elapsed: () => number
  readonly events: Events
  /** Called at each heartbeat. */
  readonly onBeat?: () => void
}): { stop(): void } {
  const { connection, names, tracker, id, isCluster, elapsed, events, onBeat = () => {} } = deps
  const { changes } = names
  const beats = names.beats(id)
  const stopping = new AbortController()
  const rounds = new Map<number, Round>()
  let subscription: RedisSubscription | undefined
  let isLost = false
  let heardAt = 0
  let count = 0

  const onMessage = (channel: string, message: string) => {
    if (channel === changes) return tracker.changed(message)
    const [first = '', server = ''] = message.split(' ')
    const number = Number(first)
    const round = rounds.get(number)
    if (!round?.missing.delete(server) || round.missing.size > 0) return
    rounds.delete(number)
    for (const earlier of rounds.keys()) {
      if (earlier > number) break
      // An overtaken heartbeat is lost, and announcements of that time may be lost too.
      rounds.delete(earlier)
      tracker.begin()
    }
    heardAt = elapsed()
    tracker.heartbeat(round.sentAt)
    if (isLost) events.emit({ event: 'announcements-back' })
    isLost = false
  }

  /** Sends to every server: the announcements of one may be lost on their way while those of the others arrive. */
  const beat = () => {
    if (!subscription) return
    if (elapsed() - heardAt > DEAF_MS) subscription.close()
    count += 1
    onBeat()
    const [oldest] = rounds.keys()
    if (rounds.size >= MAX_ROUNDS && oldest !== undefined) rounds.delete(oldest)
    try {
      const servers = connection.masters()
      rounds.set(count, {
        sentAt: elapsed(),
        missing: new Set(servers.map((_, index) => `${index}`)),
      })
      for (const [index, send] of servers.entries()) {
        const message = `${count} ${index}`
        // In a cluster, the others outvote a server that was replaced, and stop talking to it.
        const sent = isCluster
          ? send('publish', beats, message)
          : send('eval', BEAT_SCRIPT, 1, beats, beats, message)
        sent.catch(() => {})
      }
    } catch {
      // Without a server there is no heartbeat, and its absence shows the outage.
    }
  }

  const listen = async () => {
    let failures = 0
    while (!stopping.signal.aborted) {
      try {
        const opened = await connection.subscribe([changes, beats], onMessage)
        if (stopping.signal.aborted) return opened.close()
        heardAt = elapsed()
        subscription = opened
        tracker.begin()
        failures = 0
        beat()
        await opened.ended
      } catch {
        // Commands report the same fault.
        failures += 1
      }
      subscription = undefined
      // A heartbeat that comes half by this connection and half by the next proves nothing about either.
      rounds.clear()
      tracker.end()
      if (stopping.signal.aborted) return
      if (!isLost) {
        events.emit({ event: 'announcements-lost', cause: connection.problem() })
      }
      isLost = true
      await delay(backoff(failures), undefined, { signal: stopping.signal }).catch(() => {})
    }
  }

  const timer = setInterval(beat, BEAT_MS).unref()
  void listen()
  return {
    stop() {
      clearInterval(timer)
      stopping.abort()
      subscription?.close()
    },
  }
}
