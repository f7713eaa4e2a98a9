/**
 * The keys that sign our tokens. They live sealed in the store, so they survive restarts and are the same for every
 * process; each signs for one period, is published a day before, and verifies as long after as what it signed last is
 * valid (decision K2).
 *
 * @module
 */
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type JWK,
} from 'jose'
import { z } from 'zod'
import type { Keyring } from '../crypto.ts'
import type { Storage } from '../storage/storage.ts'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
  /** Milliseconds since the epoch. */
  readonly signsFrom: number
}

export interface SigningKeys {
  /** The key that signs now. */
  current(): SigningKey
  /** The key with this id. One that is not known yet may be another process's: the store is asked, at most every 5 s. */
  find(kid: string): SigningKey | undefined | Promise<SigningKey | undefined>
  /** Counts how often a key was found gone. */
  generation(): number
  /** The public keys as a JWK Set (RFC 7517 section 5), without private members. */
  jwks(): { keys: readonly JWK[] }
  /**
   * Reads the keys again and makes the next period's when its time has come; to be called every minute. A store that
   * was emptied gets back what is known here: new tokens are signed with it already.
   */
  refresh(): Promise<void>
}

/** A stored signing key opens under none of the configured secrets: the operator changed `SECRET` and lost the old one. */
export class SigningKeyUnreadable extends Error {
  override readonly name = 'SigningKeyUnreadable'
}

const ALGORITHM = 'RS256'
const PREFIX = 'signing-key:'
const DAY_MS = 86_400_000
const PERIOD_MS = 30 * DAY_MS
/** Others learn of a key this long before it signs. */
const ANNOUNCED_MS = DAY_MS
/** No access token lives longer; a browser session may. */
const LEAST_RETENTION = 86_400
const LOOK_AGAIN_MS = 5000

const StoredKey = z.object({
  sealed: z.string(),
  signsFrom: z.number(),
  /** Seconds that it verifies after it signed last; absent: {@link LEAST_RETENTION}. */
  retention: z.number().optional(),
})
type StoredKey = Readonly<z.infer<typeof StoredKey>>
const PrivateKey = z.object({
  pkcs8: z.string(),
  publicJwk: z.looseObject({ kty: z.literal('RSA') }),
})

interface Deps {
  readonly storage: Storage
  readonly keyring: Keyring
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /**
   * The longest life of anything that is signed, in seconds; a day at least. A session of 30 days that was signed on a
   * key's last day is verified with it for 30 more.
   */
  readonly retention?: number
}

type Loaded = SigningKey & { readonly jwk: JWK; readonly name: string; readonly stored: StoredKey }

/**
 * Reads the signing keys, making the first one. Keys that open under a previous secret only are sealed anew, and those
 * that would go before what they sign are kept for longer.
 * @throws SigningKeyUnreadable if a stored key opens under no secret; StorageUnavailable
 */
export async function loadSigningKeys(deps: Deps): Promise<SigningKeys> {
  let keys: readonly Loaded[] = []
  let lookedAt = Number.NEGATIVE_INFINITY
  let generation = 0

  const known = (kid: string) => keys.find((key) => key.kid === kid)

  async function refresh(): Promise<void> {
    lookedAt = deps.now()
    const before = keys
    let found = await readAll(deps)
    // Of a store with keys, `keys rotate` may have removed some. One without any has lost them.
    if (found.length === 0 && before.length > 0) {
      for (const { name, stored } of before) await store(name, stored, deps)
      found = await readAll(deps)
    }
    if (await makeDue(found, deps)) found = await readAll(deps)
    // Not before: a store that fails half-way must not leave us without a key.
    keys = found
    if (before.some(({ kid }) => !known(kid))) generation += 1
  }

  await refresh()

  return {
    generation: () => generation,
    refresh,
    current() {
      const signing = keys.filter((key) => key.signsFrom <= deps.now())
      // Newest first; before its own time only if there is no other, as after the clock was set back.
      const key = signing.at(0) ?? keys.at(-1)
      if (!key) throw new Error('there is no signing key')
      return key
    },
    find(kid) {
      const key = known(kid)
      if (key || deps.now() - lookedAt < LOOK_AGAIN_MS) return key
      return refresh().then(
        () => known(kid),
        (error: unknown) => {
          // While `SECRET` changes, replica after replica: one that has the new secret seals keys that we cannot open.
          if (error instanceof SigningKeyUnreadable) return undefined
          throw error
        },
      )
    },
    jwks: () => ({ keys: keys.map(({ jwk }) => jwk) }),
  }
}

/**
 * Adds a key out of turn.
 * @param signsFrom milliseconds since the epoch; leave others the time to learn of it
 * @returns its kid
 */
export async function addSigningKey(signsFrom: number, deps: Deps): Promise<string> {
  const { sealed, kid } = await makeKey(deps.keyring)
  await store(`${PREFIX}${periodAt(signsFrom)}-${kid}`, keyRecord(sealed, signsFrom, deps), deps)
  return kid
}

/** Removes every key but this one: what the others signed is worth nothing from then on. */
export async function removeOtherSigningKeys(kid: string, deps: Deps): Promise<number> {
  let removed = 0
  for await (const [name, value] of deps.storage.scan(PREFIX)) {
    const key = await read(name, StoredKey.parse(value), deps)
    if (key.kid === kid) continue
    await deps.storage.delete(name)
    removed += 1
  }
  return removed
}

const periodAt = (time: number) => Math.floor(time / PERIOD_MS)

/**
 * Makes the first key, and the next period's a day before it begins. Of several processes one `create` wins and the
 * others read its key.
 * @returns true if there may be a key now that was not there before
 */
async function makeDue(keys: readonly Loaded[], deps: Deps): Promise<boolean> {
  const now = deps.now()
  const newest = keys[0]?.signsFrom ?? Number.NEGATIVE_INFINITY
  const due = periodAt(now + ANNOUNCED_MS)
  if (newest >= due * PERIOD_MS) return false
  // Without a key of this period there is nobody to announce it to: it signs at once.
  const current = periodAt(newest) >= periodAt(now)
  const period = current ? due : periodAt(now)
  const { sealed } = await makeKey(deps.keyring)
  const signsFrom = current ? period * PERIOD_MS : now
  await store(`${PREFIX}${period}`, keyRecord(sealed, signsFrom, deps), deps)
  return true
}

/** A key lives until what it signed last has expired. */
async function store(name: string, key: StoredKey, { storage, now }: Deps): Promise<void> {
  await storage.create(name, key, lifetimeOf(key, now()))
}

/** Seconds until nothing that this key signed is valid any more. */
function lifetimeOf({ signsFrom, retention = LEAST_RETENTION }: StoredKey, now: number): number {
  const signsUntil = (periodAt(signsFrom) + 1) * PERIOD_MS
  return Math.max(1, Math.ceil((signsUntil - now) / 1000) + retention)
}

const keyRecord = (sealed: string, signsFrom: number, { retention = 0 }: Deps): StoredKey => ({
  sealed,
  signsFrom,
  retention: Math.max(LEAST_RETENTION, retention),
})

async function makeKey(keyring: Keyring): Promise<{ sealed: string; kid: string }> {
  const pair = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true })
  const publicJwk = await exportJWK(pair.publicKey)
  const pkcs8 = await exportPKCS8(pair.privateKey)
  return {
    kid: await calculateJwkThumbprint(publicJwk),
    sealed: await keyring.seal('key-wrap', { pkcs8, publicJwk }),
  }
}

async function readAll(deps: Deps): Promise<Loaded[]> {
  const keys: Loaded[] = []
  for await (const [name, value] of deps.storage.scan(PREFIX)) {
    keys.push(await read(name, StoredKey.parse(value), deps))
  }
  // The same order in every process, also for keys of the same moment.
  return keys.sort((a, b) => b.signsFrom - a.signsFrom || (a.kid < b.kid ? -1 : 1))
}

async function read(name: string, stored: StoredKey, deps: Deps): Promise<Loaded> {
  const opened = await deps.keyring.open('key-wrap', stored.sealed)
  if (opened === undefined) {
    throw new SigningKeyUnreadable(`${name} was sealed under another secret`)
  }
  const renewed = await renew(name, stored, opened, deps)
  const { pkcs8, publicJwk } = PrivateKey.parse(opened)
  const kid = await calculateJwkThumbprint(publicJwk)
  const publicKey = await importJWK(publicJwk, ALGORITHM)
  if (publicKey instanceof Uint8Array) throw new Error('an RSA key cannot be symmetric')
  const privateKey = await importPKCS8(pkcs8, ALGORITHM)
  const jwk = { ...publicJwk, kid, use: 'sig', alg: ALGORITHM }
  return { kid, privateKey, publicKey, signsFrom: stored.signsFrom, jwk, name, stored: renewed }
}

/**
 * After a change of `SECRET` the keys move to the new one, so that the old one can be forgotten (decision K1); after
 * one of the lifetimes they are kept for as long as is needed now. Never shorter: older tokens may still live.
 */
async function renew(
  name: string,
  stored: StoredKey,
  opened: unknown,
  { storage, keyring, now, retention = 0 }: Deps,
): Promise<StoredKey> {
  const isCurrent = await keyring.isCurrent('key-wrap', stored.sealed)
  const kept = stored.retention ?? LEAST_RETENTION
  if (isCurrent && kept >= retention) return stored
  const sealed = isCurrent ? stored.sealed : await keyring.seal('key-wrap', opened)
  const renewed = { ...stored, sealed, retention: Math.max(kept, retention) }
  await storage.replace(name, stored, renewed, lifetimeOf(renewed, now()))
  return renewed
}
