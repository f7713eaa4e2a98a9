/**
 * Which protected resource a request is about (RFC 8707).
 *
 * @module
 */

import { OAuthError } from '../errors.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'

/**
 * The one resource named by `resource` parameters: any URL that a configured resource covers, in any spelling of
 * its host. None sent: the default one (decision K18), since real clients exist that send none.
 * @throws OAuthError `invalid_target` if there is no such resource, or several are named, or none is and there is no default
 */
export function resolveResource(indicators: readonly string[], resources: ResourceTable): Resource {
  if (indicators.length === 0) {
    if (resources.fallback) return resources.fallback
    throw new OAuthError('invalid_target', 'resource is missing, and there is more than one')
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
 * At the token endpoint a `resource` must be the one of the grant (RFC 8707 section 2.2).
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
