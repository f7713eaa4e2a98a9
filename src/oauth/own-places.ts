/**
 * Tells whether a redirect URI hits an address that this program answers: a client that redirects there would hand codes
 * to our own callback or sign-in (threat T6). An application beside us on the same host is no concern of this file.
 *
 * @module
 */
import { CONNECT_PATH, OWN_PATHS, ownRoutes, prefixOf } from '../paths.ts'
import { isOwnHost } from '../url/host.ts'
import { canonicalPath, looselyRead } from '../url/path.ts'

/** The hosts on which we answer. */
export interface OwnHosts {
  /** Origin of the gateway, with `PATH_PREFIX`. */
  readonly ownOrigin: string
  /** Absent: the usual one. */
  readonly callbackPath?: string | undefined
  /** True for the host, with its port, of a protected resource. */
  readonly isProtected: (host: string) => boolean
}

/** The paths that we answer on a protected host, where everything else belongs to the application. */
const ON_PROTECTED_HOSTS = [OWN_PATHS, CONNECT_PATH]

/** @param url http or https */
export function hitsOwnPath(url: URL, { ownOrigin, callbackPath, isProtected }: OwnHosts): boolean {
  const names = namesOf(url)
  // On loopback, for any name of this machine with our port.
  const isOurs = URL.canParse(ownOrigin) && names.some((host) => isOwnHost(host, ownOrigin))
  if (isOurs && isOneOf(ownRoutes(prefixOf(ownOrigin), callbackPath), url.pathname)) return true
  return names.some(isProtected) && isOneOf(ON_PROTECTED_HOSTS, url.pathname)
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]']

/** The host with its port; on loopback, under every name of this machine. */
function namesOf({ hostname, host, port }: URL): string[] {
  if (!LOOPBACK_NAMES.includes(hostname)) return [host]
  return LOOPBACK_NAMES.map((name) => (port === '' ? name : `${name}:${port}`))
}

/** True if the path is one of these in any spelling; a path that can be read in several ways is one. */
function isOneOf(paths: readonly string[], pathname: string): boolean {
  const canonical = canonicalPath(pathname)
  const loose = canonical === undefined ? undefined : looselyRead(canonical)
  if (loose === undefined) return true
  const path = loose.replace(/\/$/, '')
  return paths.some((own) => {
    // Ours may be written in capitals, or end in a dot, as an operator likes it.
    const ours = looselyRead(own.replace(/\/$/, ''))
    return (
      ours === undefined || (own.endsWith('/') ? `${path}/`.startsWith(`${ours}/`) : path === ours)
    )
  })
}
