/**
 * Preloaded into a client: `example.com` and the names below it are this machine.
 *
 * @module
 */
import dns from 'node:dns'

const { lookup } = dns

dns.lookup = new Proxy(lookup, {
  apply: (target, self, [host, ...rest]) =>
    Reflect.apply(target, self, [
      /(^|\.)example\.com$/.test(String(host)) ? '127.0.0.1' : host,
      ...rest,
    ]),
})
