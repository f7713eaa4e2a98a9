/**
 * The protected servers of an operator who has set no `RESOURCES`: mcpauth needs no list, because a login there counts at
 * every host that the proxy asks about (case sa2).
 *
 * @module
 */
import { isIP } from 'node:net'
import { isPublicSuffix } from '../values/public-suffix.ts'
import type { PublicUrl } from '../values/urls.ts'

/**
 * `https://*.example.com`, from the domain of the cookie, else from the host of the login; undefined if neither tells
 * the domain of the servers. Port and scheme are those of the login, because the same proxy serves both.
 */
export function suggestResources(
  publicUrl: PublicUrl | undefined,
  cookieDomain: string | undefined,
): string | undefined {
  const { protocol, hostname, port } = new URL(publicUrl?.origin ?? 'https://unknown')
  const domain = cookieDomain ?? (publicUrl && parentOf(hostname))
  if (domain === undefined || isPublicSuffix(domain)) return undefined
  return `${protocol}//*.${domain}${port === '' ? '' : `:${port}`}`
}

/**
 * The servers beside the login where no list names any: `https://*.example.com` for `https://auth.example.com`; undefined
 * where strangers may own the hosts beside it, or it has none.
 */
export function impliedResources(publicUrl: PublicUrl | undefined): string | undefined {
  if (!publicUrl) return undefined
  const { hostname } = new URL(publicUrl.origin)
  const isBelowAnother = parentOf(hostname) !== hostname
  return isBelowAnother ? suggestResources(publicUrl, undefined) : undefined
}

/** `example.com` for `auth.example.com` and for itself. */
function parentOf(host: string): string | undefined {
  if (isIP(host.replace(/[[\]]/g, '')) !== 0 || !host.includes('.')) return undefined
  const parent = host.slice(host.indexOf('.') + 1)
  return isPublicSuffix(parent) ? host : parent
}
