/**
 * JWS signatures (RFC 7515, RFC 7518 section 3) in exactly one form each, so that a token has one spelling: nobody without
 * the key can turn a good signature into another good one.
 *
 * @module
 */
import { type KeyObject, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'

/** ES256 for access tokens, RS256 for the cookies that programs outside read (decision K34). */
export type SigningAlgorithm = 'ES256' | 'RS256'

const LENGTH: Readonly<Record<SigningAlgorithm, number>> = { ES256: 64, RS256: 256 }
/** The order of P-256 (FIPS 186-5), and half of it. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const HALF_ORDER = bytesOf(ORDER / 2n)

const signInThreadPool = promisify(sign)

/** Signs a JWS signing input. RSA takes a millisecond, so it runs in the thread pool. */
export async function signJws(
  algorithm: SigningAlgorithm,
  input: string,
  key: KeyObject,
): Promise<Buffer> {
  if (algorithm === 'RS256') return signInThreadPool('sha256', Buffer.from(input), key)
  return signAtOnce(algorithm, input, key)
}

/** The same without a promise, where it happens too rarely for a millisecond to matter. */
export function signAtOnce(algorithm: SigningAlgorithm, input: string, key: KeyObject): Buffer {
  const data = Buffer.from(input)
  if (algorithm === 'RS256') return sign('sha256', data, key)
  return withLowS(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }))
}

/** True if the signature has the length and the form that {@link signJws} makes. */
export function isCanonicalSignature(algorithm: SigningAlgorithm, signature: Buffer): boolean {
  if (signature.length !== LENGTH[algorithm]) return false
  // ECDSA takes `s` and `n - s` alike: only the smaller one counts here.
  return algorithm === 'RS256' || Buffer.compare(signature.subarray(32), HALF_ORDER) <= 0
}

/** Verifies a signature over a JWS signing input. */
export function verifyJws(
  algorithm: SigningAlgorithm,
  input: string,
  signature: Buffer,
  key: KeyObject,
): boolean {
  const data = Buffer.from(input)
  return algorithm === 'RS256'
    ? verify('sha256', data, key, signature)
    : verify('sha256', data, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

function withLowS(signature: Buffer): Buffer {
  const s = signature.subarray(32)
  if (Buffer.compare(s, HALF_ORDER) <= 0) return signature
  return Buffer.concat([
    signature.subarray(0, 32),
    bytesOf(ORDER - BigInt(`0x${s.toString('hex')}`)),
  ])
}

/** 32 bytes, big-endian. */
function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}
