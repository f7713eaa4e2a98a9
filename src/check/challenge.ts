/**
 * The `WWW-Authenticate` header (RFC 6750 section 3, RFC 9728 section 5.1) in the one form that every client's
 * parser reads: one line, scheme first, quoted values without commas or quotes.
 *
 * @module
 */
import { metadataUrl } from '../oauth/metadata.ts'
import { advertisedScopes } from '../oauth/scope.ts'
import type { ResourceMatch } from '../resources/resource-table.ts'

export type ChallengeError = 'invalid_token' | 'invalid_request' | 'insufficient_scope'

// No `scope=` or `error=` inside a description: the TypeScript SDK takes the first match anywhere in the header.
const DESCRIPTION: Readonly<Record<ChallengeError, string>> = {
  invalid_token: 'The access token is expired or revoked or not valid here',
  invalid_request: 'The Authorization header is malformed or doubled',
  insufficient_scope: 'The access token lacks a permission this server requires',
}

/** The description for the body, which every refusal has: clients show it to their user. */
export const describeRefusal = (error: ChallengeError | undefined): string =>
  error === undefined
    ? 'This server needs a login and the request has no access token'
    : DESCRIPTION[error]

/**
 * @param error absent if no credential was sent
 * @param more scopes that this request needs beside those that every request needs
 */
export function challenge(
  match: ResourceMatch,
  error?: ChallengeError,
  more: readonly string[] = [],
): string {
  const always =
    error === 'insufficient_scope'
      ? match.resource.requiredScopes
      : advertisedScopes(match.resource)
  const scopes = [...always, ...more.filter((scope) => !always.includes(scope))]
  const parameters = [
    ...(error ? [`error="${error}"`, `error_description="${DESCRIPTION[error]}"`] : []),
    `resource_metadata="${metadataUrl(match)}"`,
    // RFC 6750 section 3: `scope` is never empty; the Go SDK refuses an empty one.
    ...(scopes.length > 0 ? [`scope="${scopes.join(' ')}"`] : []),
  ]
  return `Bearer ${parameters.join(', ')}`
}
