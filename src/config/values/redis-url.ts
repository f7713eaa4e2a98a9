/**
 * Parses `REDIS_URL`. The URL may hold a password, so no problem shows any part of it.
 *
 * @module
 */
import type { RedisHost, RedisTarget } from '../../storage/redis/topology.ts'
import { InvalidValue } from './problem.ts'

const SHAPES =
  'redis://host:6379/0, redis+sentinel://host1,host2,host3/master or redis+cluster://host1,host2 (rediss instead of redis for TLS)'
const REDIS_PORT = 6379
const SENTINEL_PORT = 26_379

/** @throws InvalidValue unless `value` is an address of the three kinds, with or without TLS */
export function parseRedisUrl(value: string): RedisTarget {
  // The WHATWG parser knows neither several hosts nor these schemes.
  const parts =
    /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(.*)$/i.exec(
      value,
    )
  if (!parts || /[\s\\]/.test(value)) {
    throw new InvalidValue(`is not the address of a Redis. Write it like ${SHAPES}. ${ENCODE}`)
  }
  const [, scheme = '', kind = 'single', credentials, hosts = '', path = '', query = ''] = parts
  const common = {
    hosts: parseHosts(hosts, kind.toLowerCase() === 'sentinel' ? SENTINEL_PORT : REDIS_PORT),
    tls: scheme.toLowerCase() === 'rediss',
    ...parseCredentials(credentials),
  }
  switch (kind.toLowerCase()) {
    case 'sentinel':
      return { kind: 'sentinel', ...common, ...parseMaster(path), ...parseSentinelLogin(query) }
    case 'cluster':
      refuseQuery(query)
      if (path !== '' && path !== '/' && path !== '/0') {
        throw new InvalidValue(
          'names a database, but a cluster has only one. Leave out everything after the hosts.',
        )
      }
      return { kind: 'cluster', ...common }
    default:
      refuseQuery(query)
      if (common.hosts.length > 1) {
        throw new InvalidValue(
          'lists several hosts. Start it with redis+sentinel:// for sentinels, or redis+cluster:// for a cluster.',
        )
      }
      return { kind: 'single', ...common, db: parseDatabase(path.replace(/^\//, '')) }
  }
}

const ENCODE = 'In a password, write characters such as @ / : # percent-encoded.'

function parseHosts(text: string, defaultPort: number): RedisHost[] {
  return text.split(',').map((entry) => {
    const parts =
      /^(?:\[([0-9a-f:.]+)\]|([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?))(?::(\d{1,5}))?$/i.exec(entry)
    const port = Number(parts?.[3] ?? defaultPort)
    if (!parts || port < 1 || port > 65_535) {
      throw new InvalidValue(`has an invalid host or port. Write it like ${SHAPES}. ${ENCODE}`)
    }
    return { host: parts[1] ?? parts[2] ?? '', port }
  })
}

function parseCredentials(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined) return {}
  const [username = '', ...rest] = text.split(':')
  if (rest.length !== 1 || rest[0] === '') {
    throw new InvalidValue(
      `has a user without a password, or a second colon. Write it like user:password@host, or :password@host. ${ENCODE}`,
    )
  }
  return {
    ...(username !== '' && { username: decode(username) }),
    password: decode(rest[0] ?? ''),
  }
}

function parseMaster(path: string): { master: string; db: number } {
  const [, master = '', db = '', ...rest] = path.split('/')
  if (!/^[\w.-]{1,255}$/.test(master) || rest.length > 0) {
    throw new InvalidValue(
      'lacks the name of the master that the sentinels watch. Write it after the hosts, as in redis+sentinel://host1,host2,host3/master.',
    )
  }
  return { master, db: parseDatabase(db) }
}

function parseSentinelLogin(query: string): {
  sentinelUsername?: string
  sentinelPassword?: string
} {
  const parameters = new URLSearchParams(query)
  const username = parameters.get('sentinel_username')
  const password = parameters.get('sentinel_password')
  const known = ['sentinel_username', 'sentinel_password']
  if (query.startsWith('#') || [...parameters.keys()].some((name) => !known.includes(name))) {
    throw new InvalidValue(
      'has an unknown parameter. Write only sentinel_username and sentinel_password after the ?, if the sentinels require a login.',
    )
  }
  return {
    ...(username !== null && { sentinelUsername: username }),
    ...(password !== null && { sentinelPassword: password }),
  }
}

function refuseQuery(query: string): void {
  if (query !== '') throw new InvalidValue(`has a query or fragment. Leave it out. ${ENCODE}`)
}

function parseDatabase(text: string): number {
  if (text === '') return 0
  if (!/^\d{1,5}$/.test(text)) {
    throw new InvalidValue(
      'has a database that is not a number. Write it like redis://host:6379/0.',
    )
  }
  return Number(text)
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new InvalidValue(`has a % that starts no percent-encoded character. ${ENCODE}`)
  }
}
