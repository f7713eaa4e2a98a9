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
  /**
   * True if a registered client may use the device grant. No redirect URI limits that grant, so a list of destinations
   * would mean nothing if such a client could use it.
   */
  readonly allowsDevices: boolean
  /** True for an app scheme, without its colon, that the operator names. */
  names(scheme: string): boolean
}

/**
 * @param registration hosts as URLs write them (`[::1]`, `claude.ai:8443`) and app schemes with their colon; or `open`
 *   with app schemes: any client, and these schemes too
 */
export function compileRegistration(
  registration: 'open' | 'off' | readonly string[],
): RegistrationPolicy {
  if (registration === 'off') {
    return { isOpen: false, allows: () => false, allowsDevices: false, names: () => false }
  }
  const entries = new Set(registration === 'open' ? ['open'] : registration)
  const names = (scheme: string) => entries.has(`${scheme}:`)
  if (entries.has('open')) return { isOpen: true, allows: () => true, allowsDevices: true, names }
  return {
    isOpen: true,
    allows: (redirectUri) => entries.has(entryFor(redirectUri)),
    allowsDevices: false,
    names,
  }
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
