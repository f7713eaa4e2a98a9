/**
 * Host names that all mean this machine, for tests that need a domain with hosts below it. Only this process knows
 * them; programs that it starts do not.
 *
 * @module
 */
import dns from 'node:dns'

/** Resolves `domain` and every name below it to 127.0.0.1, until the caller calls the returned function. */
export function nameLoopback(domain: string): () => void {
  const { lookup } = dns
  const isOurs = (host: string) => host === domain || host.endsWith(`.${domain}`)
  // `http` and `fetch` read Node's look-up function from here at every connection.
  dns.lookup = new Proxy(lookup, {
    apply: (target, self, [host, ...rest]) =>
      Reflect.apply(target, self, [isOurs(String(host)) ? '127.0.0.1' : host, ...rest]),
  })
  return () => {
    dns.lookup = lookup
  }
}
