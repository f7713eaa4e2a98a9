/**
 * Ways to find the addresses of a host, one for names that strangers choose and one for names that the operator wrote.
 *
 * @module
 */
import { lookup, Resolver } from 'node:dns/promises'

/** Every address of a host; rejects if it has none. The signal ends the search. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>

const QUERY_TIMEOUT_MS = 2000
const TRIES = 2

/**
 * Asks DNS alone, without the hosts file and search domains of this machine: a stranger must not name our neighbours.
 * It uses no thread, so a name server that does not answer holds up nothing else.
 * @param options `servers`: the name servers, with ports; absent: those of this machine
 */
export function createDnsResolver(options: { readonly servers?: readonly string[] } = {}): Resolve {
  return async (host, signal) => {
    signal.throwIfAborted()
    const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES })
    if (options.servers) resolver.setServers(options.servers)
    const cancel = () => resolver.cancel()
    signal.addEventListener('abort', cancel, { once: true })
    try {
      const answers = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)])
      const found = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
      if (found.length > 0) return found
      const [failed] = answers.filter((answer) => answer.status === 'rejected')
      throw failed?.reason ?? new Error('the host has no address')
    } finally {
      signal.removeEventListener('abort', cancel)
    }
  }
}

/** As every other program of this machine: for addresses that the operator wrote. */
export const resolveBySystem: Resolve = async (host, signal) => {
  signal.throwIfAborted()
  return (await lookup(host, { all: true })).map(({ address }) => address)
}
