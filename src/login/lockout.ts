/**
 * Slows down guessing without a record that an attacker can multiply (decision K3): a MAC of the name chooses one of
 * 65,536 counters. Unknown names lock like known ones, and no lock lasts longer than a minute.
 *
 * @module
 */
import type { Keyring } from '../crypto.ts'
import type { Storage } from '../storage/storage.ts'

const FREE_ATTEMPTS = 5
const MAX_LOCK_SECONDS = 60
/** A slot is forgotten after this long without a failure. */
const MEMORY_SECONDS = 3600

interface Slot {
  readonly failures: number
  /** Milliseconds since the epoch. */
  readonly lockedUntil: number
}

/** The attempts that are counted together: those of a name, or of a name in a browser that signed in as it before. */
export interface AttemptGroup {
  readonly name: string
  readonly device: string | undefined
}

export interface Lockout {
  /**
   * Counts an attempt as failed before it is made, so that parallel guesses cannot outrun the count.
   * @returns 0 to go ahead; else the seconds until the next attempt, and nothing was counted
   */
  begin(group: AttemptGroup): Promise<number>
  /** The attempt succeeded: the slot starts again at zero. */
  succeed(group: AttemptGroup): Promise<void>
  /** The attempt was counted but never made. */
  withdraw(group: AttemptGroup): Promise<void>
}

/** @param now milliseconds since the epoch */
export function createLockout(deps: {
  storage: Storage
  keyring: Keyring
  now: () => number
}): Lockout {
  const { storage, keyring, now } = deps

  function slotKey({ name, device }: AttemptGroup): string {
    const mac = keyring.mac('lockout', device === undefined ? name : `${device}|${name}`)
    const slot = Buffer.from(mac, 'base64url').readUInt16BE(0)
    return `lockout:${device === undefined ? 'name' : 'device'}:${slot}`
  }

  return {
    async begin(group) {
      const key = slotKey(group)
      for (;;) {
        const slot = await storage.get<Slot>(key)
        const wait = (slot?.lockedUntil ?? 0) - now()
        if (wait > 0) return Math.ceil(wait / 1000)
        const failures = (slot?.failures ?? 0) + 1
        const counted: Slot = { failures, lockedUntil: now() + lockSeconds(failures) * 1000 }
        const written = slot
          ? await storage.replace(key, slot, counted, MEMORY_SECONDS)
          : await storage.create(key, counted, MEMORY_SECONDS)
        if (written) return 0
      }
    },
    succeed: (group) => storage.delete(slotKey(group)),
    async withdraw(group) {
      const key = slotKey(group)
      for (;;) {
        const slot = await storage.get<Slot>(key)
        if (!slot) return
        const failures = Math.max(0, slot.failures - 1)
        const lockedUntil = lockSeconds(failures) === 0 ? 0 : slot.lockedUntil
        if (await storage.replace(key, slot, { failures, lockedUntil }, MEMORY_SECONDS)) return
      }
    },
  }
}

/** No lock up to 4 failures, then 1, 2, 4 ... 60 seconds, never longer. */
function lockSeconds(failures: number): number {
  if (failures < FREE_ATTEMPTS) return 0
  return Math.min(2 ** (failures - FREE_ATTEMPTS), MAX_LOCK_SECONDS)
}
