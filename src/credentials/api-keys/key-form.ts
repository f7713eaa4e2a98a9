/**
 * The form of an API key: `gwk_`, an id, a secret, and a MAC of ours over both. A made-up key costs one MAC and never a
 * look into the store, as a made-up token does (decision K34); scanners for leaked secrets find the prefix.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'

export const API_KEY_START = 'gwk_'
const ID_BYTES = 12
const SECRET_BYTES = 24
const MAC_BYTES = 16
const FORM = /^gwk_([A-Za-z0-9_-]{16})[A-Za-z0-9_-]{32}([A-Za-z0-9_-]{22})$/
const MAC_LENGTH = 22

/** True for text that only a key of ours begins with. */
export const isLikeApiKey = (text: string): boolean => text.startsWith(API_KEY_START)

/** @param randomToken makes that many random bytes, as base64url */
export function makeApiKey(
  keyring: Pick<Keyring, 'mac'>,
  randomToken: (bytes: number) => string,
): { readonly id: string; readonly key: string } {
  const id = randomToken(ID_BYTES)
  const unsealed = API_KEY_START + id + randomToken(SECRET_BYTES)
  return { id, key: unsealed + keyring.mac('api-key', unsealed, MAC_BYTES) }
}

/** The id of a key that we made, or undefined for any other text. */
export function idOfApiKey(key: string, keyring: Pick<Keyring, 'verifyMac'>): string | undefined {
  const [, id, mac] = FORM.exec(key) ?? []
  if (id === undefined || mac === undefined) return undefined
  const unsealed = key.slice(0, -MAC_LENGTH)
  return keyring.verifyMac('api-key', unsealed, mac, MAC_BYTES) ? id : undefined
}
