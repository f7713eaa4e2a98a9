/**
 * Reads the public keys of a client (RFC 7517 section 5).
 *
 * @module
 */
import type { JSONWebKeySet } from 'jose'
import { z } from 'zod'

const MAX_KEYS = 50
/** Members of private and symmetric keys (RFC 7518 sections 6.2.2, 6.3.2 and 6.4). */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

const KeySet = z.looseObject({
  keys: z
    .array(z.looseObject({ kty: z.string() }))
    .min(1)
    .max(MAX_KEYS),
})

/** True for a set with a private or symmetric key in it. */
export function hasSecretKey(value: unknown): boolean {
  const parsed = KeySet.safeParse(value)
  return (
    parsed.success &&
    parsed.data.keys.some(
      (key) => key.kty === 'oct' || SECRET_MEMBERS.some((name) => Object.hasOwn(key, name)),
    )
  )
}

/**
 * @returns the reason, as the rest of a sentence, if this is no set of public keys. A set with a private key is refused
 *   whole: everybody can read it.
 */
export function readKeySet(
  value: unknown,
): { readonly jwks: JSONWebKeySet } | { readonly problem: string } {
  const parsed = KeySet.safeParse(value)
  if (!parsed.success) return { problem: `is not a JWK Set with 1 to ${MAX_KEYS} keys` }
  if (hasSecretKey(value)) return { problem: 'holds a private or symmetric key' }
  return { jwks: { keys: parsed.data.keys } }
}
