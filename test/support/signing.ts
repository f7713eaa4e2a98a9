/**
 * The keys and secrets that the gateway of a test signs with.
 *
 * @module
 */
import { createKeyring, type Keyring } from '../../src/crypto.ts'
import type { SigningAlgorithm } from '../../src/oauth/tokens/signature.ts'
import { loadSigningKeys, type SigningKeys } from '../../src/oauth/tokens/signing-keys.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { SECRET } from './secret.ts'

/** The issuer of every test's gateway. */
export const ISSUER = 'https://auth.example.com'

/** @param previous former secrets, newest first */
export function testKeyring(secret = SECRET, previous: readonly string[] = []): Keyring {
  return createKeyring(secret, { issuer: ISSUER, previous })
}

/** What reads and makes the signing keys in a store: those of access tokens unless told otherwise. */
export function keyDeps(
  place: { readonly storage: Storage; readonly now: () => number },
  { secret = SECRET, algorithm = 'ES256' }: { secret?: string; algorithm?: SigningAlgorithm } = {},
) {
  return { algorithm, keyring: testKeyring(secret), elapsed: place.now, ...place }
}

/** The keys of access tokens in a store. */
export const accessKeys = (place: {
  readonly storage: Storage
  readonly now: () => number
}): Promise<SigningKeys> => loadSigningKeys(keyDeps(place))
