/**
 * A person's browser in front of several hosts, over `inject`: a proxy asks the gateway about protected pages as
 * Traefik does, and sends the gateway's own paths to it.
 *
 * @module
 */
import type { LightMyRequestResponse } from 'fastify'
import { type CookieJar, createCookieJar } from '../e2e/support/cookie-jar.ts'
import { formAction, hiddenField, refreshTarget } from './browser.ts'
import { PASSWORD, resource, type TestApp } from './build-app.ts'

/** The place where a person ended up, and the page that they saw there. */
export interface Visit {
  readonly url: URL
  readonly answer: LightMyRequestResponse
  /** Every address on the way. */
  readonly way: readonly string[]
}

export interface Visitor {
  readonly jar: CookieJar
  /** Every `Set-Cookie` line so far, preceded by the host that sent it. */
  readonly lines: readonly string[]
  /** Sends one request, and follows no redirect. */
  step(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  /** Posts a form, and follows no redirect. */
  send(
    url: URL,
    fields: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>
  /** Opens an address and follows redirects up to a page, or a host that is not ours. */
  open(url: string, headers?: Record<string, string>): Promise<Visit>
  /** Follows the answer to a step. */
  follow(from: Visit): Promise<Visit>
  /** Posts a form of the page. */
  post(
    page: Visit,
    action: string,
    fields?: Record<string, string>,
    headers?: Record<string, string>,
  ): Promise<Visit>
  /** Opens an address, and signs in as ann if it leads to the login page. */
  enter(url: string): Promise<Visit>
  /** Types into the built-in login page and follows; by default, as ann. */
  signIn(page: Visit, person?: { name?: string; password?: string }): Promise<Visit>
}

/** A web application on a whole host. */
export const webApp = (
  host: string,
  changes: Parameters<typeof resource>[0] = {},
): ReturnType<typeof resource> =>
  resource({ id: host, url: `https://${host}`, name: 'Wiki', ...changes })

/** The link of a page that says this. */
export function linkOf({ answer, url }: Visit, words: string): string {
  const pattern = new RegExp(`href="([^"]*)"[^>]*>(?:<bdi>)?${words}`)
  const href = pattern.exec(answer.body)?.[1]?.replaceAll('&amp;', '&')
  if (href === undefined) throw new Error(`no link says ${words}: ${answer.body}`)
  return new URL(href, url).href
}

/** True if the proxy was told to let the person through. */
export const isLetIn = ({ answer }: Visit): boolean =>
  answer.statusCode === 200 && answer.headers['x-forwarded-user'] !== undefined

/** The address that an answer leads a browser without scripts to. */
export const onwardOf = ({ headers, body }: LightMyRequestResponse): string | undefined =>
  headers.location ??
  (body.includes('<meta http-equiv="refresh"') ? refreshTarget(body) : undefined)

const MOST_REDIRECTS = 20

/** @param protects the paths on the gateway's own host that the proxy asks about */
export function createVisitor(
  { app, clock, config }: Pick<TestApp, 'app' | 'clock' | 'config'>,
  { protects = [] }: { protects?: readonly string[] } = {},
): Visitor {
  const jar = createCookieJar(clock)
  const lines: string[] = []
  const own = config.publicUrl.host
  const known = new Set([
    own,
    ...config.resources.flatMap(({ url, aliases = [] }) =>
      [url, ...aliases].map((address) => new URL(address).host),
    ),
  ])

  const isRouted = ({ host, pathname }: URL) =>
    host === own ? !protects.includes(pathname) : pathname.startsWith('/.gatewarden/')

  function remember(url: URL, answer: LightMyRequestResponse): LightMyRequestResponse {
    const received = [answer.headers['set-cookie'] ?? []].flat()
    jar.store(url, received)
    lines.push(...received.map((line) => `${url.host} ${line}`))
    return answer
  }

  async function step(address: string, headers: Record<string, string> = {}) {
    const url = new URL(address)
    const cookie = jar.header(url)
    const common = {
      accept: 'text/html,application/xhtml+xml',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-fetch-site': 'none',
      ...(cookie !== undefined && { cookie }),
      ...headers,
    }
    const target = url.pathname + url.search
    if (isRouted(url)) {
      const answer = await app.inject({ url: target, headers: { host: url.host, ...common } })
      return remember(url, answer)
    }
    return remember(
      url,
      await app.inject({
        url: '/auth/traefik',
        headers: {
          ...common,
          'x-forwarded-method': 'GET',
          'x-forwarded-proto': url.protocol.slice(0, -1),
          'x-forwarded-host': url.host,
          'x-forwarded-uri': target,
        },
      }),
    )
  }

  async function follow({ url, answer, way }: Visit): Promise<Visit> {
    const location = onwardOf(answer)
    if (location === undefined) return { url, answer, way }
    const next = new URL(location, url)
    if (!known.has(next.host)) return { url: next, answer, way }
    if (way.length > MOST_REDIRECTS) throw new Error(`too many redirects: ${way.join(' ')}`)
    const headers = { 'sec-fetch-site': 'cross-site' }
    return follow({
      url: next,
      answer: await step(next.href, headers),
      way: [...way, next.href],
    })
  }

  async function send(
    url: URL,
    fields: Record<string, string>,
    headers: Record<string, string> = {},
  ): Promise<LightMyRequestResponse> {
    const cookie = jar.header(url)
    const answer = await app.inject({
      method: 'POST',
      url: url.pathname + url.search,
      headers: {
        host: url.host,
        accept: 'text/html',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-site': 'same-origin',
        origin: url.origin,
        'content-type': 'application/x-www-form-urlencoded',
        ...(cookie !== undefined && { cookie }),
        ...headers,
      },
      payload: new URLSearchParams(fields).toString(),
    })
    return remember(url, answer)
  }

  async function post(
    { url: page }: Visit,
    action: string,
    fields: Record<string, string> = {},
    headers: Record<string, string> = {},
  ): Promise<Visit> {
    const url = new URL(action, page)
    return follow({ url, answer: await send(url, fields, headers), way: [url.href] })
  }

  const visitor: Visitor = {
    jar,
    lines,
    step,
    send,
    follow,
    post,
    open: async (url, headers) =>
      follow({ url: new URL(url), answer: await step(url, headers), way: [url] }),
    async enter(url) {
      const page = await visitor.open(url)
      return page.url.pathname.endsWith('/login') ? visitor.signIn(page) : page
    },
    signIn: (page, { name = 'ann', password = PASSWORD } = {}) =>
      post(page, formAction(page.answer.body), {
        interaction: hiddenField(page.answer.body, 'interaction'),
        username: name,
        password,
      }),
  }
  return visitor
}
