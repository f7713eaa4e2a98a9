/**
 * The cookie that carries a session: its names, its attributes, and how it is found in a request (decision K24). Pure.
 *
 * @module
 */
import type { CookieScope } from './target.ts'

/** The name that mcpauth's users and command lines know; the hosts of a domain may share a session under it. */
const SHARED_NAME = 'CF_Authorization'

/** The cookie of one protected host: browsers let no other host set it. Plain http has no such cookie (decision K7). */
const hostName = (secure: boolean) => (secure ? '__Host-gw_session' : 'gw_session')

/** The session of a `Cookie` header; `doubled` where one of two tokens may have been slipped in. */
export type PresentedSession =
  | { readonly kind: 'none' }
  | { readonly kind: 'doubled' }
  | { readonly kind: 'one'; readonly token: string }

const NONE: PresentedSession = { kind: 'none' }
const DOUBLED: PresentedSession = { kind: 'doubled' }

/** Matches every cookie that may be ours, and reads each character once or twice, however many cookies there are. */
const CANDIDATE = /(?:^|;)\s*(CF_Authorization|(?:__Host-)?gw_session)\s*=([^;]*)/g

/**
 * The session token of a request. The host's own cookie counts before the shared one, which a neighbouring host could
 * have set; the same name twice is refused, since nothing says which one is meant.
 * @param header the value of `Cookie`
 * @param secure the host is https: there only a `__Host-` cookie is the host's own
 */
export function presentedSession(header: string, secure: boolean): PresentedSession {
  const { own, shared } = tokensIn(header, secure)
  const tokens = own.length > 0 ? own : shared
  const [token] = tokens
  if (tokens.length > 1) return DOUBLED
  return token ? { kind: 'one', token } : NONE
}

/** Every session token of a request, up to `limit`, for a caller that ends them all. */
export function everySession(header: string, secure: boolean, limit: number): string[] {
  const { own, shared } = tokensIn(header, secure)
  return [...own, ...shared].filter((token) => token !== '').slice(0, limit)
}

function tokensIn(header: string, secure: boolean): { own: string[]; shared: string[] } {
  const own: string[] = []
  const shared: string[] = []
  // Most requests carry a bearer token or nothing.
  if (!header.includes(SHARED_NAME) && !header.includes('gw_session')) return { own, shared }
  for (const [, name, value = ''] of header.matchAll(CANDIDATE)) {
    if (name === hostName(secure)) own.push(value.trim())
    else if (name === SHARED_NAME) shared.push(value.trim())
  }
  return { own, shared }
}

/** True for the name of a cookie that can hold a session. */
export const isSessionCookie = (name: string): boolean =>
  name === SHARED_NAME || name === hostName(true) || name === hostName(false)

/** The attributes of a session cookie, without `Max-Age`, which the caller adds. */
export interface SessionCookieOptions {
  readonly path: '/'
  readonly httpOnly: true
  readonly sameSite: 'lax'
  readonly secure: boolean
  readonly domain?: string
}

/**
 * Name and attributes of the cookie of a scope, to set it and to clear it.
 * @param secure the host that sets it is https
 */
export function sessionCookie(
  scope: CookieScope,
  secure: boolean,
): { readonly name: string; readonly options: SessionCookieOptions } {
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  switch (scope.kind) {
    case 'domain':
      return { name: SHARED_NAME, options: { ...options, domain: scope.domain } }
    case 'own-host':
      return { name: SHARED_NAME, options }
    case 'host':
      return { name: hostName(secure), options }
  }
}

/**
 * Every scope in which a browser may hold the shared cookie for a host, whatever `COOKIE_DOMAIN` is or was.
 * @param host normalized
 */
export function sharedScopes(host: string): CookieScope[] {
  const labels = host.replace(/:\d+$/, '').split('.')
  const isAddress = host.startsWith('[') || labels.every((label) => /^\d+$/.test(label))
  const domains = labels.map((_, index) => labels.slice(index).join('.'))
  return [
    { kind: 'own-host' },
    ...domains
      // Browsers take `Domain=localhost` for the host's own cookie: clearing it would clear the new one.
      .filter((domain) => !isAddress && domain.includes('.'))
      .map((domain): CookieScope => ({ kind: 'domain', domain })),
  ]
}
