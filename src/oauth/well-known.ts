/**
 * Finds the discovery document that a well-known path names. Pure.
 *
 * Clients look in several places: the well-known part before the path (RFC 8414 section 3.1, RFC 9728 section 3.1),
 * after it (OIDC Discovery 1.0 section 4), with and without a final slash.
 *
 * @module
 */

import { AUTHORIZATION_SERVER, PROTECTED_RESOURCE, prefixOf } from '../paths.ts'
import { describedElsewhere } from '../resources/document-address.ts'
import type { Resource, ResourceTable } from '../resources/resource-table.ts'
import { isOwnHost } from '../url/host.ts'
import { withoutQuery } from '../url/path.ts'

export type Document =
  | { readonly kind: 'authorization-server' }
  | {
      readonly kind: 'protected-resource'
      readonly resource: Resource
      /** The path that the document describes, verbatim. */
      readonly path: string
    }

/**
 * @param target the request target
 * @param places `host`: the Host header; `issuer`: our own origin, with `PATH_PREFIX`, where documents of servers on other
 *   hosts are too
 * @returns the document, or undefined if the path names none of ours
 */
export function wellKnown(
  target: string,
  {
    host,
    issuer,
    resources,
  }: { readonly host: string; readonly issuer: string; readonly resources: ResourceTable },
): Document | undefined {
  const path = withoutQuery(target)
  const elsewhere = isOwnHost(host, issuer) ? describedElsewhere(path) : undefined
  // Under `PATH_PREFIX` a server of our own host may be at this path: that reading is the second one.
  const ofOther = elsewhere && protectedResource(elsewhere.path, elsewhere.host, resources)
  if (ofOther) return ofOther
  const described = after(path, PROTECTED_RESOURCE)
  if (described !== undefined) return protectedResource(described, host, resources)
  for (const name of AUTHORIZATION_SERVER) {
    const issuerPath = after(path, name) ?? before(path, name)
    if (issuerPath === undefined) continue
    const below = issuerPath.replace(/\/$/, '')
    if (below === '' && !isOwnHost(host, issuer) && leavesRootDocuments(host, resources)) {
      return undefined
    }
    const isOurs = ['', prefixOf(issuer)].includes(below)
    return isOurs || typeof resources.match(host, issuerPath) !== 'string'
      ? { kind: 'authorization-server' }
      : undefined
  }
  return undefined
}

function protectedResource(
  path: string,
  host: string,
  resources: ResourceTable,
): Document | undefined {
  const match = resources.match(host, path || '/')
  if (typeof match !== 'string') {
    return { kind: 'protected-resource', resource: match.resource, path }
  }
  // A bare host is an alias of the one resource that lives there (decision K18).
  const only = match === 'unknown' && /^\/?$/.test(path) ? resources.onlyOneAt(host) : undefined
  return only && { kind: 'protected-resource', resource: only, path: '' }
}

/** True for a host whose documents at the root are those of another application (decision K37). */
const leavesRootDocuments = (host: string, resources: ResourceTable): boolean =>
  resources.allAt(host).some(({ hasRootDocuments }) => !hasRootDocuments)

/** The rest of the path after `prefix`, if `prefix` ends at a segment boundary. */
function after(path: string, prefix: string): string | undefined {
  const rest = path.startsWith(prefix) ? path.slice(prefix.length) : undefined
  return rest === '' || rest?.startsWith('/') ? rest : undefined
}

/** The part of the path before `suffix`; ignores a final slash of the path. */
function before(path: string, suffix: string): string | undefined {
  const trimmed = path.endsWith('/') ? path.slice(0, -1) : path
  return trimmed.endsWith(suffix) ? trimmed.slice(0, -suffix.length) : undefined
}
