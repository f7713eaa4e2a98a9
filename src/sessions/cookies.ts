/**
 * The cookie that carries a session: its names, its attributes, and how it is found in a request (decisions K24, K44).
 * Pure.
 *
 * @module
 */
import { sha256 } from '../crypto.ts'
import type { CookieScope } from './target.ts'

/**
 * The name that mcpauth's command lines send by hand, and that programs of a domain read. Without a cookie domain we set no
 * cookie of this name, and programs alone may send it.
 */
const BY_HAND = 'CF_Authorization'

/** The cookie of one host: browsers let no other host set it. Plain http has no such cookie (decision K7). */
const ownName = (secure: boolean) => (secure ? '__Host-gw_session' : 'gw_session')

/**
 * The cookie of the hosts under `COOKIE_DOMAIN`. Each deployment has a name of its own, so that deployments in domains
 * above and below do not replace each other's. Over https no page of plain http can set it.
 */
export function domainCookieName(issuer: string): string {
  const name = `gw_session_${sha256(issuer).slice(0, 8)}`
  return issuer.startsWith('https:') ? `__Secure-${name}` : name
}

/** The session tokens of a `Cookie` header, by who could have put them there. */
export interface PresentedSessions {
  /** Over https the host itself. */
  readonly own: readonly string[]
  /** Any host under the cookie domain. */
  readonly domain: readonly string[]
  /** Any host of the site, unless a program sent the request. */
  readonly byHand: readonly string[]
}

const NONE: PresentedSessions = { own: [], domain: [], byHand: [] }

/** Matches every cookie that may be ours, and reads each character once or twice, however many cookies there are. */
const CANDIDATE =
  /(?:^|;)\s*(CF_Authorization|(?:__(?:Host|Secure)-)?gw_session(?:_[\w-]{8})?)\s*=([^;]*)/g

/** More cookies of one name than the domains and paths above a page; each costs a MAC. */
const MAX_CANDIDATES = 32

/**
 * @param header the value of `Cookie`
 * @param names `secure`: the host is https, where only a `__Host-` cookie is its own; `domain`: the name of the cookie
 *   for the hosts under `COOKIE_DOMAIN`, if that is set
 */
export function presentedSessions(
  header: string,
  { secure, domain }: { readonly secure: boolean; readonly domain: string | undefined },
): PresentedSessions {
  // Most requests carry a bearer token or nothing.
  if (!header.includes(BY_HAND) && !header.includes('gw_session')) return NONE
  const found = { own: [] as string[], domain: [] as string[], byHand: [] as string[] }
  let left = MAX_CANDIDATES
  for (const [, name, value = ''] of header.matchAll(CANDIDATE)) {
    const place =
      name === ownName(secure)
        ? found.own
        : name === domain
          ? found.domain
          : name === BY_HAND
            ? found.byHand
            : undefined
    const token = value.trim()
    if (!place || token === '') continue
    if (left-- === 0) break
    place.push(token)
  }
  return found
}

/** True for the name of a cookie that can hold a session. */
export const isSessionCookie = (name: string): boolean =>
  name === BY_HAND || /^(?:__(?:Host|Secure)-)?gw_session(?:_|$)/.test(name)

/** The attributes of a session cookie, without `Max-Age`, which the caller adds. */
export interface SessionCookieOptions {
  readonly path: '/'
  readonly httpOnly: true
  readonly sameSite: 'lax'
  readonly secure: boolean
  readonly domain?: string
}

export interface SessionCookie {
  readonly name: string
  readonly options: SessionCookieOptions
}

/**
 * Name and attributes of the cookie of a scope, to set it and to clear it.
 * @param setting `secure`: the host that sets it is https; `issuer`: our origin
 */
export function sessionCookie(
  scope: CookieScope,
  { secure, issuer }: { readonly secure: boolean; readonly issuer: string },
): SessionCookie {
  const options = { path: '/', httpOnly: true, sameSite: 'lax', secure } as const
  return scope.kind === 'domain'
    ? { name: domainCookieName(issuer), options: { ...options, domain: scope.domain } }
    : { name: ownName(secure), options }
}

/** The further name of a domain's cookie, for programs that know `CF_Authorization`; undefined for other cookies. */
export function handCookie({ options }: SessionCookie): SessionCookie | undefined {
  return options.domain === undefined ? undefined : { name: BY_HAND, options }
}

/**
 * Every cookie of this name that a browser may hold for a host: of the host alone, and of each domain above it, whatever
 * `COOKIE_DOMAIN` is or was.
 * @param host normalized
 */
export function everyPlace({ name, options }: SessionCookie, host: string): SessionCookie[] {
  const { domain: _, ...alone } = options
  const domains = name.startsWith('__Host-') ? [] : domainsAbove(host)
  return [
    { name, options: alone },
    ...domains.map((domain) => ({ name, options: { ...alone, domain } })),
  ]
}

function domainsAbove(host: string): string[] {
  const labels = host.replace(/:\d+$/, '').split('.')
  if (host.startsWith('[') || labels.every((label) => /^\d+$/.test(label))) return []
  // Browsers take `Domain=localhost` for the host's own cookie: clearing it would clear the new one.
  return labels
    .map((_, index) => labels.slice(index).join('.'))
    .filter((domain) => domain.includes('.'))
}
