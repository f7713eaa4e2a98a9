/** The grant types of the token endpoint, one line each. */
import { authorizationCode } from './authorization-code.ts'
import { clientCredentials } from './client-credentials.ts'
import type { GrantType } from './grant-type.ts'
import { refreshToken } from './refresh-token.ts'

export const GRANT_TYPES: readonly GrantType[] = [
  authorizationCode,
  refreshToken,
  clientCredentials,
]

/**
 * The grant types that some client can use: those that any client may register, and those that a client of the
 * configuration has.
 */
export function usableGrantTypes(
  configured: readonly { readonly grantTypes: readonly string[] }[],
): string[] {
  const named = new Set(configured.flatMap(({ grantTypes }) => grantTypes))
  return GRANT_TYPES.filter(
    ({ grantType, isRegistrable }) => isRegistrable || named.has(grantType),
  ).map(({ grantType }) => grantType)
}
