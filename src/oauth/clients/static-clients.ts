/**
 * The clients that the operator's configuration names.
 *
 * @module
 */

import { constantTimeEqual, sha256 } from '../../crypto.ts'
import type { Client, ClientConfig } from './client.ts'

export interface StaticClients {
  find(clientId: string): Client | undefined
  /** True if `secret` is the client's; compared in constant time. */
  verifySecret(clientId: string, secret: string): boolean
}

/** @param configs clients with distinct ids, whose redirect URIs have been judged */
export function createStaticClients(configs: readonly ClientConfig[]): StaticClients {
  const clients = new Map(configs.map((config) => [config.id, clientOf(config)]))
  const secrets = new Map(configs.map(({ id, secret }) => [id, secret]))
  return {
    find: (clientId) => clients.get(clientId),
    verifySecret(clientId, secret) {
      const expected = secrets.get(clientId)
      return expected !== undefined && constantTimeEqual(expected, secret)
    },
  }
}

function clientOf({
  id,
  name,
  redirectUris,
  grantTypes,
  authMethod,
  keys,
  scopes,
  resources,
  introspects,
  needsConsent,
}: ClientConfig): Client {
  return {
    id,
    hash: sha256(id),
    configured: true,
    name,
    redirectUris,
    grantTypes,
    authMethod,
    ...(keys && { keys }),
    ...(scopes && { scopes }),
    ...(resources && { resources }),
    ...(introspects && { introspects }),
    ...(needsConsent === false && { needsConsent }),
  }
}
