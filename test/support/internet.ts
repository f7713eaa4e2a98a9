/**
 * An internet in this process: the real gateway, and in front of a protected server a proxy that asks it, with the faults
 * that a test names.
 *
 * @module
 */
import { IDENTITY_HEADERS } from '../../src/check/identity-headers.ts'
import type { TestApp } from './build-app.ts'
import { check } from './oauth-client.ts'

/** The faults of a proxy; none: as in docs/proxies. */
export interface FaultyProxy {
  readonly isOpen?: true
  readonly discovery?: number
  /** It copies no header of the answer. */
  readonly copiesNothing?: true
  readonly routesAll?: true
  readonly asksAbout?: string
  /** The MCP server shows the headers that it gets. */
  readonly echoes?: true
  readonly answers?: (
    url: URL,
    sent: Headers,
  ) => Response | undefined | Promise<Response | undefined>
}

/** The internet with the gateway, and a proxy that asks it about the protected server. */
export function createInternet(
  { app }: Pick<TestApp, 'app'>,
  proxy: FaultyProxy,
): { fetch: typeof fetch; reached: Headers[] } {
  const reached: Headers[] = []
  const ask = async (input: URL | RequestInfo, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input))
    const sent = new Headers(init.headers)
    const own = await proxy.answers?.(url, sent)
    if (own) return own
    if (url.protocol === 'http:') return new Response(null, { status: 308 })
    if (url.pathname.startsWith('/.well-known/') && url.host !== 'auth.example.com') {
      if (proxy.discovery) return new Response('404 page not found', { status: proxy.discovery })
    } else if (url.host !== 'auth.example.com') return serve(url, sent)
    if (!proxy.routesAll && /^\/(auth|verify|authenticate|readyz)/.test(url.pathname)) {
      return new Response('404 page not found', { status: 404 })
    }
    return responseOf(
      await app.inject({
        url: url.pathname,
        headers: { host: url.host, ...Object.fromEntries(sent) },
      }),
    )
  }
  async function serve(url: URL, sent: Headers): Promise<Response> {
    const delivered = new Headers(sent)
    if (!proxy.isOpen) {
      const answer = await check(app, {
        'x-forwarded-host': url.host,
        'x-forwarded-uri': proxy.asksAbout ?? url.pathname,
        authorization: sent.get('authorization') ?? undefined,
      })
      if (answer.statusCode !== 200) return responseOf(answer)
      if (!proxy.copiesNothing) {
        for (const name of [...sent.keys()].filter((each) => each.includes('_')))
          delivered.delete(name)
        for (const name of [...Object.keys(IDENTITY_HEADERS), 'authorization']) {
          delivered.set(name, String(answer.headers[name.toLowerCase()] ?? ''))
        }
      }
    }
    reached.push(delivered)
    const echo = [...delivered].map(([name, value]) => `${name}: ${value}\n`).join('')
    return new Response(proxy.echoes ? echo : 'method not allowed', {
      status: proxy.echoes ? 200 : 405,
    })
  }
  return { fetch: ask, reached }
}

function responseOf(answer: {
  body: string
  statusCode: number
  headers: Readonly<Record<string, unknown>>
}): Response {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value))
  return new Response(answer.body, { status: answer.statusCode, headers })
}
