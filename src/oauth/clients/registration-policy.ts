/**
 * Who may register, and where a registered client may redirect to: asked at registration, and again whenever the
 * client comes, since its id outlives the configuration it was made under (threat T5).
 *
 * @module
 */
import { destinationOf } from '../redirect-uri.ts'

export interface RegistrationPolicy {
  /** False: nobody registers, and those who did start nothing new. */
  readonly isOpen: boolean
  /** True if a registered client may have this redirect URI, which is one that any client may have. */
  allows(redirectUri: string): boolean
}

/** @param registration hosts as URLs have them (`[::1]`, `claude.ai:8443`), app schemes with their colon */
export function compileRegistration(
  registration: 'open' | 'off' | readonly string[],
): RegistrationPolicy {
  if (registration === 'open') return { isOpen: true, allows: () => true }
  if (registration === 'off') return { isOpen: false, allows: () => false }
  const allowed = new Set(registration)
  return { isOpen: true, allows: (redirectUri) => allowed.has(placeOf(redirectUri)) }
}

/** The entry of the list that would allow it. */
function placeOf(redirectUri: string): string {
  const destination = destinationOf(redirectUri)
  switch (destination.kind) {
    case 'loopback':
      // Native apps listen on any port (RFC 8252 section 7.3).
      return new URL(redirectUri).hostname
    case 'host':
      return destination.host
    case 'app':
      return `${destination.scheme}:`
  }
}
