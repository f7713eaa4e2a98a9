/**
 * `fetch` on the way that the operator chose to a provider: through a proxy, or with certificates of an authority of
 * their own (decision 0080).
 *
 * @module
 */
import { Agent, type Dispatcher, fetch, ProxyAgent } from 'undici'
import type { WayToProvider } from '../providers/provider-config.ts'
import { codeOf, ProxyAway, type Reach } from '../providers/provider-fetch.ts'

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

/** Without a way: directly, and by certificates of public authorities. */
export function createReach(way: WayToProvider = {}): Reach {
  const dispatcher = dispatcherOf(way)
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
function dispatcherOf({ authorities: ca, proxy }: WayToProvider): Dispatcher {
  const tls = ca === undefined ? {} : { ca }
  return proxy === undefined
    ? new Agent({ connect: tls })
    : new ProxyAgent({ uri: proxy, requestTls: tls, proxyTls: tls })
}
