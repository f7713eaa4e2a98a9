/**
 * Redis fulfils the contract of all storage adapters, in every kind of installation.
 *
 * @module
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { believedContract } from '../contract/believed-contract.ts'
import { formatContract } from '../contract/format-contract.ts'
import { coreContract, durableContract, sharedContract } from '../contract/storage-contract.ts'
import { REDIS_SHAPES, type RedisPlaces, startRedisPlaces } from './support/redis-places.ts'
import { isSkipped } from './support/tools.ts'

describe.skipIf(isSkipped('redis-server')).each(REDIS_SHAPES)('%s', (shape) => {
  let places: RedisPlaces
  beforeAll(async () => {
    places = await startRedisPlaces(shape)
  })
  afterAll(() => places?.stop())

  const open = async (now: () => number) => {
    const place = await places.fresh()
    return {
      storage: await place.open(now),
      remove: async () => {},
      ...(place.elapse && { elapse: place.elapse }),
    }
  }
  coreContract('redis', open)
  believedContract('redis', open)
  formatContract('redis', open)
  durableContract('redis', () => places.fresh())
  sharedContract('redis', () => places.fresh())

  it('counts calls of all processes in a window, and forgets them when it ends', async () => {
    const place = await places.fresh()
    const stores = await Promise.all([place.open(Date.now), place.open(Date.now)])
    const count = (key: string) => stores.map((store) => store.count?.(key, 60))
    const tallies = await Promise.all(Array.from(Array(10), () => count('rate:a:1')).flat())
    expect(tallies.map((tally) => tally?.count).sort((a = 0, b = 0) => a - b)).toEqual(
      Array.from(Array(20), (_, index) => index + 1),
    )
    for (const tally of tallies) {
      expect(tally?.remainingMs).toBeGreaterThan(50_000)
      expect(tally?.remainingMs).toBeLessThanOrEqual(60_000)
    }
    expect(await stores[0]?.count?.('rate:a:2', 60)).toMatchObject({ count: 1 })
    await place.elapse?.(60_001)
    expect(await stores[0]?.count?.('rate:a:1', 60)).toMatchObject({ count: 1 })
    await Promise.all(stores.map((store) => store.close()))
  })
})
