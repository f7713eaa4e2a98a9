/** The grant types of the token endpoint, one line each. */
import { authorizationCode } from './authorization-code.ts'
import type { GrantType } from './grant-type.ts'
import { refreshToken } from './refresh-token.ts'

export const GRANT_TYPES: readonly GrantType[] = [authorizationCode, refreshToken]
