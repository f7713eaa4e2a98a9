/**
 * The Keycloak preset: an OpenID Connect provider whose issuer is a realm.
 *
 * @module
 */
import { createOidcProvider, type OidcOptions } from './oidc.ts'
import type { RedirectProvider } from './provider.ts'

/** @param options `issuerUrl` is the realm's, `https://id.example.com/realms/main` */
export function createKeycloakProvider(
  options: Omit<OidcOptions, 'name' | 'uniqueUsernames'>,
): RedirectProvider {
  return createOidcProvider({
    ...options,
    name: 'Keycloak',
    uniqueUsernames: true,
    asksBeforeSignOut: true,
  })
}
