/**
 * Tells which service workers could answer in our place (threat T35, decision 0011). A worker sees every request of its
 * scope, the codes in our addresses too, and can keep them from us. Pure.
 *
 * @module
 */
import type { ResourceMatch } from '../resources/resource-table.ts'
import { isUnder } from '../url/host.ts'
import type { SessionRules } from './target.ts'

/**
 * True for the script of a service worker that we refuse. On our own host that is every one. On another host that sets
 * its own session cookie, it is each script in the root folder, whose worker may have the scope `/`; proxies drop
 * `Service-Worker-Allowed`, so every other script has a scope that lacks our addresses there.
 */
export function couldReplaceUs(
  { resource, path }: ResourceMatch,
  { cookieDomain }: SessionRules,
): boolean {
  if (resource.sharedHost !== undefined) return true
  const setsOwnCookie =
    cookieDomain === undefined || !isUnder(new URL(resource.origin).host, cookieDomain)
  return setsOwnCookie && path.lastIndexOf('/') === 0
}
