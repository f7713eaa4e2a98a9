/**
 * The lock under which somebody asks the provider about a grant (decision K30). A lock only bars something, and says nothing
 * about anybody, so it carries no MAC.
 *
 * @module
 */
import { deleteIf } from '../storage/delete-if.ts'
import type { Storage } from '../storage/storage.ts'

/**
 * Seconds after which another one may ask, whatever became of the one that holds the lock: longer than the slowest
 * provider may take, with its discovery document, twice.
 */
export const LOCK_SECONDS = 30
/** Seconds in which nobody asks a provider again that just failed. */
export const FAILURE_SECONDS = 5

const FAILED = 'failed'

/** All of them reject with StorageUnavailable. */
export interface ProviderLock {
  /** True for exactly one owner at a time; also for one who holds it already, for as long again. */
  take(grantId: string, owner: string): Promise<boolean>
  state(grantId: string): Promise<'free' | 'taken' | 'failed'>
  release(grantId: string, owner: string): Promise<void>
  /** Keeps everybody from asking again at once. */
  fail(grantId: string, owner: string): Promise<void>
}

/** @param prefix of the keys: one for each kind of question */
export function createProviderLock(storage: Storage, prefix: string): ProviderLock {
  const keyOf = (grantId: string) => `${prefix}:${grantId}`
  return {
    take: async (grantId, owner) =>
      (await storage.create(keyOf(grantId), owner, LOCK_SECONDS)) ||
      (await storage.replace(keyOf(grantId), owner, owner, LOCK_SECONDS)),
    async state(grantId) {
      const owner = await storage.get(keyOf(grantId))
      if (owner === undefined) return 'free'
      return owner === FAILED ? 'failed' : 'taken'
    },
    async release(grantId, owner) {
      await deleteIf(storage, keyOf(grantId), owner)
    },
    async fail(grantId, owner) {
      await storage.replace(keyOf(grantId), owner, FAILED, FAILURE_SECONDS)
    },
  }
}
