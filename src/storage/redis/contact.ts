/**
 * The first contact with Redis: checks that the servers may hold our store, and that this user may do all we need.
 *
 * @module
 */

import { StorageUnavailable, StorageUnfit } from '../storage.ts'
import { judgeServer } from './checks.ts'
import type { RedisConnection, SendCommand } from './connection.ts'
import type { RedisNames } from './key.ts'
import { REPLACE_SCRIPT } from './scripts.ts'
import type { RedisTarget } from './topology.ts'

/** The rules that an ACL user needs; docs/scaling.md has the same. */
const neededBy = (prefix: string) =>
  `~${prefix}* &${prefix}* +@read +@write +@pubsub +@connection -@dangerous +eval +info +time +cluster|slots +cluster|info`
const FULL =
  'Redis is full: until it has more memory (maxmemory), sign-ins and refreshes are answered with 503.'

/**
 * Resolves to warnings for the operator once every server has answered.
 * @throws StorageUnfit with what to change; StorageUnavailable while a server does not answer
 */
export async function contactRedis(
  connection: RedisConnection,
  kind: RedisTarget['kind'],
  names: RedisNames,
): Promise<readonly string[]> {
  try {
    const found = await Promise.all(
      connection.masters().map(async (master) => judgeServer(await findInfo(master), kind)),
    )
    const problems = found.flatMap((each) => each.problems)
    if (problems.length > 0) throw new StorageUnfit([...new Set(problems)])
    const outage = found.find((each) => each.outage !== undefined)?.outage
    if (outage !== undefined) throw new StorageUnavailable(new Error(outage))
    const { isFull } = await tryOut(connection, names)
    return [...new Set(found.flatMap((each) => each.warnings)), ...(isFull ? [FULL] : [])]
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error
    // Without a connection, the reason for that says more.
    const message = connection.problem() ?? messageOf(error)
    const needed = neededBy(names.prefix)
    const problem = problemOf(messageOf(error), needed) ?? problemOf(message, needed)
    throw problem === undefined
      ? new StorageUnavailable(new Error(message))
      : new StorageUnfit([problem])
  }
}

/** The server's `INFO`; undefined if this user may not ask. */
async function findInfo(master: SendCommand): Promise<string | undefined> {
  try {
    return String(await master('info'))
  } catch (error) {
    if (messageOf(error).startsWith('NOPERM')) return undefined
    throw error
  }
}

/** Runs each kind of command once, on a key of our own: a missing permission shows here and not at the first login. */
async function tryOut(
  { send, masters, subscribe }: RedisConnection,
  { encode, changes }: RedisNames,
): Promise<{ isFull: boolean }> {
  const key = encode('probe')
  let isFull = false
  const write = async (...command: Parameters<SendCommand>) => {
    try {
      await send(...command)
    } catch (error) {
      // Redis says this after it checked permissions. Tokens issued before can still be checked, so this is no outage.
      if (!messageOf(error).startsWith('OOM')) throw error
      isFull = true
    }
  }
  await write('set', key, '1', 'PX', 1000, 'NX')
  await send('get', key)
  await write('eval', REPLACE_SCRIPT, 1, key, changes, '', '2', 1000, '1')
  await write('getdel', key)
  await write('del', key)
  await Promise.all(masters().map((master) => master('scan', '0', 'COUNT', 1)))
  await Promise.all(masters().map((master) => master('publish', changes, '')))
  const subscription = await subscribe([changes], () => {})
  subscription.close()
  return { isFull }
}

/** The problem, as a sentence, if it will not go away by itself; undefined for all other errors. */
function problemOf(message: string, needed: string): string | undefined {
  if (/WRONGPASS|NOAUTH|invalid username-password|Authentication required/.test(message)) {
    return 'Redis refuses the user name or the password. Correct them.'
  }
  if (message.includes('NOPERM')) {
    return `Redis denies this user access that Gatewarden needs. Allow it ${needed}.`
  }
  if (message.includes('cluster support disabled')) {
    return 'Redis is not a cluster. Begin the address with redis:// or redis+sentinel://.'
  }
  if (message.includes('DB index is out of range')) {
    return 'Redis has no database of this number. Correct the number at the end of the address, or set databases in redis.conf.'
  }
  if (message.includes('No such master with that name')) {
    return 'the sentinels watch no master of this name. Correct the name after the hosts.'
  }
  if (/unknown command .sentinel/i.test(message)) {
    return 'the server that answers is not a sentinel. Begin the address with redis://, or name the sentinels.'
  }
  if (/certificate|altnames/i.test(message)) {
    return `the certificate of Redis is not trusted (${message}). Set REDIS_CA to the file of the authority that signed it, and name Redis as its certificate does.`
  }
  return undefined
}

/** The server's message. */
function messageOf(error: unknown): string {
  return error instanceof StorageUnavailable && error.cause instanceof Error
    ? error.cause.message
    : ''
}
