/**
 * A browser without JavaScript over `inject`: cookies by name, forms read from the page, the fetch metadata that a
 * real browser sends.
 *
 * @module
 */
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'

export interface Browser {
  readonly cookies: Map<string, string>
  get(url: string, headers?: Record<string, string>): Promise<LightMyRequestResponse>
  /** Posts a form as its page would. */
  post(
    url: string,
    fields: Record<string, string> | string[][],
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>
}

/** What a browser calls itself; without it the program takes a test for a program that walks through the pages. */
export const CHROMIUM = {
  'user-agent':
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36',
}

/** @param origin the gateway's own origin, where the browser thinks it is */
export function createBrowser(app: FastifyInstance, origin = 'https://auth.example.com'): Browser {
  const cookies = new Map<string, string>()
  const host = new URL(origin).host
  const common = () => ({
    host,
    accept: 'text/html,application/xhtml+xml',
    'sec-fetch-mode': 'navigate',
    'sec-fetch-dest': 'document',
    ...(cookies.size > 0 && {
      cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
    }),
  })
  function remember(response: LightMyRequestResponse): LightMyRequestResponse {
    for (const cookie of response.cookies) {
      const gone = cookie.maxAge === 0 || (cookie.expires && cookie.expires.getTime() === 0)
      if (gone) cookies.delete(cookie.name)
      else cookies.set(cookie.name, cookie.value)
    }
    return response
  }
  return {
    cookies,
    get: async (url, headers = {}) =>
      remember(
        await app.inject({
          url: relative(url),
          headers: { ...common(), 'sec-fetch-site': 'cross-site', ...headers },
        }),
      ),
    post: async (url, fields, headers = {}) =>
      remember(
        await app.inject({
          method: 'POST',
          url: relative(url),
          headers: {
            ...common(),
            'sec-fetch-site': 'same-origin',
            origin,
            'content-type': 'application/x-www-form-urlencoded',
            ...headers,
          },
          payload: new URLSearchParams(fields).toString(),
        }),
      ),
  }
}

const relative = (url: string) => url.replace(/^https?:\/\/[^/]+/, '')

/** The value of a hidden field of a page. */
export function hiddenField(page: string, name: string): string {
  const value = new RegExp(`name="${name}"[^>]*value="([^"]*)"`).exec(page)?.[1]
  if (value === undefined) throw new Error(`the page has no field ${name}`)
  return unescapeHtml(value)
}

/** The address that the first form of a page is posted to. */
export function formAction(page: string): string {
  const action = /<form method="post" action="([^"]*)"/.exec(page)?.[1]
  if (action === undefined) throw new Error('the page has no form')
  return unescapeHtml(action)
}

/** The address that a page goes on to by itself. */
export function refreshTarget(page: string): string {
  const target = /http-equiv="refresh" content="0;\s*url=([^"]*)"/i.exec(page)?.[1]
  if (target === undefined) throw new Error('the page does not navigate')
  return unescapeHtml(target)
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
}
