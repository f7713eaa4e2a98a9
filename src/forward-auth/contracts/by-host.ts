/**
 * `/authenticate`, as users of matheuscscp/mcp-oauth2-proxy have it in nginx and ingress-nginx: the `Host` of the
 * question is the protected host, and the question is about the only resource there.
 *
 * @module
 */
import { DOUBLED, headerReader } from '../../http/raw-headers.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import { type Contract, doubled, missing, unusable } from './contract.ts'
import { adaptToNginx } from './nginx.ts'

const read = headerReader(['host', 'x-original-method'])

/**
 * Stands for a method that the proxy does not send, and counts as one that changes something. A foreign page cannot
 * send another method in the header: its browser would send a preflight first.
 */
const UNKNOWN_METHOD = 'UNKNOWN'

export function createByHost(resources: ResourceTable): Contract {
  return {
    family: 'host',
    locate({ rawHeaders }) {
      const [host, method = UNKNOWN_METHOD] = read(rawHeaders)
      if (host === DOUBLED) return doubled('Host')
      if (method === DOUBLED) return doubled('X-Original-Method')
      if (!host) return missing('Host')
      const resource = resources.onlyOneAt(host)
      if (resource) return { host, target: resource.path || '/', method: method || UNKNOWN_METHOD }
      return resources.hasHost(host)
        ? unusable('several protected servers are at this host: ask at /auth/nginx')
        : { ...unusable('no protected server is configured at this host'), asked: host }
    },
    adapt: adaptToNginx,
  }
}
