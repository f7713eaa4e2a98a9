/**
 * Proof Key for Code Exchange (RFC 7636), S256 only: OAuth 2.1 has removed `plain`.
 *
 * @module
 */
import { constantTimeEqual, sha256 } from '../crypto.ts'
import { OAuthError } from '../errors.ts'

/**
 * The challenge of an authorization request.
 * @throws OAuthError `invalid_request` if it is missing, not S256, or not the 43 characters of a SHA-256 (RFC 7636
 *   section 4.2)
 */
export function parseChallenge(challenge: string | undefined, method: string | undefined): string {
  if (challenge === undefined) {
    throw new OAuthError('invalid_request', 'code_challenge is missing: PKCE with S256 is required')
  }
  if (method !== 'S256') {
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256')
  }
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge)) {
    throw new OAuthError('invalid_request', 'code_challenge must be 43 base64url characters')
  }
  return challenge
}

/**
 * Checks a verifier against the challenge of its code.
 * @throws OAuthError `invalid_request` for a malformed verifier, `invalid_grant` for a wrong one (RFC 7636 section 4.6)
 */
export function verifyChallenge(verifier: string, challenge: string): void {
  if (!/^[A-Za-z0-9\-._~]{43,128}$/.test(verifier)) {
    throw new OAuthError('invalid_request', 'code_verifier must be 43 to 128 unreserved characters')
  }
  if (!constantTimeEqual(sha256(verifier), challenge)) {
    throw new OAuthError('invalid_grant', 'code_verifier does not match code_challenge')
  }
}
