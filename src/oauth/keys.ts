/**
 * The keys that sign our tokens: made once, kept sealed in the store so that they survive restarts and are the
 * same for every process (decision K2).
 *
 * @module
 */
import {
  type CryptoKey,
  calculateJwkThumbprint,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importJWK,
  importPKCS8,
  type JWK,
} from 'jose'
import { z } from 'zod'
import type { Keyring } from '../crypto.ts'
import type { Storage } from '../storage/storage.ts'

export interface SigningKey {
  readonly kid: string
  readonly privateKey: CryptoKey
  readonly publicKey: CryptoKey
}

export interface SigningKeys {
  /** The key that signs now. */
  current(): SigningKey
  /** The key with this id, if it is one of ours. */
  find(kid: string): SigningKey | undefined
  /** The public keys as a JWK Set (RFC 7517 section 5), without private members. */
  jwks(): { keys: readonly JWK[] }
}

/** A stored signing key opens under none of the configured secrets: the operator changed `SECRET` and lost the old one. */
export class SigningKeyUnreadable extends Error {
  override readonly name = 'SigningKeyUnreadable'
}

const ALGORITHM = 'RS256'
const PREFIX = 'signing-key:'
const StoredKey = z.object({ sealed: z.string() })
const PrivateKey = z.object({
  pkcs8: z.string(),
  publicJwk: z.looseObject({ kty: z.literal('RSA') }),
})

/**
 * Reads the signing keys, making the first one. Of processes that start together the loser of the `create` reads
 * the winner's key.
 * @throws SigningKeyUnreadable if a stored key does not open
 */
export async function loadSigningKeys(deps: {
  storage: Storage
  keyring: Keyring
}): Promise<SigningKeys> {
  let stored = await readAll(deps)
  if (stored.length === 0) {
    await deps.storage.create(`${PREFIX}1`, { sealed: await makeKey(deps.keyring) }, 'forever')
    stored = await readAll(deps)
  }
  const [current] = stored
  if (!current) throw new Error('the store kept no signing key')
  const byKid = new Map(stored.map((entry) => [entry.key.kid, entry.key]))
  const jwks = { keys: stored.map((entry) => entry.jwk) }
  return { current: () => current.key, find: (kid) => byKid.get(kid), jwks: () => jwks }
}

async function makeKey(keyring: Keyring): Promise<string> {
  const pair = await generateKeyPair(ALGORITHM, { modulusLength: 2048, extractable: true })
  return keyring.seal('key-wrap', {
    pkcs8: await exportPKCS8(pair.privateKey),
    publicJwk: await exportJWK(pair.publicKey),
  })
}

async function readAll(deps: {
  storage: Storage
  keyring: Keyring
}): Promise<{ key: SigningKey; jwk: JWK }[]> {
  const keys: { key: SigningKey; jwk: JWK }[] = []
  for await (const [name, value] of deps.storage.scan(PREFIX)) {
    const { sealed } = StoredKey.parse(value)
    const opened = await deps.keyring.open('key-wrap', sealed)
    if (opened === undefined) {
      throw new SigningKeyUnreadable(`${name} was sealed under another secret`)
    }
    const { pkcs8, publicJwk } = PrivateKey.parse(opened)
    const kid = await calculateJwkThumbprint(publicJwk)
    const publicKey = await importJWK(publicJwk, ALGORITHM)
    if (publicKey instanceof Uint8Array) throw new Error('an RSA key cannot be symmetric')
    const privateKey = await importPKCS8(pkcs8, ALGORITHM)
    keys.push({
      key: { kid, privateKey, publicKey },
      jwk: { ...publicJwk, kid, use: 'sig', alg: ALGORITHM },
    })
  }
  return keys
}
