/**
 * Constrains a route to one host.
 *
 * @module
 */

/**
 * Constrains a route to one host, in any spelling that {@link normalizeHost} accepts for it: on other hosts the path
 * may belong to the application.
 * @param host normalized
 */
export function onHost(host: string): { readonly host: RegExp } {
  const [, name = '', port = '(?::80|:443)?'] = /^(.*?)(:\d+)?$/.exec(host) ?? []
  return { host: new RegExp(`^${name.replace(/[.[\]]/g, '\\$&')}\\.?${port}$`, 'i') }
}
