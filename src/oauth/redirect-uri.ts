/**
 * Judges which redirect URIs a client may have, and whether a requested URI is a registered one (OAuth 2.1 section 2.3,
 * RFC 8252). URIs are compared as raw strings; parsing only judges them.
 *
 * @module
 */

import { appSchemeProblem } from './app-schemes.ts'
import { hitsOwnPath, type OwnHosts } from './own-places.ts'

/** Scheme and host in any case (RFC 3986 section 6.2.2.1). */
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::\d{1,5})?(?=[/?]|$)(.*)$/i
const MAX_LENGTH = 512

/** The destination of an answer, as people can understand it. */
export type Destination =
  | { readonly kind: 'loopback'; readonly host: string }
  | { readonly kind: 'host'; readonly host: string }
  | { readonly kind: 'app'; readonly scheme: string }

/** The places that redirect URIs must not hit, and the private-use schemes that the operator opened. */
export interface RedirectRules extends OwnHosts {
  /** True if the operator allows this scheme, beside those of known apps. It is in lower case, without its colon. */
  readonly isOpenedScheme: (scheme: string) => boolean
}

/** The rules for a client of the configuration: to name an app scheme there is to allow it. */
export function asConfigured(rules: RedirectRules): RedirectRules {
  return { ...rules, isOpenedScheme: () => true }
}

/** The reason why a client may not have this redirect URI, as a sentence that the URI begins; undefined if it may. */
export function redirectUriProblem(uri: string, rules: RedirectRules): string | undefined {
  if (uri.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`
  if (!/^[\x21-\x7e]+$/.test(uri)) return 'is not printable ASCII'
  if (/[\\<>"`{}|^]/.test(uri)) return 'contains characters that a URI cannot contain'
  if (uri.includes('#')) return 'has a fragment'
  if (!URL.canParse(uri)) return 'is not an absolute URI'
  const url = new URL(uri)
  if (url.username !== '' || url.password !== '') return 'contains a user name or password'
  if (/^[a-z]+:\/\/[^/?]*@/i.test(uri)) return 'contains a user name or password'
  // A browser would resolve these to another path than the registered one.
  if (/\/(?:\.|%2e){1,2}(?=[/?]|$)/i.test(uri)) return 'has a dot segment'
  if (url.protocol === 'https:' || url.protocol === 'http:') {
    // A browser resolves `https:callback` against the page that redirects there: ours.
    if (!/^https?:\/\/[^/]/i.test(uri)) return 'lacks the // before its host'
    if (url.protocol === 'http:' && !LOOPBACK.test(uri)) {
      return 'uses http for a host other than loopback'
    }
    return hitsOwnPath(url, rules) ? 'points to the authorization server itself' : undefined
  }
  const scheme = url.protocol.slice(0, -1)
  return appSchemeProblem(scheme, uri.slice(url.protocol.length), rules.isOpenedScheme)
}

/** True for http on `localhost`, `127.0.0.1` or `[::1]`. */
export function isLoopback(uri: string): boolean {
  return LOOPBACK.test(uri)
}

/**
 * True if `requested` is the registered URI: the same string, or the same loopback URI with any port (RFC 8252
 * section 7.3; also on `localhost`, which Claude Code needs). A host matches only itself.
 */
export function sameRedirectUri(requested: string, registered: string): boolean {
  if (requested === registered) return true
  const [a, b] = [LOOPBACK.exec(requested), LOOPBACK.exec(registered)]
  return a !== null && b !== null && a[1] === b[1] && (a[2] || '/') === (b[2] || '/')
}

/** The destination of a redirect URI, for the consent page. */
export function destinationOf(redirectUri: string): Destination {
  const url = new URL(redirectUri)
  if (isLoopback(redirectUri)) return { kind: 'loopback', host: url.host }
  return url.protocol === 'https:'
    ? { kind: 'host', host: url.host }
    : { kind: 'app', scheme: url.protocol.slice(0, -1) }
}

/** The destination of a redirect URI after the words "Back to" or "Continue to". */
export const destinationInWords = (redirectUri: string): string =>
  isLoopback(redirectUri) ? 'the program' : destinationName(redirectUri)

/** The destination of a redirect URI in a word or two, for lists and events. */
export function destinationName(redirectUri: string): string {
  const destination = destinationOf(redirectUri)
  switch (destination.kind) {
    case 'loopback':
      return 'this computer'
    case 'host':
      return destination.host
    case 'app':
      return destination.scheme
  }
}

/** The redirect URI with parameters added to its query, which is kept (RFC 6749 section 4.1.2). */
export function withParameters(
  redirectUri: string,
  parameters: Readonly<Record<string, string | undefined>>,
): string {
  const query = Object.entries(parameters)
    .flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
    .map(([name = '', value = '']) => `${name}=${encodeURIComponent(value)}`)
    .join('&')
  return `${redirectUri}${redirectUri.includes('?') ? (/[?&]$/.test(redirectUri) ? '' : '&') : '?'}${query}`
}
