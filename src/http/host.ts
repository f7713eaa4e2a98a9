/**
 * One spelling for a host, so that two spellings of it can never be two policies (CVE-2026-48794).
 *
 * @module
 */

const HOST = /^(?:[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/

/**
 * Lower case, no trailing dot, no default port. The scheme is not known here (TLS may end earlier), so both
 * default ports go (decision K18).
 * @param host the value of a Host-like header
 * @returns undefined for anything that is not one host: empty, a list, userinfo, spaces, non-ASCII
 */
export function normalizeHost(host: string): string | undefined {
  let value = host.toLowerCase()
  const colon = value.endsWith(']') ? -1 : value.lastIndexOf(':')
  let port = ''
  if (colon !== -1) {
    port = value.slice(colon)
    value = value.slice(0, colon)
  }
  if (value.endsWith('.')) value = value.slice(0, -1)
  if (port === ':80' || port === ':443') port = ''
  value += port
  return HOST.test(value) ? value : undefined
}
