/**
 * The little that is stored about clients that registered themselves: which of them people have let in, and which were
 * deleted. The registration itself is sealed into the client's id (decision K4).
 *
 * | key | holds | lives |
 * |---|---|---|
 * | `client-used:<hash of the client id>` | true: a person has let the client in | as its last grant could |
 * | `deleted-client:<slot>` | {@link DeletedClients} of one of 65,536 slots | for ever |
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { AuthenticStorage } from './authentic.ts'

/**
 * Strangers can register and delete clients at will, so of those that no person ever let in a slot remembers only the
 * last one. A person stands behind each of the others.
 */
interface DeletedClients {
  readonly used: readonly string[]
  readonly last?: string
}

export interface ClientRecords {
  /** Remembers that a person let the client in, for `ttlSeconds`: the longest that the grant can last. */
  markUsed(hash: string, ttlSeconds: number): Promise<void>
  isUsed(hash: string): Promise<boolean>
  isDeleted(hash: string): Promise<boolean>
  /** @param isUsed as {@link ClientRecords.isUsed} says */
  markDeleted(hash: string, isUsed: boolean): Promise<void>
}

export function createClientRecords(believed: AuthenticStorage): ClientRecords {
  const usedKey = (hash: string) => `client-used:${hash}`
  const slotKey = (hash: string) =>
    `deleted-client:${Buffer.from(hash, 'base64url').readUInt16BE(0)}`
  return {
    markUsed: (hash, ttl) => believed.set(usedKey(hash), true, ttl),
    isUsed: async (hash) => (await believed.get(usedKey(hash))) !== undefined,
    async isDeleted(hash) {
      const slot = await believed.get<DeletedClients>(slotKey(hash))
      return slot !== undefined && (slot.last === hash || slot.used.includes(hash))
    },
    async markDeleted(hash, isUsed) {
      const key = slotKey(hash)
      for (;;) {
        const slot = await believed.get<DeletedClients>(key)
        const before = slot ?? { used: [] }
        const next: DeletedClients = isUsed
          ? { ...before, used: [...new Set([...before.used, hash])] }
          : { ...before, last: hash }
        if (isDeepStrictEqual(before, next)) return
        const isStored = slot
          ? await believed.replace(key, slot, next, 'forever')
          : await believed.create(key, next, 'forever')
        if (isStored) return
      }
    },
  }
}
