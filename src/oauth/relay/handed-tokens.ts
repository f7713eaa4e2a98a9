/**
 * Makes the token response of a grant whose client gets the provider's own access token. The refresh token is ours: it
 * is bound to the client, and the provider's stays here.
 *
 * @module
 */
import type { Keyring } from '../../crypto.ts'
import { isMachine } from '../subject.ts'
import type { TokenIssuer } from '../tokens/issuer.ts'
import { formatRefreshToken } from '../tokens/refresh-rotation.ts'
import type { Relay } from './relay.ts'

/** @param deps `own`: issues to programs that act for themselves; `now` in milliseconds since the epoch */
export function createRelayIssuer(deps: {
  readonly own: TokenIssuer
  readonly relay: Pick<Relay, 'handOut'>
  readonly keyring: Keyring
  readonly now: () => number
}): TokenIssuer {
  const { own, relay, keyring, now } = deps
  return {
    async issue(grant, client, wanted) {
      if (isMachine(grant)) return own.issue(grant, client, wanted)
      const { accessToken, scopes, expiresAt, isRenewable } = await relay.handOut(grant)
      const response = {
        access_token: accessToken,
        token_type: 'Bearer' as const,
        expires_in: expiresAt - Math.floor(now() / 1000),
        scope: scopes.join(' '),
        ...(wanted.refresh !== undefined &&
          isRenewable && { refresh_token: formatRefreshToken(grant.id, wanted.refresh, keyring) }),
      }
      return { response, grant, scopes, expiresAt }
    },
  }
}
