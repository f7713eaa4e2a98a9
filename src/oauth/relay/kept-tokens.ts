/**
 * `src/oauth/relay/` owns the provider's own tokens on their way to clients (decision 0062): where they wait, their
 * renewal, and the answer to the client. It does not own the calls to the provider (`src/providers/`), or which tokens
 * are good where (`src/credentials/provider-tokens/`, `src/check/`).
 *
 * This file keeps the tokens behind a grant: in the store, sealed for that grant alone. Renewed tokens that the store
 * does not take now wait in this process, because the provider may have ended the ones before.
 *
 * @module
 */
import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import type { Keyring } from '../../crypto.ts'
import type { ProviderTokenSet } from '../../providers/provider.ts'
import type { Grant, Records } from '../../records/records.ts'

/** Tokens, and the text by which the store knows them. */
export interface Kept {
  readonly tokens: ProviderTokenSet
  readonly sealed: string
  /** Seconds since the epoch. Absent for the tokens of the sign-in. */
  readonly renewedAt?: number
}

/** All of them reject with StorageUnavailable. */
export interface KeptTokens {
  put(grant: Grant, tokens: ProviderTokenSet): Promise<void>
  find(grant: Grant): Promise<Kept | undefined>
  /** Renewed tokens of an earlier call that the store did not take then. Stores them now. */
  settle(grant: Grant): Promise<Kept | undefined>
  /**
   * Writes renewed tokens in the place of those before. If the store is away, this rejects, and goes on in the
   * background. If the grant ended meanwhile the tokens are orphans, and the answer is undefined.
   */
  replace(grant: Grant, before: Kept, tokens: ProviderTokenSet): Promise<Kept | undefined>
}

/** Seconds for which storing is retried. */
const RETRY_SECONDS = 3600
const MOST_WAITING = 1000
const Sealed = z.tuple([z.string(), z.string(), z.string().nullable(), z.number().nullable()])

/** The tokens in a sealed text, and the grant that they belong to; undefined for any text that we did not seal. */
export function openKept(
  sealed: string,
  keyring: Pick<Keyring, 'open'>,
): ({ readonly grantId: string } & Kept) | undefined {
  const opened = Sealed.safeParse(keyring.open('relayed-tokens', sealed))
  if (!opened.success) return undefined
  const [grantId, accessToken, refreshToken, renewedAt] = opened.data
  return {
    grantId,
    tokens: { accessToken, ...(refreshToken !== null && { refreshToken }) },
    sealed,
    ...(renewedAt !== null && { renewedAt }),
  }
}

/** @param deps `onOrphan`: told tokens that belong to no grant any more; `now` in milliseconds since the epoch */
export function createKeptTokens(deps: {
  readonly records: Pick<Records, 'relayedTokens' | 'retryUntilStored'>
  readonly keyring: Pick<Keyring, 'seal' | 'open'>
  readonly onOrphan: (tokens: ProviderTokenSet) => void
  readonly now: () => number
}): KeptTokens {
  const { records, keyring, onOrphan, now } = deps
  const { relayedTokens, retryUntilStored } = records
  const waiting = new LRUCache<string, () => Promise<Kept | undefined>>({ max: MOST_WAITING })
  const seal = (
    { id }: Grant,
    { accessToken, refreshToken }: ProviderTokenSet,
    renewedAt: number | null,
  ) => keyring.seal('relayed-tokens', [id, accessToken, refreshToken ?? null, renewedAt])
  const seconds = () => Math.floor(now() / 1000)
  const ttlOf = ({ expiresAt }: Grant) => Math.max(1, expiresAt - seconds())

  return {
    put: (grant, tokens) => relayedTokens.put(grant.id, seal(grant, tokens, null), ttlOf(grant)),
    async find({ id }) {
      const sealed = await relayedTokens.find(id)
      const opened = sealed === undefined ? undefined : openKept(sealed, keyring)
      return opened?.grantId === id ? opened : undefined
    },
    settle: async ({ id }) => waiting.get(id)?.(),
    async replace(grant, before, tokens) {
      const { id } = grant
      const renewedAt = seconds()
      const kept: Kept = { tokens, sealed: seal(grant, tokens, renewedAt), renewedAt }
      const store = async () => {
        const isStored =
          (await relayedTokens.replace(id, before.sealed, kept.sealed, ttlOf(grant))) ||
          // An earlier attempt took effect although its answer was lost.
          (await relayedTokens.find(id)) === kept.sealed
        // A later attempt of the same step finds the orphan told of.
        const isFirst = waiting.get(id) === store
        if (isFirst) waiting.delete(id)
        if (!isStored && isFirst) onOrphan(tokens)
        return isStored ? kept : undefined
      }
      waiting.set(id, store)
      let stored: Kept | undefined
      await retryUntilStored(async () => {
        stored = await store()
      }, RETRY_SECONDS)
      return stored
    },
  }
}
