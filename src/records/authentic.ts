/**
 * Records that are believed: each carries a MAC over its key and its value, so nobody who can write to the store, but does
 * not know the root secret, can make a record or move it to another key (decision K42, threat T44). Such a writer can
 * still delete a record, or put back an old one under its own key.
 *
 * @module
 */
import type { Keyring } from '../crypto.ts'
import { canonicalJson } from '../storage/encoding.ts'
import type { Storage } from '../storage/storage.ts'

/** The part of the storage contract that believed records need. A record without a good MAC is absent. */
export type AuthenticStorage = Pick<
  Storage,
  'get' | 'set' | 'create' | 'replace' | 'take' | 'delete' | 'scan'
>

interface Authentic {
  readonly mac: string
  readonly value: unknown
}

/** The times that `create` tries to replace a forged record, which somebody may write again and again. */
const MOST_TRIES = 3

/** @param onForged is told the key of each record that was found without a good MAC */
export function createAuthenticStorage(
  storage: Storage,
  keyring: Keyring,
  onForged: (key: string) => void,
): AuthenticStorage {
  // A list of two texts: no other pair of key and value has the same text.
  const message = (key: string, value: unknown) => JSON.stringify([key, canonicalJson(value)])
  const sealed = (key: string, value: unknown): Authentic => ({
    mac: keyring.mac('record', message(key, value)),
    value,
  })
  const isAuthentic = (key: string, found: unknown): found is Authentic =>
    typeof found === 'object' &&
    found !== null &&
    'mac' in found &&
    'value' in found &&
    typeof found.mac === 'string' &&
    keyring.verifyMac('record', message(key, found.value), found.mac)
  /** The caller names the type: only this program can have made the MAC, for a record of this key. */
  const open = <T>(key: string, found: unknown): T | undefined => {
    if (found === undefined) return undefined
    if (isAuthentic(key, found)) return found.value as T
    onForged(key)
    return undefined
  }

  return {
    get: async <T>(key: string) => open<T>(key, await storage.get(key)),
    set: (key, value, ttl) => storage.set(key, sealed(key, value), ttl),
    async create(key, value, ttl) {
      const record = sealed(key, value)
      for (let tries = 0; tries < MOST_TRIES; tries += 1) {
        if (await storage.create(key, record, ttl)) return true
        const found = await storage.get(key)
        if (found === undefined) continue
        if (isAuthentic(key, found)) return false
        onForged(key)
        if (await storage.replace(key, found, record, ttl)) return true
      }
      return false
    },
    async replace(key, expected, value, ttl) {
      const record = sealed(key, value)
      // The MAC is deterministic, so an expected record has one text for each root it may have been made under.
      for (const mac of keyring.macs('record', message(key, expected))) {
        if (await storage.replace(key, { mac, value: expected }, record, ttl)) return true
      }
      return false
    },
    take: async <T>(key: string) => open<T>(key, await storage.take(key)),
    delete: (key) => storage.delete(key),
    async *scan(prefix) {
      for await (const [key, found] of storage.scan(prefix)) {
        const value = open(key, found)
        if (value !== undefined) yield [key, value]
      }
    },
  }
}
