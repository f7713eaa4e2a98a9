/**
 * Credentials that were verified before, by their token. To use an entry costs a look-up and a check that its grant
 * still holds; no promise, no network (decision K29).
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { GrantStatus, Reading } from '../records/grant-watch.ts'
import type { HeldGrant } from '../records/records.ts'
import type { Credential, Verified } from './credential.ts'
import { createTokenCache } from './token-cache.ts'

/** A token longer than any of ours is verified each time, not kept. */
const MAX_KEPT_LENGTH = 4096
/** Characters of all kept tokens together. The rest of an entry takes about 2.5 kB, whatever its token. */
const MAX_ALL_LENGTH = 16 * 1024 * 1024

export interface VerifiedCache {
  /** The entry of a token; undefined if the token has to be verified, perhaps again. Throws StorageUnavailable. */
  find(token: string): Known | undefined
  /** The same once a verification has failed because the store does not answer (decision K27). */
  findInOutage(token: string): Known | undefined
  /** @param entry `generation`: that of the signing keys before the signature was checked */
  keep(entry: { token: string; verified: Verified; generation: number; reading: Reading }): void
  forget(token: string): void
}

/** The credential as it was verified, or refused for an event since. */
export interface Known {
  readonly credential: Credential
  readonly grant: HeldGrant
}

interface Entry extends Known {
  readonly verified: Verified
  readonly generation: number
  readonly reading: Reading
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export function createVerifiedCache(deps: {
  /** Changes when a signing key is removed before its time. */
  keyGeneration: () => number
  /** The answer for a token that has expired. */
  expired: (entry: { readonly grant: HeldGrant; readonly verified: Verified }) => Credential
  /** The answer for a token whose grant is gone. */
  revoked: Credential
  /** Milliseconds since the epoch. */
  now: () => number
}): VerifiedCache {
  const { keyGeneration, expired, revoked, now } = deps
  const known = createTokenCache<Entry>({ maxLength: MAX_ALL_LENGTH })

  function judge(token: string, entry: Entry, status: GrantStatus): Known | undefined {
    const { grant } = entry
    if (now() < entry.expiresAt && entry.generation === keyGeneration()) {
      if (status === 'holds') return entry
      if (status === 'unsure') return undefined
    }
    known.delete(token)
    if (now() >= entry.expiresAt) {
      return { credential: expired(entry), grant }
    }
    return status === 'gone' ? { credential: revoked, grant } : undefined
  }

  return {
    find(token) {
      const entry = known.get(token)
      return entry && judge(token, entry, entry.reading.watch.status(entry.reading))
    },
    findInOutage(token) {
      const entry = known.get(token)
      return entry && judge(token, entry, entry.reading.watch.inOutage(entry.reading))
    },
    keep({ token, verified, generation, reading }) {
      if (token.length > MAX_KEPT_LENGTH) return
      if (!reading.watch.isKeepable()) {
        // The older entry may bridge an outage, unless this reading shows that its person has changed.
        const before = known.get(token)
        if (before && !isDeepStrictEqual(before.reading.person, reading.person)) {
          known.delete(token)
        }
        return
      }
      const { expiresAt } = verified
      const { grant } = reading
      const credential: Credential = { kind: 'verified', verified }
      known.set(token, { credential, verified, grant, generation, reading, expiresAt })
    },
    forget: (token) => void known.delete(token),
  }
}
