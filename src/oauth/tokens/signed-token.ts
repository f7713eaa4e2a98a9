/**
 * Tokens that this server signs and verifies itself: JWTs, each kind under a `typ` of its own, so that one is never taken
 * for another (RFC 8725 section 3.11). The protected header carries a MAC of ours, `gw`, that a check compares before it asks
 * the store for a key and before any public-key operation (decision K34). Everybody else verifies the signature alone.
 *
 * @module
 */
import type { z } from 'zod'
import { fromBase64url, type KeyLabel, type Keyring, randomToken } from '../../crypto.ts'
import { isCanonicalSignature, signJws, verifyJws } from './signature.ts'
import type { SigningKeys } from './signing-keys.ts'

/** The claims of every kind, besides its own. Seconds since the epoch. */
interface Times {
  readonly iat: number
  readonly exp: number
}

export type Verification<Claims> =
  | { readonly ok: true; readonly claims: Claims }
  | { readonly ok: false; readonly reason: 'invalid' }
  | ExpiredToken

/** A token that this server made, and that has ended. */
export interface ExpiredToken {
  readonly ok: false
  readonly reason: 'expired'
  /** When it ended: milliseconds since the epoch. */
  readonly expiresAt: number
  /** Claims as they were sealed, where they are texts. */
  readonly gid?: string
  readonly sub?: string
}

/** A token whose MAC is good and whose time has not ended; its signature is still to be verified. */
export interface AuthenticToken<Claims> {
  readonly ok: true
  readonly claims: Claims
  readonly kid: string
  /** The text that the signature covers (RFC 7515 section 5.1). */
  readonly signed: string
  readonly signature: Buffer
}

export type Inspection<Claims> =
  | AuthenticToken<Claims>
  | Extract<Verification<Claims>, { readonly ok: false }>

export interface SignedTokens<Claims> {
  issue(claims: Claims & Times): Promise<string>
  /** Changes when a key is removed before its time: tokens that were verified before have to be verified again. */
  keyGeneration(): number
  /** Checks form, type, MAC, issuer and expiry, without the store and without a public-key operation. */
  inspect(token: string): Inspection<Claims>
  /** Checks the signature of an inspected token. Rejects with StorageUnavailable while its key cannot be looked up. */
  verifySignature(token: AuthenticToken<Claims>): Promise<Verification<Claims>>
  /** Both of them. The audience is the caller's to compare. */
  verify(token: string): Promise<Verification<Claims>>
}

const MAC_BYTES = 16
const KID_LENGTH = 43
const MAC_LENGTH = 22
const INVALID = { ok: false, reason: 'invalid' } as const

/** @param deps `issuer`: our origin; `type`: the `typ` of this kind; `now` in milliseconds since the epoch */
export function createSignedTokens<Claims extends object>(deps: {
  readonly issuer: string
  readonly type: string
  readonly claims: z.ZodType<Claims>
  readonly keys: SigningKeys
  readonly keyring: Keyring
  readonly now: () => number
}): SignedTokens<Claims> {
  const { issuer, type, keys, keyring, now } = deps
  const { algorithm } = keys
  const label: KeyLabel = `token-mac/${type}`
  // One spelling of the header, so that nothing of it has to be judged: `alg`, `typ`, `kid`, `gw` (threat T34).
  const start = `{"alg":"${algorithm}","typ":"${type}","kid":"`
  const between = '","gw":"'
  const end = '"}'
  const headerLength = start.length + KID_LENGTH + between.length + MAC_LENGTH + end.length
  /** The length of a header as base64url without padding. */
  const headerCharacters = Math.ceil((headerLength * 4) / 3)
  const macInput = (kid: string, payload: string) => `${start}${kid}"}.${payload}`

  /** The `kid` and `gw` of a header of ours. */
  function parseHeader(segment: string): { kid: string; mac: string } | undefined {
    const header = Buffer.from(segment, 'base64url').toString('latin1')
    if (header.length !== headerLength || !header.startsWith(start)) return undefined
    const kid = header.slice(start.length, start.length + KID_LENGTH)
    const mac = header.slice(-end.length - MAC_LENGTH, -end.length)
    const isOurs = header === start + kid + between + mac + end && /^[\w-]+$/.test(kid)
    return isOurs ? { kid, mac } : undefined
  }

  const tokens: SignedTokens<Claims> = {
    async issue(claims) {
      const { kid, privateKey } = keys.current()
      const payload = encode({ iss: issuer, ...claims, jti: randomToken(12) })
      const mac = keyring.mac(label, macInput(kid, payload), MAC_BYTES)
      const header = Buffer.from(start + kid + between + mac + end).toString('base64url')
      const signed = `${header}.${payload}`
      return `${signed}.${(await signJws(algorithm, signed, privateKey)).toString('base64url')}`
    },
    keyGeneration: () => keys.generation(),
    inspect(token) {
      // A header of ours has one length, so most garbage ends here.
      const end1 = token.indexOf('.')
      const end2 = token.indexOf('.', end1 + 1)
      if (end1 !== headerCharacters || end2 === -1 || token.includes('.', end2 + 1)) return INVALID
      const header = parseHeader(token.slice(0, end1))
      if (!header) return INVALID
      const { kid, mac } = header
      const payload = token.slice(end1 + 1, end2)
      if (!keyring.verifyMac(label, macInput(kid, payload), mac, MAC_BYTES)) return INVALID
      const said = decode(payload)
      if (said?.iss !== issuer || typeof said.exp !== 'number') return INVALID
      if (said.exp * 1000 <= now()) return expired(said, said.exp)
      if (typeof said.nbf === 'number' && said.nbf * 1000 > now()) return INVALID
      const signature = fromBase64url(token.slice(end2 + 1))
      if (!signature || !isCanonicalSignature(algorithm, signature)) return INVALID
      const claims = deps.claims.safeParse(said)
      if (!claims.success) return INVALID
      return { ok: true, claims: claims.data, kid, signed: token.slice(0, end2), signature }
    },
    async verifySignature({ claims, kid, signed, signature }) {
      const key = await keys.find(kid)
      return key && verifyJws(algorithm, signed, signature, key.publicKey)
        ? { ok: true, claims }
        : INVALID
    },
    async verify(token) {
      const inspected = tokens.inspect(token)
      return inspected.ok ? tokens.verifySignature(inspected) : inspected
    },
  }
  return tokens
}

function expired({ gid, sub }: Readonly<Record<string, unknown>>, exp: number): ExpiredToken {
  return {
    ok: false,
    reason: 'expired',
    expiresAt: exp * 1000,
    ...(typeof gid === 'string' && { gid }),
    ...(typeof sub === 'string' && { sub }),
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** The members of a payload that we made: its MAC was compared before. */
function decode(payload: string): Readonly<Record<string, unknown>> | undefined {
  const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
  // The MAC proves that `encode` wrote an object.
  return typeof value === 'object' && value !== null ? { ...value } : undefined
}
