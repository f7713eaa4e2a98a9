/**
 * Judges a device authorization request (RFC 8628 section 3.1) by the rules of `/authorize`: which resource, and which
 * scopes.
 *
 * @module
 */
import type { ResourceTable } from '../../resources/resource-table.ts'
import { type Parameters, several, single } from '../../url/parameters.ts'
import type { Client } from '../clients/client.ts'
import { requireAllowedResource, resolveResource } from '../resource-indicator.ts'
import { grantedScopes, limitedScopes, parseScope } from '../scope.ts'
import type { AskedByDevice } from './requests.ts'

/**
 * The request of an authenticated client.
 * @param deps `host`: the protected host that the request was sent to; undefined for the gateway's own (decision K43)
 * @throws OAuthError `invalid_target`, `invalid_scope`, `invalid_request`
 */
export async function parseDeviceRequest(
  parameters: Parameters,
  client: Client,
  { resources, host }: { readonly resources: ResourceTable; readonly host: string | undefined },
): Promise<AskedByDevice> {
  const scopes = parseScope(single(parameters, 'scope'))
  const resource = resolveResource(several(parameters, 'resource'), resources, { host, scopes })
  requireAllowedResource(client, resource)
  await resource.freshScopes()
  return {
    clientHash: client.hash,
    clientName: client.name,
    clientConfigured: client.configured,
    ...(client.documentHost !== undefined && { documentHost: client.documentHost }),
    resource: resource.audience,
    scopes: limitedScopes(grantedScopes(scopes, resource), client.scopes, resource),
  }
}
