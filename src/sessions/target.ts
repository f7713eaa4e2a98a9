/**
 * The page that a person signs in for with a browser, and the cookie that opens it (decision K24). Pure.
 *
 * @module
 */
import {
  CONNECT_PATH,
  LOGOUT_PATH,
  OWN_PATHS,
  originOf,
  ownPath,
  prefixOf,
  SESSION_LOGIN_PATH,
  SESSION_LOGOUT_PATH,
} from '../paths.ts'
import type { Resource, ResourceMatch, ResourceTable } from '../resources/resource-table.ts'
import { isOwnHost, isUnder, normalizeHost } from '../url/host.ts'
import { withoutQuery } from '../url/path.ts'

/**
 * The hosts that get the cookie: every host under a domain (`COOKIE_DOMAIN`), the gateway's own host, or a protected
 * host elsewhere, which has to set the cookie itself.
 */
export type CookieScope =
  | { readonly kind: 'domain'; readonly domain: string }
  | { readonly kind: 'own-host' }
  | { readonly kind: 'host' }

export interface SessionTarget {
  /** The resource whose policy counts when the session is made. */
  readonly resource: Resource
  /** Absolute URL of the page; its origin comes from the configuration, never from the request. */
  readonly returnTo: string
  /** True if the address was too long to come back to, and lost its query or its path. */
  readonly isShortened: boolean
  /** The audience of the session token. */
  readonly audience: string
  readonly cookie: CookieScope
}

export interface SessionRules {
  readonly resources: ResourceTable
  /** `PUBLIC_URL` with `PATH_PREFIX`, without trailing slash. */
  readonly issuer: string
  readonly cookieDomain: string | undefined
}

/** A sealed interaction of 3,800 characters holds it, with the rest of a sign-in (decision K5). */
const MAX_ADDRESS = 2600
/** As a parameter it stays, with the rest of a request line, under the 8 kB that a stock nginx takes. */
const MAX_PARAMETER = 7500
/** Longer ones are no addresses. */
const MAX_READ = 64 * 1024

/** The audience of a session for every resource under a domain. */
export const domainAudience = (domain: string): string => `https://${domain}`

/**
 * The target that a return address names.
 * @param url absolute, http or https
 * @returns undefined for an address that we do not protect, or that can be read in two ways
 */
export function sessionTarget(url: string, rules: SessionRules): SessionTarget | undefined {
  const parts =
    url.length > MAX_READ ? undefined : /^https?:\/\/([^/?#@]+)(\/[^#\p{Cc}]*)?$/iu.exec(url)
  const host = normalizeHost(parts?.[1] ?? '')
  if (!parts || host === undefined) return undefined
  const path = parts[2] ?? '/'
  const resource =
    withoutQuery(path) === connectPath(host, rules)
      ? connectResource(host, rules)
      : covering(host, path, rules)
  if (!resource) return undefined
  const origin = isOwnHost(host, rules.issuer) ? originOf(rules.issuer) : resource.origin
  const address = origin + encodeRaw(path)
  const short = [address, withoutQuery(address)].find(fits) ?? origin + (resource.path || '/')
  const cookie = scopeOf(host, rules)
  const audience = audienceOf(cookie, resource)
  return { resource, returnTo: short, isShortened: short !== address, audience, cookie }
}

const fits = (address: string) =>
  address.length <= MAX_ADDRESS && encodeURIComponent(address).length <= MAX_PARAMETER

/** Characters that browsers send raw, but no URL may hold (RFC 3986 section 2), as escapes. */
const encodeRaw = (path: string) =>
  path.replace(/[^\x21-\x7e]+|["<>\\^`{|}]/gu, (raw) => escapesOf(raw, 'utf8'))

const escapesOf = (text: string, encoding: 'utf8' | 'latin1') =>
  Buffer.from(text, encoding).toString('hex').toUpperCase().replace(/../g, '%$&')

/**
 * The path where a command line is connected to a host.
 * @param host normalized
 */
export const connectPath = (host: string, { issuer }: Pick<SessionRules, 'issuer'>): string =>
  isOwnHost(host, issuer) ? ownPath(issuer, CONNECT_PATH) : CONNECT_PATH

function covering(host: string, path: string, { resources }: SessionRules): Resource | undefined {
  const match = resources.match(host, path)
  return typeof match === 'string' ? undefined : match.resource
}

/**
 * The resource for a person who connects a command line to this host: the only one there, or the default one if it
 * lives there; on the gateway's own host the one for requests that name none. Under the cookie domain, whose sessions
 * are for no single resource, the first one there: a person whom it does not let in gets no session.
 * @param host normalized
 */
export function connectResource(host: string, rules: SessionRules): Resource | undefined {
  const { resources, issuer } = rules
  const isOwn = isOwnHost(host, issuer)
  const isShared = scopeOf(host, rules).kind === 'domain'
  const here = resources.allAt(host)
  return (
    resources.onlyOneAt(host) ??
    here.find(({ isDefault }) => isDefault) ??
    (isOwn ? resources.fallback : undefined) ??
    (isShared ? here[0] : undefined)
  )
}

/** The host that sets the cookie for this one, and the hosts that get it. */
const scopeOf = (host: string, { issuer, cookieDomain }: SessionRules): CookieScope =>
  cookieDomain !== undefined && isUnder(host, cookieDomain)
    ? { kind: 'domain', domain: cookieDomain }
    : { kind: isOwnHost(host, issuer) ? 'own-host' : 'host' }

const audienceOf = (cookie: CookieScope, { audience }: Resource): string =>
  cookie.kind === 'domain' ? domainAudience(cookie.domain) : audience

/**
 * True for a path of ours on the host of a protected page. On our own host such paths are below the prefix, if there is
 * one, where no page is protected.
 */
export const isOwnPath = (
  { resource, path }: Pick<ResourceMatch, 'resource' | 'path'>,
  { issuer }: Pick<SessionRules, 'issuer'>,
): boolean =>
  path.startsWith(OWN_PATHS) &&
  (prefixOf(issuer) === '' || !isOwnHost(new URL(resource.origin).host, issuer))

/**
 * The login address for a browser that asked for a protected page without a credential; it comes back to that page.
 * @param target the request target as sent, with its query
 * @returns undefined where the redirect would be a loop
 */
export function signInUrl(
  match: ResourceMatch,
  target: string,
  rules: SessionRules & { readonly onShortened?: (goal: SessionTarget) => void },
): string | undefined {
  const { resource } = match
  if (isOwnPath(match, rules)) return undefined
  // A target holds a character for each byte.
  const asked = target.replace(/[#\x80-\xff]/g, (raw) => escapesOf(raw, 'latin1'))
  const goal = [asked, withoutQuery(asked), resource.path || '/']
    .map((address) => sessionTarget(resource.origin + address, rules))
    .find((found) => found !== undefined)
  if (goal?.isShortened) rules.onShortened?.(goal)
  return goal && loginUrl(goal, rules)
}

/** The gateway's login address for a page; the gateway finds out by itself which host sets the cookie. */
export const gatewayLoginUrl = (issuer: string, page: string): string =>
  `${issuer}${SESSION_LOGIN_PATH}?rd=${encodeURIComponent(page)}`

/** Added to a login URL: the provider asks the person to sign in, even if it knows them. */
export const AS_SOMEONE_ELSE = '&prompt=login'

/**
 * Added to a login URL of a browser that kept the fragment of the page.
 * @param key the name that it kept it under; undefined if it kept none
 */
export const keptFragment = (key: string | undefined): string =>
  key === undefined ? '' : `&fragment=${key}`

/** The address where a browser gets the cookie of a target; it comes back to the target's page. */
export function loginUrl(
  { returnTo, resource, cookie }: SessionTarget,
  { issuer }: SessionRules,
): string {
  if (cookie.kind !== 'host') return gatewayLoginUrl(issuer, returnTo)
  const path = returnTo.slice(resource.origin.length)
  const rd = path.startsWith('//') ? returnTo : path
  return `${resource.origin}${SESSION_LOGIN_PATH}?rd=${encodeURIComponent(rd)}`
}

/** The address where a browser ends the session of its cookie for this resource. */
export function signOutUrl({ origin }: Pick<Resource, 'origin'>, rules: SessionRules): string {
  const host = normalizeHost(new URL(origin).host)
  return host === undefined || scopeOf(host, rules).kind === 'host'
    ? origin + SESSION_LOGOUT_PATH
    : rules.issuer + LOGOUT_PATH
}
