/**
 * Resolves the protected resource that a request is for (RFC 8707).
 *
 * @module
 */

import { OAuthError } from '../errors.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import type { Client } from './clients/client.ts'

/** The rest of a request that names no resource. */
export interface Hints {
  /** The protected host that the request was sent to; undefined for the gateway's own. */
  readonly host: string | undefined
  readonly scopes: readonly string[]
}

/**
 * The resource that the `resource` parameters name: any URL that a configured resource covers, in any spelling of its
 * host. Some clients send none: then it is the resource that the hints mean (decision K43).
 * @throws OAuthError `invalid_target` if the named resource does not exist, if several are named, or if none is named
 *   and none is meant
 */
export function resolveResource(
  indicators: readonly string[],
  resources: ResourceTable,
  hints: Hints = { host: undefined, scopes: [] },
): Resource {
  if (indicators.length === 0) {
    const meant = meantResource(hints, resources)
    if (meant) return meant
    throw new OAuthError(
      'invalid_target',
      'resource is missing, and this server has several: send it, or ask the operator to set default: true for one of them',
    )
  }
  const found = indicators.map((indicator) => resources.byIndicator(indicator))
  const [first] = found
  if (!first || found.some((resource) => resource?.audience !== first.audience)) {
    const unknown = indicators.find((_, index) => found[index] === undefined)
    throw new OAuthError(
      'invalid_target',
      `resource must name one protected resource of this server${meant(unknown, resources)}`,
    )
  }
  return first
}

/** The configured URL that an unknown one resembles, which tells a client's author the right name. */
function meant(unknown: string | undefined, resources: ResourceTable): string {
  const parts = /^https?:\/\/([^/?#]*)([^?#]*)/i.exec(unknown ?? '')
  const nearest = parts ? resources.nearest(parts[1] ?? '', parts[2] ?? '') : undefined
  return nearest === undefined ? '' : `, such as ${nearest}`
}

/**
 * The only one of the host, else the only one that offers a requested scope, else the default or only one. The scopes of
 * the configuration count alone: a server that says it has a scope of another one must not get its clients.
 */
function meantResource({ host, scopes }: Hints, resources: ResourceTable): Resource | undefined {
  const here = host === undefined ? [] : resources.allAt(host)
  if (here.length === 1) return here[0]
  // A wildcard has no audience until a request names a host.
  const candidates =
    here.length > 0 ? here : resources.all.filter(({ origin }) => !origin.includes('*'))
  const owners = scopes.flatMap((scope) => {
    const offering = candidates.filter((resource) =>
      Object.hasOwn(resource.configuredScopes, scope),
    )
    return offering.length === 1 ? offering : []
  })
  if (new Set(owners).size === 1) return owners[0]
  return here.find(({ isDefault }) => isDefault) ?? resources.fallback
}

/**
 * Checks that the operator lets this client use the resource.
 * @throws OAuthError `invalid_target`
 */
export function requireAllowedResource(
  { resources }: Pick<Client, 'resources'>,
  { id }: Pick<Resource, 'id'>,
): void {
  if (resources?.includes(id) ?? true) return
  throw new OAuthError('invalid_target', 'this client may not use that protected resource')
}

/**
 * Checks that a `resource` at the token endpoint is that of the grant (RFC 8707 section 2.2).
 * @throws OAuthError `invalid_target`
 */
export function requireResource(
  indicators: readonly string[],
  granted: string,
  resources: ResourceTable,
): void {
  if (indicators.length === 0) return
  if (resolveResource(indicators, resources).audience !== granted) {
    throw new OAuthError('invalid_target', 'resource differs from the one that was granted')
  }
}
