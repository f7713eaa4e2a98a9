/**
 * Random values, hashes, key derivation and sealed values. The only file that touches `node:crypto` primitives
 * besides the JOSE library; everything above it speaks in tokens, hashes and sealed strings.
 *
 * @module
 */
import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { CompactEncrypt, compactDecrypt } from 'jose'

/** What a key may be used for. A value sealed under one label never opens under another (decision K1). */
export type KeyLabel =
  | 'client-id'
  | 'interaction'
  | 'client-secret'
  | 'refresh'
  | 'cookie'
  | 'key-wrap'
  | 'lockout'
  | 'provider'

/** Sealed values are small; a larger plaintext can only be a mistake of ours. */
const MAX_PLAINTEXT = 64 * 1024

/** `bytes` random bytes as base64url without padding. */
export function randomToken(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** SHA-256 as base64url without padding (43 characters). */
export function sha256(value: string): string {
  return createHash('sha256').update(value).digest('base64url')
}

/** Compares in time that depends on neither value's content. */
export function constantTimeEqual(a: string, b: string): boolean {
  const digest = (value: string) => createHash('sha256').update(value).digest()
  return timingSafeEqual(digest(a), digest(b))
}

/** Keys derived from the root secret (and, for opening and verifying only, from its predecessors). */
export interface Keyring {
  /** HMAC-SHA-256 under the current root's `label` key, as base64url. */
  mac(label: KeyLabel, message: string): string
  /** True if `mac` was made over `message` under any root, current or previous. */
  verifyMac(label: KeyLabel, message: string, mac: string): boolean
  /** Encrypts and authenticates `value` (JSON) as a compact JWE: `dir`, A256GCM, deflated before. */
  seal(label: KeyLabel, value: unknown): Promise<string>
  /** The value sealed under `label`, or undefined for anything that does not open. */
  open(label: KeyLabel, sealed: string): Promise<unknown | undefined>
  /** True if `sealed` opens under the current root, not only under a previous one. */
  isCurrent(label: KeyLabel, sealed: string): Promise<boolean>
}

/**
 * Derives one 256-bit key a label from each root by HKDF-SHA-256 (RFC 5869).
 * @param secret the current root, any string of sufficient entropy
 * @param previous former roots, newest first
 */
export function createKeyring(secret: string, previous: readonly string[] = []): Keyring {
  const roots = [secret, ...previous]
  const cache = new Map<string, Uint8Array>()
  const key = (root: number, label: KeyLabel): Uint8Array => {
    const name = `${root}:${label}`
    let found = cache.get(name)
    if (!found) {
      found = new Uint8Array(
        hkdfSync('sha256', roots[root] ?? '', 'gatewarden', `gatewarden/${label}`, 32),
      )
      cache.set(name, found)
    }
    return found
  }
  const macUnder = (root: number, label: KeyLabel, message: string) =>
    createHmac('sha256', key(root, label)).update(message).digest('base64url')

  async function openUnder(
    root: number,
    label: KeyLabel,
    sealed: string,
  ): Promise<unknown | undefined> {
    try {
      const { plaintext } = await compactDecrypt(sealed, key(root, label), {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      })
      const inflated = inflateRawSync(plaintext, { maxOutputLength: MAX_PLAINTEXT })
      return JSON.parse(inflated.toString('utf8'))
    } catch {
      return undefined
    }
  }

  return {
    mac: (label, message) => macUnder(0, label, message),
    verifyMac: (label, message, mac) =>
      roots.some((_, root) => constantTimeEqual(macUnder(root, label, message), mac)),
    async seal(label, value) {
      const plaintext = Buffer.from(JSON.stringify(value))
      if (plaintext.length > MAX_PLAINTEXT) throw new Error('value too large to seal')
      return new CompactEncrypt(deflateRawSync(plaintext))
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(key(0, label))
    },
    async open(label, sealed) {
      for (const root of roots.keys()) {
        const opened = await openUnder(root, label, sealed)
        if (opened !== undefined) return opened
      }
      return undefined
    },
    isCurrent: async (label, sealed) => (await openUnder(0, label, sealed)) !== undefined,
  }
}
