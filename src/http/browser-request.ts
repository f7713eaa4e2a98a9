/**
 * Reads a browser's headers about a request: whether a person opened the address, and which page made the request. A
 * page cannot set these headers; a program can, but it has no other person's cookie.
 *
 * @module
 */
import { DOUBLED, type HeaderValue, headerReader } from './raw-headers.ts'

const readNavigation = headerReader([
  'accept',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'x-requested-with',
])
const readSite = headerReader(['sec-fetch-site'])
const readForm = headerReader(['sec-fetch-site', 'sec-fetch-mode'])
const readTab = headerReader([
  'sec-fetch-mode',
  'sec-fetch-dest',
  'service-worker',
  'service-worker-navigation-preload',
])

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
 * True unless the browser says that a script, a frame or a worker makes the request, and not a person's tab. A service
 * worker with navigation preload gets a request that differs from a tab's in one header, which the worker can change
 * but not remove.
 */
export function isOpened(rawHeaders: readonly string[]): boolean {
  const [mode = 'navigate', destination = 'document', worker, preload] = readTab(rawHeaders)
  return (
    mode === 'navigate' &&
    destination === 'document' &&
    worker === undefined &&
    preload === undefined
  )
}

/** The relation of the requested address to the page that led there, as the browser says it. */
export const siteOf = (rawHeaders: readonly string[]): HeaderValue => readSite(rawHeaders)[0]

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
  return isOwnForm(origin, rawHeaders)
}

/**
 * True for a form of the same origin, ours or the application's, whatever its `Origin` says (decision K41): no page can
 * make the browser say `Sec-Fetch-Site: same-origin`. `Referrer-Policy: no-referrer`, which many applications set and
 * many proxies add, makes the forms of a page send `Origin: null`. A script's request counts with that `Origin` alone.
 */
export function isOwnForm(origin: HeaderValue, rawHeaders: readonly string[]): boolean {
  const [site, mode] = readForm(rawHeaders)
  return (
    site === 'same-origin' && (origin === 'null' || (mode === 'navigate' && origin !== DOUBLED))
  )
}
