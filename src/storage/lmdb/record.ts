/**
 * The form of keys and records in LMDB: keys are UTF-16 bytes, cut and hashed when long; records are lines of text.
 *
 * @module
 */
import { createHash } from 'node:crypto'

/** LMDB takes 1,978 bytes. A key longer than this is cut here and gets a SHA-256: its length shows that it was cut. */
const LONGEST_PLAIN_KEY = 1_900

/**
 * The bytes LMDB stores a key under. UTF-16, not UTF-8: every JavaScript string has bytes of its own (UTF-8 has the
 * same bytes for all lone surrogates, so two keys could collide), and a prefix of a key is a prefix of its bytes.
 */
export function encodeKey(key: string): Buffer {
  const bytes = Buffer.from(key, 'utf16le')
  // LMDB has no empty key. A single byte encodes no other key: those have an even number of bytes.
  if (bytes.length === 0) return Buffer.alloc(1)
  if (bytes.length <= LONGEST_PLAIN_KEY) return bytes
  const digest = createHash('sha256').update(bytes).digest()
  return Buffer.concat([bytes.subarray(0, LONGEST_PLAIN_KEY), digest])
}

/** The bytes that all encoded keys with this prefix begin with (and, for a long prefix, some others too). */
export function encodePrefix(prefix: string): Buffer {
  return Buffer.from(prefix, 'utf16le').subarray(0, LONGEST_PLAIN_KEY)
}

/** A stored record with its value still as JSON text. */
export interface LmdbRecord {
  readonly json: string
  /** Milliseconds since the epoch, or Infinity. */
  readonly expiresAt: number
}

/**
 * A line with the expiry and, if {@link encodeKey} cut it, the key; then the value. JSON text has no line break.
 */
export function encodeRecord(key: string, { json, expiresAt }: LmdbRecord): string {
  const isCut = key.length * 2 > LONGEST_PLAIN_KEY
  return `${isCut ? `${expiresAt} ${JSON.stringify(key)}` : expiresAt}\n${json}`
}

/** @throws {Error} for a text that {@link encodeRecord} did not write */
export function decodeRecord(text: string): LmdbRecord {
  const lineEnd = text.indexOf('\n')
  const expiresAt = Number.parseFloat(text.slice(0, lineEnd))
  if (Number.isNaN(expiresAt)) throw new Error('a stored record is damaged')
  return { json: text.slice(lineEnd + 1), expiresAt }
}

/** The key that a record was stored under. */
export function decodeKey(encodedKey: Buffer, text: string): string {
  if (encodedKey.length === 1) return ''
  if (encodedKey.length <= LONGEST_PLAIN_KEY) return encodedKey.toString('utf16le')
  return JSON.parse(text.slice(text.indexOf(' ') + 1, text.indexOf('\n')))
}
