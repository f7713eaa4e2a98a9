/**
 * URLs in one canonical spelling, so that two spellings never become two policies (decision K18).
 *
 * @module
 */
import { normalizeHost } from '../../url/host.ts'
import { canonicalPath, isPlain } from '../../url/path.ts'
import { InvalidValue, quote } from './problem.ts'

/** The gateway's own origin and its parts. */
export interface PublicUrl {
  readonly origin: string
  readonly host: string
  readonly secure: boolean
  /** True for a host on this machine, where plain http shows nothing to a network. */
  readonly loopback: boolean
}

/** @throws InvalidValue unless `value` is an http or https origin: no path, query or userinfo */
export function parsePublicUrl(value: string): PublicUrl {
  const { url, path } = parseHttpUrl(value, 'https://auth.example.com')
  if (path !== '' && path !== '/') {
    throw new InvalidValue(`has the path ${quote(path)}. Write the origin alone: ${url.origin}.`)
  }
  if (url.hostname.includes('*')) {
    throw new InvalidValue('is a wildcard. Write the one host at which people reach Gatewarden.')
  }
  return {
    origin: url.origin,
    host: url.host,
    secure: url.protocol === 'https:',
    loopback: isLoopbackHost(url.hostname),
  }
}

/** True for a host of a URL that is on this machine. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/**
 * The canonical URL of a protected resource: lower-case host; no trailing dot, default port or trailing slash;
 * unreserved characters decoded.
 * @throws InvalidValue for a URL that no request can match, or that would cover more than one server
 */
export function parseResourceUrl(value: string): string {
  const { url, path } = parseHttpUrl(value, 'https://mcp.example.com/mcp')
  const labels = url.hostname.split('.')
  if (url.hostname.includes('*')) {
    if (labels[0] !== '*' || labels.slice(1).some((label) => label.includes('*'))) {
      throw new InvalidValue(
        `${quote(value)} has a * that is not a whole first label. Write it like https://*.example.com.`,
      )
    }
    if (labels.length < 3) {
      throw new InvalidValue(
        `${quote(value)} is too wide. Name at least two labels after the *, like https://*.example.com.`,
      )
    }
  }
  return url.origin + resourcePath(path)
}

/**
 * The canonical form of a second address of a resource.
 * @throws InvalidValue as {@link parseResourceUrl}, and for a wildcard
 */
export function parseAlias(value: string): string {
  const url = parseResourceUrl(value)
  if (url.includes('*')) {
    throw new InvalidValue(
      `${quote(value)} is a wildcard, and a second address names one server. List each address.`,
    )
  }
  return url
}

/**
 * The canonical form of an absolute path in a resource's `also`.
 * @throws InvalidValue for the root path, and for paths that no request can match
 */
export function parseAlsoPath(value: string): string {
  if (!value.startsWith('/')) {
    throw new InvalidValue(`${quote(value)} is not an absolute path. Write it like /messages.`)
  }
  const path = resourcePath(value)
  if (path === '') {
    throw new InvalidValue(
      '/ covers the whole host. Make the host itself the resource: leave the path out of its url.',
    )
  }
  return path
}

/** The issuer of a provider. */
export interface IssuerUrl {
  /** Without a trailing slash. */
  readonly href: string
  readonly secure: boolean
  /** True for a host on this machine, where plain http shows nothing to a network. */
  readonly loopback: boolean
}

/** @throws InvalidValue unless `value` is an http or https URL without query, fragment and userinfo */
export function parseIssuerUrl(value: string): IssuerUrl {
  const { url } = parseHttpUrl(value, 'https://id.example.com/realms/main')
  if (url.hostname.includes('*')) {
    throw new InvalidValue(
      `${quote(value)} is a wildcard. Write the one issuer at which people sign in.`,
    )
  }
  if (url.pathname.includes('/.well-known/')) {
    throw new InvalidValue(
      `is the address of a document of the issuer. Leave out everything from /.well-known/ on.`,
    )
  }
  return {
    href: url.href.replace(/\/+$/, ''),
    secure: url.protocol === 'https:',
    loopback: isLoopbackHost(url.hostname),
  }
}

/**
 * The base of a provider's addresses.
 * @throws InvalidValue unless `value` is an http or https URL without query, fragment and wildcard
 */
export function parseBaseUrl(value: string): IssuerUrl {
  const { url } = parseHttpUrl(value, 'https://github.example.com')
  if (url.hostname.includes('*')) {
    throw new InvalidValue(`${quote(value)} is a wildcard. Write the one address.`)
  }
  return {
    href: url.href.replace(/\/+$/, ''),
    secure: url.protocol === 'https:',
    loopback: isLoopbackHost(url.hostname),
  }
}

const DISCOVERY_PATH = '/.well-known/openid-configuration'

/**
 * The address of a discovery document; {@link DISCOVERY_PATH} may be left out.
 * @throws InvalidValue unless `value` is an http or https URL without query, fragment and userinfo
 */
export function parseDiscoveryUrl(value: string): IssuerUrl {
  const { url } = parseHttpUrl(value, 'http://keycloak:8080/realms/main')
  if (url.hostname.includes('*')) {
    throw new InvalidValue(`${quote(value)} is a wildcard. Write the one address of the document.`)
  }
  const href = url.href.replace(/\/+$/, '')
  return {
    href: url.pathname.includes('/.well-known/') ? url.href : href + DISCOVERY_PATH,
    secure: url.protocol === 'https:',
    loopback: isLoopbackHost(url.hostname),
  }
}

/** @throws InvalidValue unless `value` is an http or https URL without query, fragment and userinfo */
export function parseUpstreamUrl(value: string): string {
  const { url } = parseHttpUrl(value, 'http://notes:3000/mcp')
  if (url.hostname.includes('*')) {
    throw new InvalidValue(
      `${quote(value)} is a wildcard. Write the one server that requests go to.`,
    )
  }
  // Keep a trailing slash of the path: some servers answer only there.
  return url.pathname === '/' ? url.origin : url.href
}

/**
 * A path that needs no token: exact, or `/path/*` for everything below it.
 * @throws InvalidValue unless every server reads the path alike
 */
export function parsePublicPath(value: string): string {
  const path = value.replace(/\/\*$/, '') || '/'
  const isExact = path === value
  if (canonicalPath(path) !== path || !isPlain(path, Number.POSITIVE_INFINITY)) {
    throw new InvalidValue(
      `${quote(value)} is not a path that every server reads alike. Write it like /notes/health, or /notes/assets/* for everything below, with letters, digits and - _ ~ . alone.`,
    )
  }
  return isExact ? path : value
}

/**
 * An origin, `*`, `loopback`, or `scheme://*` for every origin of a scheme that is not of the web.
 * @throws InvalidValue for anything else, and for an origin that no page can have
 */
export function parseAllowedOrigin(value: string): string {
  if (value === '*' || value === 'loopback') return value
  if (/^https?:/i.test(value)) {
    const { url, path } = parseHttpUrl(value, 'https://app.example.com')
    if (value.includes('*')) {
      throw new InvalidValue(
        `${quote(value)} is a wildcard, and web pages of strangers could match it. List each origin, like https://app.example.com.`,
      )
    }
    if (path !== '' && path !== '/') {
      throw new InvalidValue(`${quote(value)} has a path. Write the origin alone: ${url.origin}.`)
    }
    return url.origin
  }
  // Programs have origins, too, such as vscode-webview://abc. Any page can have the origin `null`: it is never allowed.
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/(?:\*|[\x21-\x7e]+)$/i.exec(value)?.[1]?.toLowerCase()
  if (
    scheme === undefined ||
    (/[/?#@\\*]/.test(value.slice(scheme.length + 3)) && !isAnyOf(value))
  ) {
    throw new InvalidValue(
      `${quote(value)} is not an origin. Write it like https://app.example.com.`,
    )
  }
  if (NO_ORIGIN.has(scheme)) {
    throw new InvalidValue(
      `${quote(value)} is the origin of no page: a page there sends its https origin, or null. Write the origin that the log shows.`,
    )
  }
  return value.toLowerCase()
}

/** `moz-extension://*`: extensions of Firefox have a random host on each computer. */
const isAnyOf = (value: string) => /^[a-z0-9+.-]+:\/\/\*$/i.test(value)

/** Schemes whose pages send another origin, or `null` (HTML section 7.1.1). */
const NO_ORIGIN = new Set(['ws', 'wss', 'ftp', 'file', 'data', 'blob', 'about', 'javascript'])

function resourcePath(raw: string): string {
  const canonical = canonicalPath(raw === '' ? '/' : raw)
  if (canonical === undefined) {
    throw new InvalidValue(
      `the path ${quote(raw)} can be read in two ways. Leave out empty and dot segments, ";", encoded / \\ % and characters that are not plain ASCII.`,
    )
  }
  return canonical.endsWith('/') ? canonical.slice(0, -1) : canonical
}

/** The URL, and its path as written: the WHATWG parser hides dot segments and backslashes. */
function parseHttpUrl(value: string, example: string): { url: URL; path: string } {
  const parts = /^https?:\/\/([^/?#\\]+)([^?#]*)(.*)$/is.exec(value)
  const url = urlOf(value)
  if (!parts || /[\s\\]/.test(value) || !url) {
    throw new InvalidValue(`${quote(value)} is not an http or https URL. Write it like ${example}.`)
  }
  const [, authority = '', path = '', rest] = parts
  if (authority.includes('@')) {
    throw new InvalidValue('holds a user name or password. Leave out everything before the @.')
  }
  if (rest !== '') {
    throw new InvalidValue(
      `${quote(value)} has a query or fragment. Leave out everything from the ? or # on.`,
    )
  }
  url.hostname = url.hostname.replace(/\.$/, '')
  if (!url.hostname.startsWith('[') && url.hostname.split('.').includes('')) {
    throw new InvalidValue(
      `${quote(value)} has an empty label in its host. Write it like ${example}.`,
    )
  }
  // The parser takes hosts that nobody can ask for, such as `-a.example.com` and `{host}`.
  if (normalizeHost(url.host.replaceAll('*', 'x')) === undefined) {
    throw new InvalidValue(
      `${quote(value)} has a host that no request can name. Write it like ${example}.`,
    )
  }
  return { url, path }
}

/**
 * The URL, or undefined if `text` is none. Not by `URL.canParse`: once compiled, that of Node 20 misreads Latin-1 text
 * and refuses `https://bücher.example`.
 */
export function urlOf(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
