/**
 * The keys a provider signs with, and the check of a signature against them.
 *
 * @module
 */
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet } from 'jose'
import { z } from 'zod'
import { createCached } from './cached.ts'
import { parseJson } from './oddities.ts'
import type { Claims } from './provider.ts'

/** Only asymmetric algorithms: with the HS family anyone who knows our client secret could sign (threat T34). */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
]
const MAX_AGE_MS = 5 * 60_000
const RETRY_AFTER_MS = 3_000
const ClaimsObject = z.record(z.string(), z.unknown())
/** The pause after a fetch that did not bring the key, so that a flood of made-up keys costs one fetch. */
const COOL_DOWN_MS = 5_000

/** The content of a JWS that the provider signed. */
export interface SignedContent {
  readonly header: Claims
  /** Undefined unless the payload is a JSON object. */
  readonly claims: Claims | undefined
}

export interface ProviderKeys {
  /** Rejects with a `JOSEError` unless the provider signed `jws`, or with the error of `load`. */
  verify(jws: string): Promise<SignedContent>
}

/**
 * A key that is not known yet works at once: the keys are fetched again, once for everybody who waits.
 * @param deps `load` fetches the JWK Set; `graceMs`: how long known keys serve beyond their age while the provider
 *   does not answer; `elapsed` in milliseconds on a clock that is never set back
 */
export function createProviderKeys(deps: {
  load: () => Promise<JSONWebKeySet>
  graceMs?: number
  elapsed: () => number
}): ProviderKeys {
  const { load, graceMs = 0, elapsed } = deps
  const sets = createCached({
    load: async () => createLocalJWKSet(await load()),
    maxAgeMs: MAX_AGE_MS,
    retryAfterMs: RETRY_AFTER_MS,
    elapsed,
  })
  let coolUntil = Number.NEGATIVE_INFINITY
  async function check(
    jws: string,
    keys: ReturnType<typeof createLocalJWKSet>,
  ): Promise<SignedContent> {
    const { protectedHeader, payload } = await compactVerify(jws, keys, { algorithms: ALGORITHMS })
    return { header: { ...protectedHeader }, claims: parseClaims(payload) }
  }

  return {
    async verify(jws) {
      const seen = await sets.getOrStale(graceMs)
      try {
        return await check(jws, seen)
      } catch (error) {
        if (!mayBeOutdated(error) || elapsed() < coolUntil) throw error
      }
      try {
        return await check(jws, await sets.newerThan(seen))
      } catch (error) {
        if (mayBeOutdated(error)) coolUntil = elapsed() + COOL_DOWN_MS
        throw error
      }
    },
  }
}

/** A provider that names no keys, or one name for all, shows a rotation only by a signature that does not fit. */
const mayBeOutdated = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWSSignatureVerificationFailed

const parseClaims = (payload: Uint8Array): Claims | undefined =>
  ClaimsObject.safeParse(parseJson(Buffer.from(payload).toString())).data
