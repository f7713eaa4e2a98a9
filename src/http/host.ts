/**
 * One spelling for a host, so that two spellings of it can never be two policies (CVE-2026-48794).
 *
 * @module
 */

const HOST = /^(?:([a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?)\.?|(\[[0-9a-f:.]+\]))(?::(\d{1,5}))?$/i

/**
 * Lower case, no trailing dot, no default port. The scheme is not known here (TLS may end earlier), so both
 * default ports go (decision K18).
 * @param host the value of a Host-like header
 * @returns undefined for anything that is not one host: empty, a list, userinfo, spaces, non-ASCII, two ports
 */
export function normalizeHost(host: string): string | undefined {
  const parts = HOST.exec(host)
  if (!parts) return undefined
  const [, name, address = '', port] = parts
  const value = (name ?? address).toLowerCase()
  return port === undefined || port === '80' || port === '443' ? value : `${value}:${port}`
}

/**
 * Constrains a route to one host, in any spelling that {@link normalizeHost} takes for it: on other hosts the path may
 * be the application's own.
 * @param host normalized
 */
export function onHost(host: string): { readonly host: RegExp } {
  const [, name = '', port = '(?::80|:443)?'] = /^(.*?)(:\d+)?$/.exec(host) ?? []
  return { host: new RegExp(`^${name.replace(/[.[\]]/g, '\\$&')}\\.?${port}$`, 'i') }
}
