/**
 * Redis keeps the contract of all storage adapters, in every shape that it can be installed in.
 *
 * @module
 */
import { afterAll, beforeAll, describe } from 'vitest'
import { coreContract, durableContract, sharedContract } from '../contract/storage-contract.ts'
import { REDIS_SHAPES, type RedisPlaces, startRedisPlaces } from './support/redis-places.ts'
import { isSkipped } from './support/tools.ts'

describe.skipIf(isSkipped('redis-server')).each(REDIS_SHAPES)('%s', (shape) => {
  let places: RedisPlaces
  beforeAll(async () => {
    places = await startRedisPlaces(shape)
  })
  afterAll(() => places?.stop())

  coreContract('redis', async (now) => {
    const place = await places.fresh()
    return {
      storage: await place.open(now),
      remove: async () => {},
      ...(place.elapse && { elapse: place.elapse }),
    }
  })
  durableContract('redis', () => places.fresh())
  sharedContract('redis', () => places.fresh())
})
