/**
 * `POST /device_authorization` (RFC 8628 section 3.1): a client without a browser begins a request, and gets the code
 * that a person types elsewhere.
 *
 * @module
 */
import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../../errors.ts'
import { acceptForms } from '../../http/bodies.ts'
import type { ClientAddress } from '../../http/client-address.ts'
import { clientEndpoint } from '../../http/client-endpoint.ts'
import { sendJson } from '../../http/json.ts'
import { RateLimited } from '../../http/rate-limit.ts'
import { DEVICE_PATH, ENDPOINTS } from '../../paths.ts'
import type { ResourceTable } from '../../resources/resource-table.ts'
import { widestBucketOf } from '../../url/address-buckets.ts'
import { isOwnHost } from '../../url/host.ts'
import type { Parameters } from '../../url/parameters.ts'
import type { AuthenticateClient } from '../client-authentication.ts'
import { parseDeviceRequest } from '../device/authorization.ts'
import { POLL_INTERVAL } from '../device/pace.ts'
import { DEVICE_LIFETIME, type DeviceRequests } from '../device/requests.ts'
import { shownUserCode } from '../device/user-code.ts'
import { DEVICE_CODE } from '../grants/names.ts'

/** Seconds after which a place may be free again, where one block of addresses has too many requests waiting. */
const FULL_RETRY_SECONDS = 60

/** @param app a scope for this route alone */
export function deviceAuthorizationRoute(
  app: FastifyInstance,
  deps: {
    readonly issuer: string
    readonly authenticateClient: AuthenticateClient
    readonly clientAddress: ClientAddress
    readonly resources: ResourceTable
    readonly deviceRequests: DeviceRequests
  },
): void {
  const { issuer, resources, clientAddress } = deps
  acceptForms(app)
  clientEndpoint(app, ENDPOINTS.deviceAuthorization, 'POST')
  app.post<{ Body: Parameters }>(ENDPOINTS.deviceAuthorization, async (request, reply) => {
    const { body: parameters, headers } = request
    const address = clientAddress(request.raw)
    const client = await deps.authenticateClient({
      authorization: headers.authorization,
      parameters,
      address,
    })
    if (!client.grantTypes.includes(DEVICE_CODE)) {
      throw new OAuthError('unauthorized_client', 'the client did not register the device grant')
    }
    const host = headers.host ?? ''
    const asked = await parseDeviceRequest(parameters, client, {
      resources,
      host: isOwnHost(host, issuer) ? undefined : host,
    })
    const begun = await deps.deviceRequests.begin(asked, widestBucketOf(address))
    if (!begun) throw new RateLimited(FULL_RETRY_SECONDS)
    const userCode = shownUserCode(begun.userCode)
    return sendJson(reply.header('cache-control', 'no-store'), {
      device_code: begun.deviceCode,
      user_code: userCode,
      verification_uri: issuer + DEVICE_PATH,
      verification_uri_complete: `${issuer}${DEVICE_PATH}?user_code=${userCode}`,
      expires_in: DEVICE_LIFETIME,
      interval: POLL_INTERVAL,
    })
  })
}
