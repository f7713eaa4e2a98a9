/**
 * The endpoints that clients call: discovery, registration, token, keys. All of them answer on every host they are
 * routed on (decision K8) and to browsers of any origin.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ResourceTable } from '../forward-auth/resource.ts'
import { acceptForms, acceptJson } from '../http/bodies.ts'
import { allowAnyOrigin, preflight } from '../http/cors.ts'
import { answerProgram } from '../http/errors.ts'
import { sendJson } from '../http/json.ts'
import { allowOnly } from '../http/methods.ts'
import { scoped } from '../http/scope.ts'
import { authenticateClient } from './client-authentication.ts'
import type { Clients } from './clients/clients.ts'
import { registerClient } from './clients/registration.ts'
import { OAuthError } from './errors.ts'
import type { GrantDeps } from './grants/grant-type.ts'
import { GRANT_TYPES } from './grants/index.ts'
import type { SigningKeys } from './keys.ts'
import { authorizationServerMetadata, ENDPOINTS, protectedResourceMetadata } from './metadata.ts'
import { type Parameters, required } from './parameters.ts'
import { wellKnown } from './well-known.ts'

export interface OAuthRoutes {
  readonly issuer: string
  readonly clients: Clients
  readonly resources: ResourceTable
  readonly keys: SigningKeys
  readonly grants: GrantDeps
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

export function oauthRoutes(app: FastifyInstance, deps: OAuthRoutes): void {
  app.setErrorHandler(answerProgram)
  app.addHook('onRequest', async (_request, reply) => {
    allowAnyOrigin(reply)
  })
  discoveryRoutes(app, deps)
  // Each takes one content type.
  scoped(app, (scope) => registrationRoute(scope, deps))
  scoped(app, (scope) => tokenRoute(scope, deps))
}

/**
 * Answers with the discovery document that a request asks for.
 * @returns undefined if its address is none of a discovery document, and nothing was sent
 */
export function createDiscovery({
  issuer,
  resources,
}: Pick<OAuthRoutes, 'issuer' | 'resources'>): (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | undefined {
  const serverMetadata = authorizationServerMetadata(issuer, resources.all)
  return (request, reply) => {
    const document = wellKnown(request.raw.url ?? '', request.headers.host ?? '', resources)
    switch (document?.kind) {
      case 'authorization-server':
        return sendJson(allowAnyOrigin(reply), serverMetadata)
      case 'protected-resource': {
        const { resource, path } = document
        return sendJson(allowAnyOrigin(reply), protectedResourceMetadata(resource, path, issuer))
      }
      case undefined:
        return undefined
    }
  }
}

function discoveryRoutes(app: FastifyInstance, deps: OAuthRoutes): void {
  const { keys } = deps
  const discover = createDiscovery(deps)
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply =>
    discover(request, reply) ?? sendJson(reply.code(404), { error: 'not_found' })
  app.get('/.well-known/*', answer)
  preflight(app, '/.well-known/*', ['GET'])
  allowOnly(app, '/.well-known/*', ['GET', 'OPTIONS'])
  app.get(ENDPOINTS.jwks, async (_request, reply) =>
    sendJson(reply.header('cache-control', 'public, max-age=300'), keys.jwks()),
  )
  preflight(app, ENDPOINTS.jwks, ['GET'])
  allowOnly(app, ENDPOINTS.jwks, ['GET', 'OPTIONS'])
}

function registrationRoute(app: FastifyInstance, { clients, issuer, now }: OAuthRoutes): void {
  acceptJson(app)
  app.post(ENDPOINTS.registration, async (request, reply) => {
    const response = await registerClient(request.body, { clients, ownOrigin: issuer, now })
    request.log.info(
      { client: response.client_name, redirectUris: response.redirect_uris },
      'client registered',
    )
    return sendJson(reply.code(201).header('cache-control', 'no-store'), response)
  })
  preflight(app, ENDPOINTS.registration, ['POST'])
  allowOnly(app, ENDPOINTS.registration, ['POST', 'OPTIONS'])
}

function tokenRoute(app: FastifyInstance, { clients, grants }: OAuthRoutes): void {
  acceptForms(app)
  app.post<{ Body: Parameters }>(ENDPOINTS.token, async (request, reply) => {
    const parameters = request.body ?? new Map()
    const client = await authenticateClient(
      { authorization: request.headers.authorization, parameters },
      clients,
    )
    const name = required(parameters, 'grant_type')
    const grantType = GRANT_TYPES.find((known) => known.grantType === name)
    if (!grantType) {
      throw new OAuthError(
        'unsupported_grant_type',
        `grant_type must be one of ${GRANT_TYPES.map((known) => known.grantType).join(', ')}`,
      )
    }
    const response = await grantType.redeem({ client, parameters }, grants)
    request.log.info({ client: client.name, grantType: name }, 'token issued')
    return sendJson(reply.header('cache-control', 'no-store'), { ...response })
  })
  preflight(app, ENDPOINTS.token, ['POST'])
  allowOnly(app, ENDPOINTS.token, ['POST', 'OPTIONS'])
}
