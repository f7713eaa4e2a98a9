import { expect, it } from 'vitest'
import type { RedisConnection } from '../../src/storage/redis/connection.ts'
import { contactRedis } from '../../src/storage/redis/contact.ts'
import { createNames } from '../../src/storage/redis/key.ts'
import { StorageUnavailable, StorageUnfit } from '../../src/storage/storage.ts'

/** A server in the middle of a failover: it has become a replica, and answers. */
const INFO =
  'redis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\nrole:slave\r\n'

function replica(): RedisConnection {
  const send = async (command: string) => {
    if (command === 'info') return INFO
    throw new StorageUnavailable(new Error('READONLY'))
  }
  return {
    send,
    masters: () => [send],
    topology: () => '',
    subscribe: async () => {
      throw new StorageUnavailable(new Error('not asked for here'))
    },
    problem: () => undefined,
    close: async () => {},
  }
}

it.each(['sentinel', 'cluster'] as const)('a failover of a %s is waited for', async (kind) => {
  await expect(contactRedis(replica(), kind, createNames())).rejects.toThrow(StorageUnavailable)
})

it('a single server that is a replica is not waited for', async () => {
  await expect(contactRedis(replica(), 'single', createNames())).rejects.toThrow(StorageUnfit)
})

it('sb14: a user without rights is told the rights for the prefix', async () => {
  const denied: RedisConnection = {
    ...replica(),
    masters: () => [],
    send: async () => {
      throw new StorageUnavailable(new Error('NOPERM this user has no permissions'))
    },
  }
  const contact = contactRedis(denied, 'single', createNames('team-a:'))
  await expect(contact).rejects.toMatchObject({
    problems: [expect.stringContaining('~team-a:* &team-a:* +@read')],
  })
})
