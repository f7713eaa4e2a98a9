/**
 * Names of hosts that are all this machine, for what needs more of them than `localhost` has: a domain with hosts
 * below it. Only this process knows them; programs that it starts do not.
 *
 * @module
 */
import dns from 'node:dns'

/** Lets `domain` and every name below it mean 127.0.0.1 until the function it returns is called. */
export function nameLoopback(domain: string): () => void {
  const { lookup } = dns
  const isOurs = (host: string) => host === domain || host.endsWith(`.${domain}`)
  // Node's own look-up, which `http` and `fetch` find here at every connection.
  dns.lookup = new Proxy(lookup, {
    apply: (target, self, [host, ...rest]) =>
      Reflect.apply(target, self, [isOurs(String(host)) ? '127.0.0.1' : host, ...rest]),
  })
  return () => {
    dns.lookup = lookup
  }
}
