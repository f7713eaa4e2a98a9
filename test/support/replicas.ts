/**
 * Two replicas in this process, on each kind of store: one that they share in memory, one behind a network that
 * announces its changes, and an LMDB environment that each opens for itself.
 *
 * @module
 */
import type { Config } from '../../src/config/config.ts'
import { createMemoryStorage } from '../../src/storage/memory.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { lmdbPlace } from '../storage/place.ts'
import { buildTestApp, type Clock, createClock, type TestApp } from './build-app.ts'
import { afterTest } from './clean-ups.ts'
import { createRemoteStorage } from './remote-storage.ts'

export const STORES = ['memory', 'announcing', 'lmdb'] as const

async function openTwice(
  store: (typeof STORES)[number],
  clock: Clock,
): Promise<readonly [Storage, Storage]> {
  switch (store) {
    case 'memory': {
      const storage = createMemoryStorage({ now: clock })
      return [storage, storage]
    }
    case 'announcing': {
      const storage = createRemoteStorage(clock)
      return [storage, storage]
    }
    case 'lmdb': {
      const place = lmdbPlace()
      const stores = [await place.open(clock), await place.open(clock)] as const
      afterTest(async () => {
        for (const storage of stores) await storage.close()
        await place.remove()
      })
      return stores
    }
  }
}

/** Starts both on an empty store, with one clock. */
export async function startReplicas(
  store: (typeof STORES)[number],
  changes: Partial<Config> = {},
): Promise<readonly [TestApp, TestApp]> {
  const clock = createClock()
  const [one, other] = await openTwice(store, clock)
  return [
    await buildTestApp(changes, { clock, storage: one }),
    await buildTestApp(changes, { clock, storage: other }),
  ]
}
