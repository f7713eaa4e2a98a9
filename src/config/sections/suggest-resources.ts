/**
 * The `RESOURCES` that somebody probably means who has named none: mcpauth asked for no list, and let a login count
 * at every host it was asked about.
 *
 * @module
 */
import { isIP } from 'node:net'
import type { PublicUrl } from '../values/urls.ts'

/** `co.uk` and `com.au`: nobody's own, so a wildcard below would cover strangers. */
const SHARED_SUFFIX = /^(?:[a-z]{2,3}|gov|info)\.[a-z]{2}$/

/**
 * `https://*.example.com`, worked out of the domain that the cookie is for, else of the host of the login; undefined
 * where neither says whose the servers are. Port and scheme are those of the login: the same proxy serves both.
 */
export function suggestResources(
  publicUrl: PublicUrl | undefined,
  cookieDomain: string | undefined,
): string | undefined {
  const { protocol, hostname, port } = new URL(publicUrl?.origin ?? 'https://unknown')
  const domain = cookieDomain ?? (publicUrl && parentOf(hostname))
  if (domain === undefined) return undefined
  return `${protocol}//*.${domain}${port === '' ? '' : `:${port}`}`
}

/** `example.com` for `auth.example.com` and for itself. */
function parentOf(host: string): string | undefined {
  if (isIP(host.replace(/[[\]]/g, '')) !== 0 || !host.includes('.')) return undefined
  const parent = host.slice(host.indexOf('.') + 1)
  return parent.includes('.') && !SHARED_SUFFIX.test(parent) ? parent : host
}
