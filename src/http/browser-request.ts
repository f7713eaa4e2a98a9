/**
 * Reads a browser's headers about a request: whether a person opened the address, and which page made the request. A
 * page cannot set these headers; a program can, but it has no other person's cookie.
 *
 * @module
 */
import { type HeaderValue, headerReader } from './raw-headers.ts'

const readNavigation = headerReader([
  'accept',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'x-requested-with',
])
const readSite = headerReader(['sec-fetch-site'])

const readSender = headerReader(['origin', 'sec-fetch-site', 'sec-fetch-dest', 'accept'])

/** Methods that change nothing and whose answer a foreign page cannot read. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/** True if a person loads a page. A client's first request is a GET too, but asks for an event stream. */
export function isNavigation(method: string, rawHeaders: readonly string[]): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  const [accept, mode, destination, requestedWith] = readNavigation(rawHeaders)
  return (
    typeof accept === 'string' &&
    accept.includes('text/html') &&
    !accept.includes('text/event-stream') &&
    (mode === undefined || mode === 'navigate') &&
    (destination === undefined || destination === 'document') &&
    requestedWith === undefined
  )
}

/** {@link isNavigation} for a request that a route handles. */
export const isPageLoad = ({
  method,
  raw,
}: {
  readonly method: string
  readonly raw: { readonly rawHeaders: readonly string[] }
}): boolean => isNavigation(method, raw.rawHeaders)

/**
 * True for a request that no browser of today sends to an https host, and no browser as a page load. Node's `fetch` sends
 * `Sec-Fetch-Mode`, and neither of the other two.
 */
export function isByProgram(rawHeaders: readonly string[]): boolean {
  const [origin, site, destination, accept] = readSender(rawHeaders)
  return (
    origin === undefined &&
    site === undefined &&
    destination === undefined &&
    !(typeof accept === 'string' && accept.includes('text/html'))
  )
}

/**
 * True unless a page of another origin made the request. This is the rule for cookies, since a browser sends them along
 * with the request of any page (decision K24). The rule keeps foreign pages from writing, and from opening a WebSocket.
 * @param origin the `Origin` header; browsers always send it where it matters, programs never do
 */
export function isFromOwnPage(
  request: {
    readonly method: string
    readonly origin: HeaderValue
    readonly rawHeaders: readonly string[]
  },
  resource: { readonly origin: string },
): boolean {
  const { method, origin, rawHeaders } = request
  if (origin === resource.origin) return true
  if (origin === undefined) {
    if (SAFE.has(method)) return true
    const [site] = readSite(rawHeaders)
    return site === undefined || site === 'same-origin' || site === 'none'
  }
  return isOwnPageWithNullOrigin(origin, rawHeaders)
}

/**
 * True for a page of the same origin that hides its address: with `Referrer-Policy: no-referrer`, which many
 * applications set, the forms of a page send `Origin: null`. The browser still sends `Sec-Fetch-Site: same-origin`.
 */
export function isOwnPageWithNullOrigin(
  origin: HeaderValue,
  rawHeaders: readonly string[],
): boolean {
  return origin === 'null' && readSite(rawHeaders)[0] === 'same-origin'
}
