/**
 * The resources at which a provider's token is good. Pure.
 *
 * @module
 */
import type { Resource, ResourceTable } from '../../resources/resource-table.ts'
import type { ProviderAccessToken } from './claims.ts'

export interface AudienceRules {
  readonly resources: ResourceTable
  /** Our origin: the one audience that all of mcpauth's servers shared. */
  readonly publicUrl: string
  /** Our client_id at the provider. */
  readonly clientId: string
  /** Other clients of the provider whose tokens are good here. */
  readonly tokenClients: readonly string[]
}

/**
 * A token that names a protected server is good there and nowhere else (threat T8). A token that names none is good at
 * every server that accepts provider tokens, if it names us, or was issued to us or a configured client.
 */
export function isTokenFor(
  { audiences, client }: ProviderAccessToken,
  resource: Resource,
  { resources, publicUrl, clientId, tokenClients }: AudienceRules,
): boolean {
  const named = audiences.map(withoutSlash)
  if (named.includes(resource.audience)) return true
  const isServer = resources.all.some(({ audience }) => audience === publicUrl)
  const isOurs = named.includes(publicUrl) && !isServer
  const others = named.filter((url) => url !== publicUrl || !isOurs)
  if (others.some((url) => resources.byIndicator(url) !== undefined)) return false
  return (
    isOurs ||
    named.includes(clientId) ||
    (client !== undefined && (client === clientId || tokenClients.includes(client)))
  )
}

const withoutSlash = (url: string) => url.replace(/\/$/, '')
