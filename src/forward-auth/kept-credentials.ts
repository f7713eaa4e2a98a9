/**
 * Credentials that were verified before, by their token: using one again costs a look-up, and the question whether its
 * grant still stands; no promise, no network (decision K29).
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { LRUCache } from 'lru-cache'
import type { Grant } from '../storage/records.ts'
import type { Reading, Standing } from '../storage/standing.ts'
import type { Credential, Verified } from './decide.ts'

/** Kept, about 2 kB each. */
const MAX_KEPT = 10_000
/** A token padded beyond any of ours is verified each time, not kept. */
const MAX_KEPT_LENGTH = 4096
/** Tokens are told apart by the end of their signature first: hashing a whole one costs as much as the rest of a check. */
const KEY_LENGTH = 48

export interface KeptCredentials {
  /** What is known of a token; undefined if it has to be verified, perhaps anew. Throws StorageUnavailable. */
  find(token: string): Known | undefined
  /** The same once a verification has failed because the store does not answer (decision K27). */
  findInOutage(token: string): Known | undefined
  /** @param entry `generation`: of the signing keys, from before the signature was checked */
  keep(entry: { token: string; verified: Verified; generation: number; reading: Reading }): void
  forget(token: string): void
}

/** Good as it was verified, or refused for what has happened since. */
export interface Known {
  readonly credential: Credential
  readonly grant: Grant
}

interface Entry extends Known {
  /** The whole token, compared before the entry is used. */
  readonly token: string
  readonly generation: number
  readonly reading: Reading
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

export function createKeptCredentials(deps: {
  /** Changes when a signing key is removed before its time. */
  keyGeneration: () => number
  /** What to say of a token that has expired, or whose grant is gone. */
  expired: Credential
  revoked: Credential
  /** Milliseconds since the epoch. */
  now: () => number
}): KeptCredentials {
  const { keyGeneration, expired, revoked, now } = deps
  const kept = new LRUCache<string, Entry>({ max: MAX_KEPT })

  function lookUp(token: string): Entry | undefined {
    const entry = kept.get(keyOf(token))
    return entry?.token === token ? entry : undefined
  }

  function judge(entry: Entry, standing: Standing): Known | undefined {
    const { grant, token } = entry
    if (now() < entry.expiresAt && entry.generation === keyGeneration()) {
      if (standing === 'holds') return entry
      if (standing === 'unsure') return undefined
    }
    kept.delete(keyOf(token))
    if (now() >= entry.expiresAt) return { credential: expired, grant }
    return standing === 'gone' ? { credential: revoked, grant } : undefined
  }

  return {
    find(token) {
      const entry = lookUp(token)
      return entry && judge(entry, entry.reading.watch.standing(entry.reading))
    },
    findInOutage(token) {
      const entry = lookUp(token)
      return entry && judge(entry, entry.reading.watch.inOutage(entry.reading))
    },
    keep({ token, verified, generation, reading }) {
      if (token.length > MAX_KEPT_LENGTH) return
      if (!reading.watch.isKeepable()) {
        // What was read before may bridge an outage, unless it is known to be somebody else's by now.
        const before = lookUp(token)
        if (before && !isDeepStrictEqual(before.reading.person, reading.person)) {
          kept.delete(keyOf(token))
        }
        return
      }
      const { expiresAt } = verified
      const { grant } = reading
      const credential: Credential = { kind: 'verified', verified }
      kept.set(keyOf(token), { token, credential, grant, generation, reading, expiresAt })
    },
    forget: (token) => void kept.delete(keyOf(token)),
  }
}

const keyOf = (token: string) => token.slice(-KEY_LENGTH)
