/**
 * Renews the provider's tokens behind a grant: one process at a time asks the provider, stores the answer, and only then
 * may a refresh token of ours rotate (decision K30). A provider may rotate its refresh tokens and end a session whose
 * token comes twice, so no answer of it may be lost.
 *
 * @module
 */
import { setTimeout as delay } from 'node:timers/promises'
import { randomToken } from '../../crypto.ts'
import { ProviderFailure, type TokenRelay } from '../../providers/provider.ts'
import type { Grant, Records } from '../../records/records.ts'
import { StorageUnavailable } from '../../storage/storage.ts'
import { MOST_POLLS, POLL_MS } from '../provider-answers.ts'
import type { Kept, KeptTokens } from './kept-tokens.ts'

export type Renewed =
  | { readonly kind: 'renewed'; readonly kept: Kept }
  /** The provider ended the person's tokens. `reason` is for the log. */
  | { readonly kind: 'ended'; readonly reason: string }
  /** The grant ended, or the provider gave no refresh token. */
  | { readonly kind: 'none' }

/** Rejects with StorageUnavailable and ProviderFailure, which say nothing about the grant. */
export type Renew = (grant: Grant) => Promise<Renewed>

/** @param deps `pause` waits so many milliseconds */
export function createRenewal(deps: {
  readonly provider: TokenRelay
  readonly kept: KeptTokens
  readonly records: Pick<Records, 'relayedTokens'>
  readonly pause?: (milliseconds: number) => Promise<unknown>
}): Renew {
  const { provider, kept, pause = delay } = deps
  const { lock } = deps.records.relayedTokens
  const owner = randomToken(16)
  const running = new Map<string, Promise<Renewed>>()

  /** True once the lock is ours; false if another process renewed the tokens meanwhile, or the grant ended. */
  async function isLocked(grant: Grant, before: Kept): Promise<boolean> {
    for (let pauses = 0; !(await lock.take(grant.id, owner)); pauses += 1) {
      if ((await lock.state(grant.id)) === 'failed') {
        throw new ProviderFailure('unavailable', 'the provider failed a moment ago')
      }
      if (pauses === MOST_POLLS) {
        throw new ProviderFailure('unavailable', 'another process waits for the provider already')
      }
      await pause(POLL_MS)
      if (await hasChanged(grant, before)) return false
    }
    return true
  }

  async function hasChanged(grant: Grant, before: Kept): Promise<boolean> {
    return (await kept.find(grant))?.sealed !== before.sealed
  }

  async function ask(grant: Grant, before: Kept): Promise<Renewed> {
    const { refreshToken } = before.tokens
    if (refreshToken === undefined) return { kind: 'none' }
    const answer = await provider.renew(refreshToken)
    if (answer.kind === 'ended') {
      // A process whose lock ran out may have renewed them at last.
      return (await hasChanged(grant, before)) ? latest(grant) : answer
    }
    const stored = await kept.replace(grant, before, answer.tokens)
    return stored ? { kind: 'renewed', kept: stored } : latest(grant)
  }

  async function latest(grant: Grant): Promise<Renewed> {
    const found = await kept.find(grant)
    return found ? { kind: 'renewed', kept: found } : { kind: 'none' }
  }

  async function renew(grant: Grant): Promise<Renewed> {
    const settled = await kept.settle(grant)
    if (settled) return { kind: 'renewed', kept: settled }
    const before = await kept.find(grant)
    if (before?.tokens.refreshToken === undefined) return { kind: 'none' }
    if (!(await isLocked(grant, before))) return latest(grant)
    let isStored = true
    let hasFailed = false
    try {
      return (await hasChanged(grant, before)) ? await latest(grant) : await ask(grant, before)
    } catch (error) {
      isStored = !(error instanceof StorageUnavailable)
      hasFailed = error instanceof ProviderFailure
      throw error
    } finally {
      // While new tokens wait for the store, no other process may bring the old ones. The lock ends by itself.
      if (hasFailed) await lock.fail(grant.id, owner).catch(() => {})
      else if (isStored) await lock.release(grant.id, owner).catch(() => {})
    }
  }

  return (grant) => {
    const begun = running.get(grant.id)
    if (begun !== undefined) return begun
    const renewing = renew(grant).finally(() => running.delete(grant.id))
    running.set(grant.id, renewing)
    return renewing
  }
}
