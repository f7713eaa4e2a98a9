/**
 * `POST /revoke` (RFC 7009) and `POST /introspect` (RFC 7662): both authenticate the client as the token endpoint does,
 * and both take a token of any kind. A `token_type_hint` changes nothing, since the form of a token tells its kind.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { acceptForms } from '../../http/bodies.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { sendJson } from '../../http/json.ts'
import { ENDPOINTS } from '../../paths.ts'
import type { Records } from '../../records/records.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import { type Parameters, required } from '../../url/parameters.ts'
import type { AuthenticateClient } from '../client-authentication.ts'
import type { Client } from '../clients/client.ts'
import { grantFacts } from '../grant-facts.ts'
import { type IntrospectionDeps, introspect } from '../introspection.ts'
import { revokeToken } from '../revocation.ts'
import type { FindIssuedToken } from '../tokens/issued-tokens.ts'

type Asked = FastifyRequest<{ Body: Parameters }>

interface Authentication {
  readonly authenticateClient: AuthenticateClient
  readonly clientAddress: ClientAddress
}

/** @param app a scope for this route alone */
export function revocationRoute(
  app: FastifyInstance,
  deps: Authentication & {
    readonly findIssued: FindIssuedToken
    readonly records: Records
    readonly resources: Pick<ResourceTable, 'byAudience'>
  },
): void {
  acceptForms(app)
  clientEndpoint(app, ENDPOINTS.revocation, 'POST')
  app.post(ENDPOINTS.revocation, async (request: Asked, reply) => {
    const client = await clientOf(request, deps)
    const ended = await revokeToken(required(request.body, 'token'), client, deps)
    if (ended) {
      request.report({
        event: 'grant-revoked',
        ...grantFacts(ended),
        by: 'client',
        reason: 'the client ended its token',
        resource: deps.resources.byAudience(ended.resource)?.id,
      })
    }
    return reply.header('cache-control', 'no-store').send()
  })
}

/** @param app a scope for this route alone */
export function introspectionRoute(
  app: FastifyInstance,
  deps: Authentication & { readonly introspection: IntrospectionDeps },
): void {
  acceptForms(app)
  clientEndpoint(app, ENDPOINTS.introspection, 'POST')
  app.post(ENDPOINTS.introspection, async (request: Asked, reply) => {
    const client = await clientOf(request, deps)
    const said = await introspect(required(request.body, 'token'), client, deps.introspection)
    return sendJson(reply.header('cache-control', 'no-store'), { ...said })
  })
}

function clientOf(
  { headers, body, raw }: Asked,
  { authenticateClient, clientAddress }: Authentication,
): Promise<Client> {
  return authenticateClient({
    authorization: headers.authorization,
    parameters: body,
    address: clientAddress(raw),
  })
}
