/**
 * The discovery documents: authorization server (RFC 8414, with the other members that OIDC Discovery 1.0 section 3
 * requires) and protected resource (RFC 9728). They advertise only what is built (decision K19).
 *
 * @module
 */

import { ENDPOINTS } from '../paths.ts'
import type { Resource, ResourceMatch } from '../resources/resource-table.ts'
import { readPath } from '../url/path.ts'
import { ASSERTION_ALGORITHMS } from './client-assertion.ts'
import { DEVICE_CODE } from './grants/names.ts'
import { advertisedScopes, OFFLINE_ACCESS } from './scope.ts'

/** The methods by which a confidential client proves itself, at every endpoint alike. */
const CONFIDENTIAL = ['client_secret_post', 'client_secret_basic', 'private_key_jwt']

/**
 * The authorization server's metadata; the same on every host (decision K8).
 * @param issuer our origin, without trailing slash
 * @param options `registration`: true if clients may register themselves; `grantTypes`: those that some client can use;
 *   `clientMetadata`: true if the URL of a metadata document is a client id
 */
export function authorizationServerMetadata(
  issuer: string,
  resources: readonly Resource[],
  options: {
    readonly registration: boolean
    readonly grantTypes: readonly string[]
    readonly clientMetadata: boolean
  },
): Readonly<Record<string, unknown>> {
  const scopes = new Set(resources.flatMap((resource) => Object.keys(resource.scopes)))
  return {
    issuer,
    authorization_endpoint: issuer + ENDPOINTS.authorization,
    token_endpoint: issuer + ENDPOINTS.token,
    ...(options.grantTypes.includes(DEVICE_CODE) && {
      device_authorization_endpoint: issuer + ENDPOINTS.deviceAuthorization,
    }),
    ...(options.registration && { registration_endpoint: issuer + ENDPOINTS.registration }),
    revocation_endpoint: issuer + ENDPOINTS.revocation,
    introspection_endpoint: issuer + ENDPOINTS.introspection,
    jwks_uri: issuer + ENDPOINTS.jwks,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: options.grantTypes,
    token_endpoint_auth_methods_supported: ['none', ...CONFIDENTIAL],
    token_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    // Without this member a client has to assume `client_secret_basic` alone (RFC 8414 section 2).
    revocation_endpoint_auth_methods_supported: ['none', ...CONFIDENTIAL],
    revocation_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: CONFIDENTIAL,
    introspection_endpoint_auth_signing_alg_values_supported: ASSERTION_ALGORITHMS,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
    ...(options.clientMetadata && { client_id_metadata_document_supported: true }),
    scopes_supported: [...scopes, OFFLINE_ACCESS],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
  }
}

/**
 * The metadata of the protected resource at a path.
 * @param path the path that follows the well-known part, verbatim: a client discards a document whose `resource`
 *   is not exactly the URL that it asked for (RFC 9728 section 3.3)
 * @param issuers our issuer, and the provider's, which is named if the resource accepts its tokens
 */
export function protectedResourceMetadata(
  resource: Resource,
  path: string,
  { issuer, provider }: { readonly issuer: string; readonly provider: string | undefined },
): Readonly<Record<string, unknown>> {
  // Our issuer comes first: clients take the first, and the provider does not know this resource.
  const usual = resource.acceptsProviderTokens && provider !== undefined ? [provider] : []
  return {
    resource: resource.origin + path,
    authorization_servers: resource.authorizationServers ?? [issuer, ...usual],
    scopes_supported: advertisedScopes(resource),
    bearer_methods_supported: ['header'],
    resource_name: resource.name,
  }
}

/** RFC 3986 section 3.3, without what a server may read in another way. */
const isPathOfUrl = (path: string) =>
  /^[A-Za-z0-9._~%!$&'()*+,=:@/-]*$/.test(path) && readPath(path)?.isOdd !== true

/** The URL of the metadata that a challenge names: the document of the requested path (decision K18). */
export function metadataUrl({ resource, path, viaAlso }: ResourceMatch): string {
  const named = !viaAlso && isPathOfUrl(path) ? path : resource.path
  return resource.documentAt + (named === '/' ? '' : named)
}
