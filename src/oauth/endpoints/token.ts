/**
 * `src/oauth/endpoints/` owns the routes that OAuth clients call. It owns no rule: the rest of `src/oauth/` does.
 *
 * `POST /token` (OAuth 2.1 section 3.2) authenticates the client and hands the request to its grant type.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../../errors.ts'
import { acceptForms } from '../../http/bodies.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { sendJson } from '../../http/json.ts'
import { ENDPOINTS } from '../../paths.ts'
import { type Parameters, required } from '../../url/parameters.ts'
import type { AuthenticateClient } from '../client-authentication.ts'
import type { GrantDeps } from '../grants/grant-type.ts'
import { GRANT_TYPES } from '../grants/index.ts'

/** @param app a scope for this route alone */
export function tokenRoute(
  app: FastifyInstance,
  deps: {
    readonly authenticateClient: AuthenticateClient
    readonly clientAddress: ClientAddress
    readonly grants: GrantDeps
  },
): void {
  acceptForms(app)
  clientEndpoint(app, ENDPOINTS.token, 'POST')
  app.post<{ Body: Parameters }>(ENDPOINTS.token, async (request, reply) => {
    const parameters = request.body
    const client = await deps.authenticateClient({
      authorization: request.headers.authorization,
      parameters,
      address: deps.clientAddress(request.raw),
    })
    const name = required(parameters, 'grant_type')
    const grantType = GRANT_TYPES.find((known) => known.grantType === name)
    if (!grantType) {
      throw new OAuthError(
        'unsupported_grant_type',
        `grant_type must be one of ${GRANT_TYPES.map((known) => known.grantType).join(', ')}`,
      )
    }
    if (!client.grantTypes.includes(name)) {
      throw new OAuthError('unauthorized_client', 'the client did not register this grant_type')
    }
    const response = await grantType.redeem({ client, parameters }, deps.grants)
    request.log.info(
      { requestId: request.id, client: client.name, grantType: name },
      'token issued',
    )
    return sendJson(reply.header('cache-control', 'no-store'), { ...response })
  })
}
