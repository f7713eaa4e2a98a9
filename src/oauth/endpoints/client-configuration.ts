/**
 * `GET` and `DELETE` of a client's own registration (RFC 7592), with its registration access token.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Keyring } from '../../crypto.ts'
import { OAuthError } from '../../errors.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { sendJson } from '../../http/json.ts'
import { rawQuery } from '../../http/raw-query.ts'
import { CLIENT_CONFIGURATION_PATH } from '../../paths.ts'
import type { Records } from '../../records/records.ts'
import { parseParameters, single } from '../../url/parameters.ts'
import type { Client } from '../clients/client.ts'
import type { Clients } from '../clients/clients.ts'
import { registrationResponse } from '../clients/register.ts'
import { authenticateRegistration, deleteClient } from '../clients/registration-management.ts'
import { clientFacts } from '../grant-facts.ts'

export interface RegistrationManagementRoute {
  readonly issuer: string
  readonly clients: Clients
  readonly clientAddress: ClientAddress
  readonly keyring: Keyring
  readonly records: Records
}

/** RFC 6750 section 2.1. */
const BEARER = /^bearer +([A-Za-z0-9\-._~+/]+=*)$/i

/** @param app a scope for this route alone */
export function registrationManagementRoute(
  app: FastifyInstance,
  deps: RegistrationManagementRoute,
): void {
  const url = CLIENT_CONFIGURATION_PATH
  // No method of these reads a body.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  clientEndpoint(app, url, ['GET', 'DELETE', 'PUT'])
  app.get(url, async (request, reply) => {
    const client = await owner(request)
    return sendJson(reply.header('cache-control', 'no-store'), registrationResponse(client, deps))
  })
  app.delete(url, async (request, reply) => {
    const client = await owner(request)
    const count = await deleteClient(client, deps)
    request.report({
      event: 'client-deleted',
      ...clientFacts({ clientName: client.name, clientHash: client.hash }),
      count,
    })
    return reply.code(204).header('cache-control', 'no-store').send()
  })
  app.put(url, async (request) => {
    await owner(request)
    throw new OAuthError(
      'invalid_client_metadata',
      'a registration is sealed into its client_id and cannot change: register anew, then delete this one',
    )
  })

  function owner(request: FastifyRequest): Promise<Client> {
    const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? []
    const clientId = single(parseParameters(rawQuery(request)), 'client_id')
    const from = deps.clientAddress(request.raw)
    return authenticateRegistration({ clientId, token, from }, deps)
  }
}
