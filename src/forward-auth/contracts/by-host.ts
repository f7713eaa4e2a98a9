/**
 * `/authenticate`, as users of matheuscscp/mcp-oauth2-proxy have it in nginx and ingress-nginx: the `Host` of the
 * question is the protected host, and what lives there is the only thing that can be meant.
 *
 * @module
 */
import { DOUBLED, headerReader } from '../../http/raw-headers.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import { type Contract, doubled, missing, unusable } from './contract.ts'
import { adaptToNginx } from './nginx.ts'

const read = headerReader(['host', 'x-original-method'])

/**
 * The method where the proxy does not tell it; judged as one that changes something. A foreign page cannot say
 * otherwise: the header would make its browser ask for leave first.
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
      return unusable(
        resources.hasHost(host)
          ? 'several protected servers are at this host: ask at /auth/nginx'
          : 'no protected server is configured at this host',
      )
    },
    adapt: adaptToNginx,
  }
}
