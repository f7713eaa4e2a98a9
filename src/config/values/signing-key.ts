/**
 * The signing key that an operator brings: a private key as PEM, or the base64 of a PEM, which fits on one line.
 *
 * @module
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import type { BroughtKey } from '../../oauth/tokens/brought-key.ts'
import { InvalidValue } from './problem.ts'

const MIN_RSA_BITS = 2048
const FIX = 'Make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256.'

/** @throws InvalidValue if the text is no private key of P-256 (ES256) or RSA (RS256); the text is never shown */
export function parseSigningKey(value: string): BroughtKey {
  const pem = value.includes('-----BEGIN') ? value : Buffer.from(value, 'base64').toString('latin1')
  if (/-----BEGIN (?:RSA |EC )?PUBLIC KEY/.test(pem)) {
    throw new InvalidValue('is a public key. Give the private key.')
  }
  if (/ENCRYPTED/.test(pem)) {
    throw new InvalidValue(
      'is protected by a password. Remove it with: openssl pkey -in key.pem -out plain.pem.',
    )
  }
  const privateKey = readPem(pem)
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = privateKey
  if (type === 'ec' && details?.namedCurve === 'prime256v1') {
    return { algorithm: 'ES256', privateKey }
  }
  if (type === 'rsa') {
    if ((details?.modulusLength ?? 0) >= MIN_RSA_BITS) return { algorithm: 'RS256', privateKey }
    throw new InvalidValue(`is an RSA key of less than ${MIN_RSA_BITS} bits. ${FIX}`)
  }
  throw new InvalidValue(`is a key of another kind than P-256 or RSA. ${FIX}`)
}

function readPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem)
  } catch {
    throw new InvalidValue(`is no private key in PEM, nor the base64 of one. ${FIX}`)
  }
}
