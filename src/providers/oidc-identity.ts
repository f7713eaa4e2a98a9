/**
 * From the claims of a verified token to a person. Claims are the provider's, and some are what people typed
 * there: each is taken only in the shape it must have.
 *
 * @module
 */
import { type Claims, type Identity, ProviderFailure } from './provider.ts'

/** More would not fit into the headers that carry them to a protected server. */
const MAX_GROUPS = 300
const MAX_TEXT = 256
/** OpenID Connect Core section 2. */
const MAX_SUBJECT = 255

/**
 * @param groupsClaim the claim that lists groups; absent means in none
 * @throws ProviderFailure for what no provider in order says
 */
export function identityFromClaims(claims: Claims, groupsClaim: string): Identity {
  const { iss: issuer, sub: subject } = claims
  if (typeof issuer !== 'string' || !isLine(subject, MAX_SUBJECT)) {
    throw new ProviderFailure('failed', 'the token names no usable subject')
  }
  const email = verifiedEmail(claims)
  const { name, preferred_username: preferredUsername } = claims
  return {
    issuer,
    subject,
    groups: groupsOf(claims, groupsClaim),
    ...(email !== undefined && { email }),
    ...(isLine(name, MAX_TEXT) && { name }),
    ...(isLine(preferredUsername, MAX_TEXT) && { preferredUsername }),
  }
}

/** Only `true` is verified: no text, no absence. One address, or it belongs to two domains (GHSA-c5c4-8r6x-56w3). */
function verifiedEmail({ email, email_verified: verified }: Claims): string | undefined {
  if (verified !== true || !isLine(email, MAX_TEXT)) return undefined
  return /^[^@\s,]+@[^@\s,]+$/.test(email) ? email : undefined
}

function groupsOf(claims: Claims, claim: string): readonly string[] {
  const groups = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (groups === undefined || groups === null) return []
  if (!Array.isArray(groups)) {
    throw new ProviderFailure('failed', `the claim ${claim} is not a list of texts`)
  }
  if (groups.length > MAX_GROUPS) {
    throw new ProviderFailure(
      'too-many-groups',
      `the claim ${claim} lists ${groups.length} groups, and ${MAX_GROUPS} are the most`,
    )
  }
  const known = groups.filter((group) => isLine(group, MAX_TEXT))
  if (known.length < groups.length) {
    throw new ProviderFailure(
      'failed',
      `the claim ${claim} holds what is not a text of 1 to ${MAX_TEXT} characters on one line`,
    )
  }
  return [...new Set(known)]
}

const isLine = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value !== '' && value.length <= max && !/\p{Cc}/u.test(value)
