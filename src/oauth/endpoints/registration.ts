/**
 * `POST /register` (RFC 7591).
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import type { Keyring } from '../../crypto.ts'
import { acceptJson } from '../../http/bodies.ts'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { sendJson } from '../../http/json.ts'
import { ENDPOINTS } from '../../paths.ts'
import type { Clients } from '../clients/clients.ts'
import { registerClient } from '../clients/register.ts'
import type { RegistrationPolicy } from '../clients/registration-policy.ts'
import { clientFacts, DEVICE_DESTINATION } from '../grant-facts.ts'
import { DEVICE_CODE } from '../grants/names.ts'
import { destinationName, type RedirectRules } from '../redirect-uri.ts'

/** Destinations in an event. */
const MAX_LISTED = 10

export interface RegistrationRoute {
  readonly issuer: string
  readonly keyring: Keyring
  readonly clients: Clients
  readonly policy: RegistrationPolicy
  readonly redirectRules: RedirectRules
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** @param app a scope for this route alone */
export function registrationRoute(
  app: FastifyInstance,
  { issuer, keyring, clients, policy, redirectRules, now }: RegistrationRoute,
): void {
  acceptJson(app)
  clientEndpoint(app, ENDPOINTS.registration, 'POST')
  app.post(ENDPOINTS.registration, async (request, reply) => {
    const { response, client, software } = await registerClient(request.body, {
      issuer,
      keyring,
      clients,
      policy,
      rules: redirectRules,
      now,
    })
    request.report({
      event: 'client-registered',
      ...clientFacts({ clientName: client.name, clientHash: client.hash }),
      destinations: [
        ...(client.grantTypes.includes(DEVICE_CODE) ? [DEVICE_DESTINATION] : []),
        ...new Set(client.redirectUris.map(destinationName)),
      ].slice(0, MAX_LISTED),
      software,
    })
    return sendJson(reply.code(201).header('cache-control', 'no-store'), response)
  })
}
