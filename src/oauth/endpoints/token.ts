/**
 * `src/oauth/endpoints/` owns the routes that OAuth clients call. It owns no rule: the rest of `src/oauth/` does.
 *
 * `POST /token` (OAuth 2.1 section 3.2) authenticates the client and hands the request to its grant type.
 *
 * @module
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Keyring, sha256 } from '../../crypto.ts'
import { OAuthError } from '../../errors.ts'
import type { Report } from '../../events.ts'
import { acceptForms } from '../../http/bodies.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { sendJson } from '../../http/json.ts'
import { ENDPOINTS } from '../../paths.ts'
import { type Parameters, required } from '../../url/parameters.ts'
import { type AuthenticateClient, claimedIds } from '../client-authentication.ts'
import type { Clients } from '../clients/clients.ts'
import { parseDeviceCode } from '../device/polling-code.ts'
import { grantFacts } from '../grant-facts.ts'
import type { GrantDeps } from '../grants/grant-type.ts'
import { GRANT_TYPES } from '../grants/index.ts'
import { DEVICE_CODE } from '../grants/names.ts'
import type { Issued } from '../tokens/issuer.ts'

/**
 * Tells whether a request is that of a device which asks whether its person has answered yet: with a code that we gave to
 * the client that it names, and that has not expired. A guess at the secret of another client is no poll.
 * @param deps `now` in milliseconds since the epoch
 */
export function createIsDevicePoll({
  keyring,
  now,
}: {
  readonly keyring: Pick<Keyring, 'verifyMac'>
  readonly now: () => number
}): (request: FastifyRequest) => boolean {
  return ({ body, headers }) => {
    if (!(body instanceof Map) || body.get('grant_type')?.[0] !== DEVICE_CODE) return false
    const code = String(body.get('device_code')?.[0] ?? '')
    return claimedIds({ authorization: headers.authorization, parameters: body }).some((id) => {
      const given = parseDeviceCode(code, sha256(id), keyring)
      return given !== undefined && given.expiresAt * 1000 > now()
    })
  }
}

/** @param app a scope for this route alone */
export function tokenRoute(
  app: FastifyInstance,
  deps: {
    readonly authenticateClient: AuthenticateClient
    readonly clients: Pick<Clients, 'remember'>
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
    const report: Report = (event) => request.report(event)
    const issued = await grantType.redeem({ client, parameters, report }, deps.grants)
    void deps.clients.remember(client)
    void reportIssued(issued, name, { report, deps: deps.grants })
    return sendJson(reply.header('cache-control', 'no-store'), { ...issued.response })
  })
}

/** The answer does not wait for the name of the person. */
async function reportIssued(
  { grant, scopes, expiresAt }: Issued,
  grantType: string,
  { report, deps }: { readonly report: Report; readonly deps: GrantDeps },
): Promise<void> {
  report({
    event: 'token-issued',
    ...grantFacts(grant),
    user: await deps.userOfGrant(grant),
    resource: deps.resources.byAudience(grant.resource)?.id,
    scopes,
    grantType,
    expiresAt: new Date(expiresAt * 1000).toISOString(),
  })
}
