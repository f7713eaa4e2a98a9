/**
 * `fetch` on the way that the operator chose to a provider: through a proxy, or with certificates of an authority of
 * their own (decision 0080).
 *
 * @module
 */
import { Agent, type Dispatcher, fetch, ProxyAgent } from 'undici'
import type { WayToProvider } from '../providers/provider-config.ts'
import type { Reach } from '../providers/provider-fetch.ts'

/** Without a way: directly, and by certificates of public authorities. */
export function createReach(way: WayToProvider = {}): Reach {
  const dispatcher = dispatcherOf(way)
  return (url, request) => fetch(url, { ...request, dispatcher })
}

/** The authorities take the place of the public ones, for the proxy as well if that is https. */
function dispatcherOf({ authorities: ca, proxy }: WayToProvider): Dispatcher {
  const tls = ca === undefined ? {} : { ca }
  return proxy === undefined
    ? new Agent({ connect: tls })
    : new ProxyAgent({ uri: proxy, requestTls: tls, proxyTls: tls })
}
