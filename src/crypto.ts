/**
 * Random values, hashes, derived keys and sealed values. It owns no protocol rule: the files above it speak in tokens, hashes
 * and sealed strings.
 *
 * @module
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  randomInt,
  timingSafeEqual,
} from 'node:crypto'
import { Packr } from 'msgpackr'

/**
 * The use of a derived key. A value sealed under one label never opens under another (decision K1); `token-mac/` carries
 * the kind of token (decision K34).
 */
export type KeyLabel =
  | 'api-key'
  | 'client-id'
  | 'interaction'
  | 'client-secret'
  | 'refresh'
  | 'cookie'
  | 'device'
  | 'key-wrap'
  | 'lockout'
  | 'loop'
  | 'machine'
  | 'password'
  | 'person-token'
  | 'provider'
  | 'record'
  | 'registration'
  | 'relayed-tokens'
  | 'upstream'
  | `token-mac/${string}`

/** Labels of values that belong to a store, so they outlive a change of `PUBLIC_URL`. All others are bound to the issuer. */
const STORE_LABELS: ReadonlySet<KeyLabel> = new Set([
  'api-key',
  'key-wrap',
  'lockout',
  'machine',
  'password',
  'record',
])

/** Sealed values are small; a larger plaintext can only be a mistake of ours. */
const MAX_PLAINTEXT = 64 * 1024
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
/**
 * Random 96-bit nonces are safe for 2^32 values under one key (NIST SP 800-38D section 8.3). Strangers can have values
 * sealed at will, so the operator hears of it long before.
 */
const MANY_SEALED = 2 ** 28

/** The block size of SHA-256, in bytes. */
const BLOCK = 64

/** MessagePack: maps are plain objects, and no extension types. */
const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: false })

/** `bytes` random bytes as base64url without padding. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** A random whole number from 0, below `limit`, each as likely as the others. */
export const randomBelow = (limit: number): number => randomInt(limit)

/** SHA-256 as base64url without padding (43 characters). */
export function sha256(value: string): string {
  return hash('sha256', value, 'base64url')
}

/** Compares in time that depends on neither value's content. */
export function constantTimeEqual(a: string, b: string): boolean {
  const digest = (value: string) => hash('sha256', value, 'buffer')
  return timingSafeEqual(digest(a), digest(b))
}

/**
 * HMAC-SHA-256 (RFC 2104) under one key of at most 64 bytes. Two one-shot hashes and no object that a garbage collection
 * has to finalize: a forged token costs little more than garbage (decision K34).
 */
function createMac(key: Buffer): (message: string) => Buffer {
  const padded = Buffer.alloc(BLOCK)
  key.copy(padded)
  const innerPad = padded.map((byte) => byte ^ 0x36)
  const outer = Buffer.concat([padded.map((byte) => byte ^ 0x5c), Buffer.alloc(32)])
  return (message) => {
    const inner = Buffer.allocUnsafe(BLOCK + Buffer.byteLength(message))
    inner.set(innerPad)
    inner.write(message, BLOCK)
    hash('sha256', inner, 'buffer').copy(outer, BLOCK)
    return hash('sha256', outer, 'buffer')
  }
}

/** The bytes of base64url text in its one canonical spelling; undefined for any other (threat T52). */
export function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

interface DerivedKey {
  readonly secret: KeyObject
  readonly mac: (message: string) => Buffer
}

/** Keys derived from the root secret (and, for opening and verifying only, from its predecessors). */
export interface Keyring {
  /**
   * HMAC-SHA-256 under the current root's `label` key, as base64url.
   * @param bytes of the MAC that are kept: 16 to 32
   */
  mac(label: KeyLabel, message: string, bytes?: number): string
  /** The same under each root, the current one first. */
  macs(label: KeyLabel, message: string): readonly [string, ...string[]]
  /** True if `mac` was made over `message` under any root, current or previous. Constant time, canonical spelling only. */
  verifyMac(label: KeyLabel, message: string, mac: string, bytes?: number): boolean
  /** Encrypts and authenticates a value: version, nonce and AES-256-GCM over MessagePack, as base64url. */
  seal(label: KeyLabel, value: unknown): string
  /** The value sealed under `label`, or undefined for any text that does not open. */
  open(label: KeyLabel, sealed: string): unknown
  /** True if `sealed` opens under the current root, not only under a previous one. */
  isCurrent(label: KeyLabel, sealed: string): boolean
}

/**
 * Derives one 256-bit key a label from each root by HKDF-SHA-256 (RFC 5869).
 * @param secret the current root, any string of sufficient entropy
 * @param options `issuer`: two deployments with one secret open nothing of each other; `previous`: former roots, newest
 *   first; `onManySealed`: called once for a label under which this process has sealed very many values
 */
export function createKeyring(
  secret: string,
  options: {
    readonly issuer: string
    readonly previous?: readonly string[]
    readonly onManySealed?: (label: KeyLabel) => void
  },
): Keyring {
  const { issuer, previous = [], onManySealed } = options
  const roots = [secret, ...previous]
  const keys = roots.map(() => new Map<KeyLabel, DerivedKey>())
  const sealedCounts = new Map<KeyLabel, number>()

  function derive(root: number, label: KeyLabel): DerivedKey {
    const info = `gatewarden/${label}${STORE_LABELS.has(label) ? '' : `\0${issuer}`}`
    const key = Buffer.from(hkdfSync('sha256', roots[root] ?? '', 'gatewarden', info, 32))
    return { secret: createSecretKey(key), mac: createMac(key) }
  }
  function keyOf(root: number, label: KeyLabel): DerivedKey {
    const found = keys[root]?.get(label) ?? derive(root, label)
    keys[root]?.set(label, found)
    return found
  }
  const macOf = (root: number, label: KeyLabel, message: string) => keyOf(root, label).mac(message)
  const associated = (label: KeyLabel) => Buffer.from(STORE_LABELS.has(label) ? '' : issuer)

  function openUnder(root: number, label: KeyLabel, sealed: string): unknown {
    const bytes = fromBase64url(sealed)
    if (!bytes || bytes.length < 1 + NONCE_BYTES + TAG_BYTES || bytes[0] !== VERSION) {
      return undefined
    }
    const nonce = bytes.subarray(1, 1 + NONCE_BYTES)
    const decipher = createDecipheriv('aes-256-gcm', keyOf(root, label).secret, nonce)
    decipher.setAAD(associated(label))
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
    try {
      const body = bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)
      const plaintext = Buffer.concat([decipher.update(body), decipher.final()])
      return packr.unpack(plaintext)
    } catch {
      return undefined
    }
  }

  function countSealed(label: KeyLabel): void {
    const count = (sealedCounts.get(label) ?? 0) + 1
    sealedCounts.set(label, count)
    if (count === MANY_SEALED) onManySealed?.(label)
  }

  return {
    mac: (label, message, bytes = 32) =>
      macOf(0, label, message).subarray(0, bytes).toString('base64url'),
    macs: (label, message) => [
      macOf(0, label, message).toString('base64url'),
      ...previous.map((_, index) => macOf(index + 1, label, message).toString('base64url')),
    ],
    verifyMac(label, message, mac, bytes = 32) {
      const given = fromBase64url(mac)
      if (given?.length !== bytes) return false
      return roots.some((_, root) =>
        timingSafeEqual(macOf(root, label, message).subarray(0, bytes), given),
      )
    },
    seal(label, value) {
      const plaintext = packr.pack(value)
      if (plaintext.length > MAX_PLAINTEXT) throw new Error('value too large to seal')
      countSealed(label)
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', keyOf(0, label).secret, nonce)
      cipher.setAAD(associated(label))
      const body = [cipher.update(plaintext), cipher.final()]
      return Buffer.concat([Buffer.of(VERSION), nonce, ...body, cipher.getAuthTag()]).toString(
        'base64url',
      )
    },
    open(label, sealed) {
      for (const root of roots.keys()) {
        const opened = openUnder(root, label, sealed)
        if (opened !== undefined) return opened
      }
      return undefined
    },
    isCurrent: (label, sealed) => openUnder(0, label, sealed) !== undefined,
  }
}
