/**
 * The routes of the discovery documents and the public keys.
 *
 * @module
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { allowAnyOrigin, answerPreflight } from '../../http/cors.ts'
import { sendJson } from '../../http/json.ts'
import { scoped } from '../../http/surface.ts'
import { ENDPOINTS, JWKS_ALIAS, WELL_KNOWN_DOCUMENTS } from '../../paths.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import { authorizationServerMetadata, protectedResourceMetadata } from '../metadata.ts'
import type { SigningKeys } from '../tokens/signing-keys.ts'
import { wellKnown } from '../well-known.ts'

const UNKNOWN_DOCUMENT = {
  error: 'not_found',
  error_description: 'no protected server is configured at the address that this document is for',
}

interface Described {
  readonly issuer: string
  /** The issuer of the provider; undefined for the built-in login. */
  readonly providerIssuer: string | undefined
  readonly resources: ResourceTable
  /** True if clients may register themselves. */
  readonly registration: boolean
  /** Told each host whose well-known paths a client asked for. */
  readonly sawDiscovery: (host: string) => void
  /** The grant types that some client can use. */
  readonly grantTypes: readonly string[]
  /** True if the URL of a metadata document is a client id. */
  readonly clientMetadata: boolean
}

/**
 * Answers with the discovery document that a request asks for.
 * @returns undefined, with nothing sent, if the request does not ask for one
 */
export function createDiscovery({
  issuer,
  providerIssuer,
  resources,
  sawDiscovery,
  ...options
}: Described): (request: FastifyRequest, reply: FastifyReply) => FastifyReply | undefined {
  const issuers = { issuer, provider: providerIssuer }
  return (request, reply) => {
    const places = { host: request.headers.host ?? '', issuer, resources }
    const document = wellKnown(request.raw.url ?? '', places)
    if (document && request.method === 'OPTIONS') return answerPreflight(reply, ['GET', 'HEAD'])
    if (request.method !== 'GET' && request.method !== 'HEAD') return undefined
    switch (document?.kind) {
      case 'authorization-server':
        sawDiscovery(request.headers.host ?? '')
        return sendJson(
          allowAnyOrigin(reply),
          authorizationServerMetadata(issuer, resources.all, options),
        )
      case 'protected-resource': {
        const { resource, path } = document
        sawDiscovery(new URL(resource.origin).host)
        const send = () =>
          sendJson(allowAnyOrigin(reply), protectedResourceMetadata(resource, path, issuers))
        const fresh = resource.freshScopes()
        if (!fresh) return send()
        fresh.then(send).catch((error: unknown) => reply.send(error))
        return reply
      }
      case undefined:
        return undefined
    }
  }
}

export function discoveryRoutes(
  app: FastifyInstance,
  { keys, ...described }: Described & { readonly keys: readonly SigningKeys[] },
): void {
  const discover = createDiscovery(described)
  for (const url of WELL_KNOWN_DOCUMENTS.flatMap((name) => [name, `${name}/*`])) {
    scoped(app, (scope) => {
      clientEndpoint(scope, url, 'GET')
      scope.get(
        url,
        (request, reply) => discover(request, reply) ?? sendJson(reply.code(404), UNKNOWN_DOCUMENT),
      )
    })
  }
  for (const path of [ENDPOINTS.jwks, JWKS_ALIAS]) {
    scoped(app, (scope) => {
      clientEndpoint(scope, path, 'GET')
      scope.get(path, async (_request, reply) =>
        sendJson(reply.header('cache-control', 'public, max-age=300'), {
          keys: keys.flatMap((kind) => kind.jwks().keys),
        }),
      )
    })
  }
}
