/**
 * The way from the account that a provider remembers to another one.
 *
 * @module
 */
import type { ServerMetadata } from 'openid-client'
import type { ProviderAddresses } from './provider-addresses.ts'

/** Longer addresses do not pass every proxy: the ID token of a person in many groups is long. */
const MAX_LENGTH = 6_000

/**
 * The address that signs the person out at the provider and brings them back (OpenID Connect RP-Initiated Logout 1.0
 * section 2), or undefined where the provider has none. Without the ID token a provider has to ask the person first; some
 * refuse.
 * @param request `idToken` absent: it is not known any more; `state` comes back with the person
 * @param options `asks`: true if the provider is known to ask, and to bring the person back then, by our id alone
 */
export function signOutAddress(
  metadata: Readonly<ServerMetadata>,
  request: { clientId: string; redirectUri: string; idToken: string | undefined; state: string },
  { usable, refusePlain }: ProviderAddresses,
  { asks = false }: { readonly asks?: boolean | undefined } = {},
): URL | undefined {
  const { clientId, redirectUri, idToken, state } = request
  if (metadata.end_session_endpoint === undefined) return undefined
  if (idToken === undefined && !asks) return undefined
  let address: URL
  try {
    address = usable(metadata.end_session_endpoint, 'end_session_endpoint')
    refusePlain(address.href, 'end_session_endpoint')
  } catch {
    return undefined
  }
  const parameters = {
    ...(idToken !== undefined && { id_token_hint: idToken }),
    client_id: clientId,
    post_logout_redirect_uri: redirectUri,
    state,
  }
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
  if (address.href.length <= MAX_LENGTH) return address
  if (!asks) return undefined
  address.searchParams.delete('id_token_hint')
  return address
}

/** True if the provider has a list of accounts to choose from. */
export const offersAccounts = ({ prompt_values_supported: prompts }: Readonly<ServerMetadata>) =>
  Array.isArray(prompts) && prompts.includes('select_account')
