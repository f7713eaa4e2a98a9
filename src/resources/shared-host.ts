/**
 * Tells how a server that shares the host of our own pages is kept apart from them (decision K36). A browser knows no
 * border inside an origin, so a script of such a server could do there whatever a person can (threat T35).
 *
 * @module
 */
import { isOwnHost } from '../url/host.ts'

/**
 * `sandboxed`: each page of the server gets an origin of its own, by pass-through or by the recipe of the proxy.
 * `pages`: the operator lets its pages share our origin. `unguarded`: nobody said how they are kept apart.
 */
export type SharedHost = 'sandboxed' | 'pages' | 'unguarded'

/** @returns undefined for a server on another host; a wildcard never covers ours (threat T36) */
export function sharedHostOf(
  resource: {
    readonly url: string
    readonly upstream?: string
    readonly sharedHost?: 'pages' | 'sandboxed'
  },
  publicUrl: string,
): SharedHost | undefined {
  if (!isOwnHost(new URL(resource.url).host, publicUrl)) return undefined
  if (resource.sharedHost !== undefined) return resource.sharedHost
  return resource.upstream === undefined ? 'unguarded' : 'sandboxed'
}
