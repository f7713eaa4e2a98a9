/**
 * Makes the token response of a grant (RFC 6749 section 5.1).
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import type { PersonToken } from '../../providers/provider.ts'
import type { Grant } from '../../records/records.ts'
import type { Client } from '../clients/client.ts'
import { subjectOf } from '../subject.ts'
import type { AccessTokens } from './access-token.ts'
import { formatRefreshToken } from './refresh-rotation.ts'

export interface TokenResponse {
  readonly access_token: string
  readonly token_type: 'Bearer'
  readonly expires_in: number
  readonly scope: string
  readonly refresh_token?: string
}

/** A token response, and what it is about. */
export interface Issued {
  readonly response: TokenResponse
  readonly grant: Grant
  readonly scopes: readonly string[]
  /** When the access token ends: seconds since the epoch. */
  readonly expiresAt: number
}

export interface TokenIssuer {
  /**
   * @param token the scopes of this access token and, where there is one, the number of its refresh token
   */
  issue(
    grant: Grant,
    client: Client,
    token: { scopes: readonly string[]; refresh: number | undefined },
  ): Promise<Issued>
}

/** Seconds. A client refreshes no more often than this for the sake of the provider's token. */
const SHORTEST = 60

/**
 * @param deps `lifetime`: seconds an access token lives; never beyond its grant; `personTokenOf`: the provider's token for
 *   the server behind. Ours ends with it, so that the client's refresh renews both
 */
export function createTokenIssuer(deps: {
  accessTokens: AccessTokens
  keyring: Keyring
  lifetime: number
  personTokenOf: (grant: Grant) => Promise<PersonToken | undefined>
  now: () => number
}): TokenIssuer {
  return {
    async issue(grant, client, { scopes, refresh }) {
      const iat = Math.floor(deps.now() / 1000)
      const token = await deps.personTokenOf(grant)
      const until = Math.max(iat + SHORTEST, token?.until ?? Number.POSITIVE_INFINITY)
      const exp = Math.min(iat + deps.lifetime, grant.expiresAt, until)
      const scope = scopes.join(' ')
      const accessToken = await deps.accessTokens.issue({
        sub: subjectOf(grant),
        aud: grant.resource,
        client_id: client.id,
        scope,
        gid: grant.id,
        iat,
        exp,
      })
      const response = {
        access_token: accessToken,
        token_type: 'Bearer' as const,
        expires_in: exp - iat,
        scope,
        ...(refresh !== undefined && {
          refresh_token: formatRefreshToken(grant.id, refresh, deps.keyring),
        }),
      }
      return { response, grant, scopes, expiresAt: exp }
    },
  }
}
