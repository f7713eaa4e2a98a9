/**
 * The Google preset: people with a Google account, or only those of some Google Workspace domains.
 *
 * @module
 */
import { createGoogleDirectory } from './google-directory.ts'
import { createGoogleTokens } from './google-tokens.ts'
import { createHostedDomains } from './hosted-domains.ts'
import { createOidcLogin, type OidcOptions } from './oidc.ts'
import { createOidcConnection } from './oidc-connection.ts'
import type { RedirectProvider } from './provider.ts'
import type { GoogleDirectoryConfig } from './provider-config.ts'

interface GoogleOptions extends Omit<OidcOptions, 'name' | 'uniqueUsernames'> {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Google Workspace domains, as A-labels, that must manage a person's account; empty admits every account. */
  readonly hostedDomains: readonly string[]
  readonly directory?: GoogleDirectoryConfig
}

/** @param given `issuerUrl`: Google's own, or that of a stand-in; everything else is discovered there */
export function createGoogleProvider(given: GoogleOptions): RedirectProvider {
  // "https://accounts.google.com or accounts.google.com", says Google of the `iss` of its ID tokens.
  const options = {
    ...given,
    name: 'Google',
    uniqueUsernames: false,
    // It gives another refresh token only to a person who allows that anew.
    offlineNeedsConsent: true,
    // The directory is asked by the operator's own account, so no token of the person is kept.
    rechecks: given.rechecks === true && !given.directory,
    issuerAlias: given.issuerUrl.replace(/^https?:\/\//, ''),
  }
  const connection = createOidcConnection(options)
  const hosted = createHostedDomains(options.hostedDomains)
  const directory = given.directory && createGoogleDirectory(given.directory, { ...given, hosted })
  return {
    ...createOidcLogin(connection, options, {
      // Google knows no `prompt=login`; somebody else signs in there by choosing an account. Where only some domains
      // are let in, Google always asks: else a browser with one account would never get to another.
      parameters: ({ prompt, loginHint, uiLocales }) => ({
        ...((prompt || hosted.isLimited) && { prompt: 'select_account' }),
        ...(loginHint !== undefined && { login_hint: loginHint }),
        ...(uiLocales !== undefined && { ui_locales: uiLocales }),
        ...hosted.parameters,
        ...(options.rechecks && { access_type: 'offline' }),
      }),
      saysAuthTime: false,
      admit: hosted.admit,
      // Google's ID token has the e-mail, and groups are in the directory alone.
      asksUserinfo: false,
      ...(directory && { groupsOf: directory.groupsOf }),
    }),
    ...(directory && { rechecks: directory.rechecks }),
    tokens: createGoogleTokens(connection, { ...options, hosted }),
  }
}
