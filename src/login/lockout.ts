/**
 * Slows down guessing without a record that an attacker can multiply (decision K3): a MAC chooses one of 65,536
 * counters of each kind. Unknown names lock like known ones, and no lock lasts longer than a minute.
 *
 * A name in a block of addresses locks first. The name as a whole locks too, which slows guesses from many addresses;
 * it leaves a try a minute to each block that is not locked itself, so it never shuts a person out (threat T38). A
 * browser that signed in as the name before has a counter of its own.
 *
 * @module
 */
import type { Keyring } from '../crypto.ts'
import type { Storage } from '../storage/storage.ts'

const FREE_ATTEMPTS = 5
const MAX_LOCK_SECONDS = 60
/** While a name is locked, the time between two tries from a block of addresses. */
const TRY_EVERY_MS = 60_000
/** A slot is forgotten after this long without a failure. */
const MEMORY_SECONDS = 3600

interface Slot {
  readonly failures: number
  /** Milliseconds since the epoch. */
  readonly lockedUntil: number
  /** When the latest counted attempt was made, in milliseconds since the epoch. */
  readonly triedAt: number
}

/** The attempts that are counted together: a name in a block of addresses, or in a browser that signed in as it. */
export type AttemptGroup =
  | { readonly name: string; readonly block: string }
  | { readonly name: string; readonly device: string }

/** An attempt may be made, and was counted as failed already; or how many seconds to wait, and nothing was counted. */
export type Begun =
  | {
      readonly kind: 'open'
      /** The attempt succeeded: its counters start again at zero. */
      succeed(): Promise<void>
      /** The attempt was counted but never made. */
      withdraw(): Promise<void>
    }
  | { readonly kind: 'locked'; readonly seconds: number }

export interface Lockout {
  /** Counts an attempt before it is made, so that parallel guesses cannot outrun the count. */
  begin(group: AttemptGroup): Promise<Begun>
}

/** The state of a counter before an attempt was counted, or the milliseconds until it may be. */
type Counted = { readonly before: Slot | undefined } | { readonly wait: number }

/** @param now milliseconds since the epoch */
export function createLockout(deps: {
  storage: Storage
  keyring: Keyring
  now: () => number
}): Lockout {
  const { storage, keyring, now } = deps

  function slotKey(kind: 'device' | 'pair' | 'name', counted: string): string {
    const mac = keyring.mac('lockout', kind === 'name' ? counted : `${kind}|${counted}`)
    return `lockout:${kind}:${Buffer.from(mac, 'base64url').readUInt16BE(0)}`
  }

  /** @param ignoresLock counts whether or not the counter is locked */
  async function count(key: string, ignoresLock = false): Promise<Counted> {
    for (;;) {
      const slot = await storage.get<Slot>(key)
      const wait = lockedFor(slot, now())
      if (wait > 0 && !ignoresLock) return { wait }
      const failures = (slot?.failures ?? 0) + 1
      const lockedUntil = now() + lockSeconds(failures) * 1000
      const counted: Slot = { failures, lockedUntil, triedAt: now() }
      const written = slot
        ? await storage.replace(key, slot, counted, MEMORY_SECONDS)
        : await storage.create(key, counted, MEMORY_SECONDS)
      if (written) return { before: slot }
    }
  }

  async function withdraw(key: string, before: Slot | undefined): Promise<void> {
    for (;;) {
      const slot = await storage.get<Slot>(key)
      if (!slot) return
      const failures = Math.max(0, slot.failures - 1)
      const lockedUntil = lockSeconds(failures) === 0 ? 0 : slot.lockedUntil
      const undone: Slot = { failures, lockedUntil, triedAt: before?.triedAt ?? 0 }
      if (await storage.replace(key, slot, undone, MEMORY_SECONDS)) return
    }
  }

  /** Counts an attempt of a stranger: in the pair of name and block, then for the name. */
  async function beginStrange(name: string, block: string): Promise<Begun> {
    const pair = slotKey('pair', JSON.stringify([block, name]))
    const whole = slotKey('name', name)
    const nameWait = lockedFor(await storage.get<Slot>(whole), now())
    const before = await storage.get<Slot>(pair)
    const tryWait = nextTryIn(before, now())
    // Look before anything is counted: an attempt during a lock does not lengthen it.
    const pairWait = lockedFor(before, now())
    if (pairWait > 0) return locked(Math.max(pairWait, Math.min(nameWait, tryWait)))
    if (nameWait > 0 && tryWait > 0) return locked(Math.min(nameWait, tryWait))
    const inPair = await count(pair)
    if ('wait' in inPair) return locked(inPair.wait)
    const forName = await count(whole, nextTryIn(inPair.before, now()) === 0)
    if ('wait' in forName) {
      await withdraw(pair, inPair.before)
      return locked(forName.wait)
    }
    return {
      kind: 'open',
      succeed: async () => {
        await storage.delete(pair)
        await storage.delete(whole)
      },
      withdraw: async () => {
        await withdraw(pair, inPair.before)
        await withdraw(whole, forName.before)
      },
    }
  }

  return {
    async begin(group) {
      if ('block' in group) return beginStrange(group.name, group.block)
      const key = slotKey('device', `${group.device}|${group.name}`)
      const counted = await count(key)
      if ('wait' in counted) return locked(counted.wait)
      return {
        kind: 'open',
        succeed: () => storage.delete(key),
        withdraw: () => withdraw(key, counted.before),
      }
    },
  }
}

const locked = (ms: number): Begun => ({ kind: 'locked', seconds: Math.ceil(ms / 1000) })

/** Milliseconds. A lock further ahead than the longest one was made by a clock that ran ahead: it is over. */
function lockedFor(slot: Slot | undefined, now: number): number {
  const wait = (slot?.lockedUntil ?? 0) - now
  return wait > 0 && wait <= MAX_LOCK_SECONDS * 1000 ? wait : 0
}

/** Milliseconds until this pair may try although its name is locked; for ever once it has failed too often itself. */
function nextTryIn(slot: Slot | undefined, now: number): number {
  if (!slot) return 0
  if (slot.failures >= FREE_ATTEMPTS) return Number.POSITIVE_INFINITY
  const wait = slot.triedAt + TRY_EVERY_MS - now
  return wait > 0 && wait <= TRY_EVERY_MS ? wait : 0
}

/** No lock up to 4 failures, then 1, 2, 4 ... 60 seconds, never longer. */
function lockSeconds(failures: number): number {
  if (failures < FREE_ATTEMPTS) return 0
  return Math.min(2 ** (failures - FREE_ATTEMPTS), MAX_LOCK_SECONDS)
}
