/**
 * Decides who may register, and where a registered client may redirect to: at registration, and again at each use of
 * the client, since its id outlives the configuration that it registered under (threat T5).
 *
 * @module
 */
import { destinationOf } from '../redirect-uri.ts'

export interface RegistrationPolicy {
  /** False: no client can register, and registered clients can start nothing new. */
  readonly isOpen: boolean
  /** True if a registered client may have this redirect URI. `redirectUriProblem` is asked before. */
  allows(redirectUri: string): boolean
}

/** @param registration hosts as URLs write them (`[::1]`, `claude.ai:8443`), app schemes with their colon */
export function compileRegistration(
  registration: 'open' | 'off' | readonly string[],
): RegistrationPolicy {
  if (registration === 'open') return { isOpen: true, allows: () => true }
  if (registration === 'off') return { isOpen: false, allows: () => false }
  const allowed = new Set(registration)
  return { isOpen: true, allows: (redirectUri) => allowed.has(entryFor(redirectUri)) }
}

/** The entry of the list that would allow this redirect URI. */
function entryFor(redirectUri: string): string {
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
