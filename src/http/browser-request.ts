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
  'upgrade-insecure-requests',
])
const readSite = headerReader(['sec-fetch-site'])
const readForm = headerReader(['sec-fetch-site', 'sec-fetch-mode'])
const readBrowser = headerReader(['sec-fetch-mode', 'user-agent'])
const readTab = headerReader([
  'sec-fetch-mode',
  'sec-fetch-dest',
  'sec-fetch-site',
  'service-worker',
  'service-worker-navigation-preload',
])

const readPurpose = headerReader(['sec-purpose', 'purpose'])

const readSender = headerReader(['origin', 'sec-fetch-site', 'sec-fetch-dest', 'accept'])

/** Methods that change nothing and whose answer a foreign page cannot read. */
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * The reader of an answer: a person who opened the address (`page`), who has it in a frame of another page (`frame`), or
 * who sent a form there (`form`); or a program, which acts on the status alone.
 */
export type Reader = 'page' | 'frame' | 'form' | 'program'

/** The value of `X-Requested-With` that scripts send. Android's web views send their package name with every page. */
const SCRIPT = /(?:^|,)[ \t]*xmlhttprequest[ \t]*(?:,|$)/i
const FRAMES: ReadonlySet<unknown> = new Set(['iframe', 'frame', 'fencedframe', 'embed', 'object'])

/**
 * The reader of the answer, by the headers that browsers really send. A service worker that passes a page load on keeps
 * its `Accept` and `Upgrade-Insecure-Requests`, but not its destination, and its mode only if it changes nothing (seen in
 * Chromium); a `fetch` of a page has no `Upgrade-Insecure-Requests`. A client's first request is a GET that asks for an
 * event stream.
 */
export function readerOf(method: string, rawHeaders: readonly string[]): Reader {
  const [accept, mode, destination, requestedWith, upgrade] = readNavigation(rawHeaders)
  if (
    typeof accept !== 'string' ||
    !accept.includes('text/html') ||
    accept.includes('text/event-stream') ||
    (requestedWith !== undefined &&
      (typeof requestedWith !== 'string' || SCRIPT.test(requestedWith)))
  ) {
    return 'program'
  }
  const place = placeOf(mode, destination, upgrade === '1')
  return place !== 'program' && method !== 'GET' && method !== 'HEAD' ? 'form' : place
}

function placeOf(
  mode: HeaderValue,
  destination: HeaderValue,
  isUpgrading: boolean,
): 'page' | 'frame' | 'program' {
  if (mode === undefined || mode === 'navigate') {
    if (destination === undefined || destination === 'document' || destination === 'empty') {
      return 'page'
    }
    return FRAMES.has(destination) ? 'frame' : 'program'
  }
  if (destination !== 'empty' || !isUpgrading) return 'program'
  // Of a worker that follows redirects itself the login would be lost, so it gets a link.
  return mode === 'same-origin' ? 'page' : mode === 'cors' ? 'frame' : 'program'
}

interface Routed {
  readonly method: string
  readonly raw: { readonly rawHeaders: readonly string[] }
}

/** {@link readerOf} for a request that a route handles. */
export const readerOfRequest = ({ method, raw }: Routed): Reader => readerOf(method, raw.rawHeaders)

/** True if a person opened the address in a window of its own. */
export const isPageLoad = (request: Routed): boolean => readerOfRequest(request) === 'page'

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
 * True unless the browser says that a script, a frame or a worker makes the request, and not a person's tab. A service
 * worker with navigation preload gets a request that differs from a tab's in one header, which the worker can change
 * but not remove.
 */
export function isOpened(rawHeaders: readonly string[]): boolean {
  const [mode = 'navigate', destination = 'document', , worker, preload] = readTab(rawHeaders)
  return (
    mode === 'navigate' &&
    destination === 'document' &&
    worker === undefined &&
    preload === undefined
  )
}

/** True for a page that the browser fetches before anybody wants it: a prefetch or a prerendering. */
export const isFetchedAhead = (rawHeaders: readonly string[]): boolean =>
  readPurpose(rawHeaders).some((purpose) => purpose !== undefined)

/** True for the `fetch` of Node: a browser that sends `Sec-Fetch-Mode` always sends the other two as well. */
export function isFetchOfProgram(rawHeaders: readonly string[]): boolean {
  const [mode, destination, site] = readTab(rawHeaders)
  return mode !== undefined && destination === undefined && site === undefined
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

/**
 * True for a page load or a form of a browser of today, each of which calls itself `Mozilla/`. A program that walks
 * through the pages keeps the redirects that programs follow.
 */
export function isByBrowser({ raw }: Routed): boolean {
  const [mode, agent] = readBrowser(raw.rawHeaders)
  return mode === 'navigate' && typeof agent === 'string' && agent.startsWith('Mozilla/')
}

/** {@link isByBrowser} for a form. */
export const isBrowserForm = (request: Routed): boolean =>
  request.method === 'POST' && isByBrowser(request)
