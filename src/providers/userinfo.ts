/**
 * What an ID token leaves out: the claims of the scopes `email` and `profile` may stand at the userinfo endpoint alone
 * (OpenID Connect Core section 5.4), and groups often do.
 *
 * @module
 */
import { fetchUserInfo } from 'openid-client'
import { type Discovered, explained, type OidcConnection } from './oidc-connection.ts'
import { claimOf } from './oidc-identity.ts'
import type { Claims } from './provider.ts'

interface Asking {
  readonly found: Discovered
  readonly usable: OidcConnection['usable']
  /** Of the login that the ID token is of. */
  readonly accessToken: string
  /** The claim that lists groups. */
  readonly groupsClaim: string
}

/**
 * Asks userinfo once if the ID token says nothing of the e-mail or of groups, and the provider has the endpoint.
 * @param idToken the claims of a verified one
 * @throws ProviderFailure if userinfo does not answer, or not for the same subject (OpenID Connect Core section 5.3.2).
 *   To go on without the e-mail would make another person of whoever is known by it.
 */
export async function withUserinfo(
  idToken: Claims,
  { found, usable, accessToken, groupsClaim }: Asking,
): Promise<Claims> {
  const { userinfo_endpoint: endpoint } = found.metadata
  const lacks = (name: string) => claimOf(idToken, name) === undefined
  if (endpoint === undefined || !(lacks('email') || lacks(groupsClaim))) return idToken
  usable(endpoint, 'userinfo_endpoint')
  const userinfo = await explained({ about: 'userinfo', secrets: [accessToken] }, () =>
    fetchUserInfo(found.configuration, accessToken, String(idToken.sub)),
  )
  return merge(idToken, userinfo, groupsClaim)
}

/**
 * A claim of the ID token wins, and only what describes the person is taken from userinfo. `email_verified` speaks of the
 * `email` beside it: both are of the same answer, or an address would pass for verified that nobody verified.
 */
function merge(idToken: Claims, userinfo: Claims, groupsClaim: string): Claims {
  const either = (name: string) => claimOf(idToken, name) ?? claimOf(userinfo, name)
  const addressed = claimOf(idToken, 'email') === undefined ? userinfo : idToken
  return {
    ...idToken,
    name: either('name'),
    preferred_username: either('preferred_username'),
    [groupsClaim]: either(groupsClaim),
    email: claimOf(addressed, 'email'),
    email_verified: claimOf(addressed, 'email_verified'),
  }
}
