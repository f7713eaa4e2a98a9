/**
 * `gatewarden api-key create`, `list` and `revoke`: the keys of programs, even while the gateway runs.
 *
 * @module
 */

import type { Config } from '../config/config.ts'
import { durationOrNever } from '../config/values/durations.ts'
import { InvalidValue } from '../config/values/problem.ts'
import { isName, NAME_RULE } from '../config/values/static-token.ts'
import { didYouMean } from '../config/values/suggest.ts'
import { makeApiKey } from '../credentials/api-keys/key-form.ts'
import { randomToken, sha256 } from '../crypto.ts'
import { isScopeToken } from '../oauth/scope.ts'
import type { ApiKey } from '../records/api-keys.ts'
import { createAuthenticStorage } from '../records/authentic.ts'
import { createRecords, type Records } from '../records/records.ts'
import { loadRevokedBefore } from '../records/revoked-before.ts'
import { mayAnnounce } from '../resources/announced-scopes.ts'
import type { Command, Io } from './io.ts'
import { takeOwnFlags } from './own-flags.ts'
import { type OpenStore, withStore } from './with-store.ts'

const USAGE = 'Usage: gatewarden api-key create NAME, list or revoke NAME'
const CREATE_USAGE =
  'Usage: gatewarden api-key create NAME [--resource ID] [--scope SCOPE] [--expires 90d|never]'
const REVOKE_USAGE = 'Usage: gatewarden api-key revoke NAME'
const DEFAULT_EXPIRY = '90d'
const parseExpiry = durationOrNever({ min: '1m', max: '3650d' })

/** The scopes and servers of a key, as the command line says them. */
interface Terms {
  readonly name: string
  readonly scopes: readonly string[]
  readonly resources: readonly string[] | undefined
  /** Seconds; undefined: never. */
  readonly lifetime: number | undefined
}

export const apiKey: Command = async ([action, ...args], io) => {
  switch (action) {
    case 'create':
      return apiKeyCreate(args, io)
    case 'list':
      return apiKeyList(args, io)
    case 'revoke':
      return apiKeyRevoke(args, io)
    default:
      return wrong(io, USAGE)
  }
}

const apiKeyCreate: Command = async (args, io) => {
  const own = takeOwnFlags(args, ['--resource', '--scope', '--expires'])
  if ('withoutValue' in own) return wrong(io, `${own.withoutValue} has no value. ${CREATE_USAGE}`)
  const { words, values, rest } = own
  const [name] = words
  if (name === undefined || words.length > 1) return wrong(io, CREATE_USAGE)
  if (!isName(name)) return wrong(io, `${name} is not a name. ${NAME_RULE}`)
  return withStore(rest, io, async (opened) => {
    const terms = termsOf(name, values, opened.config)
    if ('problem' in terms) return wrong(io, terms.problem)
    const { apiKeys } = await openRecords(opened)
    for await (const known of apiKeys.all()) {
      if (known.name === name) {
        return wrong(io, `a key has the name ${name}. Choose another name, or revoke that key.`)
      }
    }
    const { id, key } = makeApiKey(opened.keyring, randomToken)
    const createdAt = Math.floor(opened.now() / 1000)
    const record: ApiKey = {
      id,
      name,
      hash: sha256(key),
      scopes: terms.scopes,
      ...(terms.resources && { resources: terms.resources }),
      createdAt,
      ...(terms.lifetime !== undefined && { expiresAt: createdAt + terms.lifetime }),
    }
    await apiKeys.create(record)
    // Standard output has the key and nothing else, so that a script can catch it.
    io.stdout.write(`${key}\n`)
    io.stderr.write(
      `${summaryOf(record)}\nKeep it now: it is not shown again. Send it as "Authorization: Bearer KEY" or "${opened.config.apiKeyHeader}: KEY".\n`,
    )
    return 0
  })
}

const apiKeyList: Command = (args, io) =>
  withStore(args, io, async (opened) => {
    const { apiKeys, revokedBefore } = await openRecords(opened)
    const keys: ApiKey[] = []
    for await (const key of apiKeys.all()) keys.push(key)
    for (const key of keys.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const ended = key.createdAt < revokedBefore ? '  ended by REVOKE_BEFORE' : ''
      io.stdout.write(`${summaryOf(key)}${ended}\n`)
    }
    if (keys.length === 0) io.stderr.write('There are no keys.\n')
    return 0
  })

const apiKeyRevoke: Command = async (args, io) => {
  const own = takeOwnFlags(args, [])
  if ('withoutValue' in own) return wrong(io, REVOKE_USAGE)
  const [name] = own.words
  if (name === undefined || own.words.length > 1) return wrong(io, REVOKE_USAGE)
  return withStore(own.rest, io, async (opened) => {
    const { apiKeys } = await openRecords(opened)
    const names: string[] = []
    let revoked = 0
    for await (const key of apiKeys.all()) {
      names.push(key.name)
      if (key.name !== name) continue
      await apiKeys.revoke(key.id)
      revoked += 1
    }
    if (revoked === 0) {
      const hint = didYouMean(name, names, 'See gatewarden api-key list.')
      io.stderr.write(`no key has the name ${name}. ${hint}\n`)
      return 1
    }
    io.stdout.write(`${name} is revoked. Every replica refuses it within a second.\n`)
    return 0
  })
}

/** A limit to a scope or server that does not exist is a mistake. */
function termsOf(
  name: string,
  values: (flag: '--resource' | '--scope' | '--expires') => readonly string[],
  { resources }: Config,
): Terms | { readonly problem: string } {
  const ids = values('--resource')
  const known = resources.map(({ id }) => id)
  for (const id of ids.filter((id) => !known.includes(id))) {
    const remedy = `Write the id of a server: ${known.join(', ')}.`
    return { problem: `--resource: no server has the id "${id}". ${didYouMean(id, known, remedy)}` }
  }
  const opened = resources.filter(({ id }) => ids.length === 0 || ids.includes(id))
  const offered = [...new Set(opened.flatMap(({ scopes }) => Object.keys(scopes)))]
  const scopes = values('--scope')
  // The server is not asked here: a scope that it has not counts for nothing there.
  const mayExist = (scope: string) =>
    offered.includes(scope) ||
    (opened.some((one) => mayAnnounce(one, scope)) && isScopeToken(scope))
  for (const scope of scopes.filter((scope) => !mayExist(scope))) {
    const remedy = `Write one of: ${offered.join(', ')}.`
    return {
      problem: `--scope: no server that the key opens offers "${scope}". ${didYouMean(scope, offered, remedy)}`,
    }
  }
  try {
    const expiry = parseExpiry(values('--expires').at(-1) ?? DEFAULT_EXPIRY)
    return {
      name,
      scopes: scopes.length > 0 ? scopes : offered,
      resources: ids.length > 0 ? ids : undefined,
      lifetime: expiry === 'never' ? undefined : expiry,
    }
  } catch (error) {
    if (!(error instanceof InvalidValue)) throw error
    return { problem: `--expires: ${error.message}` }
  }
}

async function openRecords({
  config,
  storage,
  keyring,
  now,
}: OpenStore): Promise<{ apiKeys: Records['apiKeys']; revokedBefore: number }> {
  const believed = createAuthenticStorage(storage, keyring, () => {})
  const configured = config.revokeBefore
  const revokedBefore = await loadRevokedBefore({ storage: believed, configured, now })
  return {
    apiKeys: createRecords(storage, { keyring }).apiKeys,
    revokedBefore: revokedBefore.current(),
  }
}

function summaryOf({ name, scopes, resources, createdAt, expiresAt }: ApiKey): string {
  const day = (seconds: number) => new Date(seconds * 1000).toISOString()
  const until = expiresAt === undefined ? 'never expires' : `expires ${day(expiresAt)}`
  return `${name}  servers: ${resources?.join(', ') ?? 'all'}  scopes: ${scopes.join(', ')}  made ${day(createdAt)}  ${until}`
}

function wrong(io: Io, problem: string): number {
  io.stderr.write(`${problem}\n`)
  return 2
}
