/**
 * The hosts whose metadata documents count, as the operator lists them.
 *
 * @module
 */

/** Hosts as URLs write them, `*.example.com` for every host below one, `open` for any host. */
export interface MetadataHosts {
  readonly allowed: readonly string[]
  readonly denied: readonly string[]
}

export interface MetadataHostPolicy {
  /** True if documents at this URL may be fetched. */
  allows(url: URL): boolean
  /** True if the operator named the host, so that strangers cannot use up its share of fetches. */
  names(url: URL): boolean
  /** True if nothing at this host is fetched or believed. */
  denies(url: URL): boolean
}

/**
 * An entry without a port means port 443. A denied host is denied at every port, with all hosts below it.
 * @param loopback hosts of this machine are allowed at any port
 */
export function compileMetadataHosts(
  { allowed, denied }: MetadataHosts,
  loopback: (url: URL) => boolean,
): MetadataHostPolicy {
  const entries = new Set(allowed)
  const names = (url: URL) => spellings(url.host).some((entry) => entries.has(entry))
  const isDenied = ({ hostname }: URL) =>
    denied.some((entry) => {
      const host = entry.replace(/^\*\./, '').replace(/:\d+$/, '')
      return hostname.endsWith(`.${host}`) || (hostname === host && !entry.startsWith('*.'))
    })
  return {
    names,
    denies: isDenied,
    allows: (url) =>
      !isDenied(url) && (loopback(url) || names(url) || (entries.has('open') && url.port === '')),
  }
}

/** The entries that would name this host: itself, and `*.` before each domain above it. */
function spellings(host: string): readonly string[] {
  const labels = host.split('.')
  return [host, ...labels.slice(1).map((_, index) => `*.${labels.slice(index + 1).join('.')}`)]
}
