/**
 * Cookies as a browser keeps them (RFC 6265 section 5), as far as a login needs.
 *
 * @module
 */

interface Cookie {
  readonly name: string
  readonly value: string
  /** The host, or the `Domain` attribute if `hostOnly` is false. */
  readonly domain: string
  readonly hostOnly: boolean
  readonly path: string
  readonly secure: boolean
  /** Milliseconds since the epoch; Infinity for a cookie that lives until the browser is closed. */
  readonly expires: number
}

export interface CookieJar {
  /** Stores the cookies in the `Set-Cookie` lines of an answer from `url`. */
  store(url: URL, lines: readonly string[]): void
  /** The `Cookie` header for a request to `url`; undefined if no cookie matches. */
  header(url: URL): string | undefined
  names(): readonly string[]
}

/**
 * Creates an empty jar. As in every browser, all ports of a host share their cookies.
 * @param now milliseconds since the epoch
 */
export function createCookieJar(now: () => number = Date.now): CookieJar {
  const cookies = new Map<string, Cookie>()
  const matches = (cookie: Cookie, url: URL) =>
    cookie.expires > now() &&
    (cookie.hostOnly
      ? url.hostname === cookie.domain
      : `.${url.hostname}`.endsWith(`.${cookie.domain}`)) &&
    `${url.pathname}/`.startsWith(cookie.path.endsWith('/') ? cookie.path : `${cookie.path}/`) &&
    (!cookie.secure || isTrustworthy(url))

  return {
    store(url, lines) {
      for (const line of lines) {
        const cookie = parse(url, line, now())
        if (cookie) cookies.set(`${cookie.name};${cookie.domain};${cookie.path}`, cookie)
      }
    },
    header(url) {
      const sent = [...cookies.values()].filter((cookie) => matches(cookie, url))
      return sent.length > 0
        ? sent.map(({ name, value }) => `${name}=${value}`).join('; ')
        : undefined
    },
    names: () =>
      [...cookies.values()].filter(({ expires }) => expires > now()).map(({ name }) => name),
  }
}

/** Parses a `Set-Cookie` line. @returns undefined for a cookie that a browser refuses */
function parse(url: URL, line: string, now: number): Cookie | undefined {
  const [pair = '', ...rest] = line.split(';')
  const [name = '', value = ''] = split(pair)
  const attributes = new Map(
    rest.map((part) => {
      const [key = '', content = ''] = split(part)
      return [key.toLowerCase(), content]
    }),
  )
  const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase()
  const path = attributes.get('path') ?? '/'
  const secure = attributes.has('secure')
  if (secure && !isTrustworthy(url)) return undefined
  if (domain && !`.${url.hostname}`.endsWith(`.${domain}`)) return undefined
  if (name.startsWith('__Host-') && (!secure || domain || path !== '/')) return undefined
  if (name.startsWith('__Secure-') && !secure) return undefined
  return {
    name,
    value,
    domain: domain || url.hostname,
    hostOnly: !domain,
    path: path.startsWith('/') ? path : '/',
    secure,
    expires: expiry(attributes, now),
  }
}

/** All browsers except Safari accept `Secure` cookies from this machine without TLS. */
function isTrustworthy(url: URL): boolean {
  return url.protocol === 'https:' || ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname)
}

function expiry(attributes: ReadonlyMap<string, string>, now: number): number {
  const maxAge = attributes.get('max-age')
  if (maxAge !== undefined) return now + Number(maxAge) * 1000
  const expires = attributes.get('expires')
  return expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires)
}

function split(part: string): [name: string, value: string] {
  const at = part.indexOf('=')
  return at < 0 ? [part.trim(), ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()]
}
