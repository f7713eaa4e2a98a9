/**
 * Constrains a route to hosts.
 *
 * @module
 */

/**
 * Constrains a route to one host, in any spelling that {@link normalizeHost} accepts for it: on other hosts the path
 * may belong to the application.
 * @param host normalized
 */
export function onHost(host: string): { readonly host: RegExp } {
  return { host: new RegExp(`^${spellingsOf(host)}$`, 'i') }
}

/**
 * Constrains a route to every host but these.
 * @param hosts normalized; `*` at the start stands for a label. Not empty
 * @param own a host that has the route in any case
 */
export function notOnHosts(hosts: readonly string[], own: string): { readonly host: RegExp } {
  const others = hosts.map(spellingsOf).join('|')
  return { host: new RegExp(`^(?:${spellingsOf(own)}$|(?!(?:${others})$))`, 'i') }
}

function spellingsOf(host: string): string {
  const [, name = '', port = '(?::80|:443)?'] = /^(.*?)(:\d+)?$/.exec(host) ?? []
  return `${name.replace(/[.[\]]/g, '\\$&').replace(/^\*/, '[^.]+')}\\.?${port}`
}
