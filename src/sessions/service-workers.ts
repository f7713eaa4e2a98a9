/**
 * Tells which service workers could answer in our place (threat T35, decision 0011). A worker sees every request of its
 * scope, the codes in our addresses too, and can keep them from us. Pure.
 *
 * @module
 */
import type { ResourceMatch } from '../resources/resource-table.ts'
import { isUnder } from '../url/host.ts'

export interface WorkerRules {
  readonly cookieDomain: string | undefined
  /** True if `/auth/connect` is there. */
  readonly edgeAuth: boolean
}

/** The folders whose scripts may have a scope with our addresses in it: `/.gatewarden/...`, `/auth/connect`. */
const CLAIMING = /^\/(?:auth\/)?[^/]*$/

/**
 * True for the script of a service worker that we refuse. On our own host that is every one. On another host where a
 * secret of ours comes by, it is each script in a folder above our addresses: proxies drop `Service-Worker-Allowed`, so
 * a worker's scope is within the folder of its script.
 */
export function couldReplaceUs(
  { resource, path }: ResourceMatch,
  { cookieDomain, edgeAuth }: WorkerRules,
): boolean {
  if (resource.sharedHost !== undefined) return true
  const setsOwnCookie =
    cookieDomain === undefined || !isUnder(new URL(resource.origin).host, cookieDomain)
  return (setsOwnCookie || edgeAuth) && CLAIMING.test(path)
}
