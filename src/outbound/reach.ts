/**
 * `fetch` on the way that the operator chose to a provider: through a proxy, or with certificates of an authority of
 * their own (decision 0080).
 *
 * @module
 */
import { Agent, type Dispatcher, fetch, Pool, ProxyAgent } from 'undici'
import type { WayToProvider } from '../providers/provider-config.ts'
import { codeOf, PROVIDER_TIMEOUT, ProxyAway, type Reach } from '../providers/provider-fetch.ts'

/** A connection that was never there. With a proxy, the only machine that we connect to is the proxy. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * Without a way: directly, and by certificates of public authorities.
 * @param options `tunnelMs`: how long a proxy may take to open a tunnel
 */
export function createReach(
  way: WayToProvider = {},
  { tunnelMs = PROVIDER_TIMEOUT * 1000 }: { readonly tunnelMs?: number } = {},
): Reach {
  const dispatcher = dispatcherOf(way, tunnelMs)
  if (way.proxy === undefined) return (url, request) => fetch(url, { ...request, dispatcher })
  return async (url, request) => {
    try {
      return await fetch(url, { ...request, dispatcher })
    } catch (error) {
      const code = codeOf(error)
      throw code !== undefined && NOT_CONNECTED.has(code) ? new ProxyAway(code, error) : error
    }
  }
}

/** The authorities take the place of the public ones, for the proxy as well if that is https. */
function dispatcherOf({ authorities: ca, proxy }: WayToProvider, tunnelMs: number): Dispatcher {
  const tls = ca === undefined ? {} : { ca }
  if (proxy === undefined) return new Agent({ connect: tls })
  return new ProxyAgent({
    uri: proxy,
    requestTls: tls,
    proxyTls: tls,
    // The end of a call does not end the wait for its tunnel: each would keep a connection for minutes.
    clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: tunnelMs }),
  })
}
