/**
 * Resolves the protected resource that a request is for (RFC 8707).
 *
 * @module
 */

import { OAuthError } from '../errors.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'

/**
 * The resource that the `resource` parameters name: any URL that a configured resource covers, in any spelling of its
 * host. Without a parameter it is the default resource (decision K18), since some clients send none.
 * @throws OAuthError `invalid_target` if the named resource does not exist, if several are named, or if none is named
 *   and there is no default
 */
export function resolveResource(indicators: readonly string[], resources: ResourceTable): Resource {
  if (indicators.length === 0) {
    if (resources.fallback) return resources.fallback
    throw new OAuthError('invalid_target', 'resource is missing, and this server has several')
  }
  const found = indicators.map((indicator) => resources.byIndicator(indicator))
  const [first] = found
  if (!first || found.some((resource) => resource?.audience !== first.audience)) {
    throw new OAuthError(
      'invalid_target',
      'resource must name one protected resource of this server',
    )
  }
  return first
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
