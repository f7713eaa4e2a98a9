/** The grant types of the token endpoint, one line each. */
import { authorizationCode } from './authorization-code.ts'
import { clientCredentials } from './client-credentials.ts'
import { deviceCode } from './device-code.ts'
import type { GrantType } from './grant-type.ts'
import { refreshToken } from './refresh-token.ts'

export const GRANT_TYPES: readonly GrantType[] = [
  authorizationCode,
  refreshToken,
  deviceCode,
  clientCredentials,
]

/**
 * The grant types that some client can use: those that a client may give itself, and those that a client of the
 * configuration has.
 * @param selfDeclared what a client may ask for that nobody configured
 */
export function usableGrantTypes(
  configured: readonly { readonly grantTypes: readonly string[] }[],
  selfDeclared: readonly string[],
): string[] {
  const named = new Set([...selfDeclared, ...configured.flatMap(({ grantTypes }) => grantTypes)])
  return GRANT_TYPES.filter(
    ({ grantType, registration }) => registration === 'default' || named.has(grantType),
  ).map(({ grantType }) => grantType)
}
