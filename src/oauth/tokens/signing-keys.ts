/**
 * The keys that sign our tokens. They live sealed in the store, so they survive restarts and are the same for every
 * process. Each key signs for one period. It is published a day before, and verifies until the last token that it signed
 * has expired (decision K2).
 *
 * @module
 */
import { createPrivateKey, createPublicKey, KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, generateKeyPair, type JWK } from 'jose'
import { z } from 'zod'
import type { Keyring } from '../../crypto.ts'
import type { Events } from '../../events.ts'
import { deleteIf } from '../../storage/delete-if.ts'
import type { Storage } from '../../storage/storage.ts'
import { type BroughtKey, type KeyMaterial, materialOf } from './brought-key.ts'
import { createKeySearch, type Pause } from './key-search.ts'
import type { SigningAlgorithm } from './signature.ts'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  /** Milliseconds since the epoch. */
  readonly signsFrom: number
}

export interface SigningKeys {
  readonly algorithm: SigningAlgorithm
  /** The key that signs now. */
  current(): SigningKey
  /**
   * The key with this id. Another process may have made a key that is not known here yet: the store is asked, once a
   * second. Rejects with StorageUnavailable while the store does not answer.
   */
  find(kid: string): SigningKey | undefined | Promise<SigningKey | undefined>
  /** Counts how often a key was found removed. */
  generation(): number
  /** The public keys as a JWK Set (RFC 7517 section 5), without private members. */
  jwks(): { keys: readonly JWK[] }
  /**
   * Reads the keys again and makes the next period's key when its time has come; to be called every minute. A store that
   * was emptied gets the known keys back: tokens are signed with them already. A removed key stays removed, even if a store
   * that lost its last writes, or a process that had not heard of the removal, brings it back.
   */
  refresh(): Promise<void>
}

/** A stored signing key opens under none of the configured secrets: the operator changed `SECRET` and lost the old one. */
export class SigningKeyUnreadable extends Error {
  override readonly name = 'SigningKeyUnreadable'
}

const KEY_TYPES = { ES256: 'EC', RS256: 'RSA' } as const
const DAY_MS = 86_400_000
const PERIOD_MS = 30 * DAY_MS
/** Other processes and programs learn of a key this long before it signs. */
const ANNOUNCED_MS = DAY_MS
/** Seconds. No access token lives longer; a browser session may. */
const LEAST_RETENTION = 86_400
/** A removal is remembered for this long; every process reads the keys once a minute. */
const REMOVED_MS = 10 * 60_000

const StoredKey = z.object({
  sealed: z.string(),
  signsFrom: z.number(),
  /** Seconds that the key verifies after it signed last; absent: {@link LEAST_RETENTION}. */
  retention: z.number().optional(),
})
type StoredKey = Readonly<z.infer<typeof StoredKey>>
const PrivateKey = z.object({
  pkcs8: z.string(),
  publicJwk: z.looseObject({ kty: z.enum(['EC', 'RSA']) }),
})

export interface SigningKeyDeps {
  /** Keys of one algorithm are a list of their own: a token can only be verified with a key of its kind. */
  readonly algorithm: SigningAlgorithm
  readonly storage: Storage
  readonly keyring: Keyring
  /** Absent: nobody is told of keys that come and go. */
  readonly events?: Events
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Milliseconds on a clock that is never set back, for spans. */
  readonly elapsed: () => number
  /**
   * The longest life of a signed token, in seconds; a day at least. A session of 30 days that was signed on a key's last
   * day is verified with that key for 30 more.
   */
  readonly retention?: number
  /** The operator's key, of this algorithm: it signs in place of those that are made here. */
  readonly brought?: BroughtKey | undefined
  /** The wait between two reads for unknown keys. */
  readonly pause?: Pause
}

type Loaded = SigningKey & { readonly jwk: JWK; readonly name: string; readonly stored: StoredKey }

/**
 * Reads the signing keys, making the first one. Keys that open under a previous secret only are sealed anew, and those
 * that would go before what they sign are kept for longer.
 * @throws SigningKeyUnreadable if a stored key opens under no secret; StorageUnavailable
 */
export async function loadSigningKeys(deps: SigningKeyDeps): Promise<SigningKeys> {
  let keys: readonly Loaded[] = []
  let generation = 0
  const brought = deps.brought && (await materialOf(deps.brought.privateKey))
  /** The times at which keys were found removed, by key id. */
  const removed = new Map<string, number>()

  const known = (kid: string) => keys.find((key) => key.kid === kid)
  const wasRemoved = (kid: string) =>
    deps.elapsed() - (removed.get(kid) ?? Number.NEGATIVE_INFINITY) < REMOVED_MS
  const kept = (found: readonly Loaded[]) => found.filter(({ kid }) => !wasRemoved(kid))

  const { algorithm, events } = deps
  const without = (all: readonly Loaded[], others: readonly Loaded[]) =>
    all.filter(({ kid }) => !others.some((key) => key.kid === kid))

  /** @param isStart true for the keys that the store had when the process started */
  function adopt(found: readonly Loaded[], { isStart = false } = {}): void {
    const gone = without(keys, found)
    for (const { kid } of gone) {
      removed.set(kid, deps.elapsed())
      events?.emit({ event: 'key-dropped', kid, algorithm })
    }
    if (gone.length > 0) generation += 1
    for (const { kid, signsFrom, stored } of isStart ? [] : without(found, keys)) {
      const from = new Date(signsFrom).toISOString()
      const publishedUntil = endOf(stored)
      events?.emit({ event: 'key-made', kid, algorithm, signsFrom: from, publishedUntil })
    }
    keys = found
    noteSigning()
  }

  let signing: string | undefined
  /** Tells when another key signs than before, and until when the earlier one verifies; no time if it was removed. */
  function noteSigning(): void {
    const { kid } = signingAt(deps.now(), keys)
    if (signing !== undefined && kid !== signing) {
      const earlier = known(signing)
      events?.emit({
        event: 'key-signs',
        kid,
        algorithm,
        earlierKid: signing,
        publishedUntil: earlier && endOf(earlier.stored),
      })
    }
    signing = kid
  }

  async function read(): Promise<void> {
    let all = await readAll(deps)
    // A read beside a rotation may come too early for the new key and too late for the others.
    if (keys.some(({ kid }) => !all.some((key) => key.kid === kid))) all = await readAll(deps)
    let found = kept(all)
    // If the store still has keys, `keys rotate` removed the missing ones. If it has none, it lost them: write ours back.
    if (found.length === 0 && keys.length > 0) {
      for (const { name, stored } of keys) await store(name, stored, deps)
      found = kept(await readAll(deps))
    }
    // A store that fails half-way must not leave us without a key.
    if (found.length > 0) adopt(found, { isStart: keys.length === 0 })
    for (const { kid, name, stored } of all) {
      // Only the record that was read: another process may have stored a good key under this name since.
      if (wasRemoved(kid)) await deleteIf(deps.storage, name, stored)
    }
    const isNew = brought ? await storeBrought(brought, found, deps) : await makeDue(found, deps)
    if (isNew) adopt(kept(await readAll(deps)))
  }
  const search = createKeySearch({
    isKnown: (kid) => known(kid) !== undefined,
    read,
    elapsed: deps.elapsed,
    pause: deps.pause,
  })

  await search.refresh()

  return {
    algorithm: deps.algorithm,
    generation: () => generation,
    refresh: search.refresh,
    current: () => (brought && known(brought.kid)) ?? signingAt(deps.now(), keys),
    find(kid) {
      const key = known(kid)
      if (key || wasRemoved(kid) || search.isAbsent(kid)) return key
      return search.look(kid).then(
        () => known(kid),
        (error: unknown) => {
          const found = known(kid)
          // While `SECRET` changes, replica after replica, a replica with the new secret seals keys that we cannot open.
          if (found || error instanceof SigningKeyUnreadable) return found
          throw error
        },
      )
    },
    jwks: () => ({ keys: keys.map(({ jwk }) => jwk) }),
  }
}

/** The newest key whose time has come; the oldest one if none has, as after the clock was set back. */
function signingAt(now: number, keys: readonly Loaded[]): Loaded {
  const key = keys.find(({ signsFrom }) => signsFrom <= now) ?? keys.at(-1)
  if (!key) throw new Error('there is no signing key')
  return key
}

/**
 * Adds a key outside the schedule.
 * @param signsFrom milliseconds since the epoch; leave other processes the time to learn of the key
 * @returns its kid
 */
export async function addSigningKey(signsFrom: number, deps: SigningKeyDeps): Promise<string> {
  const { sealed, kid } = await makeKey(deps)
  await store(
    `${prefixOf(deps)}${periodAt(signsFrom)}-${kid}`,
    keyRecord(sealed, signsFrom, deps),
    deps,
  )
  return kid
}

/**
 * Replaces every key by one that signs at once: tokens of the others are worth nothing from then on. The operator's key
 * is that one, if there is one.
 * @returns the id of the key that signs now, which is another run's if two were started together; whether it is this
 *   run's; and the number of removed keys
 */
export async function replaceSigningKeys(
  deps: SigningKeyDeps,
): Promise<{ kid: string; isOurs: boolean; removed: number }> {
  // Listed before: if two run at once, one may remove the other's new key, but never each the other's.
  const others: string[] = []
  const brought = deps.brought && (await materialOf(deps.brought.privateKey)).kid
  for await (const [name] of deps.storage.scan(prefixOf(deps))) {
    if (brought === undefined || name !== broughtName(brought, deps)) others.push(name)
  }
  const added = brought ?? (await addSigningKey(deps.now(), deps))
  for (const name of others) await deps.storage.delete(name)
  const kid = brought ?? signingAt(deps.now(), await readAll(deps)).kid
  return { kid, isOurs: kid === added, removed: others.length }
}

/**
 * Removes a key: tokens that it signed are worth nothing from then on. If no other key could sign, a new one signs at once.
 * @returns undefined if the store has no such key; else the id of the new key, if there had to be one
 */
export async function revokeSigningKey(
  kid: string,
  deps: SigningKeyDeps,
): Promise<{ readonly replacedBy?: string } | undefined> {
  const all = await readAll(deps)
  const revoked = all.find((key) => key.kid === kid)
  if (!revoked) return undefined
  const others = all.filter((key) => key !== revoked)
  const canSign = others.some(({ signsFrom }) => signsFrom <= deps.now())
  const replacedBy = canSign ? undefined : await addSigningKey(deps.now(), deps)
  await deps.storage.delete(revoked.name)
  return { ...(replacedBy !== undefined && { replacedBy }) }
}

const prefixOf = ({ algorithm }: Pick<SigningKeyDeps, 'algorithm'>) =>
  `signing-key:${algorithm.toLowerCase()}-`

const broughtName = (kid: string, deps: Pick<SigningKeyDeps, 'algorithm'>) =>
  `${prefixOf(deps)}brought-${kid}`

const periodAt = (time: number) => Math.floor(time / PERIOD_MS)

/**
 * Makes the first key, and the next period's key a day before the period begins. One `create` of several processes wins,
 * and the others read its key.
 * @returns true if there may be a new key
 */
async function makeDue(keys: readonly Loaded[], deps: SigningKeyDeps): Promise<boolean> {
  const now = deps.now()
  // A key that signs later than any that is announced was made under a clock that ran ahead: it stands for no period yet.
  const newest =
    keys.find(({ signsFrom }) => signsFrom <= now + ANNOUNCED_MS)?.signsFrom ??
    Number.NEGATIVE_INFINITY
  const due = periodAt(now + ANNOUNCED_MS)
  if (newest >= due * PERIOD_MS) return false
  // Without a key of this period no process could announce it: it signs at once.
  const current = periodAt(newest) >= periodAt(now)
  const period = current ? due : periodAt(now)
  const { sealed } = await makeKey(deps)
  const signsFrom = current ? period * PERIOD_MS : now
  await store(`${prefixOf(deps)}${period}`, keyRecord(sealed, signsFrom, deps), deps)
  return true
}

/**
 * Keeps the operator's key in the store, and renews its record with each period, so that it lives as long as what it
 * signs.
 * @returns true if the record is new
 */
async function storeBrought(
  { kid, ...material }: KeyMaterial,
  keys: readonly Loaded[],
  deps: SigningKeyDeps,
): Promise<boolean> {
  const now = deps.now()
  const stored = keys.find((key) => key.kid === kid)
  if (stored && periodAt(stored.signsFrom) >= periodAt(now)) return false
  const record = keyRecord(deps.keyring.seal('key-wrap', material), now, deps)
  if (stored) {
    await deps.storage.replace(stored.name, stored.stored, record, lifetimeOf(record, now))
  } else await store(broughtName(kid, deps), record, deps)
  return true
}

/** A key lives until the last token that it signed has expired. */
async function store(
  name: string,
  key: StoredKey,
  { storage, now }: SigningKeyDeps,
): Promise<void> {
  await storage.create(name, key, lifetimeOf(key, now()))
}

/** When every token of this key has expired, in milliseconds since the epoch. */
const expiryOf = ({ signsFrom, retention = LEAST_RETENTION }: StoredKey): number =>
  (periodAt(signsFrom) + 1) * PERIOD_MS + retention * 1000

/** The same for an event. */
const endOf = (key: StoredKey): string => new Date(expiryOf(key)).toISOString()

/** Seconds until every token of this key has expired. */
const lifetimeOf = (key: StoredKey, now: number): number =>
  Math.max(1, Math.ceil((expiryOf(key) - now) / 1000))

const keyRecord = (
  sealed: string,
  signsFrom: number,
  { retention = 0 }: SigningKeyDeps,
): StoredKey => ({
  sealed,
  signsFrom,
  retention: Math.max(LEAST_RETENTION, retention),
})

async function makeKey({
  algorithm,
  keyring,
}: SigningKeyDeps): Promise<{ sealed: string; kid: string }> {
  const pair = await generateKeyPair(algorithm, { modulusLength: 2048, extractable: true })
  const { kid, ...material } = await materialOf(KeyObject.from(pair.privateKey))
  return { kid, sealed: keyring.seal('key-wrap', material) }
}

async function readAll(deps: SigningKeyDeps): Promise<Loaded[]> {
  const keys: Loaded[] = []
  for await (const [name, value] of deps.storage.scan(prefixOf(deps))) {
    keys.push(await read(name, StoredKey.parse(value), deps))
  }
  // The same order in every process, also for keys of the same moment.
  return keys.sort((a, b) => b.signsFrom - a.signsFrom || (a.kid < b.kid ? -1 : 1))
}

async function read(name: string, stored: StoredKey, deps: SigningKeyDeps): Promise<Loaded> {
  const opened = deps.keyring.open('key-wrap', stored.sealed)
  if (opened === undefined) {
    throw new SigningKeyUnreadable(`${name} was sealed under another secret`)
  }
  const renewed = await renew(name, stored, opened, deps)
  const { pkcs8, publicJwk } = PrivateKey.parse(opened)
  if (publicJwk.kty !== KEY_TYPES[deps.algorithm]) throw new Error(`${name} is of another kind`)
  const kid = await calculateJwkThumbprint(publicJwk)
  if (renewed.sealed !== stored.sealed) {
    const { algorithm } = deps
    deps.events?.emit({
      event: 'key-sealed-anew',
      kid,
      algorithm,
      publishedUntil: endOf(renewed),
    })
  }
  return {
    kid,
    privateKey: createPrivateKey(pkcs8),
    publicKey: createPublicKey({ key: publicJwk, format: 'jwk' }),
    signsFrom: stored.signsFrom,
    jwk: { ...publicJwk, kid, use: 'sig', alg: deps.algorithm },
    name,
    stored: renewed,
  }
}

/**
 * After a change of `SECRET` the keys move to the new secret, so that the operator can remove the old one (decision K1).
 * After a longer lifetime was configured the keys are kept longer; never shorter, because older tokens may still live.
 */
async function renew(
  name: string,
  stored: StoredKey,
  opened: unknown,
  { storage, keyring, now, retention = 0 }: SigningKeyDeps,
): Promise<StoredKey> {
  const isCurrent = keyring.isCurrent('key-wrap', stored.sealed)
  const kept = stored.retention ?? LEAST_RETENTION
  if (isCurrent && kept >= retention) return stored
  const sealed = isCurrent ? stored.sealed : keyring.seal('key-wrap', opened)
  const renewed = { ...stored, sealed, retention: Math.max(kept, retention) }
  await storage.replace(name, stored, renewed, lifetimeOf(renewed, now()))
  return renewed
}
