/**
 * The Google preset: people with a Google account, or only those of some Google Workspace domains.
 *
 * @module
 */
import { createGoogleTokens } from './google-tokens.ts'
import { createHostedDomains } from './hosted-domains.ts'
import { createOidcLogin, type OidcOptions } from './oidc.ts'
import { createOidcConnection } from './oidc-connection.ts'
import type { RedirectProvider } from './provider.ts'

interface GoogleOptions extends Omit<OidcOptions, 'name'> {
  /** Google Workspace domains, in lower case, that people must be managed by; none is anyone with an account. */
  readonly hostedDomains: readonly string[]
}

/** @param options `issuerUrl`: Google's own, or that of a stand-in; everything else is discovered there */
export function createGoogleProvider(given: GoogleOptions): RedirectProvider {
  // "https://accounts.google.com or accounts.google.com", says Google of the `iss` of its ID tokens.
  const options = {
    ...given,
    name: 'Google',
    issuerAlias: given.issuerUrl.replace(/^https?:\/\//, ''),
  }
  const connection = createOidcConnection(options)
  const hosted = createHostedDomains(options.hostedDomains)
  return {
    ...createOidcLogin(connection, options, {
      // Google knows no `prompt=login`; choosing an account is how somebody else signs in there. Where only some are
      // let in it is always asked, or whoever has one account in the browser would never get to another.
      parameters: (prompt) => ({
        ...((prompt || hosted.isLimited) && { prompt: 'select_account' }),
        ...hosted.parameters,
      }),
      admit: hosted.admit,
      // Google's ID token has the e-mail, and groups do not exist there.
      asksUserinfo: false,
    }),
    tokens: createGoogleTokens(connection, { ...options, hosted }),
  }
}
