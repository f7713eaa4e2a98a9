/**
 * A signing key that the operator brings. It is kept in the store like the keys that Gatewarden makes, so every process
 * knows it, also those that are not configured with it yet; and tokens that it signed count until they expire after it
 * has left the configuration.
 *
 * @module
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose'
import type { SigningAlgorithm } from './signature.ts'

/** A private key, and the algorithm that fits it (RFC 7518 section 3.1). */
export interface BroughtKey {
  readonly algorithm: SigningAlgorithm
  readonly privateKey: KeyObject
}

/** What the store keeps of a key: its id (RFC 7638), its public JWK, and the private key in PKCS #8. */
export interface KeyMaterial {
  readonly kid: string
  readonly publicJwk: JWK
  readonly pkcs8: string
}

export async function materialOf(privateKey: KeyObject): Promise<KeyMaterial> {
  const publicJwk = await exportJWK(createPublicKey(privateKey))
  return {
    kid: await calculateJwkThumbprint(publicJwk),
    publicJwk,
    pkcs8: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
