/**
 * The Redis installations for the storage contract, each as a place that can be opened.
 *
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisGroup,
} from '../../../scripts/lib/redis.ts'
import { adapters, type Place } from '../../storage/place.ts'
import { makeCertificate } from './certificate.ts'
import { toolPath } from './tools.ts'

export interface RedisPlaces {
  /** The same place, emptied. */
  fresh(): Promise<Place>
  stop(): Promise<void>
}

/** The shapes that `REDIS_URL` can have. */
export const REDIS_SHAPES = ['one server', 'TLS and an ACL user', 'Sentinel', 'Cluster'] as const
export type RedisShape = (typeof REDIS_SHAPES)[number]

const PASSWORD = 'p@ss:w/rd#1'
/** Another prefix than the usual one: the server denies each name without it (case sb14). */
const PREFIX = '{team-a}:'
/** The rights of the documented ACL user, for this prefix. */
const ACL_USER = [
  ...[
    'on',
    `>${PASSWORD}`,
    `~${PREFIX}*`,
    `&${PREFIX}*`,
    '+@read',
    '+@write',
    '+@pubsub',
    '+@connection',
  ],
  ...['-@dangerous', '+eval', '+info', '+cluster|slots', '+cluster|info'],
]

/** Starts what the shape needs; {@link RedisPlaces.stop} ends it. */
export async function startRedisPlaces(shape: RedisShape): Promise<RedisPlaces> {
  const folder = mkdtempSync(join(tmpdir(), 'gatewarden-redis-'))
  const {
    location,
    masters,
    stop,
    database = '0',
  } = await start(shape, {
    binary: toolPath('redis-server'),
    folder,
  })
  const onEach = async (...command: string[]) => {
    await Promise.all((await masters()).map((server) => server.cli('-n', database, ...command)))
  }
  const place: Place = {
    adapter: 'redis',
    location,
    open: (now) => adapters.redis(location, now),
    elapse: (milliseconds) => onEach('eval', ELAPSE, '0', String(milliseconds)),
    remove: async () => {},
  }
  return {
    async fresh() {
      await onEach('flushall')
      return place
    },
    async stop() {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Moves every expiry `ARGV[1]` milliseconds nearer; Redis deletes a key whose expiry is reached. */
const ELAPSE = `for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, string.format('%d', left - ARGV[1])) end
end`

interface Started {
  readonly location: string
  readonly database?: string
  masters(): Promise<readonly RedisServer[]>
  stop(): Promise<void>
}

async function start(
  shape: RedisShape,
  options: { binary: string; folder: string },
): Promise<Started> {
  switch (shape) {
    case 'one server': {
      const server = await startRedis(options)
      const location = `redis://127.0.0.1:${server.port}/3`
      return { location, database: '3', masters: async () => [server], stop: server.stop }
    }
    case 'TLS and an ACL user': {
      const certificate = await makeCertificate(options.folder)
      const settings = ['--user', 'gatewarden', ...ACL_USER]
      const server = await startRedis({ ...options, certificate, password: 'admin', settings })
      const url = `rediss://gatewarden:${encodeURIComponent(PASSWORD)}@localhost:${server.port}`
      const location = `${url} ${certificate.certFile} ${PREFIX}`
      return { location, masters: async () => [server], stop: server.stop }
    }
    case 'Sentinel': {
      const group = await startRedisGroup(options)
      const hosts = group.sentinels.map(({ port }) => `127.0.0.1:${port}`)
      const location = `redis+sentinel://${hosts.join(',')}/${group.name}`
      return { location, masters: async () => [await group.master()], stop: group.stop }
    }
    case 'Cluster': {
      const cluster = await startRedisCluster(options)
      const hosts = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`)
      const location = `redis+cluster://${hosts.join(',')}`
      return { location, masters: async () => cluster.nodes, stop: cluster.stop }
    }
  }
}
