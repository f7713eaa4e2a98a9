/**
 * The claims that an ID token leaves out: those of the scopes `email` and `profile` may be at the userinfo endpoint
 * alone (OpenID Connect Core section 5.4), and groups often are.
 *
 * @module
 */

import { fetchUserInfo } from 'openid-client'
import { claimAt } from './claim-path.ts'
import { type Discovered, type OidcConnection, translateFailures } from './oidc-connection.ts'
import { claimOf } from './oidc-identity.ts'
import type { Claims } from './provider.ts'

interface UserinfoDeps {
  readonly found: Discovered
  readonly usable: OidcConnection['usable']
  /** The access token of the same login. */
  readonly accessToken: string
  /** The claim that lists groups. */
  readonly groupsClaim: string
}

/**
 * Asks userinfo once if the ID token says nothing of the e-mail or of groups, and the provider has the endpoint.
 * @param idToken the claims of a verified ID token
 * @throws ProviderFailure if userinfo does not answer, or not for the same subject (OpenID Connect Core section 5.3.2).
 *   Without the e-mail, a person who is known by it would be taken for another.
 */
export async function withUserinfo(
  idToken: Claims,
  { found, usable, accessToken, groupsClaim }: UserinfoDeps,
): Promise<Claims> {
  const { userinfo_endpoint: endpoint } = found.metadata
  const lacks = (name: string) => claimAt(idToken, name) === undefined
  if (endpoint === undefined || !(lacks('email') || lacks(groupsClaim))) return idToken
  usable(endpoint, 'userinfo_endpoint')
  const userinfo = await translateFailures({ about: 'userinfo', secrets: [accessToken] }, () =>
    fetchUserInfo(found.configuration, accessToken, String(idToken.sub)),
  )
  return merge(idToken, userinfo, groupsClaim)
}

/**
 * A claim of the ID token wins, and only claims that describe the person are taken from userinfo. `email_verified`
 * belongs to the `email` beside it: both come from the same answer, else an unverified address would pass for verified.
 */
function merge(idToken: Claims, userinfo: Claims, groupsClaim: string): Claims {
  const either = (name: string) => claimOf(idToken, name) ?? claimOf(userinfo, name)
  const addressed = claimOf(idToken, 'email') === undefined ? userinfo : idToken
  return {
    ...idToken,
    name: either('name'),
    preferred_username: either('preferred_username'),
    [groupsClaim]: claimAt(idToken, groupsClaim) ?? claimAt(userinfo, groupsClaim),
    email: claimOf(addressed, 'email'),
    email_verified: claimOf(addressed, 'email_verified'),
  }
}
