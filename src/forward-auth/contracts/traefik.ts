/**
 * Traefik's `forwardAuth`: `X-Forwarded-Method`, `-Host` and `-Uri`, which Traefik sets anew with `trustForwardHeader:
 * false`. Traefik passes our status, headers and body on to the client unchanged, except for a 2xx.
 *
 * @module
 */
import { DOUBLED, headerReader } from '../../http/raw-headers.ts'
import { type Contract, doubled, missing } from './contract.ts'

const read = headerReader(['x-forwarded-method', 'x-forwarded-host', 'x-forwarded-uri'])

export const traefik: Contract = {
  family: 'traefik',
  locate({ rawHeaders }) {
    const [method, host, target] = read(rawHeaders)
    // With `trustForwardHeader: true` a client's own line arrives beside Traefik's: neither can be trusted.
    if (host === DOUBLED) return doubled('X-Forwarded-Host')
    if (target === DOUBLED) return doubled('X-Forwarded-Uri')
    if (method === DOUBLED) return doubled('X-Forwarded-Method')
    if (!host) return missing('X-Forwarded-Host')
    if (!target) return missing('X-Forwarded-Uri')
    if (!method) return missing('X-Forwarded-Method')
    return { host, target, method }
  },
  adapt: (answer) => answer,
}
