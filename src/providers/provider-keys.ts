/**
 * The keys a provider signs with, and the check of a signature against them.
 *
 * @module
 */
import { compactVerify, createLocalJWKSet, errors, type JSONWebKeySet, type JWK } from 'jose'
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
 *   does not answer; `signsFor`: false for a key that does not sign for this `iss`, without it each key signs for all;
 *   `elapsed` in milliseconds on a clock that is never set back
 */
export function createProviderKeys(deps: {
  load: () => Promise<JSONWebKeySet>
  graceMs?: number
  signsFor?: ((key: JWK, issuer: unknown) => boolean) | undefined
  elapsed: () => number
}): ProviderKeys {
  const { load, graceMs = 0, signsFor, elapsed } = deps
  const sets = createCached({
    load: async () => keysByToken(await load(), signsFor),
    maxAgeMs: MAX_AGE_MS,
    retryAfterMs: RETRY_AFTER_MS,
    elapsed,
  })
  let coolUntil = Number.NEGATIVE_INFINITY
  async function check(jws: string, keysFor: KeysByToken): Promise<SignedContent> {
    const { protectedHeader, payload } = await compactVerify(jws, keysFor(jws), {
      algorithms: ALGORITHMS,
    })
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

/** The keys that may have signed a token. */
type KeysByToken = (jws: string) => ReturnType<typeof createLocalJWKSet>

function keysByToken(
  { keys }: JSONWebKeySet,
  signsFor: ((key: JWK, issuer: unknown) => boolean) | undefined,
): KeysByToken {
  if (signsFor) {
    return (jws) => {
      const issuer = statedIssuer(jws)
      return createLocalJWKSet({ keys: keys.filter((key) => signsFor(key, issuer)) })
    }
  }
  const all = createLocalJWKSet({ keys })
  return () => all
}

/** The `iss` of a token that nobody has verified yet: enough to choose the keys to verify it with. */
const statedIssuer = (jws: string): unknown =>
  parseClaims(Buffer.from(jws.split('.', 2)[1] ?? '', 'base64url'))?.iss

/** A provider that names no keys, or one name for all, shows a rotation only by a signature that does not fit. */
const mayBeOutdated = (error: unknown) =>
  error instanceof errors.JWKSNoMatchingKey ||
  error instanceof errors.JWSSignatureVerificationFailed

const parseClaims = (payload: Uint8Array): Claims | undefined =>
  ClaimsObject.safeParse(parseJson(Buffer.from(payload).toString())).data
