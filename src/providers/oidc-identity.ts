/**
 * Reads a person from the claims of a verified token. The provider states them, and people typed some of them there,
 * so each claim is taken only in the shape it must have.
 *
 * @module
 */
import { claimAt } from './claim-path.ts'
import { kindOf, type ReportOddity } from './oddities.ts'
import { type Claims, type Identity, ProviderFailure } from './provider.ts'

/** As many as Entra puts into a token. */
const MAX_GROUPS = 200
/** Bytes in the header that carries them to a protected server: proxies and servers refuse much longer ones. */
const MAX_GROUPS_LENGTH = 8_000
const MAX_TEXT = 256
/** OpenID Connect Core section 2. */
const MAX_SUBJECT = 255

/**
 * @param groupsClaim the claim that lists groups, or is a single group, by name or path; without it the person is in no
 *   group
 * @param tolerated gets each claim that is left out, because it has another shape and names nobody
 * @throws ProviderFailure for claims that no correct provider states
 */
export function identityFromClaims(
  claims: Claims,
  groupsClaim: string,
  tolerated: ReportOddity = () => undefined,
): Identity {
  const { iss: issuer, sub: subject } = claims
  if (typeof issuer !== 'string' || !isLine(subject, MAX_SUBJECT)) {
    throw new ProviderFailure('failed', 'the token names no usable subject')
  }
  const email = verifiedEmail(claims)
  const { name, preferred_username: preferredUsername } = claims
  reportOddities(claims, tolerated)
  return {
    issuer,
    subject,
    groups: groupsOf(claims, groupsClaim, tolerated),
    ...(email !== undefined && { email }),
    ...(isLine(name, MAX_TEXT) && { name }),
    ...(isLine(preferredUsername, MAX_TEXT) && { preferredUsername }),
  }
}

/** A claim by its name; null counts as absent. */
export function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? (claims[name] ?? undefined) : undefined
}

/** Only `true` is verified, no string, no absence. Two addresses would belong to two domains (GHSA-c5c4-8r6x-56w3). */
function verifiedEmail(claims: Claims): string | undefined {
  const email = claimOf(claims, 'email')
  if (email !== undefined && typeof email !== 'string') {
    throw new ProviderFailure('failed', 'the claim email is not a string')
  }
  if (claims.email_verified !== true || !isLine(email, MAX_TEXT)) return undefined
  return /^[^@\s,]+@[^@\s,]+$/.test(email) ? email : undefined
}

function reportOddities(claims: Claims, tolerated: ReportOddity): void {
  for (const name of ['name', 'preferred_username'] as const) {
    const value = claimOf(claims, name)
    if (value === undefined || isLine(value, MAX_TEXT)) continue
    const what =
      typeof value === 'string' && value !== '' ? 'too long, or not one line' : kindOf(value)
    tolerated(`the claim ${name} is ${what}: it is left out`)
  }
  const verified = claimOf(claims, 'email_verified')
  if (verified !== undefined && typeof verified !== 'boolean') {
    tolerated(`the claim email_verified is ${kindOf(verified)}: only true makes an e-mail count`)
  }
}

function groupsOf(claims: Claims, claim: string, tolerated: ReportOddity): readonly string[] {
  const stated = claimAt(claims, claim)
  if (stated === undefined) return []
  // ADFS, for example, sends a list of one group as a plain string.
  const groups = typeof stated === 'string' ? [stated] : stated
  if (!Array.isArray(groups)) {
    tolerated(
      `the claim ${claim} is not a list of strings, but ${kindOf(groups)}: it counts as no group`,
    )
    return []
  }
  if (groups.length > MAX_GROUPS) {
    throw new ProviderFailure(
      'too-many-groups',
      `the claim ${claim} lists ${groups.length} groups; the limit is ${MAX_GROUPS}`,
    )
  }
  const known = groups.filter((group) => isLine(group, MAX_TEXT))
  if (known.length < groups.length) {
    tolerated(
      `the claim ${claim} has an entry that is not a string of 1 to ${MAX_TEXT} characters on one line: it is left out`,
    )
  }
  const distinct = [...new Set(known)]
  const length = headerLength(distinct)
  if (length > MAX_GROUPS_LENGTH) {
    throw new ProviderFailure(
      'too-many-groups',
      `the groups of the claim ${claim} make a header of ${length} bytes; the limit is ${MAX_GROUPS_LENGTH}`,
    )
  }
  return distinct
}

/** Bytes of the groups with commas between them. In a header `%`, `,` and each byte beyond ASCII take three bytes. */
function headerLength(groups: readonly string[]): number {
  const escaped = groups.map((group) =>
    group.replaceAll(/[^\x20-\x7e]|[%,]/gu, (it) => it.repeat(3)),
  )
  return Buffer.byteLength(escaped.join(','))
}

const isLine = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= max && !/\p{Cc}/u.test(value)
