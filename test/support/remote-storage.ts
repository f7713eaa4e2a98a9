/**
 * A store in memory that behaves as one behind a network: it cannot peek, announces changes, counts calls, and fails
 * when it is told to.
 *
 * @module
 */

import { WATCHED } from '../../src/records/records.ts'
import { createLiveness, type LivenessTracker } from '../../src/storage/liveness.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import { type Storage, StorageUnavailable } from '../../src/storage/storage.ts'
import type { Clock } from './build-app.ts'

export interface RemoteStorage extends Storage {
  readonly liveness: LivenessTracker
  /** True: announcements and heartbeats are lost. */
  isDeaf: boolean
  /** True: every call fails. */
  isDown: boolean
  /** The number of calls since a test set it. */
  asked: number
  /** Delays reads until it resolves. */
  hold: Promise<void> | undefined
  /** A heartbeat, unless deaf. */
  beat(): void
}

export function createRemoteStorage(clock: Clock, maxStale = 60): RemoteStorage {
  const { peek: _, unchanged: __, ...memory } = createMemoryStorage({ now: clock })
  const liveness = createLiveness({ elapsed: clock.elapsed, maxStale })
  liveness.begin()
  liveness.heartbeat(clock.elapsed())

  const ask = () => {
    remote.asked += 1
    if (remote.isDown) throw new StorageUnavailable(new Error('down'))
  }
  const announce = (key: string) => {
    const prefix = WATCHED.find((each) => key.startsWith(each))
    if (prefix && !remote.isDeaf) liveness.changed(key.slice(prefix.length))
  }
  const remote: RemoteStorage = {
    ...memory,
    liveness,
    isDeaf: false,
    isDown: false,
    asked: 0,
    hold: undefined,
    beat() {
      if (!remote.isDeaf) liveness.heartbeat(clock.elapsed())
    },
    async get<T>(key: string) {
      ask()
      const value = await memory.get<T>(key)
      await remote.hold
      return value
    },
    async set(key, value, ttl) {
      ask()
      announce(key)
      await memory.set(key, value, ttl)
    },
    async delete(key) {
      ask()
      announce(key)
      await memory.delete(key)
    },
    async count(key, windowSeconds) {
      ask()
      const found = await memory.get<{ count: number; until: number }>(key)
      const until = found?.until ?? clock() + windowSeconds * 1000
      const count = (found?.count ?? 0) + 1
      await memory.set(key, { count, until }, (until - clock()) / 1000)
      return { count, remainingMs: until - clock() }
    },
  }
  return remote
}
